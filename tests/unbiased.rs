//! Monte-Carlo estimators against closed forms and enumeration: each mean within 4.5 standard errors of what it should
//! be, for every coordinate; seeds are fixed.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Baseline, Distribution, Estimator, Feedback, Gumbel, Layer, Logistic, Noise, Normal,
    Perturbation, Perturbed, Sampling, Score, ScoreFunction, StraightThrough, log_partition_bound,
};
use oracles::{enumeration, k_subset, numbers, subsets};

/// The gradients of many independent calls, a call a row: mean and standard error of each coordinate.
struct Moments {
    mean: Vec<f64>,
    error: Vec<f64>,
    variance: Vec<f64>,
}

const CALLS: usize = 4000;

fn moments(
    layer: &Layer,
    theta: &[f64],
    backward: impl Fn(&[f64]) -> Vec<f64>,
    losses: bool,
) -> Moments {
    let dim = theta.len();
    let saved = layer
        .forward(&theta.repeat(CALLS), 1)
        .expect("theta is finite");
    let feedback = backward(saved.z());
    let feedback = match losses {
        true => Feedback::Losses(&feedback),
        false => Feedback::GradZ(&feedback),
    };
    let gradients = layer
        .backward(saved, feedback)
        .expect("it fits")
        .all_solved()
        .expect("all solved");
    let count = CALLS as f64;
    let column = |at: usize| gradients.iter().skip(at).step_by(dim);
    let mean: Vec<f64> = (0..dim).map(|at| column(at).sum::<f64>() / count).collect();
    let variance: Vec<f64> = (0..dim)
        .map(|at| {
            column(at)
                .map(|value| (value - mean[at]).powi(2))
                .sum::<f64>()
                / (count - 1.0)
        })
        .collect();
    let error = variance
        .iter()
        .map(|variance| (variance / count).sqrt())
        .collect();
    Moments {
        mean,
        error,
        variance,
    }
}

fn assert_unbiased(what: &str, moments: &Moments, expected: &[f64]) {
    for ((mean, error), expected) in moments.mean.iter().zip(&moments.error).zip(expected) {
        assert!(
            (mean - expected).abs() < 4.5 * error + 1e-12,
            "{what}: {:?} +- {:?} is not {expected:?}",
            moments.mean,
            moments.error
        );
    }
}

fn layer(
    estimator: impl Estimator + 'static,
    k: usize,
    dim: usize,
    samples: usize,
    noise: (Arc<dyn Noise>, bool),
) -> Layer {
    let sampling = Sampling {
        samples,
        seed: 11,
        tau: TAU.into(),
        noise: noise.0,
        antithetic: noise.1,
        ..Sampling::default()
    };
    Layer::new(k_subset(dim, k), estimator, sampling).expect("the settings are right")
}

const TAU: f64 = 0.8;
const THETA: [f64; 4] = [0.5, -0.25, 1.0, 0.25];
const GRAD: [f64; 4] = [1.0, -0.5, 0.25, 2.0];

fn gumbel() -> (Arc<dyn Noise>, bool) {
    (Arc::new(Gumbel), false)
}

/// A loss that is not linear in the state, and far from zero.
fn loss(z: &[f64]) -> f64 {
    3.0 + z
        .iter()
        .zip(GRAD)
        .map(|(z, grad)| z * grad)
        .sum::<f64>()
        .powi(2)
}

fn losses(z: &[f64]) -> Vec<f64> {
    z.chunks_exact(4).map(loss).collect()
}

fn grads(z: &[f64]) -> Vec<f64> {
    GRAD.repeat(z.len() / 4)
}

/// Of the softmax: Gumbel perturb-and-MAP over one-hot states.
fn softmax() -> Distribution {
    Distribution::gibbs(&subsets(4, 1), &THETA, TAU).expect("they are states")
}

fn scaled(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| value / TAU).collect()
}

#[test]
fn the_perturbed_optimiser_has_the_derivative_of_the_softmax() {
    let expected =
        scaled(softmax().covariance(|z| z.iter().zip(GRAD).map(|(z, grad)| z * grad).sum()));
    for baseline in [Baseline::None, Baseline::Others, Baseline::Map] {
        for samples in [1, 5] {
            let perturbed = Perturbed {
                baseline,
                ..Perturbed::default()
            };
            let layer = layer(perturbed, 1, 4, samples, gumbel());
            let what = format!("{baseline:?}, {samples} samples");
            assert_unbiased(&what, &moments(&layer, &THETA, grads, false), &expected);
        }
    }
}

/// A `grad_z` that depends on the state of its sample, and so on its noise.
#[test]
fn no_baseline_sees_the_noise_of_its_sample_through_grad_z() {
    let grad = |z: &[f64]| -> Vec<f64> {
        let own = z.iter().zip(GRAD).map(|(z, grad)| z * grad).sum::<f64>();
        GRAD.iter().map(|grad| 1.0 + own * grad).collect()
    };
    let value = |z: &[f64]| z.iter().zip(grad(z)).map(|(z, grad)| z * grad).sum::<f64>();
    let expected = scaled(softmax().covariance(value));
    let grads = |z: &[f64]| z.chunks_exact(4).flat_map(grad).collect::<Vec<f64>>();
    for baseline in [Baseline::None, Baseline::Others, Baseline::Map] {
        let perturbed = Perturbed {
            baseline,
            ..Perturbed::default()
        };
        let moments = moments(&layer(perturbed, 1, 4, 5, gumbel()), &THETA, grads, false);
        assert_unbiased(&format!("{baseline:?}"), &moments, &expected);
    }
}

#[test]
fn score_functions_have_the_gradient_of_the_expected_loss() {
    let expected = scaled(softmax().covariance(loss));
    let listed = Score::Exact {
        states: Some(subsets(4, 1)),
    };
    let asked = Score::Exact { states: None };
    for score in [Score::Noise, Score::Marginals, listed, asked] {
        for baseline in [
            Baseline::None,
            Baseline::Others,
            Baseline::MovingAverage { decay: 0.5 },
        ] {
            let what = format!("{score:?}, {baseline:?}");
            let score_function = ScoreFunction {
                score: score.clone(),
                baseline,
            };
            let layer = layer(score_function, 1, 4, 5, gumbel());
            // A call before, so that the moving average has something to take off.
            let saved = layer.forward(&THETA, 0).unwrap();
            let first = losses(saved.z());
            layer.backward(saved, Feedback::Losses(&first)).unwrap();
            assert_unbiased(&what, &moments(&layer, &THETA, losses, true), &expected);
        }
    }
}

/// The probability that the two largest of `theta / tau + Gumbel` are `z`: drawing without replacement.
fn two_of(z: &[f64], theta: &[f64]) -> f64 {
    let weights: Vec<f64> = theta.iter().map(|theta| (theta / TAU).exp()).collect();
    let total: f64 = weights.iter().sum();
    let chosen: Vec<f64> = weights
        .iter()
        .zip(z)
        .filter(|(_, z)| **z == 1.0)
        .map(|(w, _)| *w)
        .collect();
    let [a, b] = chosen[..] else {
        panic!("two ones")
    };
    a / total * b / (total - a) + b / total * a / (total - b)
}

#[test]
fn the_score_of_the_noise_is_exact_for_states_with_two_ones() {
    let expected_loss = |theta: &[f64]| -> f64 {
        subsets(4, 2)
            .iter()
            .map(|z| two_of(z, theta) * loss(z))
            .sum()
    };
    let h = 1e-5;
    let expected: Vec<f64> = (0..4)
        .map(|at| {
            let (mut up, mut down) = (THETA, THETA);
            up[at] += h;
            down[at] -= h;
            (expected_loss(&up) - expected_loss(&down)) / (2.0 * h)
        })
        .collect();
    let moments = moments(
        &layer(ScoreFunction::default(), 2, 4, 8, gumbel()),
        &THETA,
        losses,
        true,
    );
    assert_unbiased("noise", &moments, &expected);
}

/// Two one-hot states under normal noise: the difference of the coordinates is normal, too.
fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn additive_and_multiplicative_normal_noise_have_their_closed_forms() {
    let theta = [1.5, 1.0];
    let spread = TAU * 2.0_f64.sqrt();
    let difference = 2.0 - 0.5; // of the grads
    let additive = normal_density((theta[0] - theta[1]) / spread) / spread * difference;
    let of_logs = normal_density((theta[0] / theta[1]).ln() / spread) / spread * difference;
    let expected = [
        (Perturbation::Additive, [additive, -additive]),
        (
            Perturbation::Multiplicative,
            [of_logs / theta[0], -of_logs / theta[1]],
        ),
    ];
    for (perturbation, expected) in expected {
        for antithetic in [false, true] {
            for baseline in [Baseline::None, Baseline::Others, Baseline::Map] {
                let perturbed = Perturbed {
                    perturbation,
                    baseline,
                };
                let layer = layer(perturbed, 1, 2, 6, (Arc::new(Normal), antithetic));
                let grads = |z: &[f64]| [2.0, 0.5].repeat(z.len() / 2);
                let what = format!("{perturbation:?} {baseline:?} antithetic {antithetic}");
                assert_unbiased(&what, &moments(&layer, &theta, grads, false), &expected);
            }
        }
    }
}

#[test]
fn logistic_noise_over_one_coordinate_has_the_derivative_of_the_sigmoid() {
    let states = vec![vec![0.0], vec![1.0]];
    for antithetic in [false, true] {
        let sampling = Sampling {
            samples: 6,
            noise: Arc::new(Logistic),
            antithetic,
            ..Sampling::default()
        };
        let layer =
            Layer::new(enumeration(states.clone()), Perturbed::default(), sampling).unwrap();
        let sigmoid = 1.0 / (1.0 + (-0.75_f64).exp());
        let moments = moments(&layer, &[0.75], |z| vec![2.0; z.len()], false);
        assert_unbiased("logistic", &moments, &[2.0 * sigmoid * (1.0 - sigmoid)]);
    }
}

#[test]
fn baselines_and_antithetic_samples_lower_the_variance() {
    let total = |moments: Moments| -> f64 { moments.variance.iter().sum() };
    let score_function = |score: Score, baseline| {
        let layer = layer(ScoreFunction { score, baseline }, 1, 4, 8, gumbel());
        total(moments(&layer, &THETA, losses, true))
    };
    let none = score_function(Score::Noise, Baseline::None);
    let others = score_function(Score::Noise, Baseline::Others);
    assert!(others < 0.5 * none, "{others} {none}");
    let exact = Score::Exact {
        states: Some(subsets(4, 1)),
    };
    let none = score_function(exact.clone(), Baseline::None);
    let others = score_function(exact, Baseline::Others);
    assert!(others < 0.5 * none, "{others} {none}");

    let perturbed = |noise: (Arc<dyn Noise>, bool), baseline| {
        let perturbed = Perturbed {
            baseline,
            ..Perturbed::default()
        };
        total(moments(
            &layer(perturbed, 1, 4, 8, noise),
            &THETA,
            grads,
            false,
        ))
    };
    let none = perturbed(gumbel(), Baseline::None);
    let map = perturbed(gumbel(), Baseline::Map);
    assert!(map < 0.8 * none, "{map} {none}");

    let independent = perturbed((Arc::new(Normal), false), Baseline::None);
    let antithetic = perturbed((Arc::new(Normal), true), Baseline::None);
    assert!(antithetic < 0.8 * independent, "{antithetic} {independent}");
}

/// The mean of the others needs others; the MAP state does not.
#[test]
fn the_map_state_lowers_the_variance_of_a_single_sample() {
    // An offset of `<z, grad_z>` over one-hot states: it changes no gradient.
    let grads = |z: &[f64]| GRAD.map(|grad| grad + 3.0).repeat(z.len() / 4);
    for noise in [gumbel(), (Arc::new(Normal) as Arc<dyn Noise>, false)] {
        let variance = |baseline| -> f64 {
            let perturbed = Perturbed {
                baseline,
                ..Perturbed::default()
            };
            let layer = layer(perturbed, 1, 4, 1, noise.clone());
            moments(&layer, &THETA, grads, false).variance.iter().sum()
        };
        let (none, others) = (variance(Baseline::None), variance(Baseline::Others));
        assert_eq!(none, others);
        let map = variance(Baseline::Map);
        assert!(map < 0.2 * none, "{map} {none}");
    }
}

#[test]
fn antithetic_samples_mirror_their_noise_and_asymmetric_noise_is_refused() {
    let theta = [0.0; 8];
    let states = |antithetic| {
        let layer = layer(StraightThrough, 4, 8, 5, (Arc::new(Normal), antithetic));
        layer.forward(&theta, 3).unwrap().z().to_vec()
    };
    let (plain, pairs) = (states(false), states(true));
    for sample in 0..5 {
        let z = &pairs[sample * 8..][..8];
        if sample % 2 == 0 {
            assert_eq!(z, &plain[sample * 8..][..8]);
        } else {
            // Of theta = 0 and mirrored noise, the four smallest become the four largest.
            let mirrored: Vec<f64> = pairs[(sample - 1) * 8..][..8]
                .iter()
                .map(|z| 1.0 - z)
                .collect();
            assert_eq!(z, mirrored);
        }
    }
    let sampling = Sampling {
        antithetic: true,
        ..Sampling::default()
    };
    let refused = Layer::new(k_subset(8, 4), StraightThrough, sampling).unwrap_err();
    assert_eq!(
        refused.message(),
        "antithetic samples need symmetric noise, and Gumbel is not; use normal or logistic noise"
    );
}

#[test]
fn scores_of_noise_are_the_derivatives_of_their_densities() {
    let gumbel = |x: f64| -x - (-x).exp();
    let normal = |x: f64| -0.5 * x * x;
    let logistic = |x: f64| -x - 2.0 * (-x).exp().ln_1p();
    type LnDensity = fn(f64) -> f64;
    let noises: [(Arc<dyn Noise>, LnDensity); 3] = [
        (Arc::new(Gumbel), gumbel),
        (Arc::new(Normal), normal),
        (Arc::new(Logistic), logistic),
    ];
    for (noise, ln_density) in noises {
        for x in [-2.0, -0.5, 0.0, 0.7, 3.0] {
            let mut score = [0.0];
            noise.score(&[x], &mut score).unwrap();
            let h = 1e-6;
            let expected = -(ln_density(x + h) - ln_density(x - h)) / (2.0 * h);
            assert!((score[0] - expected).abs() < 1e-7, "{noise:?} at {x}");
        }
    }
}

#[test]
fn logistic_draws_have_the_logistic_distribution() {
    let mut eps = vec![0.0; 100_000];
    let address = imle_runtime::Address {
        seed: 1,
        call: 2,
        row: 3,
        sample: 4,
    };
    Logistic.fill(&address, &mut eps).unwrap();
    for x in [-4.0, -1.0, 0.0, 0.5, 2.0, 5.0_f64] {
        let share = eps.iter().filter(|&&eps| eps < x).count() as f64 / eps.len() as f64;
        let expected = 1.0 / (1.0 + (-x).exp());
        let error = (expected * (1.0 - expected) / eps.len() as f64).sqrt();
        assert!(
            (share - expected).abs() < 4.5 * error,
            "{share} below {x}, not {expected}"
        );
    }
}

#[test]
fn perturb_and_map_bounds_the_log_partition_from_above() {
    for (dim, k) in [(3, 1), (5, 2), (8, 4)] {
        let theta = numbers(dim, 7);
        let exact: f64 = subsets(dim, k)
            .iter()
            .map(|z| {
                z.iter()
                    .zip(&theta)
                    .map(|(z, theta)| z * theta)
                    .sum::<f64>()
                    .exp()
            })
            .sum::<f64>()
            .ln();
        let bound = log_partition_bound(k_subset(dim, k), &theta, 40_000, 1).unwrap()[0];
        assert!(
            bound.value > exact + 4.0 * bound.standard_error,
            "{bound:?} is not above {exact}"
        );
        assert!(bound.standard_error < 0.02);

        // Gumbel noise on the coordinates: exact over one-hot states, less its mean; no bound in general.
        let layer = layer(StraightThrough, k, dim, 40_000, gumbel());
        let sampling = Sampling {
            tau: 1.0.into(),
            ..layer.sampling().clone()
        };
        let layer = Layer::new(k_subset(dim, k), StraightThrough, sampling).unwrap();
        let saved = layer.forward(&theta, 1).unwrap();
        let objectives = saved
            .states()
            .outcomes()
            .iter()
            .map(|solved| solved.as_ref().unwrap().objective);
        let mean = objectives.sum::<f64>() / 40_000.0 - 0.577_215_664_901_532_9 * k as f64;
        match k {
            1 => assert!((mean - exact).abs() < 4.5 * (1.645_f64 / 40_000.0).sqrt()),
            _ => assert!(mean < exact, "{mean} {exact}"),
        }
    }
    // Where coordinates are free and alone, it is exact.
    let free = enumeration(vec![vec![0.0], vec![1.0]]);
    let bound = log_partition_bound(free, &[0.5], 40_000, 1).unwrap()[0];
    assert!((bound.value - 0.5_f64.exp().ln_1p()).abs() < 4.5 * bound.standard_error);
}
