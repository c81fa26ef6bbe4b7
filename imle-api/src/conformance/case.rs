//! The properties, each looking for a theta that breaks it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::Failure;
use crate::{ErrorKind, Facts, Limits, Oracle, Outcome, StopFlag, ThetaDomain, solve_one, unset};

/// Relative error allowed between two sums of the same products in another order.
const ROUNDING: f64 = 1e-9;

/// Stands in front of z and behind it.
const GUARD: f64 = -8.25e-87;

/// One configuration under test.
pub(super) struct Case<'a> {
    pub(super) config: &'a Value,
    pub(super) states: Cow<'a, [Vec<f64>]>,
    /// Whether the feasible set has no other states.
    pub(super) complete: bool,
    pub(super) facts: Facts,
    pub(super) seed: u64,
}

impl Case<'_> {
    pub(super) fn failure(&self, property: &'static str, evidence: impl Into<String>) -> Failure {
        Failure::new(property, self.config, evidence)
    }

    pub(super) fn facts_hold(&self) -> Result<(), Failure> {
        let facts = self.facts;
        if facts.dim == 0 {
            return Err(self.failure("facts", "dim = 0"));
        }
        for z in &*self.states {
            let failure = |why: &str| self.failure("facts", format!("state {z:?} {why}"));
            if z.len() != facts.dim {
                return Err(failure(&format!(
                    "does not have dim = {} entries",
                    facts.dim
                )));
            }
            if z.iter().any(|&z| z < facts.z_lower || z > facts.z_upper) {
                return Err(failure("is out of the declared bounds"));
            }
            if facts.integral && z.iter().any(|z| z.fract() != 0.0) {
                return Err(failure("is not integral as declared"));
            }
            if facts
                .ones
                .is_some_and(|ones| z.iter().sum::<f64>() != ones as f64)
            {
                return Err(failure("does not have the declared number of ones"));
            }
        }
        Ok(())
    }

    /// Rows of theta: smooth ones, ones full of ties, zeros of both signs, and large ones.
    pub(super) fn thetas(&self, rows: usize) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut theta = Vec::with_capacity(rows * self.facts.dim);
        for row in 0..rows {
            for _ in 0..self.facts.dim {
                let value = match row % 4 {
                    0 => random.f64() * 2.0 - 1.0,
                    1 => f64::from(random.i32(-2..=2)),
                    2 => [0.0, -0.0, 1.0, -1.0][random.usize(0..4)],
                    _ => (random.f64() * 2.0 - 1.0) * 1e6,
                };
                theta.push(match self.facts.theta_domain {
                    ThetaDomain::Any => value,
                    ThetaDomain::NonPositive => -value.abs(),
                });
            }
        }
        theta
    }

    pub(super) fn solve(&self, oracle: &dyn Oracle, theta: &[f64]) -> Result<Vec<f64>, Failure> {
        let before = theta.to_vec();
        let mut outcomes = vec![unset(); theta.len() / self.facts.dim];
        let guarded = solve_guarded(oracle, theta, &mut outcomes);
        self.nothing_else_was_written(&guarded, &before, theta)?;
        for (row, outcome) in outcomes.iter().enumerate() {
            self.check_status(outcome, &theta[row * self.facts.dim..][..self.facts.dim])?;
        }
        Ok(guarded[1..=theta.len()].to_vec())
    }

    /// The words next to z are as they were, and so is theta.
    fn nothing_else_was_written(
        &self,
        guarded: &[f64],
        before: &[f64],
        theta: &[f64],
    ) -> Result<(), Failure> {
        let failure = |evidence: String| Err(self.failure("nothing but z is written", evidence));
        let (first, last) = (guarded[0], guarded[guarded.len() - 1]);
        if first != GUARD {
            return failure(format!("the word in front of z became {first}"));
        }
        if last != GUARD {
            return failure(format!("the word behind z became {last}"));
        }
        // Whoever compiles this may think that nobody writes to what is borrowed.
        let after = std::hint::black_box(theta);
        let written = |(before, after): (&f64, &f64)| before.to_bits() != after.to_bits();
        match before.iter().zip(after).position(written) {
            None => Ok(()),
            Some(at) => {
                let (row, column) = (at / self.facts.dim, at % self.facts.dim);
                failure(format!(
                    "theta at row {row}, column {column} was {} and became {}",
                    before[at], after[at]
                ))
            }
        }
    }

    /// Whether no theta has a state.
    pub(super) fn is_infeasible(&self) -> bool {
        self.complete && self.states.is_empty()
    }

    fn check_status(&self, outcome: &Outcome, theta: &[f64]) -> Result<(), Failure> {
        match outcome {
            Ok(_) if self.is_infeasible() => {
                Err(self.failure("infeasibility", format!("theta {theta:?} got a state")))
            }
            Err(why) if self.is_infeasible() && why.kind() == ErrorKind::Infeasible => Ok(()),
            Ok(_) => Ok(()),
            Err(why) => {
                Err(self.failure("a state for every row", format!("theta {theta:?}: {why}")))
            }
        }
    }

    pub(super) fn every_row_is_optimal(
        &self,
        oracle: &dyn Oracle,
        theta: &[f64],
    ) -> Result<Vec<f64>, Failure> {
        let z = self.solve(oracle, theta)?;
        if self.is_infeasible() {
            return Ok(z);
        }
        let feasible: BTreeSet<Vec<u64>> = self.states.iter().map(|z| key(z)).collect();
        let dim = self.facts.dim;
        for (theta, z) in theta.chunks_exact(dim).zip(z.chunks_exact(dim)) {
            if self.complete && !feasible.contains(&key(z)) {
                let evidence = format!("theta {theta:?} got {z:?}, which is not a state");
                return Err(self.failure("feasibility", evidence));
            }
            let Some((best, better)) = self.best(theta) else {
                continue; // no state is known
            };
            let rounding = ROUNDING * theta.iter().map(|theta| theta.abs()).sum::<f64>();
            if dot(theta, z) < best - rounding {
                let evidence = format!(
                    "theta {theta:?} got {z:?} with objective {}, but {better:?} has {best}",
                    dot(theta, z)
                );
                return Err(self.failure("optimality", evidence));
            }
        }
        Ok(z)
    }

    fn best(&self, theta: &[f64]) -> Option<(f64, &[f64])> {
        let scored = self.states.iter().map(|z| (dot(theta, z), z.as_slice()));
        scored.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The objective is that of the state, the bound bounds, and nothing within the radius changes it.
    pub(super) fn proofs_hold(&self, oracle: &dyn Oracle, theta: &[f64]) -> Result<(), Failure> {
        if self.is_infeasible() {
            return Ok(());
        }
        let mut random = fastrand::Rng::with_seed(self.seed ^ 1);
        for theta in theta.chunks_exact(self.facts.dim) {
            let solve = |theta: &[f64]| {
                solve_one(oracle, theta).map_err(|why| {
                    self.failure("a state for every row", format!("{theta:?}: {why}"))
                })
            };
            let (z, solved) = solve(theta)?;
            let failure = |property, evidence: String| {
                self.failure(
                    property,
                    format!("theta {theta:?} got {z:?} with {evidence}"),
                )
            };
            let rounding = ROUNDING * theta.iter().map(|theta| theta.abs()).sum::<f64>();
            if (solved.objective - dot(theta, &z)).abs() > rounding {
                return Err(failure(
                    "objective",
                    format!("objective {}", solved.objective),
                ));
            }
            if solved.proof.bound < solved.objective - rounding {
                return Err(failure("bound", format!("bound {}", solved.proof.bound)));
            }
            let radius = solved.proof.radius.min(1e9);
            if radius.is_nan() || radius < 0.0 {
                return Err(failure("radius", format!("radius {radius}")));
            }
            let mut moved = theta.to_vec();
            for corner in 0..8 {
                let step = |random: &mut fastrand::Rng| match corner % 2 {
                    0 => {
                        if random.bool() {
                            0.999
                        } else {
                            -0.999
                        }
                    }
                    _ => random.f64() * 1.998 - 0.999,
                };
                moved.iter_mut().zip(theta).for_each(|(moved, theta)| {
                    *moved = theta + radius * step(&mut random);
                });
                let out = self.facts.theta_domain == ThetaDomain::NonPositive
                    && moved.iter().any(|&theta| theta > 0.0);
                if radius > 0.0 && !out && solve(&moved)?.0 != z {
                    return Err(failure(
                        "radius",
                        format!("radius {radius}, not so at {moved:?}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The same rows again, in other company: reversed, one by one, in sevens, on a used workspace, and
    /// on several threads at once.
    pub(super) fn nothing_but_theta_matters(
        &self,
        oracle: &dyn Oracle,
        theta: &[f64],
        expected: &[f64],
    ) -> Result<(), Failure> {
        if self.is_infeasible() {
            return Ok(());
        }
        let dim = self.facts.dim;
        let compare = |property, z: &[f64]| {
            let row = (0..theta.len() / dim)
                .find(|row| key(&z[row * dim..][..dim]) != key(&expected[row * dim..][..dim]));
            match row {
                None => Ok(()),
                Some(row) => Err(self.failure(
                    property,
                    format!(
                        "theta {:?} got {:?} and then {:?}",
                        &theta[row * dim..][..dim],
                        &expected[row * dim..][..dim],
                        &z[row * dim..][..dim]
                    ),
                )),
            }
        };
        let reversed = |rows: &[f64]| {
            rows.chunks_exact(dim)
                .rev()
                .flatten()
                .copied()
                .collect::<Vec<_>>()
        };
        let backward = self.solve(oracle, &reversed(theta))?;
        compare("the same state in another order", &reversed(&backward))?;
        for size in [1, 7] {
            let mut z = Vec::with_capacity(theta.len());
            for rows in theta.chunks(size * dim) {
                z.extend(self.solve(oracle, rows)?);
            }
            compare(
                "the same state in another split and on a used workspace",
                &z,
            )?;
        }
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| self.solve(oracle, theta)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("solve catches panics"))
                .collect()
        });
        for z in results {
            compare("the same state on another thread", &z?)?;
        }
        Ok(())
    }

    /// A solver may ignore the flag or stop, but not return less than the best.
    pub(super) fn a_raised_stop_flag_never_gives_a_wrong_state(
        &self,
        oracle: &dyn Oracle,
        theta: &[f64],
    ) -> Result<(), Failure> {
        let stop = StopFlag::default();
        stop.raise();
        let theta = &theta[..self.facts.dim.min(theta.len())];
        let mut z = vec![f64::NAN; theta.len()];
        let mut outcome = [unset()];
        oracle.solve(
            theta,
            &mut z,
            &mut outcome,
            &Limits::none().with_stop(&stop),
        );
        let [outcome] = outcome;
        let evidence = match outcome {
            Err(why) if matches!(why.kind(), ErrorKind::Stopped | ErrorKind::Infeasible) => {
                return Ok(());
            }
            Err(why) => format!("theta {theta:?}: {why}"),
            Ok(_) if self.solve(oracle, theta)? == z => return Ok(()),
            Ok(_) => format!("theta {theta:?} got {z:?}"),
        };
        Err(self.failure("a raised stop flag", evidence))
    }
}

/// The states with a word in front of them and one behind, which are [`GUARD`] unless the solver writes where it must not.
pub(super) fn solve_guarded(
    oracle: &dyn Oracle,
    theta: &[f64],
    outcomes: &mut [Outcome],
) -> Vec<f64> {
    let mut guarded = vec![GUARD; theta.len() + 2];
    let z = &mut guarded[1..=theta.len()];
    z.fill(f64::NAN);
    oracle.solve(theta, z, outcomes, &Limits::none());
    guarded
}

pub(super) fn dot(theta: &[f64], z: &[f64]) -> f64 {
    theta.iter().zip(z).map(|(theta, z)| theta * z).sum()
}

/// The bits of a state, with the sign of zero removed.
pub(super) fn key(z: &[f64]) -> Vec<u64> {
    z.iter().map(|z| (z + 0.0).to_bits()).collect()
}
