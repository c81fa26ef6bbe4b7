//! What the estimator claims, compared with enumeration, closed forms and other rules.

#[path = "common/oracles.rs"]
mod oracles;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use imle_runtime::{
    Call, Combinatorial, Difference, Error, ErrorKind, Facts, FnOracle, Gumbel, Imle, ImleConfig,
    NoNoise, Noise, Normal, Oracle, Pid, RelativePid, Sense, SumOfGamma, Target,
};
use oracles::{Counting, brute_force, enumeration, k_subset, numbers, subsets};
use proptest::prelude::*;

fn layer(oracle: Arc<dyn Oracle>, config: ImleConfig) -> Imle {
    Imle::new(oracle, config).expect("the settings are right")
}

fn without_noise(target: impl Target + 'static) -> ImleConfig {
    ImleConfig {
        noise: Arc::new(NoNoise),
        target: Arc::new(target),
        ..ImleConfig::default()
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
        let config = ImleConfig {
            samples,
            tau,
            seed,
            noise: Arc::new(Gumbel),
            ..ImleConfig::default()
        };
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
        let config = ImleConfig {
            samples,
            seed,
            noise: Arc::new(Gumbel),
            ..ImleConfig::default()
        };
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
        let config = ImleConfig {
            samples: 50,
            seed: 4,
            noise,
            ..ImleConfig::default()
        };
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

fn noises() -> [Arc<dyn Noise>; 4] {
    [
        Arc::new(NoNoise),
        Arc::new(Gumbel),
        Arc::new(Normal),
        Arc::new(SumOfGamma {
            kappa: 3.0,
            terms: Some(10),
        }),
    ]
}

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

        let config = ImleConfig {
            divide_by_lambda: true,
            ..without_noise(Pid::new(lambda))
        };
        let imle = layer(k_subset(8, 3), config);
        let saved = imle.forward(&theta, 0).unwrap();
        assert_eq!(imle.backward(saved, &grad_z).unwrap().theta, expected);
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
    let config = ImleConfig {
        samples: 30,
        noise: Arc::new(SumOfGamma {
            kappa: 3.0,
            terms: Some(10),
        }),
        target: Arc::new(Combinatorial),
        ..ImleConfig::default()
    };
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
    let config = ImleConfig {
        samples,
        noise: Arc::new(Gumbel),
        target: Arc::new(Pid::new(lambda)),
        difference: Difference::Central,
        divide_by_lambda: true,
        ..ImleConfig::default()
    };
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

fn run(config: ImleConfig, theta: &[f64], grad_z: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let imle = layer(k_subset(10, 3), config);
    let saved = imle.forward(theta, 5).expect("theta is finite");
    let z = saved.z().to_vec();
    let gradient = imle.backward(saved, grad_z).expect("grad_z is finite");
    (z, gradient.theta)
}

fn every_setting() -> Vec<ImleConfig> {
    let mut configs = Vec::new();
    let targets: [Arc<dyn Target>; 3] = [
        Arc::new(Pid::new(2.0)),
        Arc::new(RelativePid::new(1.0)),
        Arc::new(Combinatorial),
    ];
    for noise in noises() {
        for target in &targets {
            for difference in [Difference::OneSided, Difference::Central] {
                configs.push(ImleConfig {
                    samples: 3,
                    seed: 9,
                    tau: 0.7,
                    tau_target: Some(0.4),
                    noise: noise.clone(),
                    target: target.clone(),
                    difference,
                    divide_by_lambda: true,
                    ..ImleConfig::default()
                });
            }
        }
    }
    configs
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (theta, grad_z) = (numbers(50 * 10, 1), numbers(50 * 3 * 10, 2));
    for config in every_setting() {
        let with_threads = |threads| {
            run(
                ImleConfig {
                    threads,
                    ..config.clone()
                },
                &theta,
                &grad_z,
            )
        };
        let alone = with_threads(1);
        for threads in [0, 2, 5] {
            assert_eq!(with_threads(threads), alone, "{config:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_how_a_batch_is_split() {
    let (rows, dim, samples) = (20, 10, 3);
    let (theta, grad_z) = (numbers(rows * dim, 1), numbers(rows * samples * dim, 2));
    for config in every_setting() {
        let (whole_z, whole_gradient) = run(config.clone(), &theta, &grad_z);
        let imle = layer(k_subset(10, 3), config);
        let (mut z, mut gradient, mut first) = (Vec::new(), Vec::new(), 0);
        for size in [1, 7, 12] {
            let part = first * dim..(first + size) * dim;
            let saved = imle
                .forward(&theta[part], Call::from(5).from_row(first as u64))
                .unwrap();
            z.extend_from_slice(saved.z());
            let part = first * samples * dim..(first + size) * samples * dim;
            gradient.extend(imle.backward(saved, &grad_z[part]).unwrap().theta);
            first += size;
        }
        assert_eq!((z, gradient), (whole_z, whole_gradient));
    }
}

#[test]
fn both_senses_give_mirrored_results() {
    let (theta, grad_z) = (numbers(20 * 10, 1), numbers(20 * 3 * 10, 2));
    let costs: Vec<f64> = theta.iter().map(|theta| -theta).collect();
    for config in every_setting() {
        let (z, gradient) = run(config.clone(), &theta, &grad_z);
        let (z_min, gradient_min) = run(
            ImleConfig {
                sense: Sense::Minimize,
                ..config
            },
            &costs,
            &grad_z,
        );
        let mirrored: Vec<f64> = gradient_min.iter().map(|gradient| -gradient).collect();
        assert_eq!((z, gradient), (z_min, mirrored));
    }
}

#[test]
fn other_seeds_calls_rows_and_samples_have_other_noise() {
    let states = |seed, call: u64| {
        let config = ImleConfig {
            samples: 2,
            seed,
            tau: 5.0,
            ..ImleConfig::default()
        };
        layer(k_subset(30, 15), config)
            .forward(&[0.0; 60], call)
            .unwrap()
            .z()
            .to_vec()
    };
    let mut seen = BTreeMap::new();
    for (seed, call) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (at, z) in states(seed, call).chunks_exact(30).enumerate() {
            let bits: Vec<bool> = z.iter().map(|&z| z == 1.0).collect();
            let twin = seen.insert(bits, (seed, call, at));
            assert_eq!(twin, None, "two addresses share their noise");
        }
    }
}

#[test]
fn rows_without_gradient_cost_no_solve() {
    for config in every_setting() {
        let counting = Counting::new(k_subset(10, 3));
        let imle = layer(counting.clone(), config.clone());
        let sides = if config.difference == Difference::Central {
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
        let config = ImleConfig {
            target,
            divide_by_lambda: true,
            ..ImleConfig::default()
        };
        let imle = layer(counting.clone(), config);
        let saved = imle.forward(&[0.1, 0.2, 0.3, 0.4], 0).unwrap();
        counting.take();
        let gradient = imle.backward(saved, &[1.0, -1.0, 2.0, 0.0]).unwrap();
        assert_eq!((gradient.theta, counting.take()), (vec![0.0; 4], 0));
    }
}

/// A solver that fails where theta begins with a positive number.
fn moody() -> Arc<dyn Oracle> {
    Arc::new(FnOracle::new(Facts::binary(2), |theta, z| {
        if theta[0] > 0.0 {
            return Err(Error::new(ErrorKind::Infeasible, "not today"));
        }
        z.copy_from_slice(&[0.0, f64::from(theta[1] > 0.0)]);
        Ok(())
    }))
}

#[test]
fn a_failed_row_carries_its_own_error_and_the_rest_is_returned() {
    let imle = layer(moody(), without_noise(Pid::new(1.0)));
    let saved = imle.forward(&[-1.0, 1.0, 1.0, 1.0, -1.0, -1.0], 0).unwrap();
    let errors: Vec<_> = saved.states().errors().collect();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].row, errors[0].sample), (1, 0));
    assert_eq!(errors[0].error.to_string(), "infeasible: not today");
    assert_eq!(saved.z()[..2], [0.0, 1.0]);
    assert!(saved.z()[2..4].iter().all(|z| z.is_nan()));
    assert_eq!(saved.z()[4..], [0.0, 0.0]);
    let all = saved.states().all_solved().unwrap_err();
    assert_eq!(all.to_string(), "infeasible: row 1, sample 0: not today");

    // NaN states make NaN gradients downstream: they are not looked at where the row failed.
    let grad_z = [0.0, 2.0, f64::NAN, f64::NAN, -2.0, -1.0];
    let gradient = imle.backward(saved, &grad_z).unwrap();
    // Row 2 fails in backward: its target -1 + 2 is positive.
    assert_eq!(gradient.theta, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let failed: Vec<usize> = gradient.errors.iter().map(|error| error.row).collect();
    assert_eq!(failed, [1, 2]);
    assert_eq!(
        gradient.all_solved().unwrap_err().kind(),
        ErrorKind::Infeasible
    );
}

#[test]
fn the_gradient_of_a_row_is_the_mean_over_its_solved_samples() {
    // Sample 1 of 2 fails forward; the gradient is that of sample 0 alone, not half of it.
    let replay = imle_runtime::Replay {
        eps: vec![vec![vec![0.0, 0.0], vec![5.0, 0.0]]],
    };
    let config = ImleConfig {
        samples: 2,
        noise: Arc::new(replay),
        ..without_noise(Pid::new(1.0))
    };
    let config = ImleConfig {
        noise: config.noise,
        ..config
    };
    let imle = layer(moody(), config);
    let saved = imle.forward(&[-1.0, 1.0], 0).unwrap();
    assert_eq!(saved.states().marginals(), [0.0, 1.0]);
    let gradient = imle.backward(saved, &[0.0, 2.0, 0.0, 2.0]).unwrap();
    assert_eq!(gradient.theta, [0.0, 1.0]);
    assert!(imle.marginals(&[-1.0, 1.0], 0).is_err());
}

#[test]
fn rows_may_each_have_their_own_oracle() {
    let oracles: Vec<Arc<dyn Oracle>> = (1..=4).map(|k| k_subset(5, k)).collect();
    let config = ImleConfig {
        samples: 3,
        threads: 2,
        ..ImleConfig::default()
    };
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
        let config = ImleConfig {
            samples: 2,
            target: Arc::new(RelativePid::new(1.5)),
            ..ImleConfig::default()
        };
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
        let config = ImleConfig { sense, ..without_noise(Pid::new(lambda)) };
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
            let config = ImleConfig { samples, seed, ..ImleConfig::default() };
            layer(k_subset(6, 2), config).forward(&numbers(6, seed), 1).unwrap().z().to_vec()
        };
        prop_assert_eq!(&states(8)[..samples * 6], &states(samples)[..]);
    }
}

#[test]
fn two_temperatures_share_the_raw_noise() {
    // With lambda so small that nothing moves, equal temperatures give a zero gradient: same noise.
    let config = ImleConfig {
        samples: 50,
        target: Arc::new(Pid::new(1e-12)),
        ..ImleConfig::default()
    };
    let gradient = |tau_target| {
        let imle = layer(
            k_subset(10, 3),
            ImleConfig {
                tau_target,
                ..config.clone()
            },
        );
        let saved = imle.forward(&numbers(10, 1), 0).unwrap();
        imle.backward(saved, &numbers(500, 2)).unwrap().theta
    };
    assert_eq!(gradient(None), [0.0; 10]);
    assert_eq!(gradient(Some(1.0)), [0.0; 10]);
    assert_ne!(gradient(Some(0.1)), [0.0; 10]);
}

#[test]
fn map_ignores_the_noise() {
    let config = ImleConfig {
        samples: 7,
        tau: 100.0,
        sense: Sense::Minimize,
        ..ImleConfig::default()
    };
    let imle = layer(k_subset(4, 2), config);
    let states = imle.map(&[0.4, 0.1, 0.3, 0.2]).unwrap();
    assert_eq!(
        (states.z(), states.samples(), states.rows()),
        (&[0.0, 1.0, 0.0, 1.0][..], 1, 1)
    );
}

#[test]
fn a_raised_stop_flag_and_a_passed_deadline_are_errors_of_the_rows() {
    use imle_runtime::{Limits, StopFlag};
    use std::time::Duration;
    let counting = Counting::new(k_subset(4, 2));
    let imle = layer(counting.clone(), ImleConfig::default());
    let stop = StopFlag::default();
    stop.raise();
    let stopped = Call::from(0).within(Limits::none().with_stop(&stop));
    let late = Call::from(0).within(Limits::none().with_time(Duration::ZERO));
    for (call, kind) in [
        (stopped, ErrorKind::Stopped),
        (late, ErrorKind::LimitReached),
    ] {
        let saved = imle.forward(&[0.0; 8], call).unwrap();
        assert!(
            saved
                .states()
                .errors()
                .all(|failed| failed.error.kind() == kind)
        );
        assert_eq!(saved.states().errors().count(), 2);
    }
    assert_eq!(counting.rows.load(Ordering::SeqCst), 0);
    // The limits belonged to those calls: the next one has none.
    assert!(
        imle.forward(&[0.0; 8], 0)
            .unwrap()
            .states()
            .all_solved()
            .is_ok()
    );
}

#[test]
fn bad_input_gets_a_sentence() {
    let imle = layer(
        k_subset(3, 1),
        ImleConfig {
            samples: 2,
            ..ImleConfig::default()
        },
    );
    let refused = |theta: &[f64]| imle.forward(theta, 0).unwrap_err().to_string();
    assert_eq!(
        refused(&[0.0; 4]),
        "invalid theta: theta has 4 values, which is not a multiple of dim = 3"
    );
    let mut theta = [0.0; 6];
    theta[4] = f64::NAN;
    assert_eq!(
        refused(&theta),
        "invalid theta: theta is NaN at row 1, column 1"
    );
    theta[4] = f64::NEG_INFINITY;
    assert_eq!(
        refused(&theta),
        "invalid theta: theta is -inf at row 1, column 1"
    );
    assert!(imle.map(&theta).is_err() && imle.marginals(&theta, 0).is_err());

    let backward = |grad_z: &[f64]| {
        let saved = imle.forward(&[0.0; 6], 0).unwrap();
        imle.backward(saved, grad_z).unwrap_err().to_string()
    };
    assert_eq!(
        backward(&[0.0; 6]),
        "invalid input: grad_z has 6 values for states of [2, 2, 3]"
    );
    let mut grad_z = [0.0; 12];
    grad_z[10] = f64::INFINITY;
    assert_eq!(
        backward(&grad_z),
        "invalid input: grad_z is inf at row 1, sample 1, column 1"
    );
    assert!(
        imle.forward(&[], 0).unwrap().z().is_empty(),
        "no rows are a legal batch"
    );
}

#[test]
fn bad_settings_get_a_sentence() {
    let refused = |config: ImleConfig| Imle::new(k_subset(3, 1), config).unwrap_err().to_string();
    let default = ImleConfig::default;
    let cases = [
        (
            ImleConfig {
                samples: 0,
                ..default()
            },
            "samples = 0; use at least 1",
        ),
        (
            ImleConfig {
                threads: 7000,
                ..default()
            },
            "threads = 7000 is more than 1024; 0 uses all cores",
        ),
        (
            ImleConfig {
                tau: -1.0,
                ..default()
            },
            "tau = -1 is not a number from 0 up",
        ),
        (
            ImleConfig {
                tau_target: Some(f64::NAN),
                ..default()
            },
            "tau_target = NaN is not a number from 0 up",
        ),
        (
            ImleConfig {
                target: Arc::new(Pid::new(-2.0)),
                ..default()
            },
            "target: lambda = -2 is not a number from 0 up",
        ),
        (
            ImleConfig {
                noise: Arc::new(SumOfGamma {
                    kappa: 0.0,
                    terms: Some(10),
                }),
                ..default()
            },
            "noise: kappa = 0 is not a positive number",
        ),
        (
            ImleConfig {
                noise: Arc::new(SumOfGamma {
                    kappa: 2.0,
                    terms: Some(0),
                }),
                ..default()
            },
            "noise: terms = 0; use at least 1",
        ),
    ];
    for (config, sentence) in cases {
        assert_eq!(
            refused(config),
            format!("invalid configuration: {sentence}")
        );
    }
}

#[test]
fn theta_that_overflows_under_noise_fails_alone() {
    let config = ImleConfig {
        tau: f64::MAX,
        ..ImleConfig::default()
    };
    let imle = layer(k_subset(3, 1), config);
    let saved = imle.forward(&[f64::MAX, 0.0, 0.0], 0).unwrap();
    let failed = saved.states().errors().next().expect("the row fails");
    assert_eq!(failed.error.kind(), ErrorKind::InvalidTheta);
    assert!(
        failed
            .error
            .message()
            .starts_with("after perturbation, theta is")
    );
}

#[test]
fn a_closure_that_returns_no_state_is_an_error_of_the_row() {
    let one_hot = Facts::binary(3).with_ones(1);
    type Write = fn(&mut [f64]);
    let wrong: [(Write, &str); 4] = [
        (|_| {}, "z[0] = NaN is not within [0, 1]"),
        (|z| z.fill(7.5), "z[0] = 7.5 is not within [0, 1]"),
        (|z| z.fill(0.5), "z[0] = 0.5 is not an integer"),
        (|z| z.fill(1.0), "z sums to 3, but every state sums to 1"),
    ];
    for (write, sentence) in wrong {
        let oracle = FnOracle::new(one_hot, move |_, z| {
            write(z);
            Ok(())
        });
        let imle = layer(Arc::new(oracle), ImleConfig::default());
        let saved = imle.forward(&[0.0; 3], 0).unwrap();
        let failed = saved.states().errors().next().expect("the row fails");
        assert_eq!(failed.error.kind(), ErrorKind::ContractBroken);
        assert_eq!(failed.error.message(), sentence);
    }
}

#[test]
fn saved_states_of_another_layer_are_refused() {
    let oracle = k_subset(3, 1);
    let one = layer(oracle.clone(), ImleConfig::default());
    let two = layer(oracle, ImleConfig::default());
    let saved = one.forward(&[0.0; 3], 0).unwrap();
    let refused = two.backward(saved, &[0.0; 3]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.message().contains("another layer"), "{refused}");
}

#[test]
fn too_many_samples_are_refused_before_any_memory_is_asked_for() {
    for samples in [usize::MAX, 1 << 61] {
        let config = ImleConfig {
            samples,
            ..ImleConfig::default()
        };
        let refused = layer(k_subset(3, 1), config).forward(&[0.0; 3], 0);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_limit_holds_for_the_backward_pass_too() {
    use imle_runtime::{Limits, StopFlag};
    let imle = layer(k_subset(3, 1), ImleConfig::default());
    let saved = imle.forward(&[0.3, 0.2, 0.1], 0).unwrap();
    let stop = StopFlag::default();
    stop.raise();
    let limits = Limits::none().with_stop(&stop);
    let gradient = imle
        .backward_within(saved, &[1.0, 2.0, 3.0], &limits)
        .unwrap();
    assert_eq!(gradient.errors[0].error.kind(), ErrorKind::Stopped);
    assert_eq!(gradient.theta, [0.0; 3]);
}

#[test]
fn zero_logits_learn() {
    let imle = layer(
        k_subset(4, 1),
        ImleConfig {
            samples: 64,
            ..ImleConfig::default()
        },
    );
    let saved = imle.forward(&[0.0; 4], 0).unwrap();
    let gradient = imle
        .backward(saved, &[-1.0, 0.0, 0.0, 0.0].repeat(64))
        .unwrap();
    assert!(gradient.theta[0] < 0.0, "{:?}", gradient.theta);
}

#[test]
fn failed_samples_do_not_change_the_lambda_of_the_others() {
    // One row with samples that fail or not by their noise, and the same solved samples alone.
    let eps = [[0.0, 0.3], [5.0, 0.0], [0.0, -0.2]];
    let config = |eps: Vec<Vec<f64>>| ImleConfig {
        samples: eps.len(),
        noise: Arc::new(imle_runtime::Replay { eps: vec![eps] }),
        target: Arc::new(RelativePid::new(0.7)),
        divide_by_lambda: true,
        ..ImleConfig::default()
    };
    let all = config(eps.iter().map(|eps| eps.to_vec()).collect());
    let solved = config(vec![eps[0].to_vec(), eps[2].to_vec()]);
    let gradient = |config: ImleConfig, grad_z: &[f64]| {
        let imle = layer(moody(), config);
        let saved = imle.forward(&[-1.0, 0.1], 0).unwrap();
        imle.backward(saved, grad_z).unwrap().theta
    };
    let with_failure = gradient(all, &[0.1, 1.0, 9.0, 9.0, -0.2, 0.5]);
    assert_eq!(with_failure, gradient(solved, &[0.1, 1.0, -0.2, 0.5]));
}
