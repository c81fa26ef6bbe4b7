//! Few values, ranked by counting: no comparison waits for another one.

use pulp::Simd;

/// What is known of the values that fewer than `k` others exceed, and of the others.
pub(crate) struct Ranking {
    /// The number of values that fewer than `k` exceed: `k`, or more where the last of them are equal.
    pub(crate) ones: usize,
    /// The smallest of them.
    pub(crate) last: f64,
    /// The largest of the others.
    pub(crate) next: f64,
}

impl Ranking {
    /// Ranks the values, and writes 1 where fewer than `k` exceed, else 0.
    #[inline(always)]
    pub(crate) fn write<S: Simd>(simd: S, k: usize, values: &[f64], z: &mut [f64]) -> Self {
        let mut lanes = Lanes::new(simd, k);
        let (vectors, rest) = S::as_simd_f64s(values);
        let (zs, z_rest) = S::as_mut_simd_f64s(z);
        let (pairs, single) = vectors.as_chunks::<2>();
        let (z_pairs, z_single) = zs.as_chunks_mut::<2>();
        for (pair, z) in pairs.iter().zip(z_pairs) {
            *z = lanes.add(simd, values, *pair);
        }
        for (vector, z) in single.iter().zip(z_single) {
            [*z] = lanes.add(simd, values, [*vector]);
        }
        if !rest.is_empty() {
            let present = simd.mask_between_m64s(0, rest.len() as u64).mask();
            let absent = simd.splat_f64s(f64::NEG_INFINITY); // is exceeded by all
            let vector = simd.select_f64s(present, simd.partial_load_f64s(rest), absent);
            let [z] = lanes.add(simd, values, [vector]);
            simd.partial_store_f64s(z_rest, z);
        }
        lanes.ranking(simd)
    }
}

/// A ranking, apart for each lane of a register.
struct Lanes<S: Simd> {
    k: S::f64s,
    ones: S::f64s,
    last: S::f64s,
    next: S::f64s,
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    fn new(simd: S, k: usize) -> Self {
        Self {
            k: simd.splat_f64s(k as f64),
            ones: simd.splat_f64s(0.0),
            last: simd.splat_f64s(f64::INFINITY),
            next: simd.splat_f64s(f64::NEG_INFINITY),
        }
    }

    /// Ranks some of the values among all: two vectors share the loads. Returns their ones.
    #[inline(always)]
    fn add<const N: usize>(&mut self, simd: S, all: &[f64], some: [S::f64s; N]) -> [S::f64s; N] {
        let (one, zero) = (simd.splat_f64s(1.0), simd.splat_f64s(0.0));
        let mut larger = [zero; N];
        for &value in all {
            let value = simd.splat_f64s(value);
            for (larger, some) in larger.iter_mut().zip(some) {
                let is_larger = simd.greater_than_f64s(value, some);
                *larger = simd.add_f64s(*larger, simd.select_f64s(is_larger, one, zero));
            }
        }
        let mut z = [zero; N];
        for ((z, larger), some) in z.iter_mut().zip(larger).zip(some) {
            let is_in = simd.less_than_f64s(larger, self.k);
            *z = simd.select_f64s(is_in, one, zero);
            self.ones = simd.add_f64s(self.ones, *z);
            let (top, bottom) = (
                simd.splat_f64s(f64::INFINITY),
                simd.splat_f64s(f64::NEG_INFINITY),
            );
            self.last = simd.min_f64s(self.last, simd.select_f64s(is_in, some, top));
            self.next = simd.max_f64s(self.next, simd.select_f64s(is_in, bottom, some));
        }
        z
    }

    #[inline(always)]
    fn ranking(&self, simd: S) -> Ranking {
        Ranking {
            ones: simd.reduce_sum_f64s(self.ones) as usize,
            last: simd.reduce_min_f64s(self.last),
            next: simd.reduce_max_f64s(self.next),
        }
    }
}
