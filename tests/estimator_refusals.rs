//! What an estimator cannot do is refused with a sentence that says what to do instead.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Aimle, Baseline, BlackBox, Error, ErrorKind, Estimator, Exact, Facts, Feedback, FnOracle,
    GumbelSoftmax, Imle, ImplicitDifferentiation, Layer, NegativeIdentity, NoNoise, Noise,
    Perturbation, Perturbed, Pid, Projection, RelativeTemperature, Sampling, Score, ScoreFunction,
    SoftSub, SumOfGamma, Temperature,
};
use oracles::{enumeration, k_subset, subsets};

fn refused(estimator: impl Estimator + 'static, sampling: Sampling) -> String {
    let refused = Layer::new(k_subset(4, 2), estimator, sampling);
    refused.expect_err("it is refused").message().to_owned()
}

fn noise(noise: impl Noise + 'static) -> Sampling {
    Sampling {
        noise: Arc::new(noise),
        ..Sampling::default()
    }
}

fn with_samples(samples: usize) -> Sampling {
    Sampling {
        samples,
        ..Sampling::default()
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    assert_eq!(
        refused(BlackBox { lambda: 1.0 }, with_samples(4)),
        "estimator: black_box solves without noise: samples = 4 would all be the same; use 1"
    );
    assert_eq!(
        refused(Perturbed::default(), noise(NoNoise)),
        "estimator: NoNoise has no score; use gumbel, normal or logistic noise"
    );
    let sum_of_gamma = SumOfGamma {
        kappa: 2.0,
        terms: None,
    };
    assert!(refused(ScoreFunction::default(), noise(sum_of_gamma)).contains("has no score"));
    let cold = Sampling {
        tau: 0.0.into(),
        ..Sampling::default()
    };
    assert_eq!(
        refused(Perturbed::default(), cold),
        "estimator: tau = 0 leaves no distribution to differentiate"
    );
    let marginals = ScoreFunction {
        score: Score::Marginals,
        ..ScoreFunction::default()
    };
    assert_eq!(
        refused(marginals, with_samples(1)),
        "estimator: samples = 1; the mean of the others needs at least 2"
    );
    let average = ScoreFunction {
        baseline: Baseline::MovingAverage { decay: 1.0 },
        ..ScoreFunction::default()
    };
    assert_eq!(
        refused(average, with_samples(2)),
        "estimator: baseline: decay = 1 is not a number from 0 to less than 1"
    );
    let implicit = ImplicitDifferentiation {
        lambda: 0.0,
        difference: Default::default(),
    };
    assert_eq!(
        refused(implicit, with_samples(2)),
        "estimator: lambda = 0 is not a positive number"
    );
    let soft = SoftSub {
        temperature: -1.0,
        ..SoftSub::default()
    };
    assert_eq!(
        refused(soft, with_samples(2)),
        "estimator: temperature = -1 is not a positive number"
    );
    let aimle = Aimle {
        momentum: 1.5,
        ..Aimle::default()
    };
    assert_eq!(
        refused(aimle, with_samples(2)),
        "estimator: momentum = 1.5 is not a number from 0 to less than 1"
    );
    let exact = |states, lambda| Exact {
        states,
        lambda,
        difference: Default::default(),
    };
    assert_eq!(
        refused(exact(Some(Vec::new()), None), with_samples(1)),
        "estimator: the list of states is empty"
    );
    assert_eq!(
        refused(exact(None, None), with_samples(1)),
        "estimator: without a list of states the oracle's exact marginals are taken, whose derivative it does not \
         know: set lambda, or list the states"
    );
    let of_map = ScoreFunction {
        baseline: Baseline::Map,
        ..ScoreFunction::default()
    };
    assert_eq!(
        refused(of_map, with_samples(2)),
        "estimator: baseline = \"map\" needs the loss of the MAP state, and a score function is told those of the \
         samples only"
    );
    let relative = Sampling {
        tau: Temperature::relative(-1.0),
        ..Sampling::default()
    };
    assert_eq!(
        refused(BlackBox { lambda: 1.0 }, relative),
        "tau.relative = -1 is not a number from 0 up"
    );
}

#[test]
fn sets_that_an_estimator_is_not_for_are_refused() {
    let any = || enumeration(vec![vec![0.0, 0.0], vec![1.0, 0.0], vec![1.0, 1.0]]);
    let forward = |layer: Result<Layer, Error>| {
        let layer = layer.expect("the settings are right");
        layer
            .forward(&vec![0.5; layer.dim()], 0)
            .expect_err("it is refused")
            .message()
            .to_owned()
    };
    let identity = NegativeIdentity {
        projection: Projection::Std,
    };
    assert_eq!(
        forward(Layer::new(any(), identity, Sampling::default())),
        "the oracle of row 0 does not say that all states have the same number of ones, so taking the mean off \
         theta could change the state; use the projection `norm` or `none`"
    );
    assert_eq!(
        forward(Layer::new(any(), SoftSub::default(), Sampling::default())),
        "the oracle of row 0 does not say that its states are 0/1 vectors with one number of ones"
    );
    assert_eq!(
        forward(Layer::new(
            k_subset(4, 2),
            GumbelSoftmax::default(),
            Sampling::default()
        )),
        "gumbel_softmax is for one-hot states, and those of row 0 have 2 ones; use soft_sub"
    );
}

#[test]
fn rows_without_a_derivative_fail_alone() {
    let multiplicative = Perturbed {
        perturbation: Perturbation::Multiplicative,
        ..Perturbed::default()
    };
    let layer = Layer::new(k_subset(4, 2), multiplicative, with_samples(3)).unwrap();
    let saved = layer
        .forward(&[1.0, 2.0, 0.0, 3.0, 1.0, 2.0, 0.5, 3.0], 0)
        .unwrap();
    let gradient = layer.backward(saved, &[0.5; 24]).unwrap();
    assert_eq!(gradient.errors.len(), 3);
    assert!(gradient.errors.iter().all(|error| error.row == 0));
    assert_eq!(
        gradient.errors[0].error.message(),
        "theta is 0 at column 2, which multiplicative noise cannot move"
    );
    assert_eq!(gradient.theta[..4], [0.0; 4]);

    // States of another dimension than theta.
    let exact = Exact {
        states: Some(subsets(3, 1)),
        lambda: None,
        difference: Default::default(),
    };
    let layer = Layer::new(k_subset(4, 2), exact, with_samples(1)).unwrap();
    let saved = layer.forward(&[0.0; 4], 0).unwrap();
    let error = saved.states().errors().next().expect("the row fails");
    assert_eq!(error.error.message(), "state 0 has 3 values, not dim = 4");
}

#[test]
fn a_temperature_that_is_zero_for_a_row_fails_that_row() {
    let sampling = Sampling {
        samples: 2,
        tau: Temperature::Relative(RelativeTemperature {
            relative: 0.5,
            floor: 0.0,
        }),
        ..Sampling::default()
    };
    let layer = Layer::new(k_subset(4, 2), Perturbed::default(), sampling).unwrap();
    let theta = [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 3.0];
    let saved = layer.forward(&theta, 0).unwrap();
    let grad_z: Vec<f64> = (0..16).map(f64::from).collect();
    let gradient = layer.backward(saved, &grad_z).unwrap();
    assert_eq!(gradient.errors.len(), 2, "{gradient:?}");
    assert!(gradient.errors.iter().all(|error| error.row == 0));
    assert!(
        gradient.errors[0]
            .error
            .message()
            .contains("the temperature is zero")
    );
    assert_eq!(gradient.theta[..4], [0.0; 4]);
    assert!(gradient.theta[4..].iter().any(|&grad| grad != 0.0));
}

/// `loss (z - mean of the others)` of a sample that has no others is `loss z`: no gradient, whatever it is.
#[test]
fn a_sample_whose_others_failed_has_no_score() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let fails_from_the_second_on = FnOracle::new(Facts::binary(2).with_ones(1), move |_, z| {
        z.copy_from_slice(&[1.0, 0.0]);
        match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Error::new(ErrorKind::Infeasible, "not today")),
        }
    });
    let score_function = ScoreFunction {
        score: Score::Marginals,
        ..ScoreFunction::default()
    };
    let sampling = Sampling {
        threads: 1,
        ..with_samples(3)
    };
    let layer = Layer::new(Arc::new(fails_from_the_second_on), score_function, sampling).unwrap();
    let saved = layer.forward(&[0.0, 0.0], 0).unwrap();
    let gradient = layer.backward(saved, Feedback::Losses(&[5.0; 3])).unwrap();
    assert_eq!(gradient.theta, [0.0, 0.0]);
    let alone = &gradient.errors[0].error;
    assert!(
        alone
            .message()
            .starts_with("no other sample of this row was solved")
    );
    assert_eq!(alone.kind(), ErrorKind::Infeasible); // as the others
    assert_eq!(gradient.errors.len(), 3);
}

/// The MAP state of row 0 cannot be found, while its samples can.
#[test]
fn samples_without_their_baseline_fail() {
    let fails_at_theta = FnOracle::new(Facts::binary(2).with_ones(1), |theta, z| {
        z.copy_from_slice(&[1.0, 0.0]);
        match theta == [0.25, 0.5] {
            true => Err(Error::new(ErrorKind::Infeasible, "not today")),
            false => Ok(()),
        }
    });
    let perturbed = Perturbed {
        baseline: Baseline::Map,
        ..Perturbed::default()
    };
    let layer = Layer::new(Arc::new(fails_at_theta), perturbed, with_samples(3)).unwrap();
    let saved = layer.forward(&[0.25, 0.5, 0.5, 0.25], 0).unwrap();
    assert_eq!(saved.states().errors().count(), 0);
    let gradient = layer.backward(saved, &[1.0; 12]).unwrap();
    assert_eq!(gradient.solves, 2);
    assert_eq!(gradient.theta[..2], [0.0, 0.0]);
    let failed = gradient
        .errors
        .iter()
        .map(|error| (error.row, error.sample));
    assert_eq!(failed.collect::<Vec<_>>(), [(0, 0), (0, 1), (0, 2)]);
    assert_eq!(gradient.errors[0].error.message(), "not today");
}

#[test]
fn a_difference_divided_by_next_to_nothing_is_an_error_of_its_row() {
    let imle = |lambda| Imle {
        target: Arc::new(Pid { lambda, alpha: 0.0 }),
        divide_by_lambda: true,
        ..Imle::default()
    };
    let states = vec![vec![0.0, 0.0], vec![4.0, 4.0]];
    for (lambda, fails) in [(1e-310, true), (1e-300, false)] {
        let sampling = Sampling {
            noise: Arc::new(NoNoise),
            ..with_samples(1)
        };
        let facts = Facts::bounded(2, 0.0, 4.0, true);
        let states = states.clone();
        let oracle = FnOracle::new(facts, move |theta, z| {
            z.copy_from_slice(&states[usize::from(theta[0] > 0.0)]);
            Ok(())
        });
        let layer = Layer::new(Arc::new(oracle), imle(lambda), sampling).unwrap();
        let saved = layer.forward(&[1.0, 1.0, -1.0, 1.0], 0).unwrap();
        let gradient = layer.backward(saved, &[1.0; 4]).unwrap();
        assert_eq!(gradient.theta[2..], [0.0, 0.0]); // the states of row 1 do not differ
        match fails {
            false => assert!(gradient.errors.is_empty() && gradient.theta[0] == 4.0 / 1e-300),
            true => {
                assert_eq!(gradient.theta[..2], [0.0, 0.0]);
                let message = gradient.errors[0].error.message();
                assert!(message.starts_with("the gradient of this row is inf at column 0: lambda"));
                assert_eq!(gradient.errors.len(), 1);
            }
        }
    }
}
