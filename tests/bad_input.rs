//! Bad input gets a sentence, failed rows keep to themselves, and limits hold.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use imle_runtime::{
    Call, ErrorKind, Facts, FnOracle, Imle, Layer, Pid, RelativePid, Sampling, SumOfGamma,
};
use layers::{Settings, imle, layer, moody, without_noise};
use oracles::{Counting, k_subset};

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
    let config = (
        without_noise(Pid::new(1.0)).0,
        Sampling {
            samples: 2,
            noise: Arc::new(replay),
            ..without_noise(Pid::new(1.0)).1
        },
    );
    let config = (Imle::default(), config.1);
    let imle = layer(moody(), config);
    let saved = imle.forward(&[-1.0, 1.0], 0).unwrap();
    assert_eq!(saved.states().marginals(), [0.0, 1.0]);
    let gradient = imle.backward(saved, &[0.0, 2.0, 0.0, 2.0]).unwrap();
    assert_eq!(gradient.theta, [0.0, 1.0]);
    assert!(imle.marginals(&[-1.0, 1.0], 0).is_err());
}

#[test]
fn a_raised_stop_flag_and_a_passed_deadline_are_errors_of_the_rows() {
    use imle_runtime::{Limits, StopFlag};
    use std::time::Duration;
    let counting = Counting::new(k_subset(4, 2));
    let imle = layer(counting.clone(), Default::default());
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
        (
            Imle::default(),
            Sampling {
                samples: 2,
                ..Sampling::default()
            },
        ),
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

fn sum_of_gamma(kappa: f64, terms: u32) -> Arc<dyn imle_runtime::Noise> {
    let terms = Some(terms);
    Arc::new(SumOfGamma { kappa, terms })
}

#[test]
fn bad_settings_get_a_sentence() {
    let refused = |(imle, sampling): Settings| {
        Layer::new(k_subset(3, 1), imle, sampling)
            .unwrap_err()
            .to_string()
    };
    let imle = Imle::default;
    let sampling = |change: fn(&mut Sampling)| {
        let mut sampling = Sampling::default();
        change(&mut sampling);
        (imle(), sampling)
    };
    let estimator = |imle| (imle, Sampling::default());
    let cases = [
        (
            sampling(|sampling| sampling.samples = 0),
            "samples = 0; use at least 1",
        ),
        (
            sampling(|sampling| sampling.threads = 7000),
            "threads = 7000 is more than 1024; 0 uses all cores",
        ),
        (
            sampling(|sampling| sampling.tau = (-1.0).into()),
            "tau = -1 is not a number from 0 up",
        ),
        (
            sampling(|sampling| sampling.noise = sum_of_gamma(0.0, 10)),
            "noise: kappa = 0.0 is not between 1e-5 and 1e7",
        ),
        // Found by fuzzing: the search for a table of draws had no end.
        (
            sampling(|sampling| sampling.noise = sum_of_gamma(1e308, 10)),
            "noise: kappa = 1e308 is not between 1e-5 and 1e7",
        ),
        (
            sampling(|sampling| sampling.noise = sum_of_gamma(5e-324, 10)),
            "noise: kappa = 5e-324 is not between 1e-5 and 1e7",
        ),
        (
            sampling(|sampling| sampling.noise = sum_of_gamma(2.0, 0)),
            "noise: terms = 0; use at least 1",
        ),
        (
            estimator(Imle {
                tau_target: Some(f64::NAN.into()),
                ..imle()
            }),
            "estimator: tau_target = NaN is not a number from 0 up",
        ),
        (
            estimator(Imle {
                target: Arc::new(Pid::new(-2.0)),
                ..imle()
            }),
            "estimator: target: lambda = -2 is not a number from 0 up",
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
    let config = (
        Imle::default(),
        Sampling {
            tau: f64::MAX.into(),
            ..Sampling::default()
        },
    );
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
        let imle = layer(Arc::new(oracle), Default::default());
        let saved = imle.forward(&[0.0; 3], 0).unwrap();
        let failed = saved.states().errors().next().expect("the row fails");
        assert_eq!(failed.error.kind(), ErrorKind::ContractBroken);
        assert_eq!(failed.error.message(), sentence);
    }
}

#[test]
fn an_oracle_without_coordinates_is_refused() {
    let oracle = Arc::new(FnOracle::new(Facts::binary(0), |_, _| Ok(())));
    let refused = Layer::new(oracle, Imle::default(), Sampling::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ContractBroken);
    assert!(refused.message().contains("dim = 0"), "{refused}");
}

#[test]
fn saved_states_of_another_layer_are_refused() {
    let oracle = k_subset(3, 1);
    let one = layer(oracle.clone(), Default::default());
    let two = layer(oracle, Default::default());
    let saved = one.forward(&[0.0; 3], 0).unwrap();
    let refused = two.backward(saved, &[0.0; 3]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.message().contains("another layer"), "{refused}");
}

#[test]
fn too_many_samples_are_refused_before_any_memory_is_asked_for() {
    for samples in [usize::MAX, 1 << 61] {
        let config = (
            Imle::default(),
            Sampling {
                samples,
                ..Sampling::default()
            },
        );
        let refused = layer(k_subset(3, 1), config).forward(&[0.0; 3], 0);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_limit_holds_for_the_backward_pass_too() {
    use imle_runtime::{Limits, StopFlag};
    // Further than what is known of the states of the forward pass.
    let settings = (imle(Pid::new(100.0)), Sampling::default());
    let imle = layer(k_subset(3, 1), settings);
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
fn failed_samples_do_not_change_the_lambda_of_the_others() {
    // One row with samples that fail or not by their noise, and the same solved samples alone.
    let eps = [[0.0, 0.3], [5.0, 0.0], [0.0, -0.2]];
    let config = |eps: Vec<Vec<f64>>| {
        (
            Imle {
                target: Arc::new(RelativePid::new(0.7)),
                divide_by_lambda: true,
                ..Imle::default()
            },
            Sampling {
                samples: eps.len(),
                noise: Arc::new(imle_runtime::Replay { eps: vec![eps] }),
                ..Sampling::default()
            },
        )
    };
    let all = config(eps.iter().map(|eps| eps.to_vec()).collect());
    let solved = config(vec![eps[0].to_vec(), eps[2].to_vec()]);
    let gradient = |config: Settings, grad_z: &[f64]| {
        let imle = layer(moody(), config);
        let saved = imle.forward(&[-1.0, 0.1], 0).unwrap();
        imle.backward(saved, grad_z).unwrap().theta
    };
    let with_failure = gradient(all, &[0.1, 1.0, 9.0, 9.0, -0.2, 0.5]);
    assert_eq!(with_failure, gradient(solved, &[0.1, 1.0, -0.2, 0.5]));
}
