//! Whatever comes back from a plugin is checked before anybody sees it: what it states about an instance,
//! statuses, bounds, integrality, the number of ones, the objective. That costs a pass over the state,
//! little beside any solve.

use imle_api::{Error, ErrorKind, Facts, Outcome, Proof, Solved, ThetaDomain, abi};

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

/// As many coordinates as are looked at together for being zero.
const RUN: usize = 16;

/// `<z, theta>`, and the sum of the magnitudes of its terms. Runs of zeros, of which many states mostly consist,
/// are passed over: theta is finite.
fn objective_and_size(theta: &[f64], z: &[f64]) -> (f64, f64) {
    let mut sums = (-0.0, 0.0);
    for (theta, z) in theta.chunks(RUN).zip(z.chunks(RUN)) {
        // Not `all`, which looks at one after the other.
        if z.iter().fold(false, |any, z| any | (*z != 0.0)) {
            let terms = theta.iter().zip(z).map(|(theta, z)| theta * z);
            sums = terms.fold(sums, |(sum, size), term| (sum + term, size + term.abs()));
        }
    }
    (sums.0 + 0.0, sums.1) // not -0 where nothing was added
}

/// What a plugin wrote about the rows of one call.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) status: Vec<i32>,
    /// The objective of a state, or the log-partition.
    pub(crate) value: Vec<f64>,
    pub(crate) bound: Vec<f64>,
    pub(crate) radius: Vec<f64>,
    pub(crate) messages: Vec<Vec<u8>>,
}

impl Returned {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            status: vec![abi::UNSET; rows],
            value: vec![f64::NAN; rows],
            bound: vec![f64::INFINITY; rows],
            radius: vec![0.0; rows],
            messages: vec![Vec::new(); rows],
        }
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
        let text = String::from_utf8_lossy(&self.messages[row]);
        Err(error_of(self.status[row], text.into_owned()))
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
        let (objective, size) = objective_and_size(theta, z);
        let reported = self.value[row];
        // Written so that NaN fails.
        let close = (reported - objective).abs() <= OBJECTIVE_TOLERANCE * size + f64::MIN_POSITIVE;
        let overflows = size.is_infinite() && !reported.is_nan();
        if !(close || overflows) {
            return Err(format!(
                "the objective is {reported}, but <z, theta> is {objective}"
            ));
        }
        let proof = Proof {
            bound: self.bound[row],
            radius: self.radius[row],
        };
        if proof.bound.is_nan() {
            return Err("the bound is NaN".to_owned());
        }
        let slack = OBJECTIVE_TOLERANCE * size + f64::MIN_POSITIVE;
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
