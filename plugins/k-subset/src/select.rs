//! The k largest of a row, by a threshold: the k-th largest value is selected among integer keys, and passes
//! over theta that the compiler turns into vector instructions do the rest.

/// Around the threshold: the smallest value that is in, and the largest that is out.
pub(crate) struct Threshold {
    pub(crate) last: f64,
    pub(crate) next: Option<f64>,
}

/// Writes the MAP state: the `k` largest of `theta`, ties by the lower index. `-0.0` equals `0.0`.
pub(crate) fn select(keys: &mut Vec<i64>, k: usize, theta: &[f64], z: &mut [f64]) -> Threshold {
    keys.clear();
    keys.extend(theta.iter().map(|&theta| descending_key(theta)));
    let (_, &mut key, _) = keys.select_nth_unstable(k - 1);
    let last = value_of(key);
    let counts = write_larger(last, theta, z);
    let wanted = k - counts.larger; // of those that equal the threshold
    let ties = theta.iter().zip(z).filter(|(theta, _)| **theta == last);
    ties.take(wanted).for_each(|(_, z)| *z = 1.0);
    let next = match counts.equal > wanted {
        true => Some(last),
        false => (k < theta.len()).then_some(counts.largest_below),
    };
    Threshold { last, next }
}

/// An integer that is smaller for a larger number. Finite numbers only; comparing integers is what makes the
/// selection fast.
fn descending_key(value: f64) -> i64 {
    !flip_negative(value.to_bits().cast_signed())
}

fn value_of(key: i64) -> f64 {
    f64::from_bits(flip_negative(!key).cast_unsigned())
}

/// Negative numbers sort the wrong way round as bits. Its own inverse.
fn flip_negative(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

struct Counts {
    larger: usize,
    equal: usize,
    largest_below: f64,
}

/// As many sums as a vector register has lanes, and more, to hide the latency of an addition.
const LANES: usize = 8;

/// Writes 1 where theta is larger than `last`, else 0, and counts.
fn write_larger(last: f64, theta: &[f64], z: &mut [f64]) -> Counts {
    let mut larger = [0_u64; LANES];
    let mut equal = [0_u64; LANES];
    let mut below = [f64::NEG_INFINITY; LANES];
    for (theta, z) in theta.chunks(LANES).zip(z.chunks_mut(LANES)) {
        for (lane, (&theta, z)) in theta.iter().zip(z).enumerate() {
            *z = f64::from(u8::from(theta > last));
            larger[lane] += u64::from(theta > last);
            equal[lane] += u64::from(theta == last);
            let candidate = if theta < last {
                theta
            } else {
                f64::NEG_INFINITY
            };
            below[lane] = below[lane].max(candidate);
        }
    }
    Counts {
        larger: larger.iter().sum::<u64>() as usize,
        equal: equal.iter().sum::<u64>() as usize,
        largest_below: below.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_sorting_finds() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut keys = Vec::new();
        for round in 0..5000 {
            let (dim, levels) = (random.usize(1..=40), random.i32(1..=30));
            let k = random.usize(1..=dim);
            let draw = |random: &mut fastrand::Rng| match random.u8(0..8) {
                0 => -0.0,
                1 => 0.0,
                2 => 1e300 * (random.f64() - 0.5),
                3 => f64::from_bits(random.u64(0..4)), // subnormal
                _ => f64::from(random.i32(-levels..=levels)) / 4.0,
            };
            let theta: Vec<f64> = (0..dim).map(|_| draw(&mut random)).collect();
            let mut order: Vec<usize> = (0..dim).collect();
            // A stable sort: the lower index stays in front.
            order.sort_by(|&a, &b| theta[b].partial_cmp(&theta[a]).expect("no NaN"));
            let mut expected = vec![0.0; dim];
            order[..k].iter().for_each(|&i| expected[i] = 1.0);

            let mut z = vec![f64::NAN; dim];
            let threshold = select(&mut keys, k, &theta, &mut z);
            assert_eq!(z, expected, "round {round}: k = {k} of {theta:?}");
            assert_eq!(threshold.last, theta[order[k - 1]]);
            assert_eq!(threshold.next, order.get(k).map(|&i| theta[i]));
        }
    }

    #[test]
    fn keys_sort_like_numbers_and_lead_back() {
        let numbers = [-f64::MAX, -1.0, -5e-324, -0.0, 0.0, 5e-324, 2.5, f64::MAX];
        let keys = numbers.map(descending_key);
        assert!(keys.is_sorted_by(|a, b| a > b));
        assert_eq!(
            keys.map(|key| value_of(key).to_bits()),
            numbers.map(f64::to_bits)
        );
    }
}
