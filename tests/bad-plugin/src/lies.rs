//! Answers that are wrong, or right by chance.

use std::hash::{BuildHasher, RandomState};

use imle_api::{Error, Facts, Limits, MarginalsFn, Proof};

use crate::{Bad, Defect, Row, Scratch, defects};

/// The last of the best coordinates instead of the first.
fn choose_last(row: Row<'_>) {
    let best = row.theta.iter().copied().fold(f64::MIN, f64::max);
    let last = row.theta.iter().rposition(|&theta| theta == best);
    row.z.fill(0.0);
    row.z[last.unwrap_or(0)] = 1.0;
}

/// The marginals of twice theta: those of another temperature.
fn too_cold<D: Defect>(
    _: &Bad<D>,
    _: &mut Scratch<D>,
    theta: &[f64],
    mu: &mut [f64],
    _: &Limits<'_>,
) -> Result<f64, Error> {
    let best = theta.iter().copied().fold(f64::MIN, f64::max);
    for (mu, theta) in mu.iter_mut().zip(theta) {
        *mu = (2.0 * (theta - best)).exp();
    }
    let sum: f64 = mu.iter().sum();
    mu.iter_mut().for_each(|mu| *mu /= sum);
    Ok(2.0 * best + sum.ln())
}

defects! {
    Suboptimal "suboptimal" "chooses the smallest coordinate" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            let dim = row.theta.len();
            let worst = (1..dim).fold(0, |worst, i| if row.theta[i] < row.theta[worst] { i } else { worst });
            row.z.fill(0.0);
            row.z[worst] = 1.0;
            Ok(Proof::NONE)
        }
    }
    Infeasible "infeasible" "chooses two coordinates, and does not state how many a state has" {
        fn facts(&self, dim: usize) -> Facts {
            Facts::binary(dim)
        }
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            if let Some(zero) = row.z.iter_mut().find(|z| **z == 0.0) {
                *zero = 1.0;
            }
            Ok(Proof::NONE)
        }
    }
    Unwritten "unwritten" "writes no state" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            row.z.fill(0.0);
            Ok(Proof::NONE)
        }
    }
    NotANumber "not-a-number" "writes a coordinate that is not a number" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            row.z[0] = f64::NAN;
            Ok(Proof::NONE)
        }
    }
    Fraction "fraction" "writes fractions of a state that is integral" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            row.z.fill(1.0 / row.theta.len() as f64);
            Ok(Proof::NONE)
        }
    }
    WrongOnes "wrong-ones" "states that every state has two ones" {
        fn facts(&self, dim: usize) -> Facts {
            Facts::binary(dim).with_ones(2)
        }
    }
    History "depends-on-history" "breaks ties by how many rows it has solved" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            if row.solved.is_multiple_of(2) {
                choose_last(row);
            }
            Ok(Proof::NONE)
        }
    }
    Chance "depends-on-chance" "breaks ties by chance" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            if RandomState::new().hash_one(0).is_multiple_of(2) {
                choose_last(row);
            }
            Ok(Proof::NONE)
        }
    }
    RadiusTooLarge "radius-too-large" "claims that no theta nearby has another state" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            Ok(Proof::radius(1e6))
        }
    }
    BoundTooLow "bound-too-low" "claims an upper bound that its own state exceeds" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            let objective: f64 = row.theta.iter().zip(&*row.z).map(|(theta, z)| theta * z).sum();
            Ok(Proof { bound: objective - 1.0, ..Proof::NONE })
        }
    }
    WrongMarginals "wrong-marginals" "gives the marginals of another temperature" {
        const MARGINALS: Option<MarginalsFn<Bad<Self>>> = Some(too_cold);
    }
    AcceptsAnything "accepts-anything" "takes a configuration without coordinates" {
        fn create(&self, _: usize) -> Result<(), Error> {
            Ok(())
        }
        fn facts(&self, dim: usize) -> Facts {
            Facts::binary(dim.max(1))
        }
    }
}
