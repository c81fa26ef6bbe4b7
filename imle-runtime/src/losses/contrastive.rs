//! The contrastive losses over a solution pool.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::pooled::{add, dot, over_pool};
use super::{Labels, Loss, LossValue, Margin};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;

/// Noise-contrastive estimation over a solution pool (Mulamba, Mandi, Diligenti, Lombardi, Bucarey, Guns,
/// "Contrastive losses and solution caching for predict-and-optimize", IJCAI 2021), with the right state
/// `y` and the states `z` that the pool knows:
///
/// ```text
/// loss = mean over the pool of <z - y, theta>
/// grad = mean over the pool of z - y
/// ```
///
/// Needs a pool and the right states. Solves the rows that the pool wants solved, no other. For solvers that are
/// slow. The gradient does not depend on theta and the loss has no minimum: stop early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct NoiseContrastive;
without_parameters!(NoiseContrastive);

#[typetag::serde(name = "noise_contrastive")]
impl Loss for NoiseContrastive {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (right, dim) = (labels.right_states()?, pass.dim());
        over_pool(pass, |row, known, grad| {
            let share = dim as f64 / known.len() as f64;
            known.chunks_exact(dim).for_each(|z| add(grad, share, z));
            add(grad, -1.0, &right[row * dim..][..dim]);
            Ok(dot(grad, pass.theta_row(row)))
        })
    }
}

/// Contrastive MAP estimation over a solution pool (the same paper), with the right state `y`:
///
/// ```text
/// loss = max over y and the states z of the pool of  margin(z, y) + <z - y, theta>
/// grad = that state - y
/// ```
///
/// The margin `regret` makes it the paper's variant with `theta - r` in place of theta, for true theta `r`.
/// Never negative: [`Imitation`](super::Imitation) with the pool as the feasible set, and equal to it where the
/// pool knows every state.
///
/// Needs a pool, the right states, and the true theta for the margin `regret`. Solves the rows that the pool wants
/// solved, no other. For solvers that are slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastiveMap {
    /// How far a state should fall behind the right one.
    pub margin: Margin,
}

#[typetag::serde(name = "contrastive_map")]
impl Loss for ContrastiveMap {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (right, dim) = (labels.right_states()?, pass.dim());
        let margin = self.margin.shift(pass, labels)?;
        over_pool(pass, |row, known, grad| {
            let right = &right[row * dim..][..dim];
            let mut u = vec![0.0; dim];
            margin(row, &mut u);
            add(&mut u, 1.0, pass.theta_row(row));
            let own = dot(right, &u);
            let (mut best, mut loss) = (right, 0.0);
            for z in known.chunks_exact(dim) {
                let gap = dot(z, &u) - own;
                if gap > loss {
                    (best, loss) = (z, gap);
                }
            }
            add(grad, 1.0, best);
            add(grad, -1.0, right);
            Ok(loss)
        })
    }
}
