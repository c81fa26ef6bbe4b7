//! An upper bound on the log-partition function, by perturb-and-MAP.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Oracle};

use crate::call::Call;
use crate::estimators::StraightThrough;
use crate::layer::Layer;
use crate::noise::Logistic;
use crate::sampling::Sampling;

/// The mean of some samples, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error; infinite from a single sample.
    pub standard_error: f64,
}

/// Estimates an upper bound on `ln Z(theta) = ln sum over z of exp(<z, theta>)` for each row of `theta`,
/// `[rows, dim]`, over sets of 0/1 states (Hazan and Jaakkola, ICML 2012, Corollary 1):
///
/// ```text
/// ln Z  <=  E max over z of <z, theta> + sum over i of gamma_i(z_i)     gamma: Gumbel noise of mean zero
///        =  E max over z of <z, theta + eps>                            eps: logistic noise
/// ```
///
/// The expectation is the bound; what is returned is the mean of `samples` draws of it, at most some standard
/// errors below. It is tight for one coordinate that may be 0 or 1, and grows looser with the number of
/// coordinates. One draw of noise for each *state* would make it exact, and is what nobody can afford. Gumbel noise
/// on the coordinates is not such a bound, except over one-hot states, where it is exact after its mean is
/// taken off. A sample costs one solve.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, log_partition_bound};
/// use std::sync::Arc;
///
/// let one_coordinate = FnOracle::new(Facts::binary(1), |theta, z| {
///     z[0] = f64::from(theta[0] > 0.0);
///     Ok(())
/// });
/// let bound = log_partition_bound(Arc::new(one_coordinate), &[0.5], 10_000, 0)?[0];
/// let exact = (1.0 + 0.5_f64.exp()).ln();
/// assert!((bound.value - exact).abs() < 4.0 * bound.standard_error);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the states are not 0/1 vectors; as [`Layer::forward`]; the first sample that
/// could not be solved.
pub fn log_partition_bound<'a>(
    oracle: Arc<dyn Oracle>,
    theta: &[f64],
    samples: usize,
    call: impl Into<Call<'a>>,
) -> Result<Vec<Estimate>, Error> {
    // An entry of a registry may be replaced meanwhile by a set that this bound is not for.
    let oracle = oracle.pin().unwrap_or(oracle);
    let facts = oracle.facts();
    if !facts.integral || facts.z_lower < 0.0 || facts.z_upper > 1.0 {
        let (lower, upper) = (facts.z_lower, facts.z_upper);
        let message = format!("states within [{lower}, {upper}] are not 0/1 vectors");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let sampling = Sampling {
        samples,
        noise: Arc::new(Logistic),
        ..Sampling::default()
    };
    let layer = Layer::new(oracle, StraightThrough, sampling)?;
    let saved = layer.forward(theta, call)?;
    let outcomes = saved.states().outcomes();
    let objectives: Result<Vec<f64>, Error> = outcomes
        .iter()
        .map(|outcome| outcome.clone().map(|solved| solved.objective))
        .collect();
    saved.states().all_solved()?;
    Ok(objectives?.chunks_exact(samples).map(estimate).collect())
}

fn estimate(values: &[f64]) -> Estimate {
    let count = values.len() as f64;
    let value = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|each| (each - value).powi(2)).sum();
    let standard_error = match values.len() {
        1 => f64::INFINITY,
        _ => (squares / (count - 1.0) / count).sqrt(),
    };
    Estimate {
        value,
        standard_error,
    }
}
