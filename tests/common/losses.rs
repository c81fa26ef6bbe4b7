//! Every loss, and problems to evaluate it on.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::Arc;

use imle_runtime::{
    Gumbel, Labels, Loss, LossLayer, LossValue, NoNoise, Noise, Normal, Oracle, Pool, PoolConfig,
    Sampling,
};

use super::oracles::{brute_force, enumeration, numbers, subsets};

/// Every loss as a configuration names it, with the settings that matter.
///
/// `losses_are_documented.rs` fails if a registered loss has no line here.
pub(crate) const LOSSES: &[&str] = &[
    r#"{"type": "perceptron"}"#,
    r#"{"type": "structured_svm"}"#,
    r#"{"type": "spo_plus"}"#,
    r#"{"type": "imitation"}"#,
    r#"{"type": "imitation", "margin": "hamming", "alpha": 0.5}"#,
    r#"{"type": "imitation", "margin": "regret", "alpha": 3.0, "perturbed": true}"#,
    r#"{"type": "fenchel_young"}"#,
    r#"{"type": "fenchel_young_multiplicative"}"#,
    r#"{"type": "maximum_likelihood"}"#,
    r#"{"type": "maximum_likelihood", "examples": "theta"}"#,
    r#"{"type": "sparse_map"}"#,
    r#"{"type": "sparse_map", "weight": 0.2}"#,
    r#"{"type": "directional_regret"}"#,
    r#"{"type": "directional_regret", "step": 0.5, "difference": "central"}"#,
    r#"{"type": "regret"}"#,
    r#"{"type": "regret", "step": 0.5, "difference": "central"}"#,
    r#"{"type": "noise_contrastive"}"#,
    r#"{"type": "contrastive_map"}"#,
    r#"{"type": "contrastive_map", "margin": "regret"}"#,
    r#"{"type": "pointwise_ranking"}"#,
    r#"{"type": "pairwise_ranking", "margin": 0.1}"#,
    r#"{"type": "listwise_ranking", "temperature": 0.5}"#,
];

pub(crate) fn loss(config: &str) -> Arc<dyn Loss> {
    serde_json::from_str(config).unwrap_or_else(|why| panic!("{config}: {why}"))
}

/// Rows of a problem with labels of both kinds.
pub(crate) struct Problem {
    pub(crate) states: Vec<Vec<f64>>,
    pub(crate) theta: Vec<f64>,
    pub(crate) truth: Vec<f64>,
    pub(crate) right: Vec<f64>,
}

/// Two of six coordinates, in `rows` rows.
pub(crate) fn problem(rows: usize, seed: u64) -> Problem {
    let states = subsets(6, 2);
    let (theta, truth) = (numbers(rows * 6, seed), numbers(rows * 6, seed + 1000));
    let best = |truth: &[f64]| brute_force(&states, truth);
    Problem {
        right: truth.chunks_exact(6).flat_map(best).collect(),
        states,
        theta,
        truth,
    }
}

impl Problem {
    pub(crate) fn labels(&self) -> Labels<'_> {
        Labels::theta(&self.truth).with_states(&self.right)
    }

    pub(crate) fn oracle(&self) -> Arc<dyn Oracle> {
        enumeration(self.states.clone())
    }

    /// The loss over this problem; over a pool of every other state if it needs one.
    pub(crate) fn layer(&self, config: &str, sampling: &Sampling) -> LossLayer {
        let oracle = self.oracle();
        let layer = layer(oracle.clone(), config, sampling);
        if !needs_pool(config) {
            return layer;
        }
        let pool = Pool::new(PoolConfig {
            solve_ratio: 0.5,
            ..PoolConfig::default()
        });
        let pool = pool.expect("the settings are right");
        for z in self.states.iter().step_by(2) {
            pool.insert(&*oracle, z).expect("it is a state");
        }
        layer.with_pool(pool)
    }

    /// The loss of each row and the gradient.
    pub(crate) fn evaluate(&self, config: &str, sampling: &Sampling) -> LossValue {
        self.evaluate_at(&self.theta, config, sampling)
    }

    pub(crate) fn evaluate_at(
        &self,
        theta: &[f64],
        config: &str,
        sampling: &Sampling,
    ) -> LossValue {
        let layer = self.layer(config, sampling);
        let value = layer.evaluate(theta, &self.labels(), 3);
        value.unwrap_or_else(|why| panic!("{config}: {why}"))
    }
}

/// Whether a loss compares states of a pool.
pub(crate) fn needs_pool(config: &str) -> bool {
    config.contains("contrastive") || config.contains("ranking")
}

pub(crate) fn layer(oracle: Arc<dyn Oracle>, config: &str, sampling: &Sampling) -> LossLayer {
    LossLayer::with_shared(oracle, loss(config), sampling.clone())
        .unwrap_or_else(|why| panic!("{config}: {why}"))
}

/// Several samples under noise of every kind, and one without.
pub(crate) fn samplings() -> Vec<Sampling> {
    let noises: [(Arc<dyn Noise>, usize); 3] = [
        (Arc::new(NoNoise), 1),
        (Arc::new(Gumbel), 3),
        (Arc::new(Normal), 4),
    ];
    let sampling = |(noise, samples)| Sampling {
        samples,
        seed: 5,
        tau: 0.6.into(),
        noise,
        ..Sampling::default()
    };
    noises.into_iter().map(sampling).collect()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
