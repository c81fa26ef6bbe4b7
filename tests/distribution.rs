//! Distributions over states: merged, ordered, and what they say of any cost.

#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::{Distribution, Layer, Sampling, StraightThrough};
use oracles::{k_subset, subsets};

fn sampled(samples: usize) -> Distribution {
    let sampling = Sampling {
        samples,
        ..Sampling::default()
    };
    let layer = Layer::new(k_subset(4, 1), StraightThrough, sampling).expect("it is right");
    let saved = layer
        .forward(&[0.0, 1.0, -1.0, 0.5], 0)
        .expect("theta fits");
    let distribution = Distribution::of_samples(saved.states(), 0).expect("all solved");
    let mu = saved.states().marginals();
    distribution
        .mean()
        .iter()
        .zip(&mu)
        .for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    distribution
}

#[test]
fn samples_are_merged_into_atoms_the_heaviest_first() {
    let distribution = sampled(20_000);
    assert_eq!(distribution.len(), 4);
    let weights: Vec<f64> = distribution.atoms().map(|(_, weight)| weight).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b));
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(distribution.atoms().next().unwrap().0, [0.0, 1.0, 0.0, 0.0]);

    let exact = Distribution::gibbs(&subsets(4, 1), &[0.0, 1.0, -1.0, 0.5], 1.0).unwrap();
    for (z, weight) in exact.atoms() {
        let error = (weight * (1.0 - weight) / 20_000.0).sqrt();
        assert!((distribution.share(z) - weight).abs() < 4.5 * error);
    }
    assert_eq!(distribution.share(&[0.0; 4]), 0.0);
}

#[test]
fn entropy_top_and_expectation_are_right() {
    let uniform = Distribution::gibbs(&subsets(5, 2), &[0.0; 5], 1.0).unwrap();
    assert!((uniform.entropy() - 10_f64.ln()).abs() < 1e-12);
    let sure = Distribution::gibbs(&subsets(5, 2), &[900.0, 900.0, 0.0, 0.0, 0.0], 1.0).unwrap();
    assert_eq!(sure.entropy(), 0.0);
    assert_eq!(sure.share(&[1.0, 1.0, 0.0, 0.0, 0.0]), 1.0);

    let theta = [0.0, 2.0_f64.ln(), 3.0_f64.ln()];
    let softmax = Distribution::gibbs(&subsets(3, 1), &theta, 1.0).unwrap();
    let cost = |z: &[f64]| if z[1] == 1.0 { 6.0 } else { 0.0 };
    assert!((softmax.expectation(cost) - 2.0).abs() < 1e-12);
    let top = softmax.top(2);
    assert_eq!(top.len(), 2);
    assert!((top.share(&[0.0, 0.0, 1.0]) - 0.6).abs() < 1e-12);
    let entropy = softmax
        .atoms()
        .map(|(_, weight)| -weight * weight.ln())
        .sum::<f64>();
    assert!((softmax.entropy() - entropy).abs() < 1e-12);
}

#[test]
fn lists_that_are_no_set_of_states_are_refused() {
    let refused = |states: &[Vec<f64>], tau| {
        let refused = Distribution::gibbs(states, &[0.0, 1.0], tau).unwrap_err();
        refused.message().to_owned()
    };
    assert_eq!(refused(&[], 1.0), "the list of states is empty");
    assert_eq!(
        refused(&[vec![1.0]], 1.0),
        "state 0 has 1 values, not dim = 2"
    );
    let twins = [vec![0.0, 1.0], vec![1.0, 0.0], vec![-0.0, 1.0]];
    assert_eq!(refused(&twins, 1.0), "states 0 and 2 are the same");
    assert_eq!(
        refused(&twins[..2], 0.0),
        "tau = 0 is not a positive number"
    );
    assert_eq!(
        refused(&[vec![f64::NAN, 0.0]], 1.0),
        "state 0 has the value NaN"
    );
}
