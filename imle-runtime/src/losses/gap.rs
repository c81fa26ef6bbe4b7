//! The form that many losses share: how much better than the right state some state looks.

use imle_api::Error;

use super::LossValue;
use crate::pass::Pass;

/// Where a gap is measured: writes `u` of a query of a row and the derivative of each `u[i]` in `theta[i]`.
pub(super) trait Point:
    Fn(usize, usize, &mut [f64], &mut [f64]) -> Result<(), Error> + Sync
{
}
impl<F: Fn(usize, usize, &mut [f64], &mut [f64]) -> Result<(), Error> + Sync> Point for F {}

/// The loss `mean over queries of  max over z of <z, u> - <right, u>`, whose gradient is
/// `mean of slope (MAP(u) - right)`; never negative if `right` is a state.
///
/// `right` is `[rows, dim]`.
pub(super) fn gap(pass: &Pass<'_>, right: &[f64], queries: usize, point: impl Point) -> LossValue {
    let dim = pass.dim();
    let solved = pass.solve_each(queries, |row, query, u| {
        point(row, query, u, &mut vec![0.0; dim])
    });
    LossValue::of_states(pass, &solved, |row, z, grad| {
        let right = &right[row * dim..][..dim];
        let (mut u, mut slope, mut loss) = (vec![0.0; dim], vec![0.0; dim], 0.0);
        for (query, z) in z.chunks_exact(dim).enumerate() {
            point(row, query, &mut u, &mut slope)?;
            for i in 0..dim {
                let step = z[i] - right[i];
                loss += step * u[i] / queries as f64;
                grad[i] += slope[i] * step / queries as f64;
            }
        }
        Ok(loss)
    })
}

/// A single point `scale theta + shift`, where `shift` is told the row and writes.
pub(super) fn affine<'a>(
    pass: &'a Pass<'_>,
    scale: f64,
    shift: impl Fn(usize, &mut [f64]) + Sync + 'a,
) -> impl Point + 'a {
    move |row, _, u, slope| {
        shift(row, u);
        for (u, theta) in u.iter_mut().zip(pass.theta_row(row)) {
            *u += scale * theta;
        }
        slope.fill(scale);
        Ok(())
    }
}
