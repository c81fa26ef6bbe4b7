//! Whatever comes back from a plugin is checked before anybody sees it: what it states about an instance,
//! statuses, bounds, integrality, the number of ones, the objective. That costs a pass over the state,
//! little beside any solve.

use std::collections::BTreeMap;

use imle_api::{Error, ErrorKind, Facts, Outcome, Proof, Solved, ThetaDomain, abi, inner_product};

use crate::plugin_text::error_of;

/// Relative difference allowed between a reported objective and ours, which sums in another order.
const OBJECTIVE_TOLERANCE: f64 = 1e-9;

/// Turns what an instance states into facts, or says which statement makes no sense.
pub(crate) fn facts_of(info: &abi::Info) -> Result<Facts, String> {
    // Beyond this, rows x dim of doubles does not fit into memory anyway.
    let dim = usize::try_from(info.dim)
        .ok()
        .filter(|dim| (1..=1 << 31).contains(dim));
    let dim = dim.ok_or_else(|| format!("dim = {}, not between 1 and 2^31", info.dim))?;
    let (lower, upper) = (info.z_lower, info.z_upper);
    if lower.is_nan() || upper.is_nan() || lower > upper {
        return Err(format!(
            "bounds [{lower}, {upper}] for the coordinates of a state"
        ));
    }
    let integral = info.flags & abi::INFO_INTEGRAL != 0;
    let mut facts = Facts::bounded(dim, lower, upper, integral);
    if info.ones != abi::ONES_VARY {
        let ones = info.ones as f64;
        if ones < dim as f64 * lower || ones > dim as f64 * upper {
            return Err(format!(
                "that {dim} coordinates in [{lower}, {upper}] sum to {}",
                info.ones
            ));
        }
        facts = facts.with_ones(info.ones as usize);
    }
    // A domain that this host does not know is at least as small as the smallest it knows.
    if info.theta_domain != ThetaDomain::Any as u32 {
        facts = facts.with_theta_domain(ThetaDomain::NonPositive);
    }
    Ok(facts)
}

/// What a plugin wrote about the rows of one call. Its memory serves call after call.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    pub(crate) status: Vec<i32>,
    /// The objective of a state, or the log-partition.
    pub(crate) value: Vec<f64>,
    pub(crate) bound: Vec<f64>,
    pub(crate) radius: Vec<f64>,
    pub(crate) messages: RowMessages,
}

/// The sentences of rows that failed.
#[derive(Debug, Default)]
pub(crate) struct RowMessages {
    rows: u64,
    texts: BTreeMap<u64, Vec<u8>>,
}

impl RowMessages {
    /// Keeps the last sentence of a row, if there is such a row.
    pub(crate) fn take(&mut self, row: u64, text: &[u8]) {
        if row < self.rows {
            self.texts.insert(row, text.to_vec());
        }
    }
}

impl Returned {
    /// Makes room for the rows of a call, of which nothing is known.
    pub(crate) fn clear(&mut self, rows: usize) {
        refill(&mut self.status, rows, abi::UNSET);
        refill(&mut self.value, rows, f64::NAN);
        refill(&mut self.bound, rows, f64::INFINITY);
        refill(&mut self.radius, rows, 0.0);
        self.messages.rows = rows as u64;
        self.messages.texts.clear();
    }

    /// Turns the rows that the plugin set into results: `result` gets a row, its theta and its output.
    pub(crate) fn answer<'a, T>(
        &self,
        rows: impl Iterator<Item = (&'a [f64], &'a [f64])>,
        results: &mut [Result<T, Error>],
        result: impl Fn(usize, &[f64], &[f64]) -> Result<T, Error>,
    ) {
        for (row, ((theta, output), place)) in rows.zip(results).enumerate() {
            if self.status[row] != abi::UNSET {
                *place = self.success(row).and_then(|()| result(row, theta, output));
            }
        }
    }

    fn success(&self, row: usize) -> Result<(), Error> {
        if self.status[row] == abi::OK {
            return Ok(());
        }
        let text = self.messages.texts.get(&(row as u64));
        let text = text.map_or(String::new(), |text| {
            String::from_utf8_lossy(text).into_owned()
        });
        Err(error_of(self.status[row], text))
    }

    /// The log-partition of a row, with its marginals checked.
    pub(crate) fn log_partition(
        &self,
        row: usize,
        facts: &Facts,
        mu: &[f64],
    ) -> Result<f64, Error> {
        facts.check_marginals(mu, self.value[row])?;
        Ok(self.value[row])
    }

    pub(crate) fn outcome(&self, row: usize, facts: &Facts, theta: &[f64], z: &[f64]) -> Outcome {
        facts.check_state(z)?;
        self.check_numbers(row, theta, z)
            .map_err(|why| Error::new(ErrorKind::ContractBroken, why))
    }

    fn check_numbers(&self, row: usize, theta: &[f64], z: &[f64]) -> Result<Solved, String> {
        let objective = inner_product(z, theta);
        let reported = self.value[row];
        let proof = Proof {
            bound: self.bound[row],
            radius: self.radius[row],
        };
        // The same number to the bit is what plugins in Rust report, and most have no bound.
        let (slack, overflows) = match reported == objective && proof.bound >= objective {
            true => (0.0, false),
            false => {
                let size: f64 = z
                    .iter()
                    .zip(theta)
                    .map(|(z, theta)| (z * theta).abs())
                    .sum();
                let slack = OBJECTIVE_TOLERANCE * size + f64::MIN_POSITIVE;
                (slack, size.is_infinite() && !reported.is_nan())
            }
        };
        // Written so that NaN fails.
        let close = (reported - objective).abs() <= slack || reported == objective;
        if !(close || overflows) {
            return Err(format!(
                "the objective is {reported}, but <z, theta> is {objective}"
            ));
        }
        if proof.bound.is_nan() {
            return Err("the bound is NaN".to_owned());
        }
        if proof.bound < objective - slack {
            let bound = proof.bound;
            return Err(format!(
                "the bound {bound} is below the objective {objective}"
            ));
        }
        if proof.radius.is_nan() || proof.radius < 0.0 {
            return Err(format!("the radius is {}", proof.radius));
        }
        Ok(Solved { objective, proof })
    }
}

fn refill<T: Clone>(values: &mut Vec<T>, count: usize, value: T) {
    values.clear();
    values.resize(count, value);
}
