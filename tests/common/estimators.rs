//! Every estimator there is: what a test says of all of them is said of a new one, too.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::Arc;

use imle_runtime::{
    Aimle, Baseline, BlackBox, Difference, Estimator, Exact, Gumbel, GumbelSoftmax, Imle,
    ImplicitDifferentiation, Layer, Logistic, NegativeIdentity, NoNoise, Noise, Normal, Oracle,
    Perturbation, Perturbed, Pid, Projection, Sampling, Scope, Score, ScoreFunction, Sense,
    SoftSub, StraightThrough,
};

use crate::oracles::subsets;

/// An estimator and settings that suit it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) estimator: Arc<dyn Estimator>,
    pub(crate) sampling: Sampling,
    /// Whether it looks at losses, and not at their derivatives.
    pub(crate) needs_losses: bool,
    /// Whether it has one memory for all rows of a call.
    pub(crate) remembers_batch: bool,
}

impl Case {
    pub(crate) fn layer(&self, oracle: Arc<dyn Oracle>, sense: Sense) -> Layer {
        let sampling = Sampling {
            sense,
            ..self.sampling.clone()
        };
        Layer::with_shared(oracle, self.estimator.clone(), sampling)
            .expect("the settings are right")
    }
}

fn case(
    estimator: impl Estimator + 'static,
    samples: usize,
    noise: impl Noise + 'static,
    antithetic: bool,
) -> Case {
    Case {
        estimator: Arc::new(estimator),
        sampling: Sampling {
            samples,
            seed: 9,
            tau: 0.7.into(),
            noise: Arc::new(noise),
            antithetic,
            ..Sampling::default()
        },
        needs_losses: false,
        remembers_batch: false,
    }
}

fn score_function(score: Score, baseline: Baseline, antithetic: bool) -> Case {
    let estimator = ScoreFunction { score, baseline };
    let case = match antithetic {
        false => case(estimator, 16, Gumbel, false),
        true => case(estimator, 16, Logistic, true),
    };
    Case {
        needs_losses: true,
        remembers_batch: matches!(baseline, Baseline::MovingAverage { .. }),
        ..case
    }
}

/// For oracles over vectors of `dim` zeros and ones with `ones` ones.
pub(crate) fn every_estimator(dim: usize, ones: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for difference in [Difference::OneSided, Difference::Central] {
        let imle = Imle {
            difference,
            ..Imle::default()
        };
        cases.push(case(imle, 4, Gumbel, false));
        for scope in [Scope::Batch, Scope::Row] {
            let aimle = Aimle {
                difference,
                scope,
                step: 0.01,
                ..Aimle::default()
            };
            cases.push(Case {
                remembers_batch: scope == Scope::Batch,
                ..case(aimle, 4, Normal, true)
            });
        }
        let implicit = ImplicitDifferentiation {
            lambda: 1.0,
            difference,
        };
        cases.push(case(implicit, 4, Gumbel, false));
        for lambda in [None, Some(0.5)] {
            let exact = Exact {
                states: Some(subsets(dim, ones)),
                lambda,
                difference,
            };
            cases.push(case(exact, 1, NoNoise, false));
        }
        let asked = Exact {
            states: None,
            lambda: Some(0.5),
            difference,
        };
        cases.push(case(asked, 1, NoNoise, false));
    }
    let pid = Imle {
        target: Arc::new(Pid::new(2.0)),
        divide_by_lambda: true,
        ..Imle::default()
    };
    cases.push(case(pid, 4, Gumbel, false));
    cases.push(case(StraightThrough, 4, Gumbel, false));
    cases.push(case(BlackBox { lambda: 3.0 }, 1, NoNoise, false));
    for projection in [
        Projection::None,
        Projection::Mean,
        Projection::Norm,
        Projection::Std,
    ] {
        cases.push(case(NegativeIdentity { projection }, 4, Gumbel, false));
    }
    let average = Baseline::MovingAverage { decay: 0.9 };
    for baseline in [Baseline::None, Baseline::Others, average] {
        for antithetic in [false, true] {
            cases.push(score_function(Score::Noise, baseline, antithetic));
            cases.push(score_function(Score::Marginals, baseline, antithetic));
        }
        for states in [None, Some(subsets(dim, ones))] {
            cases.push(score_function(Score::Exact { states }, baseline, false));
        }
    }
    for perturbation in [Perturbation::Additive, Perturbation::Multiplicative] {
        for baseline in [Baseline::None, Baseline::Others, Baseline::Map] {
            let perturbed = Perturbed {
                perturbation,
                baseline,
            };
            cases.push(case(perturbed, 16, Normal, true));
            cases.push(case(perturbed, 16, Gumbel, false));
        }
    }
    for straight_through in [false, true] {
        let soft_sub = SoftSub {
            straight_through,
            ..SoftSub::default()
        };
        cases.push(case(soft_sub, 4, Gumbel, false));
        if ones == 1 {
            let gumbel_softmax = GumbelSoftmax {
                straight_through,
                ..GumbelSoftmax::default()
            };
            cases.push(case(gumbel_softmax, 4, Gumbel, false));
        }
    }
    cases
}
