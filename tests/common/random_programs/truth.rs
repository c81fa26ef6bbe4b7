//! What is true of a program, without any engine.

use super::Program;

/// A box beyond every vertex of programs with such small coefficients.
const FAR: f64 = 1e9;

impl Program {
    /// Every vector of integers within the bounds.
    pub(crate) fn lattice(&self) -> Vec<Vec<f64>> {
        let mut states = vec![Vec::new()];
        for &(lower, upper) in &self.integers {
            states = states
                .iter()
                .flat_map(|z| (lower..=upper).map(move |v| [&z[..], &[f64::from(v)]].concat()))
                .collect();
        }
        states
    }

    /// What a whole point is worth, or `None` if it violates a bound, a row or integrality.
    pub(crate) fn value(&self, point: &[f64], theta: &[f64]) -> Option<f64> {
        let (integers, continuous) = point.split_at(self.integers.len());
        let integral = integers
            .iter()
            .zip(&self.integers)
            .all(|(z, &(l, u))| z.fract() == 0.0 && f64::from(l) <= *z && *z <= f64::from(u));
        let bounded = continuous
            .iter()
            .zip(&self.continuous)
            .all(|(y, (l, u))| l <= y && y <= u);
        let rows_hold = self.rows.iter().all(|row| {
            let terms = || row.terms.iter().zip(point).map(|(c, x)| c * x);
            let rounding = 2e-6 + 1e-11 * terms().map(f64::abs).sum::<f64>();
            let sum: f64 = terms().sum();
            row.lower - rounding <= sum && sum <= row.upper + rounding
        });
        let cost = |at: usize| self.known[at] + theta.get(at).copied().unwrap_or(0.0);
        (integral && bounded && rows_hold)
            .then(|| point.iter().enumerate().map(|(at, x)| x * cost(at)).sum())
    }

    /// The best objective with the integers at `z`: `None` if nothing completes it, infinite if unbounded.
    /// Looks at all vertices of what is left, in the plane of at most two continuous variables.
    pub(crate) fn best_with(&self, z: &[f64], theta: &[f64]) -> Option<f64> {
        let n = z.len();
        let objective = z.iter().enumerate();
        let fixed: f64 = objective.map(|(i, z)| z * (theta[i] + self.known[i])).sum();
        let planes = self.planes(z);
        let inside = |y: [f64; 2]| {
            planes.iter().all(|(a, b)| {
                let terms = [a[0] * y[0], a[1] * y[1]];
                let rounding = 1e-7 + 1e-12 * (terms[0].abs() + terms[1].abs());
                terms[0] + terms[1] <= b + rounding
            })
        };
        let cost = [0, 1].map(|i| self.known.get(n + i).copied().unwrap_or(0.0));
        let (mut near, mut far): (Option<f64>, Option<f64>) = (None, None);
        for (i, (a, b)) in planes.iter().enumerate() {
            for (c, d) in &planes[..i] {
                let det = a[0] * c[1] - a[1] * c[0];
                if det.abs() < 1e-9 {
                    continue;
                }
                let y = [(b * c[1] - a[1] * d) / det, (a[0] * d - b * c[0]) / det];
                if inside(y) {
                    let value = fixed + cost[0] * y[0] + cost[1] * y[1];
                    let is_far = y.iter().any(|y| y.abs() > FAR / 100.0);
                    let best = if is_far { &mut far } else { &mut near };
                    *best = Some(best.map_or(value, |best| value.max(best)));
                }
            }
        }
        match (near, far) {
            (Some(near), Some(far)) if far > near + 1.0 => Some(f64::INFINITY),
            (Some(near), _) => Some(near),
            // No vertex but those of the box: a half-plane, a strip or the whole plane.
            (None, Some(_)) if cost == [0.0, 0.0] => Some(fixed),
            (None, far) => far.map(|far| if far > FAR / 1e4 { f64::INFINITY } else { far }),
        }
    }

    /// The half-planes `a.y <= b` that are left for the continuous variables, with a box around all.
    fn planes(&self, z: &[f64]) -> Vec<([f64; 2], f64)> {
        let n = z.len();
        let mut planes: Vec<([f64; 2], f64)> = vec![([1.0, 0.0], FAR), ([-1.0, 0.0], FAR)];
        planes.extend([([0.0, 1.0], FAR), ([0.0, -1.0], FAR)]);
        let mut between = |a: [f64; 2], lower: f64, upper: f64| {
            planes.push((a, upper));
            planes.push((a.map(|a| -a), -lower));
        };
        for (i, &(lower, upper)) in self.continuous.iter().enumerate() {
            between([f64::from(i == 0), f64::from(i == 1)], lower, upper);
        }
        for row in &self.rows {
            let taken: f64 = row.terms[..n].iter().zip(z).map(|(c, z)| c * z).sum();
            let left = [0, 1].map(|i| row.terms.get(n + i).copied().unwrap_or(0.0));
            between(left, row.lower - taken, row.upper - taken);
        }
        planes.retain(|(_, b)| b.is_finite());
        planes
    }
}
