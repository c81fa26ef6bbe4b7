//! Passes over rows of numbers that the compiler turns into vector instructions.

/// As many running results as a vector register has lanes, and more, to hide the latency of an addition.
const LANES: usize = 8;

/// The largest absolute value; `values` are finite.
pub(crate) fn largest_size(values: &[f64]) -> f64 {
    let larger = |most: f64, value: f64| if value > most { value } else { most };
    let mut most = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (most, value) in most.iter_mut().zip(chunk) {
            *most = larger(*most, value.abs());
        }
    }
    let rest = rest.iter().map(|value| value.abs());
    most.into_iter().chain(rest).fold(0.0, larger)
}

/// The sum of the squares.
pub(crate) fn sum_of_squares(values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    let rest: f64 = rest.iter().map(|value| value * value).sum();
    sums.iter().sum::<f64>() + rest
}

/// Whether every number is zero.
pub(crate) fn all_zero(values: &[f64]) -> bool {
    let mut chunks = values.chunks(8 * LANES);
    // Not `all` within a chunk, which looks at one after the other.
    chunks.all(|chunk| {
        chunk
            .iter()
            .fold(true, |zero, value| zero & (*value == 0.0))
    })
}
