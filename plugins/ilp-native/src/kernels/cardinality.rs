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
    pub(super) fn maximise(
        &self,
        order: &mut Vec<usize>,
        objective: &[f64],
        z: &mut [f64],
    ) -> bool {
        let positive = objective.iter().filter(|c| **c > 0.0).count();
        let k = positive.clamp(self.least, self.most);
        if k == 0 {
            return true;
        }
        if order.len() != z.len() {
            order.clear();
            order.extend(0..z.len());
        }
        // Zeros tie whatever their signs.
        let value = |at: &usize| objective[*at] + 0.0;
        let larger_first = |a: &usize, b: &usize| value(b).total_cmp(&value(a)).then(a.cmp(b));
        order.select_nth_unstable_by(k - 1, larger_first);
        order[..k].iter().for_each(|&at| z[at] = 1.0);
        true
    }
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
}
