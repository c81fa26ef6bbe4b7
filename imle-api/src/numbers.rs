//! Passes over rows of numbers that the compiler turns into vector instructions.

/// As many running sums as a vector register has lanes, and more, to hide the latency of an addition.
const LANES: usize = 8;

/// Returns `<z, theta>`, the objective of a state, summed in an order that depends on nothing but the length: both
/// sides of the boundary get the same number. Never `-0`.
///
/// ```
/// assert_eq!(imle_api::inner_product(&[1.0, 0.0, 1.0], &[0.5, 7.0, -2.0]), -1.5);
/// ```
///
/// # Panics
///
/// If the lengths differ.
#[must_use]
pub fn inner_product(z: &[f64], theta: &[f64]) -> f64 {
    assert_eq!(z.len(), theta.len(), "a state and theta have dim entries");
    let (z_chunks, z_rest) = z.as_chunks::<LANES>();
    let (theta_chunks, theta_rest) = theta.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (z, theta) in z_chunks.iter().zip(theta_chunks) {
        for (sum, (z, theta)) in sums.iter_mut().zip(z.iter().zip(theta)) {
            *sum += z * theta;
        }
    }
    let rest = z_rest.iter().zip(theta_rest);
    rest.fold(sum_of_lanes(sums), |sum, (z, theta)| sum + z * theta)
}

/// The sum of integers that are small enough to be added exactly in any order.
pub(crate) fn sum_of_integers(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    rest.iter()
        .fold(sum_of_lanes(sums), |sum, value| sum + value)
}

fn sum_of_lanes(sums: [f64; LANES]) -> f64 {
    sums.iter().fold(0.0, |sum, lane| sum + lane)
}

/// Finds the first value that is infinite or NaN. Where there is none, that is one pass of vector instructions.
///
/// ```
/// assert_eq!(imle_api::first_not_finite(&[1.0, f64::NAN]), Some(1));
/// assert_eq!(imle_api::first_not_finite(&[1.0, -f64::MAX]), None);
/// ```
#[must_use]
pub fn first_not_finite(values: &[f64]) -> Option<usize> {
    // Not `all`, which looks at one after the other. NaN is not at most anything.
    let is_finite = |value: &f64| value.abs() <= f64::MAX;
    match values
        .iter()
        .fold(true, |all, value| all & is_finite(value))
    {
        true => None,
        false => values.iter().position(|value| !is_finite(value)),
    }
}
