//! The feasible set by a solver's own account.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::case::{key, solve_guarded};
use crate::{ErrorKind, Facts, Oracle, ThetaDomain, unset};

/// Up to this dimension every vector of zeros and ones is asked for.
const MOST_BINARIES: usize = 12;
/// The thetas that are tried where that is not possible.
const THETAS: usize = 2000;

/// The states that an instance returns when it is asked for each, and whether it was asked for all there can be.
pub(super) fn explored(
    oracle: &dyn Oracle,
    facts: Facts,
    seed: u64,
) -> (Cow<'static, [Vec<f64>]>, bool) {
    if facts.dim == 0 {
        return (Cow::Borrowed(&[]), false); // which is the failure of another property
    }
    let binary = facts.integral && facts.z_lower >= 0.0 && facts.z_upper <= 1.0;
    let can_ask_for_each = binary && facts.theta_domain == ThetaDomain::Any;
    let complete = can_ask_for_each && facts.dim <= MOST_BINARIES;
    let theta = match complete {
        true => one_for_each_vector(facts.dim),
        false => random_thetas(facts, seed),
    };
    let mut outcomes = vec![unset(); theta.len() / facts.dim];
    let guarded = solve_guarded(oracle, &theta, &mut outcomes);
    let infeasible = outcomes
        .iter()
        .all(|outcome| matches!(outcome, Err(why) if why.kind() == ErrorKind::Infeasible));
    let states: BTreeMap<Vec<u64>, Vec<f64>> = guarded[1..=theta.len()]
        .chunks_exact(facts.dim)
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(z, _)| (key(z), z.to_vec()))
        .collect();
    // An engine that fails on a row may hide the state that was asked for.
    let all_answered = infeasible || outcomes.iter().all(Result::is_ok);
    (
        states.into_values().collect(),
        infeasible || (complete && all_answered),
    )
}

/// `2 v - 1` for every vector `v` of zeros and ones: `v` alone maximises it, if it is a state.
fn one_for_each_vector(dim: usize) -> Vec<f64> {
    let sign = |bit: u32| if bit == 1 { 1.0 } else { -1.0 };
    (0..1_u32 << dim)
        .flat_map(|bits| (0..dim).map(move |i| sign(bits >> i & 1)))
        .collect()
}

/// Half of them large in few coordinates, so that states far from the middle come back, too.
fn random_thetas(facts: Facts, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed ^ 2);
    let mut theta = Vec::with_capacity(THETAS * facts.dim);
    for row in 0..THETAS {
        for _ in 0..facts.dim {
            let value = random.f64() * 2.0 - 1.0;
            let value = match row % 2 {
                0 => value,
                _ => value.powi(5),
            };
            theta.push(match facts.theta_domain {
                ThetaDomain::Any => value,
                ThetaDomain::NonPositive => -value.abs(),
            });
        }
    }
    theta
}
