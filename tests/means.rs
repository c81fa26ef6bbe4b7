//! The way through the means gives what the way through the samples gives, without making them.

#[path = "common/listed.rs"]
mod listed;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Aimle, Call, Combinatorial, Difference, ErrorKind, Estimator, Feedback, Gradient, Imle,
    ImplicitDifferentiation, Layer, Limits, Means, Memory, NegativeIdentity, Normal, Oracle, Pid,
    Pool, PoolConfig, RelativePid, RowError, Sampling, Scope, Sense, StopFlag, StraightThrough,
    SumOfGamma, Temperature,
};
use listed::{Listed, listed};
use oracles::{Counting, numbers};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Everything that a comparison is made of.
#[derive(Clone, Debug)]
struct Case {
    oracles: Vec<Listed>,
    each: bool,
    pool: bool,
    sampling: Sampling,
    estimator: Arc<dyn Estimator>,
    /// Whether the step of a row is the same to the bit, and not up to rounding.
    same_step: bool,
    theta: Vec<f64>,
    grad_mu: Vec<f64>,
}

impl Case {
    fn oracle(&self, row: usize) -> Arc<dyn Oracle> {
        Arc::new(self.oracles[row % self.oracles.len()].clone())
    }

    fn dim(&self) -> usize {
        self.oracles[0].dim()
    }

    fn is_exact(&self) -> bool {
        self.same_step && self.oracles.iter().all(Listed::is_integral)
    }

    fn layer(&self, threads: usize) -> Layer {
        let sampling = Sampling {
            threads,
            ..self.sampling.clone()
        };
        let layer = Layer::with_shared(self.oracle(0), self.estimator.clone(), sampling);
        let layer = layer.expect("the settings are right");
        if !self.pool {
            return layer;
        }
        let config = PoolConfig {
            solve_ratio: 0.5,
            ..PoolConfig::default()
        };
        let pool = Pool::new(config).expect("the ratio is right");
        for row in 0..self.rows() {
            let known = self.oracles[row % self.oracles.len()].states.concat();
            pool.insert(&*self.oracle(row), &known[..self.dim()])
                .expect("it is a state");
        }
        layer.with_pool(pool)
    }

    fn rows(&self) -> usize {
        self.theta.len() / self.dim()
    }

    fn row_oracles(&self) -> Vec<Arc<dyn Oracle>> {
        (0..self.rows()).map(|row| self.oracle(row)).collect()
    }

    /// Through the samples.
    fn sampled(&self) -> Answer {
        let layer = self.layer(1);
        let saved = match self.each {
            true => layer.forward_each(&self.row_oracles(), &self.theta, 3),
            false => layer.forward(&self.theta, 3),
        };
        let saved = saved.expect("theta is finite");
        let mu = saved.states().marginals();
        let forward_errors = saved.states().errors().collect();
        let gradient = layer.backward(saved, Feedback::GradMean(&self.grad_mu));
        Answer {
            mu,
            forward_errors,
            gradient: gradient.expect("the gradient of the mean is finite"),
            memory: layer.memory(),
        }
    }

    /// Through the means.
    fn averaged(&self, threads: usize) -> Answer {
        let layer = self.layer(threads);
        let saved = match self.each {
            true => layer.forward_mean_each(&self.row_oracles(), &self.theta, 3),
            false => layer.forward_mean(&self.theta, 3),
        };
        let saved = saved.expect("theta is finite");
        let mu = saved.mu().to_vec();
        let forward_errors = saved.means().errors().to_vec();
        let gradient = layer.backward_mean(saved, &self.grad_mu);
        Answer {
            mu,
            forward_errors,
            gradient: gradient.expect("the gradient of the mean is finite"),
            memory: layer.memory(),
        }
    }
}

#[derive(Debug)]
struct Answer {
    mu: Vec<f64>,
    forward_errors: Vec<RowError>,
    gradient: Gradient,
    memory: Memory,
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn close(a: &[f64], b: &[f64]) -> bool {
    let close =
        |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()) || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(close)
}

fn estimators() -> impl Strategy<Value = (Arc<dyn Estimator>, bool)> {
    let difference = prop_oneof![Just(Difference::OneSided), Just(Difference::Central)];
    let target = 0..4_usize;
    let tau_target = prop_oneof![Just(None), Just(Some(Temperature::from(0.3)))];
    (difference, target, tau_target, any::<bool>(), 0..5_usize).prop_map(
        |(difference, target, tau_target, divide_by_lambda, kind)| {
            let scope = if target % 2 == 0 {
                Scope::Batch
            } else {
                Scope::Row
            };
            match kind {
                0 => {
                    let aimle = Aimle {
                        difference,
                        tau_target,
                        scope,
                        ..Aimle::default()
                    };
                    (Arc::new(aimle) as Arc<dyn Estimator>, false)
                }
                1 => {
                    let lambda = 0.4;
                    (
                        Arc::new(ImplicitDifferentiation { lambda, difference }) as _,
                        true,
                    )
                }
                _ => {
                    let imle = Imle {
                        target: match target {
                            0 => Arc::new(Pid::new(0.05)),
                            1 => Arc::new(Pid::new(2.0)),
                            2 => Arc::new(RelativePid::new(1.0)),
                            _ => Arc::new(Combinatorial),
                        },
                        difference,
                        tau_target,
                        divide_by_lambda,
                    };
                    (Arc::new(imle) as _, target != 2)
                }
            }
        },
    )
}

fn samplings() -> impl Strategy<Value = Sampling> {
    let samples = prop_oneof![1..6_usize, Just(64), Just(65), 100..220_usize];
    let tau = prop_oneof![
        Just(Temperature::from(0.7)),
        Just(Temperature::relative(0.5))
    ];
    (samples, tau, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(samples, tau, antithetic, minimize, seed)| Sampling {
            samples,
            seed,
            tau,
            antithetic,
            sense: if minimize {
                Sense::Minimize
            } else {
                Sense::Maximize
            },
            noise: match antithetic {
                true => Arc::new(Normal),
                false => Arc::new(SumOfGamma {
                    kappa: 2.0,
                    terms: None,
                }),
            },
            ..Sampling::default()
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let shape = (1..5_usize, 1..6_usize, any::<bool>());
    shape.prop_flat_map(|(dim, rows, integral)| {
        let theta = proptest::collection::vec(-1.0..1.0, rows * dim);
        let grad = proptest::collection::vec(-1.0..1.0, rows * dim);
        let zero_rows = proptest::collection::vec(prop::bool::weighted(0.2), rows);
        let oracles = proptest::collection::vec(listed(dim, integral), 1..4);
        let flags = (any::<bool>(), prop::bool::weighted(0.2));
        (
            oracles,
            flags,
            samplings(),
            estimators(),
            theta,
            (grad, zero_rows),
        )
            .prop_map(
                move |(
                    oracles,
                    (each, pool),
                    sampling,
                    (estimator, same_step),
                    theta,
                    (mut grad_mu, zero_rows),
                )| {
                    for (grad, zero) in grad_mu.chunks_exact_mut(dim).zip(zero_rows) {
                        if zero {
                            grad.fill(0.0);
                        }
                    }
                    Case {
                        oracles,
                        each,
                        pool,
                        sampling,
                        estimator,
                        same_step,
                        theta,
                        grad_mu,
                    }
                },
            )
    })
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(5),
        ..ProptestConfig::with_cases(400)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn means_give_what_samples_give(case in cases()) {
        let (sampled, averaged) = (case.sampled(), case.averaged(1));
        let (expected, found) = (&sampled.gradient, &averaged.gradient);
        prop_assert_eq!(&averaged.forward_errors, &sampled.forward_errors);
        prop_assert_eq!(&found.errors, &expected.errors);
        prop_assert_eq!(&averaged.memory, &sampled.memory);
        if case.is_exact() {
            prop_assert_eq!(bits(&averaged.mu), bits(&sampled.mu));
            prop_assert_eq!(bits(&found.theta), bits(&expected.theta));
        } else {
            prop_assert!(close(&averaged.mu, &sampled.mu));
            prop_assert!(close(&found.theta, &expected.theta), "{:?} {:?}", found, expected);
        }
    }

    #[test]
    fn means_depend_on_neither_threads_nor_splits(case in cases()) {
        let alone = case.averaged(1);
        for threads in [2, 4] {
            let found = case.averaged(threads);
            prop_assert_eq!(bits(&found.mu), bits(&alone.mu));
            prop_assert_eq!(bits(&found.gradient.theta), bits(&alone.gradient.theta));
            prop_assert_eq!(found.forward_errors, alone.forward_errors.clone());
            prop_assert_eq!(found.gradient.errors, alone.gradient.errors.clone());
            prop_assert_eq!(found.gradient.solves, alone.gradient.solves);
            prop_assert_eq!(found.gradient.skipped, alone.gradient.skipped);
        }
        if !case.each {
            let layer = case.layer(2);
            let mut mu = Vec::new();
            for row in 0..case.rows() {
                let theta = &case.theta[row * case.dim()..][..case.dim()];
                let saved = layer.forward_mean(theta, Call::from(3).from_row(row as u64));
                mu.extend_from_slice(saved.expect("theta is finite").mu());
            }
            prop_assert_eq!(bits(&mu), bits(&alone.mu));
        }
    }
}

fn layer(oracle: Arc<dyn Oracle>, estimator: impl Estimator + 'static, samples: usize) -> Layer {
    let sampling = Sampling {
        samples,
        ..Sampling::default()
    };
    Layer::new(oracle, estimator, sampling).expect("the settings are right")
}

#[test]
fn estimators_without_a_short_way_take_the_long_one() {
    let (theta, grad_mu) = (numbers(12, 1), numbers(12, 2));
    let estimators: [Arc<dyn Estimator>; 2] = [
        Arc::new(StraightThrough),
        Arc::new(NegativeIdentity::default()),
    ];
    for estimator in estimators {
        let sampling = Sampling {
            samples: 5,
            ..Sampling::default()
        };
        let layer = Layer::with_shared(oracles::k_subset(6, 2), estimator, sampling).unwrap();
        let (saved, means) = (
            layer.forward(&theta, 0).unwrap(),
            layer.forward_mean(&theta, 0).unwrap(),
        );
        assert_eq!(means.mu(), saved.states().marginals());
        assert_eq!(layer.marginals(&theta, 0).unwrap(), means.mu());
        let expected = layer.backward(saved, Feedback::GradMean(&grad_mu)).unwrap();
        let found = layer.backward_mean(means, &grad_mu).unwrap();
        assert_eq!(found.theta, expected.theta);
        assert!(found.theta.iter().any(|&value| value != 0.0));
    }
}

#[test]
fn what_does_not_fit_the_means_is_refused_with_a_sentence() {
    let layer = layer(oracles::k_subset(3, 1), Imle::default(), 4);
    let refused = |grad_mu: &[f64]| {
        let saved = layer.forward_mean(&numbers(6, 1), 0).unwrap();
        layer.backward_mean(saved, grad_mu).unwrap_err()
    };
    assert_eq!(
        refused(&[1.0; 7]).message(),
        "the gradient of the mean has 7 values for means of [2, 3]"
    );
    let infinite = [0.0, 0.0, 0.0, 0.0, f64::INFINITY, 0.0];
    assert_eq!(
        refused(&infinite).message(),
        "the gradient of the mean is inf at row 1, column 1"
    );
    let other = self::layer(oracles::k_subset(3, 1), Imle::default(), 4);
    let saved = other.forward_mean(&numbers(6, 1), 0).unwrap();
    let refused = layer.backward_mean(saved, &[0.0; 6]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_raised_flag_stops_both_passes() {
    let stop = StopFlag::default();
    stop.raise();
    let limits = Limits::none().with_stop(&stop);
    let oracle = Counting::new(oracles::k_subset(3, 1));
    let layer = layer(oracle.clone(), Imle::default(), 100);
    let saved = layer
        .forward_mean(&numbers(6, 1), Call::from(0).within(limits))
        .unwrap();
    assert_eq!((saved.means().errors().len(), oracle.take()), (200, 0));
    assert!(saved.mu().iter().all(|mu| mu.is_nan()));
    let saved = layer.forward_mean(&numbers(6, 1), 0).unwrap();
    assert_eq!(oracle.take(), 200);
    let gradient = layer
        .backward_mean_within(saved, &[1.0, -1.0, 0.5, 1.0, 0.0, 0.0], &limits)
        .unwrap();
    assert_eq!((gradient.errors.len(), oracle.take()), (200, 0));
    assert_eq!(gradient.theta, [0.0; 6]);
    assert_eq!(gradient.errors[0].error.kind(), ErrorKind::Stopped);
}

#[test]
fn a_mean_over_some_samples_says_over_which() {
    // Fails for about every second sample.
    let oracle = Arc::new(Listed {
        fails: true,
        ..Listed::one_hot(3)
    });
    let layer = layer(oracle, Imle::default(), 50);
    let theta = numbers(3, 5);
    let (saved, means) = (
        layer.forward(&theta, 0).unwrap(),
        layer.forward_mean(&theta, 0).unwrap(),
    );
    let means: &Means = means.means();
    let failed = means.errors().len();
    assert!(failed > 0 && means.solved(0) == 50 - failed);
    assert_eq!((means.rows(), means.dim(), means.samples()), (1, 3, 50));
    assert_eq!(means.mu(), saved.states().marginals());
    assert_eq!(means.mu(), Means::of(saved.states()).mu());
    let first = means.all_solved().unwrap_err();
    assert_eq!(layer.marginals(&theta, 0).unwrap_err(), first);
}
