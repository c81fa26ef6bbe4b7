//! The k largest of a row, by a threshold: the values of rank `k` and `k + 1` are found, and one pass over theta
//! writes the state.
//!
//! Up to [`FEW`] values are ranked by counting the larger ones. Of more, a sample says between which two values those
//! ranks lie, and what lies outside is left behind, until few are left. Nothing depends on the sample but time.
//!
//! The loops are written for vector registers, with those that the processor is found to have.

use pulp::{Arch, Simd, WithSimd};

use crate::narrow::narrow;
use crate::rank::Ranking;

/// So many values are ranked at once.
pub(crate) const FEW: usize = 32;

/// Around the threshold: the smallest value that is in, and the largest that is out.
#[derive(Debug)]
pub(crate) struct Threshold {
    pub(crate) last: f64,
    pub(crate) next: Option<f64>,
}

/// Values that are still to be told apart, from and to.
pub(crate) type Candidates = [Vec<f64>; 2];

/// Writes the MAP state: the `k` largest of `theta`, ties by the lower index. `-0.0` equals `0.0`.
pub(crate) fn select(
    candidates: &mut Candidates,
    k: usize,
    theta: &[f64],
    z: &mut [f64],
) -> Threshold {
    if k == theta.len() {
        z.fill(1.0);
        let last = theta.iter().copied().fold(f64::INFINITY, f64::min);
        return Threshold { last, next: None };
    }
    let selection = Selection {
        candidates,
        k,
        theta,
        z,
    };
    Arch::new().dispatch(selection)
}

struct Selection<'a> {
    candidates: &'a mut Candidates,
    k: usize,
    theta: &'a [f64],
    z: &'a mut [f64],
}

impl WithSimd for Selection<'_> {
    type Output = Threshold;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Threshold {
        let Self {
            candidates,
            k,
            theta,
            z,
        } = self;
        let (last, mut next, ones) = if theta.len() <= FEW {
            let ranking = Ranking::write(simd, k, theta, z);
            (ranking.last, ranking.next, ranking.ones)
        } else {
            let (last, next) = narrow(simd, candidates, k, theta);
            (last, next, write_at_least(simd, last, theta, z))
        };
        if ones > k {
            next = last;
            let ties = theta
                .iter()
                .zip(z)
                .rev()
                .filter(|(theta, _)| **theta == last);
            ties.take(ones - k).for_each(|(_, z)| *z = 0.0);
        }
        Threshold {
            last,
            next: Some(next),
        }
    }
}

/// Writes 1 where theta is `last` or more, else 0, and counts the ones.
#[inline(always)]
fn write_at_least<S: Simd>(simd: S, last: f64, theta: &[f64], z: &mut [f64]) -> usize {
    let (thetas, theta_rest) = S::as_simd_f64s(theta);
    let (zs, z_rest) = S::as_mut_simd_f64s(z);
    let (one, zero, least) = (
        simd.splat_f64s(1.0),
        simd.splat_f64s(0.0),
        simd.splat_f64s(last),
    );
    let mut ones = zero;
    for (theta, z) in thetas.iter().zip(zs) {
        *z = simd.select_f64s(simd.greater_than_or_equal_f64s(*theta, least), one, zero);
        ones = simd.add_f64s(ones, *z);
    }
    let mut count = simd.reduce_sum_f64s(ones) as usize;
    for (theta, z) in theta_rest.iter().zip(z_rest) {
        *z = f64::from(u8::from(*theta >= last));
        count += usize::from(*theta >= last);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sorting finds; the sort is stable, so that the lower index stays in front.
    fn sorted(k: usize, theta: &[f64]) -> (Vec<f64>, f64, Option<f64>) {
        let mut order: Vec<usize> = (0..theta.len()).collect();
        order.sort_by(|&a, &b| theta[b].partial_cmp(&theta[a]).expect("no NaN"));
        let mut z = vec![0.0; theta.len()];
        order[..k].iter().for_each(|&i| z[i] = 1.0);
        (z, theta[order[k - 1]], order.get(k).map(|&i| theta[i]))
    }

    /// Selects with the registers of this processor, and without any.
    fn check(candidates: &mut Candidates, k: usize, theta: &[f64], what: &str) {
        let (expected, last, next) = sorted(k, theta);
        let mut z = vec![f64::NAN; theta.len()];
        let threshold = select(candidates, k, theta, &mut z);
        assert_eq!(z, expected, "{what}: k = {k} of {theta:?}");
        assert_eq!((threshold.last, threshold.next), (last, next), "{what}");
        if k < theta.len() {
            z.fill(f64::NAN);
            let selection = Selection {
                candidates,
                k,
                theta,
                z: &mut z,
            };
            let threshold = selection.with_simd(pulp::Scalar);
            assert_eq!(z, expected, "{what}, scalar: k = {k} of {theta:?}");
            assert_eq!((threshold.last, threshold.next), (last, next), "{what}");
        }
    }

    #[test]
    fn it_is_what_sorting_finds() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut candidates = Candidates::default();
        for round in 0..5000 {
            let most = if round % 4 == 0 { 700 } else { 70 };
            let (dim, levels) = (random.usize(1..=most), random.i32(1..=300));
            let k = random.usize(1..=dim);
            let draw = |random: &mut fastrand::Rng| match random.u8(0..8) {
                0 => -0.0,
                1 => 0.0,
                2 => 1e300 * (random.f64() - 0.5),
                3 => f64::from_bits(random.u64(0..4)), // subnormal
                _ => f64::from(random.i32(-levels..=levels)) / 4.0,
            };
            let theta: Vec<f64> = (0..dim).map(|_| draw(&mut random)).collect();
            check(&mut candidates, k, &theta, &format!("round {round}"));
        }
    }

    #[test]
    fn no_order_or_repetition_of_values_misleads_it() {
        let mut candidates = Candidates::default();
        for dim in [33_usize, 64, 100, 255, 256, 1000, 5000] {
            let values: [(&str, &dyn Fn(usize) -> f64); 7] = [
                ("equal", &|_| 1.5),
                ("rising", &|i| i as f64),
                ("falling", &|i| -(i as f64)),
                ("two", &|i| (i % 2) as f64),
                ("one is more", &|i| f64::from(u8::from(i == dim - 2))),
                ("one is less", &|i| -f64::from(u8::from(i == 3))),
                // Where a sample with a stride looks, all is the same.
                ("teeth", &|i| {
                    if i % (dim / 32) == dim / 64 {
                        9.0
                    } else {
                        i as f64 % 7.0
                    }
                }),
            ];
            for (what, value) in values {
                let theta: Vec<f64> = (0..dim).map(value).collect();
                for k in [1, 2, dim / 32, dim / 2, dim - 2, dim - 1, dim] {
                    check(&mut candidates, k, &theta, what);
                }
            }
        }
    }
}
