//! Losses are what the formula says, by looking at every state, and one another's special cases.

#[path = "common/losses.rs"]
mod losses;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Combinatorial, FenchelYoung, Gumbel, Imle, Labels, Layer, LossValue, MaximumLikelihood,
    NoNoise, Sampling, regrets,
};
use losses::{Problem, dot, problem, samplings};
use oracles::brute_force;

/// The largest `score` of a state, and that state.
fn best(problem: &Problem, score: impl Fn(&[f64]) -> f64) -> f64 {
    let scores = problem.states.iter().map(|z| score(z));
    scores.fold(f64::NEG_INFINITY, f64::max)
}

/// Loss by loss: the theta, the truth and the right state of a row.
fn by_enumeration(problem: &Problem, loss: impl Fn(&[f64], &[f64], &[f64]) -> f64) -> Vec<f64> {
    let rows = problem
        .theta
        .chunks_exact(6)
        .zip(problem.truth.chunks_exact(6));
    let rows = rows.zip(problem.right.chunks_exact(6));
    rows.map(|((theta, truth), right)| loss(theta, truth, right))
        .collect()
}

fn assert_close(value: &[f64], expected: &[f64], what: &str) {
    assert_eq!(value.len(), expected.len());
    for (at, (value, expected)) in value.iter().zip(expected).enumerate() {
        assert!(
            (value - expected).abs() < 1e-12,
            "{what}: {value} for {expected} at {at}"
        );
    }
}

fn same(one: &LossValue, other: &LossValue, what: &str) {
    assert_close(&one.losses, &other.losses, what);
    assert_close(&one.theta, &other.theta, what);
}

#[test]
fn losses_without_noise_are_what_enumeration_says() {
    let problem = problem(40, 1);
    let sampling = Sampling::default();
    let hamming =
        |z: &[f64], y: &[f64]| -> f64 { z.iter().zip(y).map(|(z, y)| (z - y).abs()).sum() };
    let check = |config: &str, expected: Vec<f64>| {
        assert_close(
            &problem.evaluate(config, &sampling).losses,
            &expected,
            config,
        );
    };
    check(
        r#"{"type": "perceptron"}"#,
        by_enumeration(&problem, |theta, _, y| {
            best(&problem, |z| dot(z, theta)) - dot(y, theta)
        }),
    );
    check(
        r#"{"type": "structured_svm"}"#,
        by_enumeration(&problem, |theta, _, y| {
            best(&problem, |z| hamming(z, y) + dot(z, theta)) - dot(y, theta)
        }),
    );
    check(
        r#"{"type": "spo_plus"}"#,
        by_enumeration(&problem, |theta, truth, y| {
            let regret = |z: &[f64]| dot(truth, y) - dot(truth, z);
            best(&problem, |z| regret(z) + 2.0 * dot(z, theta)) - 2.0 * dot(y, theta)
        }),
    );
    check(
        r#"{"type": "imitation", "margin": "hamming", "alpha": 0.25}"#,
        by_enumeration(&problem, |theta, _, y| {
            best(&problem, |z| hamming(z, y) + 0.25 * dot(z, theta)) - 0.25 * dot(y, theta)
        }),
    );
}

#[test]
fn the_imitation_loss_has_the_others_as_special_cases() {
    let problem = problem(40, 2);
    for sampling in samplings() {
        let pairs = [
            (r#"{"type": "imitation"}"#, r#"{"type": "perceptron"}"#),
            (
                r#"{"type": "imitation", "margin": "hamming"}"#,
                r#"{"type": "structured_svm"}"#,
            ),
            (
                r#"{"type": "imitation", "margin": "regret", "alpha": 2.0}"#,
                r#"{"type": "spo_plus"}"#,
            ),
            (
                r#"{"type": "imitation", "perturbed": true}"#,
                r#"{"type": "fenchel_young"}"#,
            ),
            (
                r#"{"type": "maximum_likelihood"}"#,
                r#"{"type": "fenchel_young"}"#,
            ),
        ];
        for (one, other) in pairs {
            let (a, b) = (
                problem.evaluate(one, &sampling),
                problem.evaluate(other, &sampling),
            );
            same(&a, &b, one);
        }
    }
}

#[test]
fn without_noise_every_sampled_loss_is_the_perceptron() {
    let problem = problem(40, 3);
    let sampling = &samplings()[0];
    let perceptron = problem.evaluate(r#"{"type": "perceptron"}"#, sampling);
    for sampled in [
        r#"{"type": "fenchel_young"}"#,
        r#"{"type": "maximum_likelihood"}"#,
    ] {
        same(&problem.evaluate(sampled, sampling), &perceptron, sampled);
    }
    let mut still = sampling.clone();
    still.tau = 0.0.into();
    still.noise = Arc::new(Gumbel);
    let multiplicative = problem.evaluate(r#"{"type": "fenchel_young_multiplicative"}"#, &still);
    same(&multiplicative, &perceptron, "multiplicative at tau = 0");
}

#[test]
fn fact_1_the_hamming_loss_with_eq_14_has_the_gradient_of_the_perceptron() {
    let problem = problem(40, 4);
    let sampling = Sampling {
        noise: Arc::new(NoNoise),
        ..Sampling::default()
    };
    let imle = Imle {
        target: Arc::new(Combinatorial),
        ..Imle::default()
    };
    let layer = Layer::new(problem.oracle(), imle, sampling.clone()).unwrap();
    let saved = layer.forward(&problem.theta, 3).unwrap();
    let hamming: Vec<f64> = problem.right.iter().map(|y| 1.0 - 2.0 * y).collect();
    let gradient = layer.backward(saved, &hamming).unwrap();
    let perceptron = problem.evaluate(r#"{"type": "perceptron"}"#, &sampling);
    assert_eq!(gradient.theta, perceptron.theta);
}

#[test]
fn fact_2_the_regret_with_eq_14_has_the_gradient_of_maximum_likelihood() {
    let problem = problem(40, 5);
    for sampling in samplings() {
        let imle = Imle {
            target: Arc::new(Combinatorial),
            ..Imle::default()
        };
        let layer = Layer::new(problem.oracle(), imle, sampling.clone()).unwrap();
        let saved = layer.forward(&problem.theta, 3).unwrap();
        // The derivative of <c, z - z*> is the cost c = -r, in every sample.
        let costs: Vec<f64> = problem
            .truth
            .chunks_exact(6)
            .flat_map(|truth| {
                truth
                    .iter()
                    .map(|r| -r)
                    .collect::<Vec<_>>()
                    .repeat(sampling.samples)
            })
            .collect();
        let gradient = layer.backward(saved, &costs).unwrap();
        let config = r#"{"type": "maximum_likelihood", "examples": "theta"}"#;
        let likelihood = problem.evaluate(config, &sampling);
        assert_close(&gradient.theta, &likelihood.theta, "fact 2");
    }
}

#[test]
fn spo_plus_is_an_upper_bound_of_the_regret() {
    let problem = problem(300, 6);
    let value = problem.evaluate(r#"{"type": "spo_plus"}"#, &Sampling::default());
    let objective = |z: &[f64], truth: &[f64]| dot(z, truth);
    let decided = by_enumeration(&problem, |theta, truth, _| {
        objective(&brute_force(&problem.states, theta), truth)
    });
    let optima = by_enumeration(&problem, |_, truth, right| objective(right, truth));
    let regrets = regrets(&decided, &optima, imle_runtime::Sense::Maximize).unwrap();
    assert!(regrets.iter().any(|&regret| regret > 0.1));
    for (loss, regret) in value.losses.iter().zip(regrets) {
        assert!(*loss >= regret - 1e-12, "{loss} < {regret}");
    }
}

/// Over one-hot states, perturb-and-MAP with Gumbel noise is the softmax exactly.
#[test]
fn over_one_hot_states_gumbel_noise_gives_the_logistic_loss_and_the_kl_divergence() {
    let dim = 5;
    let states = oracles::subsets(dim, 1);
    let (tau, samples) = (0.7, 40_000);
    let sampling = Sampling {
        samples,
        tau: tau.into(),
        seed: 11,
        ..Sampling::default()
    };
    let (theta, truth) = (oracles::numbers(dim, 8), oracles::numbers(dim, 9));
    let softmax = |theta: &[f64]| {
        let weights: Vec<f64> = theta.iter().map(|theta| (theta / tau).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights
            .iter()
            .map(|weight| weight / total)
            .collect::<Vec<_>>()
    };
    let (p, q) = (softmax(&theta), softmax(&truth));
    let y = brute_force(&states, &truth);
    let logistic = -tau * dot(&y, &p).ln();
    let kl: f64 = tau * (0..dim).map(|i| q[i] * (q[i] / p[i]).ln()).sum::<f64>();

    let oracle = oracles::enumeration(states);
    let evaluate = |loss: Arc<dyn imle_runtime::Loss>, labels: &Labels<'_>| {
        let layer = imle_runtime::LossLayer::with_shared(oracle.clone(), loss, sampling.clone());
        layer.unwrap().evaluate(&theta, labels, 0).unwrap()
    };
    let young = evaluate(Arc::new(FenchelYoung), &Labels::states(&y));
    let examples = imle_runtime::Examples::Theta;
    let likelihood = evaluate(
        Arc::new(MaximumLikelihood { examples }),
        &Labels::theta(&truth),
    );
    // Terms are differences of two values within [-1, 1] plus Gumbel noise times 0.7, of deviation 0.9: four
    // standard errors of terms with deviation 2.
    let four_errors = 4.0 * 2.0 / (samples as f64).sqrt();
    assert!(
        (young.losses[0] - logistic).abs() < four_errors,
        "{young:?} {logistic}"
    );
    assert!(
        (likelihood.losses[0] - kl).abs() < four_errors,
        "{likelihood:?} {kl}"
    );
    // A share of samples has a standard error below 1 / (2 sqrt(samples)); a difference of two, twice that.
    let share_errors = 4.0 / (samples as f64).sqrt();
    for i in 0..dim {
        assert!((young.theta[i] - (p[i] - y[i])).abs() < share_errors);
        assert!((likelihood.theta[i] - (p[i] - q[i])).abs() < share_errors);
    }
}
