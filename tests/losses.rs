//! What holds for every loss: a new one is in the list of tests/common/losses.rs, and so in each of these.

#[path = "common/losses.rs"]
mod losses;
#[path = "common/oracles.rs"]
mod oracles;

use std::collections::BTreeSet;
use std::sync::Arc;

use imle_runtime::{
    Call, Error, ErrorKind, Facts, FnOracle, Labels, Loss, Pool, PoolConfig, Sampling, Sense,
};
use losses::{LOSSES, Problem, layer, loss, needs_pool, problem, samplings};
use oracles::brute_force;

/// The names of all losses that are linked in: typetag lists them when asked for another.
fn registered() -> BTreeSet<String> {
    let error = serde_json::from_str::<Arc<dyn Loss>>(r#"{"type": "?"}"#);
    let error = error.expect_err("no loss has this name");
    let message = error.to_string();
    let names = message.split('`').skip(3).step_by(2);
    names.map(str::to_owned).collect()
}

fn name(config: &str) -> String {
    let config: serde_json::Value = serde_json::from_str(config).expect("it is JSON");
    config["type"].as_str().expect("a name").to_owned()
}

#[test]
fn every_registered_loss_is_tested_and_documented() {
    let tested: BTreeSet<String> = LOSSES.iter().map(|config| name(config)).collect();
    assert_eq!(registered(), tested);
    let methods = include_str!("../imle-runtime/METHODS.md");
    for name in tested {
        assert!(
            methods.contains(&format!("`{name}`")),
            "METHODS.md has no `{name}`"
        );
    }
}

#[test]
fn a_loss_survives_a_configuration_and_refuses_a_wrong_key() {
    for config in LOSSES {
        let written = serde_json::to_string(&loss(config)).unwrap();
        let again = serde_json::to_string(&loss(&written)).unwrap();
        assert_eq!(written, again);
        let with_key = config.replace('}', r#", "lamda": 1.0}"#);
        let refused = serde_json::from_str::<Arc<dyn Loss>>(&with_key).unwrap_err();
        assert!(refused.to_string().contains("lamda"), "{config}: {refused}");
    }
}

#[test]
fn wrong_parameters_are_named() {
    for (config, message) in [
        (
            r#"{"type": "imitation", "alpha": -1.0}"#,
            "loss: alpha = -1 is not a number from 0 up",
        ),
        (
            r#"{"type": "sparse_map", "weight": 0.0}"#,
            "loss: weight = 0 is not a positive number",
        ),
        (
            r#"{"type": "directional_regret", "step": 0.0}"#,
            "loss: step = 0 is not a positive number",
        ),
        (
            r#"{"type": "regret", "step": -1.0}"#,
            "loss: step = -1 is not a positive number",
        ),
        (
            r#"{"type": "listwise_ranking", "temperature": 0.0}"#,
            "loss: temperature = 0 is not a positive number",
        ),
        (
            r#"{"type": "pairwise_ranking", "margin": -0.5}"#,
            "loss: margin = -0.5 is not a number from 0 up",
        ),
    ] {
        let oracle = problem(1, 1).oracle();
        let refused =
            imle_runtime::LossLayer::with_shared(oracle, loss(config), Sampling::default());
        assert_eq!(
            refused.unwrap_err().to_string(),
            format!("invalid configuration: {message}")
        );
    }
}

/// Central differences of the value: exact where it is linear or quadratic around theta, and where it is not, as at
/// a kink, a second step of half the size disagrees and the coordinate is left out.
#[test]
fn the_gradient_is_the_derivative_of_the_value() {
    let problem = problem(25, 1);
    for sampling in samplings() {
        for config in LOSSES.iter().filter(|config| name(config) != "regret") {
            let value = problem.evaluate(config, &sampling);
            let (mut compared, mut left_out) = (0, 0);
            for at in 0..problem.theta.len() {
                let slope = |step: f64| {
                    let moved = |step: f64| {
                        let mut theta = problem.theta.clone();
                        theta[at] += step;
                        problem.evaluate_at(&theta, config, &sampling).losses[at / 6]
                    };
                    (moved(step) - moved(-step)) / (2.0 * step)
                };
                let (wide, narrow) = (slope(2e-4), slope(1e-4));
                if (wide - narrow).abs() > 1e-5 {
                    left_out += 1;
                    continue;
                }
                compared += 1;
                let gradient = value.theta[at];
                assert!(
                    (gradient - narrow).abs() < 1e-5,
                    "{config}: {gradient} for {narrow} at {at}"
                );
            }
            assert!(
                left_out * 20 <= compared,
                "{config}: {left_out} of {compared} left out"
            );
        }
    }
}

#[test]
fn a_regret_has_the_gradient_of_its_difference_and_the_value_of_its_decision() {
    let problem = problem(60, 2);
    let sampling = Sampling::default();
    for settings in [r#""step": 0.1"#, r#""step": 0.5, "difference": "central""#] {
        let regret = format!(r#"{{"type": "regret", {settings}}}"#);
        let directional = regret.replace("regret", "directional_regret");
        let (regret, directional) = (
            problem.evaluate(&regret, &sampling),
            problem.evaluate(&directional, &sampling),
        );
        assert_eq!(regret.theta, directional.theta);
        for (row, loss) in regret.losses.iter().enumerate() {
            let part = row * 6..(row + 1) * 6;
            let decision = brute_force(&problem.states, &problem.theta[part.clone()]);
            let truth = &problem.truth[part.clone()];
            let expected = losses::dot(&problem.right[part], truth) - losses::dot(&decision, truth);
            assert!((loss - expected).abs() < 1e-12);
            if !settings.contains("central") {
                assert!(
                    directional.losses[row] >= loss - 1e-12,
                    "the one-sided one bounds it"
                );
            }
        }
    }
}

/// Losses that promise a minimum at the true theta, or that are never negative over true labels.
#[test]
fn losses_are_not_negative_and_zero_at_the_truth() {
    let problem = problem(60, 3);
    let may_be_negative = |config: &str| {
        name(config) == "noise_contrastive"
            || config.contains("central") && !config.contains(r#""regret""#)
    };
    for sampling in samplings() {
        for config in LOSSES.iter().filter(|config| !may_be_negative(config)) {
            let value = problem.evaluate(config, &sampling);
            assert!(
                value.losses.iter().all(|&loss| loss >= -1e-8),
                "{config}: {:?}",
                value.losses
            );
        }
    }
    let sampling = &samplings()[0];
    for config in [
        r#"{"type": "perceptron"}"#,
        r#"{"type": "spo_plus"}"#,
        r#"{"type": "fenchel_young"}"#,
        r#"{"type": "maximum_likelihood", "examples": "theta"}"#,
        r#"{"type": "regret"}"#,
        r#"{"type": "contrastive_map"}"#,
        r#"{"type": "pointwise_ranking"}"#,
        r#"{"type": "pairwise_ranking"}"#,
        r#"{"type": "listwise_ranking"}"#,
    ] {
        let value = problem.evaluate_at(&problem.truth, config, sampling);
        assert!(
            value.losses.iter().all(|loss| loss.abs() < 1e-12),
            "{config}: {:?}",
            value.losses
        );
        assert!(
            value.theta.iter().all(|grad| grad.abs() < 1e-12),
            "{config}"
        );
    }
    // Losses that want a margin reach it far out in the direction of the truth.
    let far: Vec<f64> = problem.right.iter().map(|y| 1e3 * y).collect();
    for config in [r#"{"type": "structured_svm"}"#, r#"{"type": "sparse_map"}"#] {
        let value = problem.evaluate_at(&far, config, sampling);
        assert!(
            value.losses.iter().all(|loss| loss.abs() < 1e-8),
            "{config}: {:?}",
            value.losses
        );
        assert!(value.theta.iter().all(|grad| grad.abs() < 1e-8), "{config}");
    }
}

#[test]
fn both_senses_give_the_same_losses_and_mirrored_gradients() {
    let problem = problem(30, 4);
    let negated = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
    let costs = Problem {
        theta: negated(&problem.theta),
        truth: negated(&problem.truth),
        right: problem.right.clone(),
        states: problem.states.clone(),
    };
    for sampling in samplings() {
        let minimize = Sampling {
            sense: Sense::Minimize,
            ..sampling.clone()
        };
        for config in LOSSES {
            let (rewards, costs) = (
                problem.evaluate(config, &sampling),
                costs.evaluate(config, &minimize),
            );
            assert_eq!(rewards.losses, costs.losses, "{config}");
            assert_eq!(rewards.theta, negated(&costs.theta), "{config}");
        }
    }
}

#[test]
fn threads_and_splits_do_not_matter() {
    let problem = problem(40, 5);
    for sampling in samplings() {
        for config in LOSSES {
            let with_threads = |threads| {
                let sampling = Sampling {
                    threads,
                    ..sampling.clone()
                };
                let value = problem.evaluate(config, &sampling);
                (value.losses, value.theta)
            };
            let alone = with_threads(1);
            assert!(alone.1.iter().any(|&grad| grad != 0.0), "{config}");
            for threads in [0, 2, 5] {
                assert_eq!(with_threads(threads), alone, "{config}");
            }
            let layer = problem.layer(config, &sampling);
            let (mut parts, mut first) = ((Vec::new(), Vec::new()), 0);
            for size in [1, 12, 27] {
                let part = first * 6..(first + size) * 6;
                let labels = Labels::theta(&problem.truth[part.clone()])
                    .with_states(&problem.right[part.clone()]);
                let call = Call::from(3).from_row(first as u64);
                let value = layer.evaluate(&problem.theta[part], &labels, call).unwrap();
                parts.0.extend(value.losses);
                parts.1.extend(value.theta);
                first += size;
            }
            assert_eq!(parts, alone, "{config}");
        }
    }
}

#[test]
fn an_example_has_the_same_loss_wherever_it_is_in_a_batch() {
    let problem = problem(40, 5);
    let order: Vec<usize> = (0..40).map(|at| at * 7 % 40).collect(); // each once
    let examples: Vec<u64> = order.iter().map(|&row| row as u64).collect();
    let gather = |matrix: &[f64]| -> Vec<f64> {
        let width = matrix.len() / order.len();
        let rows = order.iter().map(|&row| &matrix[row * width..][..width]);
        rows.flatten().copied().collect()
    };
    let (theta, truth) = (gather(&problem.theta), gather(&problem.truth));
    let right = gather(&problem.right);
    let labels = Labels::theta(&truth).with_states(&right);
    for sampling in samplings() {
        for config in LOSSES {
            let plain = problem.evaluate(config, &sampling);
            let call = Call::from(3).with_rows(&examples);
            let layer = problem.layer(config, &sampling);
            let shuffled = layer.evaluate(&theta, &labels, call).unwrap();
            assert_eq!(shuffled.losses, gather(&plain.losses), "{config}");
            assert_eq!(shuffled.theta, gather(&plain.theta), "{config}");
        }
    }
}

#[test]
fn numbers_of_rows_that_do_not_fit_theta_are_refused() {
    let problem = problem(3, 5);
    let layer = problem.layer(LOSSES[0], &samplings()[0]);
    let labels = Labels::theta(&problem.truth).with_states(&problem.right);
    let call = Call::from(0).with_rows(&[4, 5]);
    let refused = layer.evaluate(&problem.theta, &labels, call).unwrap_err();
    assert_eq!(
        refused.message(),
        "`with_rows` numbers 2 rows, and theta has 3"
    );
}

/// Row 1 has a theta that this solver refuses.
#[test]
fn a_failing_row_leaves_the_others() {
    let problem = problem(3, 6);
    let states = problem.states.clone();
    let refuse = |theta: &[f64]| theta.iter().any(|theta| theta.abs() > 50.0);
    let moody = FnOracle::new(Facts::binary(6).with_ones(2), move |theta, z| {
        if refuse(theta) {
            return Err(Error::new(ErrorKind::Infeasible, "not today"));
        }
        z.copy_from_slice(&brute_force(&states, theta));
        Ok(())
    });
    let mut theta = problem.theta.clone();
    theta[6..12].fill(1e4);
    let oracle: Arc<dyn imle_runtime::Oracle> = Arc::new(moody);
    for sampling in samplings() {
        for config in LOSSES {
            let make = |oracle: &Arc<dyn imle_runtime::Oracle>| {
                let layer = layer(oracle.clone(), config, &sampling);
                if !needs_pool(config) {
                    return layer;
                }
                let all = PoolConfig {
                    solve_ratio: 1.0,
                    ..PoolConfig::default()
                };
                let pool = Pool::new(all).unwrap();
                pool.insert(&**oracle, &problem.states.concat()).unwrap();
                layer.with_pool(pool)
            };
            let value = make(&oracle)
                .evaluate(&theta, &problem.labels(), 3)
                .unwrap();
            let whole = make(&problem.oracle())
                .evaluate(&problem.theta, &problem.labels(), 3)
                .unwrap();
            assert!(value.losses[1].is_nan(), "{config}");
            assert!(
                value.theta[6..12].iter().all(|&grad| grad == 0.0),
                "{config}"
            );
            assert!(
                !value.errors.is_empty() && value.errors.iter().all(|failed| failed.row == 1),
                "{config}"
            );
            assert_eq!(
                value.clone().all_solved().unwrap_err().kind(),
                ErrorKind::Infeasible
            );
            for row in [0, 2] {
                assert_eq!(value.losses[row], whole.losses[row], "{config}");
                assert_eq!(
                    value.theta[row * 6..][..6],
                    whole.theta[row * 6..][..6],
                    "{config}"
                );
            }
        }
    }
}

#[test]
fn numbers_that_overflow_fail_their_row_alone() {
    let problem = problem(2, 7);
    let mut theta = problem.theta.clone();
    theta[..6].fill(-1.5e308);
    for config in LOSSES {
        let value = problem.evaluate_at(&theta, config, &samplings()[1]);
        let finite = |value: &f64| value.is_finite();
        assert!(value.theta.iter().all(finite), "{config}");
        assert!(value.losses[1].is_finite(), "{config}");
        assert_eq!(
            value.losses[0].is_nan(),
            !value.errors.is_empty(),
            "{config}"
        );
        assert!(
            value.errors.iter().all(|failed| failed.row == 0),
            "{config}"
        );
    }
}

#[test]
fn missing_labels_and_pools_are_named() {
    let problem = problem(2, 8);
    let sampling = Sampling::default();
    for config in LOSSES {
        let layer = problem.layer(config, &sampling);
        let refusal = |labels: &Labels<'_>| match layer.evaluate(&problem.theta, labels, 0) {
            Ok(_) => "",
            Err(error) if error.message().contains("needs the true theta") => "theta",
            Err(error) if error.message().contains("needs the right states") => "states",
            Err(error) => panic!("{config}: {error}"),
        };
        let needs = [
            refusal(&Labels::states(&problem.right)),
            refusal(&Labels::theta(&problem.truth)),
        ];
        assert_ne!(refusal(&Labels::default()), "", "{config}");
        let expected = match name(config).as_str() {
            "pointwise_ranking" | "pairwise_ranking" | "listwise_ranking" => ["theta", ""],
            "maximum_likelihood" if config.contains("theta") => ["theta", ""],
            "spo_plus" | "regret" | "directional_regret" => ["theta", "states"],
            _ if config.contains(r#""margin": "regret""#) => ["theta", "states"],
            _ => ["", "states"],
        };
        assert_eq!(needs, expected, "{config}");
        if needs_pool(config) {
            let alone = losses::layer(problem.oracle(), config, &sampling);
            let refused = alone
                .evaluate(&problem.theta, &problem.labels(), 0)
                .unwrap_err();
            assert!(refused.message().contains("with_pool"), "{refused}");
        }
    }
}

#[test]
fn over_every_state_the_contrastive_map_is_the_imitation_loss() {
    let problem = problem(40, 9);
    for margin in ["none", "hamming", "regret"] {
        let pooled = format!(r#"{{"type": "contrastive_map", "margin": "{margin}"}}"#);
        let exact = format!(r#"{{"type": "imitation", "margin": "{margin}"}}"#);
        let sampling = Sampling::default();
        let pool = Pool::new(PoolConfig::default()).unwrap();
        let oracle = problem.oracle();
        pool.insert(&*oracle, &problem.states.concat()).unwrap();
        let layer = layer(oracle, &pooled, &sampling).with_pool(pool);
        let pooled = layer
            .evaluate(&problem.theta, &problem.labels(), 0)
            .unwrap();
        let exact = problem.evaluate(&exact, &sampling);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(pooled.losses.iter().zip(&exact.losses).all(close));
        assert!(pooled.theta.iter().zip(&exact.theta).all(close));
    }
}
