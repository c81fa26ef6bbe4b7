//! Many values, narrowed down to few around a rank (after Floyd and Rivest, 1975).

use pulp::Simd;

use crate::rank::Ranking;
use crate::select::{Candidates, FEW};

/// Of as many values a sample of `LARGE` pays, and of fewer one of `SMALL`.
const MANY: usize = 256;
const LARGE: usize = 32;
const SMALL: usize = 16;

/// The bracket around a rank is so many standard deviations wide on either side, and [`MARGIN`] of the sample.
const DEVIATIONS: f64 = 2.0;
const MARGIN: f64 = 0.5;

/// So many values are compared before those to keep are copied.
const BLOCK: usize = 64;

/// Returns the values of rank `k` and `k + 1` from the largest; `k` is less than their number.
#[inline(always)]
pub(crate) fn narrow<S: Simd>(
    simd: S,
    [from, to]: &mut Candidates,
    mut k: usize,
    values: &[f64],
) -> (f64, f64) {
    for buffer in [&mut *from, &mut *to] {
        if buffer.len() < values.len() {
            buffer.resize(values.len(), 0.0);
        }
    }
    let (mut from, mut to) = (&mut from[..], &mut to[..]);
    let mut kept = keep_around(simd, &mut k, values, to);
    let mut before = values.len();
    while kept > FEW {
        if kept > before / 4 * 3 {
            return by_quickselect(k, &to[..kept]); // there are many equal values
        }
        std::mem::swap(&mut from, &mut to);
        before = kept;
        kept = keep_around(simd, &mut k, &from[..kept], to);
    }
    let ranking = Ranking::write(simd, k, &to[..kept], &mut [0.0; FEW][..kept]);
    let next = if ranking.ones > k {
        ranking.last
    } else {
        ranking.next
    };
    (ranking.last, next)
}

/// Copies values around rank `k` and `k + 1`, and makes `k` the rank among these. Returns their number.
#[inline(always)]
fn keep_around<S: Simd>(simd: S, k: &mut usize, values: &[f64], to: &mut [f64]) -> usize {
    let (mut low, mut high) = if values.len() < MANY {
        bracket::<S, SMALL>(simd, *k, values)
    } else {
        bracket::<S, LARGE>(simd, *k, values)
    };
    let (mut above, mut kept) = keep_between(simd, low, high, values, to);
    if *k <= above || *k >= above + kept {
        // The sample was wrong on one side: leave that open.
        if *k <= above {
            high = f64::INFINITY;
        } else {
            low = f64::NEG_INFINITY;
        }
        (above, kept) = keep_between(simd, low, high, values, to);
    }
    *k -= above;
    kept
}

/// Returns values between which rank `k` and `k + 1` probably lie, from a sample of `M`.
#[inline(always)]
fn bracket<S: Simd, const M: usize>(simd: S, k: usize, values: &[f64]) -> (f64, f64) {
    let stride = values.len() / M;
    let mut sample = [0.0; M];
    for (sample, values) in sample.iter_mut().zip(values.chunks_exact(stride)) {
        *sample = values[stride / 2];
    }
    let share = k as f64 / values.len() as f64;
    let rank = share * M as f64;
    let width = DEVIATIONS * (rank * (1.0 - share)).sqrt() + MARGIN;
    let at = |rank: f64| Ranking::write(simd, rank as usize, &sample, &mut [0.0; M]);
    let high = match rank - width {
        rank if rank < 1.0 => f64::INFINITY,
        rank => at(rank).last,
    };
    let low = match rank + width {
        rank if rank >= M as f64 => f64::NEG_INFINITY,
        rank => at(rank.max(1.0)).next,
    };
    (low, high)
}

/// Copies the values from `low` to `high`; returns the number of those above, and of those copied.
#[inline(always)]
fn keep_between<S: Simd>(
    simd: S,
    low: f64,
    high: f64,
    values: &[f64],
    to: &mut [f64],
) -> (usize, usize) {
    let (mut above, mut kept) = (simd.splat_f64s(0.0), 0);
    let mut flags = [0_u64; BLOCK];
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    for block in blocks {
        let flags_of = S::as_mut_simd_u64s(&mut flags).0.iter_mut();
        for (values, flags) in S::as_simd_f64s(block).0.iter().zip(flags_of) {
            let (zero, one) = (simd.splat_u64s(0), simd.splat_u64s(1));
            let is_above = simd.greater_than_f64s(*values, simd.splat_f64s(high));
            let is_below = simd.less_than_f64s(*values, simd.splat_f64s(low));
            let is_outside = simd.or_m64s(is_above, is_below);
            *flags = simd.select_u64s(is_outside, zero, one);
            let count = simd.select_f64s(is_above, simd.splat_f64s(1.0), simd.splat_f64s(0.0));
            above = simd.add_f64s(above, count);
        }
        for (&value, flag) in block.iter().zip(flags) {
            // Without a branch, which nobody could predict.
            to[kept] = value;
            kept += flag as usize;
        }
    }
    let mut above = simd.reduce_sum_f64s(above) as usize;
    for &value in rest {
        to[kept] = value;
        kept += usize::from(value >= low && value <= high);
        above += usize::from(value > high);
    }
    (above, kept)
}

/// As [`narrow`], in linear time whatever the values are.
fn by_quickselect(k: usize, values: &[f64]) -> (f64, f64) {
    let mut keys: Vec<i64> = values.iter().map(|&value| descending_key(value)).collect();
    let (_, &mut last, rest) = keys.select_nth_unstable(k - 1);
    let next = rest.iter().min().expect("k is less than the number");
    (value_of(last), value_of(*next))
}

/// An integer that is smaller for a larger number. Finite numbers only; comparing integers is what makes the
/// selection fast. `-0.0` is taken for `0.0`.
fn descending_key(value: f64) -> i64 {
    !flip_negative((value + 0.0).to_bits().cast_signed())
}

fn value_of(key: i64) -> f64 {
    f64::from_bits(flip_negative(!key).cast_unsigned())
}

/// Negative numbers sort the wrong way round as bits. Its own inverse.
fn flip_negative(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_numbers_and_lead_back() {
        let numbers = [-f64::MAX, -1.0, -5e-324, 0.0, 5e-324, 2.5, f64::MAX];
        let keys = numbers.map(descending_key);
        assert!(keys.is_sorted_by(|a, b| a > b));
        assert_eq!(keys.map(value_of), numbers);
        assert_eq!(descending_key(-0.0), descending_key(0.0));
    }
}
