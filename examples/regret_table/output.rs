//! What happens to the outputs of the linear model before they are costs.

/// The last layer of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Output {
    /// Costs are the outputs.
    Linear,
    /// Costs are `ln(1 + exp(output))`, which is positive.
    Softplus,
}

impl Output {
    pub(crate) fn forward(self, outputs: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Linear => outputs,
            // Large outputs overflow in exp.
            Self::Softplus => outputs
                .iter()
                .map(|x| x.max(0.0) + (-x.abs()).exp().ln_1p())
                .collect(),
        }
    }

    /// Returns the gradient in the outputs, given that in the costs, and the costs.
    pub(crate) fn backward(self, grad: Vec<f64>, costs: &[f64]) -> Vec<f64> {
        match self {
            Self::Linear => grad,
            // The derivative exp(x) / (1 + exp(x)), where the costs are ln(1 + exp(x)).
            Self::Softplus => grad
                .iter()
                .zip(costs)
                .map(|(grad, cost)| -grad * (-cost).exp_m1())
                .collect(),
        }
    }
}
