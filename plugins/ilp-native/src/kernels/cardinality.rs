//! One row over all binary variables with equal coefficients: how many may be chosen.

use imle_ilp_model::Model;

use super::is_binary;

/// How far from an integer a count may be for rounding.
const ROUNDING: f64 = 1e-9;

/// From `least` to `most` of the variables are 1.
#[derive(Debug)]
pub(crate) struct Cardinality {
    least: usize,
    most: usize,
}

impl Cardinality {
    pub(super) fn of(model: &Model) -> Option<Self> {
        let ([row], n) = (model.rows(), model.variables().len()) else {
            return None;
        };
        let &(_, coefficient) = row.terms.first()?;
        let equal = row.terms.len() == n && row.terms.iter().all(|term| term.1 == coefficient);
        if !equal || !model.variables().iter().all(is_binary) {
            return None;
        }
        let (a, b) = (row.lower / coefficient, row.upper / coefficient);
        let least = (a.min(b) - ROUNDING).ceil().max(0.0);
        let most = (a.max(b) + ROUNDING).floor().min(n as f64);
        (least <= most).then_some(Self {
            least: least as usize,
            most: most as usize,
        })
    }

    /// Chooses the largest; of equal ones those of the lower index.
    pub(super) fn maximise(&self, keys: &mut Vec<i64>, objective: &[f64], z: &mut [f64]) -> bool {
        let positive = objective.iter().filter(|c| **c > 0.0).count();
        let k = positive.clamp(self.least, self.most);
        if k == 0 {
            return true;
        }
        keys.clear();
        keys.extend(objective.iter().map(|&c| descending_key(c)));
        let (before, &mut last, _) = keys.select_nth_unstable(k - 1);
        // How many of those that equal the last one are chosen.
        let mut ties = 1 + before.iter().filter(|key| **key == last).count();
        for (z, &c) in z.iter_mut().zip(objective) {
            let key = descending_key(c);
            let is_tie = (key == last) & (ties > 0);
            ties -= usize::from(is_tie);
            *z = f64::from(u8::from((key < last) | is_tie));
        }
        true
    }
}

/// An integer that is smaller for a larger number, and the same for zeros of either sign: selecting among integers
/// is fast.
fn descending_key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits().cast_signed();
    // Negative numbers sort the wrong way round as bits.
    !(bits ^ ((bits >> 63) & i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_either_sign_tie() {
        let kernel = Cardinality { least: 1, most: 1 };
        for objective in [[-0.0, 0.0, -1.0], [0.0, -0.0, -1.0]] {
            let mut z = [0.0; 3];
            kernel.maximise(&mut Vec::new(), &objective, &mut z);
            assert_eq!(z, [1.0, 0.0, 0.0], "{objective:?}");
        }
    }

    #[test]
    fn it_is_what_sorting_finds() {
        let mut random = fastrand::Rng::with_seed(3);
        for round in 0..5000 {
            let n = random.usize(1..=30);
            let (a, b) = (random.usize(0..=n), random.usize(0..=n));
            let (least, most) = (a.min(b), a.max(b));
            let levels = random.i32(1..=20);
            let draw = |_| f64::from(random.i32(-levels..=levels)) / 4.0;
            let objective: Vec<f64> = (0..n).map(draw).collect();
            let mut order: Vec<usize> = (0..n).collect();
            // A stable sort: the lower index stays in front.
            order.sort_by(|&a, &b| objective[b].total_cmp(&objective[a]));
            let positive = objective.iter().filter(|c| **c > 0.0).count();
            let mut expected = vec![0.0; n];
            let chosen = &order[..positive.clamp(least, most)];
            chosen.iter().for_each(|&at| expected[at] = 1.0);
            let mut z = vec![0.0; n];
            Cardinality { least, most }.maximise(&mut Vec::new(), &objective, &mut z);
            assert_eq!(
                z, expected,
                "round {round}: {least} to {most} of {objective:?}"
            );
        }
    }
}
