//! What the estimator claims, compared with enumeration, closed forms and other rules.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Call, Combinatorial, Difference, Gumbel, Imle, Oracle, Pid, RelativePid, Sampling, Sense,
    SumOfGamma, Target,
};
use layers::{every_setting, imle, layer, noises, without_noise};
use oracles::{Counting, brute_force, enumeration, k_subset, numbers, subsets};
use proptest::prelude::*;

#[test]
fn without_noise_it_is_the_black_box_rule() {
    let states = subsets(8, 3);
    for seed in 0..200 {
        let (theta, grad_z, lambda) = (
            numbers(8, seed),
            numbers(8, seed + 1000),
            0.5 + seed as f64 / 50.0,
        );
        // Pogancic et al. (2020), for a maximiser: (y(theta) - y(theta - lambda dy)) / lambda.
        let shifted: Vec<f64> = theta
            .iter()
            .zip(&grad_z)
            .map(|(theta, grad)| theta - lambda * grad)
            .collect();
        let (y, y_shifted) = (brute_force(&states, &theta), brute_force(&states, &shifted));
        let expected: Vec<f64> = y
            .iter()
            .zip(&y_shifted)
            .map(|(y, shifted)| (y - shifted) / lambda)
            .collect();

        let config = (
            Imle {
                divide_by_lambda: true,
                ..imle(Pid::new(lambda))
            },
            without_noise(Pid::new(lambda)).1,
        );
        let imle = layer(k_subset(8, 3), config);
        let saved = imle.forward(&theta, 0).unwrap();
        assert_eq!(imle.backward(saved, &grad_z).unwrap().theta, expected);
    }
}

/// `mu` estimates `expected` from `samples` draws of 0 or 1: no coordinate is 5 standard errors off, which
/// happens to one of 10^6 correct ones.
fn assert_marginals(mu: &[f64], expected: &[f64], samples: usize) {
    for (at, (mu, expected)) in mu.iter().zip(expected).enumerate() {
        let error = (expected * (1.0 - expected) / samples as f64).sqrt();
        assert!(
            (mu - expected).abs() <= 5.0 * error + 1e-12,
            "coordinate {at}: {mu} for {expected}, standard error {error}"
        );
    }
}

#[test]
fn gumbel_perturb_and_map_on_one_hot_states_is_the_softmax() {
    let theta = [0.5, -1.0, 0.0, 1.5, 0.25];
    for (tau, seed) in [(1.0, 1), (2.0, 2), (0.5, 3)] {
        let samples = 100_000;
        let config = (
            Imle::default(),
            Sampling {
                samples,
                tau: tau.into(),
                seed,
                noise: Arc::new(Gumbel),
                ..Sampling::default()
            },
        );
        let mu = layer(k_subset(5, 1), config).marginals(&theta, 0).unwrap();
        let weights: Vec<f64> = theta.iter().map(|theta| (theta / tau).exp()).collect();
        let total: f64 = weights.iter().sum();
        let softmax: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        assert_marginals(&mu, &softmax, samples);
    }
}

/// The k largest of Gumbel-perturbed scores are a draw without replacement, proportional to `exp(theta)`
/// (Plackett and Luce).
fn drawn_without_replacement(weights: &[f64], k: usize) -> Vec<f64> {
    fn visit(weights: &[f64], taken: &mut Vec<usize>, k: usize, chance: f64, mu: &mut [f64]) {
        if taken.len() == k {
            taken.iter().for_each(|&i| mu[i] += chance);
            return;
        }
        let free: Vec<usize> = (0..weights.len()).filter(|i| !taken.contains(i)).collect();
        let total: f64 = free.iter().map(|&i| weights[i]).sum();
        for i in free {
            taken.push(i);
            visit(weights, taken, k, chance * weights[i] / total, mu);
            taken.pop();
        }
    }
    let mut mu = vec![0.0; weights.len()];
    visit(weights, &mut Vec::new(), k, 1.0, &mut mu);
    mu
}

#[test]
fn gumbel_marginals_of_subsets_are_draws_without_replacement() {
    for (dim, k, seed) in [(4, 2, 1), (7, 3, 2), (12, 2, 3)] {
        let theta = numbers(dim, seed);
        let samples = 100_000;
        let config = (
            Imle::default(),
            Sampling {
                samples,
                seed,
                noise: Arc::new(Gumbel),
                ..Sampling::default()
            },
        );
        let mu = layer(k_subset(dim, k), config)
            .marginals(&theta, 0)
            .unwrap();
        let weights: Vec<f64> = theta.iter().map(|theta| theta.exp()).collect();
        assert_marginals(&mu, &drawn_without_replacement(&weights, k), samples);
    }
}

#[test]
fn a_loaded_solver_and_enumeration_sample_the_same_states() {
    for noise in noises() {
        let config = (
            Imle::default(),
            Sampling {
                samples: 50,
                seed: 4,
                noise,
                ..Sampling::default()
            },
        );
        let theta = numbers(3 * 9, 5);
        let loaded = layer(k_subset(9, 4), config.clone())
            .forward(&theta, 2)
            .unwrap();
        let listed = layer(enumeration(subsets(9, 4)), config)
            .forward(&theta, 2)
            .unwrap();
        assert_eq!(loaded.z(), listed.z());
    }
}

/// Fact 1: with the Hamming loss, Eq. 14 and no noise it is the perceptron rule `MAP(theta) - y`.
#[test]
fn fact_1_the_perceptron_rule() {
    let states = subsets(7, 3);
    let imle = layer(k_subset(7, 3), without_noise(Combinatorial));
    for (seed, y) in states.iter().enumerate() {
        let theta = numbers(7, seed as u64);
        let saved = imle.forward(&theta, 0).unwrap();
        let z = saved.z().to_vec();
        // The derivative of sum z (1 - y) + (1 - z) y.
        let grad_z: Vec<f64> = y.iter().map(|y| 1.0 - 2.0 * y).collect();
        let perceptron: Vec<f64> = z.iter().zip(y).map(|(z, y)| z - y).collect();
        assert_eq!(imle.backward(saved, &grad_z).unwrap().theta, perceptron);
    }
}

/// Fact 2: with the regret and Eq. 14 it is the perturb-and-MAP gradient of the likelihood between
/// `p(z; theta)` and `p(z; -c)`: the difference of their marginals under the same noise.
#[test]
fn fact_2_the_likelihood_of_the_costs() {
    let config = (
        imle(Combinatorial),
        Sampling {
            samples: 30,
            noise: Arc::new(SumOfGamma {
                kappa: 3.0,
                terms: Some(10),
            }),
            ..Sampling::default()
        },
    );
    let imle = layer(k_subset(7, 3), config);
    for seed in 0..20 {
        let (theta, costs) = (numbers(7, seed), numbers(7, seed + 100));
        let rewards: Vec<f64> = costs.iter().map(|cost| -cost).collect();
        let (mu, mu_target) = (
            imle.marginals(&theta, 0).unwrap(),
            imle.marginals(&rewards, 0).unwrap(),
        );
        let saved = imle.forward(&theta, 0).unwrap();
        let gradient = imle.backward(saved, &costs.repeat(30)).unwrap().theta;
        for ((gradient, mu), target) in gradient.iter().zip(&mu).zip(&mu_target) {
            assert!((gradient - (mu - target)).abs() < 1e-12);
        }
    }
}

#[test]
fn the_finite_difference_approaches_the_derivative_of_the_expected_loss() {
    // One-hot states under Gumbel noise have softmax marginals, so the derivative of <mu, w> is known:
    // mu_i (w_i - <mu, w>). With small lambda the estimate is unbiased up to O(lambda).
    let (theta, w) = ([0.3, -0.2, 0.8, 0.0], [1.0, -0.5, 0.25, 2.0]);
    let (samples, lambda) = (200_000, 0.05);
    let weights: Vec<f64> = theta.iter().map(|theta: &f64| theta.exp()).collect();
    let mu: Vec<f64> = weights
        .iter()
        .map(|weight| weight / weights.iter().sum::<f64>())
        .collect();
    let mean: f64 = mu.iter().zip(&w).map(|(mu, w)| mu * w).sum();
    let config = (
        Imle {
            target: Arc::new(Pid::new(lambda)),
            difference: Difference::Central,
            divide_by_lambda: true,
            ..Imle::default()
        },
        Sampling {
            samples,
            noise: Arc::new(Gumbel),
            ..Sampling::default()
        },
    );
    let imle = layer(k_subset(4, 1), config);
    let saved = imle.forward(&theta, 0).unwrap();
    let gradient = imle.backward(saved, &w.repeat(samples)).unwrap().theta;
    for i in 0..4 {
        let derivative = mu[i] * (w[i] - mean);
        // Each difference is 0 or +-1/(2 lambda), non-zero with a chance of about 2 lambda |w| mu.
        let error = 5.0 * (mu[i] * 2.0 * 2.0 / (2.0 * lambda) / samples as f64).sqrt();
        assert!(
            (gradient[i] - derivative).abs() < error + lambda * lambda,
            "{i}: {} {derivative}",
            gradient[i]
        );
    }
}

#[test]
fn rows_without_gradient_cost_no_solve() {
    for config in every_setting() {
        let counting = Counting::new(k_subset(10, 3));
        let imle = layer(counting.clone(), config.clone());
        let sides = if config.0.difference == Difference::Central {
            2
        } else {
            1
        };
        let saved = imle.forward(&numbers(6 * 10, 1), 0).unwrap();
        assert_eq!(counting.take(), 6 * 3);
        // Rows 0 to 3 have none, row 4 has one on one sample, row 5 on all.
        let mut grad_z = vec![0.0; 6 * 3 * 10];
        grad_z[4 * 30 + 5] = 1.0;
        grad_z[5 * 30..].copy_from_slice(&numbers(30, 2));
        let gradient = imle.backward(saved, &grad_z).unwrap();
        assert_eq!(counting.take(), sides * 4);
        assert_eq!(gradient.solves, sides * 4);
        assert!(
            gradient.theta[..40]
                .iter()
                .all(|value| value.to_bits() == 0)
        );
    }
}

#[test]
fn lambda_zero_gives_a_zero_gradient_and_no_solve() {
    for target in [
        Arc::new(Pid::new(0.0)) as Arc<dyn Target>,
        Arc::new(RelativePid::new(0.0)),
    ] {
        let counting = Counting::new(k_subset(4, 2));
        let config = (
            Imle {
                target,
                divide_by_lambda: true,
                ..Imle::default()
            },
            Sampling::default(),
        );
        let imle = layer(counting.clone(), config);
        let saved = imle.forward(&[0.1, 0.2, 0.3, 0.4], 0).unwrap();
        counting.take();
        let gradient = imle.backward(saved, &[1.0, -1.0, 2.0, 0.0]).unwrap();
        assert_eq!((gradient.theta, counting.take()), (vec![0.0; 4], 0));
    }
}

#[test]
fn rows_may_each_have_their_own_oracle() {
    let oracles: Vec<Arc<dyn Oracle>> = (1..=4).map(|k| k_subset(5, k)).collect();
    let config = (
        Imle::default(),
        Sampling {
            samples: 3,
            threads: 2,
            ..Sampling::default()
        },
    );
    let imle = layer(k_subset(5, 1), config.clone());
    let (theta, grad_z) = (numbers(4 * 5, 1), numbers(4 * 3 * 5, 2));
    let saved = imle.forward_each(&oracles, &theta, 3).unwrap();
    let ones: Vec<f64> = saved
        .z()
        .chunks_exact(15)
        .map(|row| row.iter().sum::<f64>() / 3.0)
        .collect();
    assert_eq!(ones, [1.0, 2.0, 3.0, 4.0]);
    let gradient = imle.backward(saved, &grad_z).unwrap().theta;
    for (row, oracle) in oracles.iter().enumerate() {
        let alone = layer(oracle.clone(), config.clone());
        let call = Call::from(3).from_row(row as u64);
        let saved = alone.forward(&theta[row * 5..][..5], call).unwrap();
        let own = alone
            .backward(saved, &grad_z[row * 15..][..15])
            .unwrap()
            .theta;
        assert_eq!(own, gradient[row * 5..][..5]);
    }
    let message = imle
        .forward_each(&oracles, &theta[..5], 0)
        .unwrap_err()
        .to_string();
    assert_eq!(message, "invalid input: 4 oracles for 1 rows");
    let message = imle
        .forward_each(&[k_subset(6, 1)], &theta[..5], 0)
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "invalid input: the oracle of row 0 has dim = 6, the layer has 5"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Powers of two scale without rounding, so the two sides are the same to the bit.
    #[test]
    fn a_relative_lambda_does_not_see_the_scale_of_the_loss(seed in 0u64..1000, power in -20i32..20) {
        let config = (imle(RelativePid::new(1.5)), Sampling { samples: 2, ..Sampling::default() });
        let imle = layer(k_subset(10, 3), config);
        let (theta, grad_z) = (numbers(10, seed), numbers(20, seed + 1));
        let scaled: Vec<f64> = grad_z.iter().map(|grad| grad * 2f64.powi(power)).collect();
        let gradient = |grad_z: &[f64]| imle.backward(imle.forward(&theta, 0).unwrap(), grad_z).unwrap().theta;
        prop_assert_eq!(gradient(&grad_z), gradient(&scaled));
    }

    /// Moving towards lower loss never raises the linearised loss of the state: <z' - z, grad_z> <= 0.
    #[test]
    fn the_target_is_on_the_side_of_lower_loss(seed in 0u64..1000, lambda in 0.01f64..100.0, minimize: bool) {
        let sense = if minimize { Sense::Minimize } else { Sense::Maximize };
        let config = (without_noise(Pid::new(lambda)).0, Sampling { sense, ..without_noise(Pid::new(lambda)).1 });
        let imle = layer(k_subset(8, 3), config);
        let (theta, grad_z) = (numbers(8, seed), numbers(8, seed + 1));
        let saved = imle.forward(&theta, 0).unwrap();
        let sign = if minimize { -1.0 } else { 1.0 };
        let gradient = imle.backward(saved, &grad_z).unwrap().theta;
        let change: f64 = gradient.iter().zip(&grad_z).map(|(gradient, grad)| sign * gradient * grad).sum();
        prop_assert!(change >= -1e-12, "{}", change);
    }

    /// The bits of one sample do not depend on how many samples are drawn.
    #[test]
    fn the_first_samples_do_not_depend_on_the_number_of_samples(seed in 0u64..1000, samples in 1usize..8) {
        let states = |samples| {
            let config = (Imle::default(), Sampling { samples, seed, ..Sampling::default() });
            layer(k_subset(6, 2), config).forward(&numbers(6, seed), 1).unwrap().z().to_vec()
        };
        prop_assert_eq!(&states(8)[..samples * 6], &states(samples)[..]);
    }
}

#[test]
fn two_temperatures_share_the_raw_noise() {
    // With lambda so small that nothing moves, equal temperatures give a zero gradient: same noise.
    let config = (
        imle(Pid::new(1e-12)),
        Sampling {
            samples: 50,
            ..Sampling::default()
        },
    );
    let gradient = |tau_target| {
        let imle = layer(
            k_subset(10, 3),
            (
                Imle {
                    tau_target,
                    ..config.0.clone()
                },
                config.1.clone(),
            ),
        );
        let saved = imle.forward(&numbers(10, 1), 0).unwrap();
        imle.backward(saved, &numbers(500, 2)).unwrap().theta
    };
    assert_eq!(gradient(None), [0.0; 10]);
    assert_eq!(gradient(Some(1.0.into())), [0.0; 10]);
    assert_ne!(gradient(Some(0.1.into())), [0.0; 10]);
}

#[test]
fn zero_logits_learn() {
    let imle = layer(
        k_subset(4, 1),
        (
            Imle::default(),
            Sampling {
                samples: 64,
                ..Sampling::default()
            },
        ),
    );
    let saved = imle.forward(&[0.0; 4], 0).unwrap();
    let gradient = imle
        .backward(saved, &[-1.0, 0.0, 0.0, 0.0].repeat(64))
        .unwrap();
    assert!(gradient.theta[0] < 0.0, "{:?}", gradient.theta);
}
