//! What the backward pass need not solve: where there is no step, and where the solver proved that the step
//! changes nothing. The result is the same to the bit.

#[path = "common/listed.rs"]
mod listed;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use imle_runtime::{
    Difference, Feedback, Gradient, Imle, Layer, Pid, Sampling, SumOfGamma, Temperature,
};
use listed::Listed;
use oracles::numbers;

const ROWS: usize = 50;
const DIM: usize = 4;

/// The gradient through samples or through means, and the rows that the oracle solved backward.
fn gradient(proves: bool, imle: &Imle, samples: usize, through_means: bool) -> (Gradient, u64) {
    let oracle = Arc::new(Listed {
        proves,
        ..Listed::one_hot(DIM)
    });
    let sampling = Sampling {
        samples,
        noise: Arc::new(SumOfGamma {
            kappa: 1.0,
            terms: None,
        }),
        ..Sampling::default()
    };
    let layer = Layer::new(oracle.clone(), imle.clone(), sampling).expect("the settings are right");
    let theta = numbers(ROWS * DIM, 1);
    let mut grad_mu = numbers(ROWS * DIM, 2);
    grad_mu[..DIM].fill(0.0);
    let gradient = if through_means {
        let saved = layer.forward_mean(&theta, 0).expect("theta is finite");
        oracle.rows.store(0, Ordering::Relaxed);
        layer.backward_mean(saved, &grad_mu)
    } else {
        let saved = layer.forward(&theta, 0).expect("theta is finite");
        oracle.rows.store(0, Ordering::Relaxed);
        layer.backward(saved, Feedback::GradMean(&grad_mu))
    };
    let solved = oracle.rows.load(Ordering::Relaxed);
    (gradient.expect("the gradient is finite"), solved)
}

fn imle(lambda: f64, difference: Difference) -> Imle {
    Imle {
        target: Arc::new(Pid::new(lambda)),
        difference,
        ..Imle::default()
    }
}

#[test]
fn a_proven_state_costs_no_solve_and_changes_nothing() {
    for difference in [Difference::OneSided, Difference::Central] {
        for lambda in [0.0, 1e-3, 0.1, 1.0, 10.0] {
            for (samples, through_means) in [(1, true), (1, false), (6, true), (6, false)] {
                let imle = imle(lambda, difference);
                let (with, solved) = gradient(true, &imle, samples, through_means);
                let (without, all) = gradient(false, &imle, samples, through_means);
                let context = format!("lambda {lambda}, {samples} samples, means {through_means}");
                assert_eq!(with.theta, without.theta, "{context}");
                // What is reported is what happened.
                assert_eq!(with.solves as u64, solved, "{context}");
                assert_eq!(without.solves as u64, all, "{context}");
                assert_eq!(
                    with.solves + with.skipped,
                    without.solves + without.skipped,
                    "{context}"
                );
                // Rows with a proof, of those that have a gradient.
                let proven = without.solves - with.solves;
                match lambda {
                    0.0 => assert_eq!((with.solves, proven), (0, 0)),
                    1e-3 => assert!(with.skipped > 8 * with.solves, "{context}: {with:?}"),
                    10.0 => assert!(with.skipped < with.solves, "{context}: {with:?}"),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn rows_without_a_gradient_are_counted() {
    let (gradient, _) = gradient(false, &imle(1.0, Difference::Central), 6, false);
    assert_eq!((gradient.skipped, gradient.solves), (12, (ROWS - 1) * 12));
}

#[test]
fn another_temperature_on_the_target_side_is_always_solved() {
    let imle = Imle {
        tau_target: Some(Temperature::from(0.5)),
        ..imle(1e-6, Difference::OneSided)
    };
    let (gradient, _) = gradient(true, &imle, 1, false);
    assert_eq!((gradient.skipped, gradient.solves), (1, ROWS - 1));
}

/// A step that ends just short of the radius or just beyond it, in numbers whose rounding decides.
#[test]
fn rounding_does_not_make_a_proof_reach_further() {
    let mut skipped = 0;
    for seed in 0..2000 {
        let theta = numbers(2, seed);
        let oracle = |proves| {
            Arc::new(Listed {
                proves,
                ..Listed::one_hot(2)
            })
        };
        let sampling = || Sampling {
            seed,
            ..Sampling::default()
        };
        // The gap between the two coordinates under the noise, of which each can move by half.
        let probe = Layer::new(oracle(true), imle(1.0, Difference::OneSided), sampling()).unwrap();
        let saved = probe.forward(&theta, 0).unwrap();
        let radius = saved.states().outcomes()[0].as_ref().unwrap().proof.radius;
        for shift in [-4.0, -1.0, 0.0, 1.0, 4.0] {
            let lambda = radius * (1.0 + shift * f64::EPSILON);
            let back = |proves| {
                let imle = imle(lambda, Difference::OneSided);
                let layer = Layer::new(oracle(proves), imle, sampling()).unwrap();
                let saved = layer.forward(&theta, 0).unwrap();
                let grad: Vec<f64> = saved.z().iter().map(|z| 2.0 * z - 1.0).collect();
                layer.backward(saved, &grad).unwrap()
            };
            let with = back(true);
            assert_eq!(
                with.theta,
                back(false).theta,
                "seed {seed}, lambda {lambda}"
            );
            skipped += with.skipped;
        }
    }
    assert!(skipped < 10_000, "some steps go beyond the radius");
}
