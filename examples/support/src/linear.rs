//! A linear model and the optimiser that trains it.

use crate::RandomState;

/// The model `W x + b`.
#[derive(Clone, Debug)]
pub struct Linear {
    inputs: usize,
    /// For every output its row of `W`, then its entry of `b`.
    parameters: Vec<f64>,
}

impl Linear {
    /// Makes a model whose parameters are drawn uniformly from `-1 / sqrt(inputs)` to `1 / sqrt(inputs)`,
    /// as PyTorch does.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, random: &mut RandomState) -> Self {
        let bound = (inputs as f64).sqrt().recip();
        let parameters = (0..outputs * (inputs + 1))
            .map(|_| random.uniform(-bound, bound))
            .collect();
        Self { inputs, parameters }
    }

    /// Fits the model to outputs `y`, `[rows, outputs]`, of inputs `x`, `[rows, inputs]`: the least sum of
    /// squares, by the normal equations.
    ///
    /// # Panics
    ///
    /// If the inputs depend on one another, so that many models fit equally well.
    #[must_use]
    pub fn least_squares(x: &[f64], y: &[f64], inputs: usize) -> Self {
        let width = inputs + 1;
        let outputs = y.len() / (x.len() / inputs);
        let mut system = vec![vec![0.0; width + outputs]; width];
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact(outputs)) {
            let row: Vec<f64> = x.iter().chain([&1.0]).chain(y).copied().collect();
            for (equation, factor) in system.iter_mut().zip(&row) {
                let terms = equation.iter_mut().zip(&row);
                terms.for_each(|(sum, value)| *sum += factor * value);
            }
        }
        eliminate(&mut system);
        let of_output = |output| system.iter().map(move |equation| equation[width + output]);
        let parameters = (0..outputs).flat_map(of_output).collect();
        Self { inputs, parameters }
    }

    /// Returns the outputs, `[rows, outputs]`, of the inputs `x`, `[rows, inputs]`.
    #[must_use]
    pub fn forward(&self, x: &[f64]) -> Vec<f64> {
        let output = |x: &[f64], parameters: &[f64]| {
            let (w, b) = (&parameters[..self.inputs], parameters[self.inputs]);
            b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()
        };
        let outputs_of = |x| self.per_output().map(move |p| output(x, p));
        x.chunks_exact(self.inputs).flat_map(outputs_of).collect()
    }

    /// Returns the gradient in the parameters, summed over rows, given the inputs `x` and the gradient in
    /// the outputs, `[rows, outputs]`.
    #[must_use]
    pub fn backward(&self, x: &[f64], grad_outputs: &[f64]) -> Vec<f64> {
        let width = self.inputs + 1;
        let mut gradient = vec![0.0; self.parameters.len()];
        let grad_rows = grad_outputs.chunks_exact(self.per_output().len());
        for (x, grad_row) in x.chunks_exact(self.inputs).zip(grad_rows) {
            for (sums, grad) in gradient.chunks_exact_mut(width).zip(grad_row) {
                let factors = x.iter().chain([&1.0]);
                sums.iter_mut()
                    .zip(factors)
                    .for_each(|(sum, x)| *sum += grad * x);
            }
        }
        gradient
    }

    /// Returns the parameters, in the order of the gradient.
    pub fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn per_output(&self) -> std::slice::ChunksExact<'_, f64> {
        self.parameters.chunks_exact(self.inputs + 1)
    }
}

/// Solves a symmetric positive definite system in place, right sides appended, by Gauss-Jordan elimination.
/// Such a system needs no pivoting.
fn eliminate(system: &mut [Vec<f64>]) {
    for at in 0..system.len() {
        let pivot = system[at][at];
        assert!(pivot > 1e-9, "the inputs depend on one another");
        system[at].iter_mut().for_each(|value| *value /= pivot);
        let solved = system[at].clone();
        for equation in (0..system.len()).filter(|&equation| equation != at) {
            let factor = system[equation][at];
            let terms = system[equation].iter_mut().zip(&solved);
            terms.for_each(|(value, solved)| *value -= factor * solved);
        }
    }
}

/// The optimiser of Kingma and Ba (2015) with its usual decay rates.
#[derive(Clone, Debug)]
pub struct Adam {
    rate: f64,
    steps: i32,
    /// Decaying means of the gradient and of its square, for every parameter.
    moments: Vec<(f64, f64)>,
}

impl Adam {
    const BETA: (f64, f64) = (0.9, 0.999);
    const EPSILON: f64 = 1e-8;

    /// Makes an optimiser with that learning rate.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            steps: 0,
            moments: Vec::new(),
        }
    }

    /// Moves `parameters` one step against `gradient`.
    pub fn step(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        self.steps += 1;
        self.moments.resize(parameters.len(), (0.0, 0.0));
        let (beta1, beta2) = Self::BETA;
        // The means start at zero; dividing by these makes up for it.
        let (unbias1, unbias2) = (1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps));
        let moments = self.moments.iter_mut();
        for ((parameter, grad), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments)
        {
            *mean = beta1 * *mean + (1.0 - beta1) * grad;
            *square = beta2 * *square + (1.0 - beta2) * grad * grad;
            let scale = (*square / unbias2).sqrt() + Self::EPSILON;
            *parameter -= self.rate * *mean / unbias1 / scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half the squared distance between outputs and `target`, and its gradient in the outputs.
    fn loss(outputs: &[f64], target: &[f64]) -> (f64, Vec<f64>) {
        let difference: Vec<f64> = outputs.iter().zip(target).map(|(o, t)| o - t).collect();
        (difference.iter().map(|d| d * d / 2.0).sum(), difference)
    }

    fn normals(n: usize, random: &mut RandomState) -> Vec<f64> {
        (0..n).map(|_| random.normal(0.0, 1.0)).collect()
    }

    #[test]
    fn parameters_start_within_pytorchs_bound() {
        let mut model = Linear::new(5, 40, &mut RandomState::new(0));
        let parameters = model.parameters_mut();
        assert_eq!(parameters.len(), 40 * 6);
        let largest = parameters.iter().fold(0.0, |max: f64, p| max.max(p.abs()));
        let bound = 0.2_f64.sqrt();
        assert!(largest <= bound && largest > 0.95 * bound);
    }

    #[test]
    fn forward_is_w_x_plus_b_row_by_row() {
        let mut model = Linear::new(2, 2, &mut RandomState::new(0));
        let parameters = [1.0, 2.0, 0.5, -1.0, 0.0, 3.0];
        model.parameters_mut().copy_from_slice(&parameters);
        let outputs = model.forward(&[1.0, 1.0, 2.0, -1.0]);
        assert_eq!(outputs, [3.5, 2.0, 0.5, 1.0]);
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let random = &mut RandomState::new(1);
        let mut model = Linear::new(3, 2, random);
        let (x, target) = (normals(4 * 3, random), normals(4 * 2, random));
        let gradient = model.backward(&x, &loss(&model.forward(&x), &target).1);
        for (i, grad) in gradient.into_iter().enumerate() {
            let mut loss_at = |step: f64| {
                model.parameters_mut()[i] += step;
                let value = loss(&model.forward(&x), &target).0;
                model.parameters_mut()[i] -= step;
                value
            };
            let slope = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5;
            assert!((grad - slope).abs() < 1e-8, "{grad} != {slope}");
        }
    }

    #[test]
    fn least_squares_find_a_linear_model_again() {
        let random = &mut RandomState::new(4);
        let mut truth = Linear::new(5, 3, random);
        let x = normals(20 * 5, random);
        let mut fitted = Linear::least_squares(&x, &truth.forward(&x), 5);
        let pairs = fitted.parameters_mut().iter().zip(truth.parameters_mut());
        for (fitted, truth) in pairs {
            assert!((*fitted - *truth).abs() < 1e-9, "{fitted} != {truth}");
        }
    }

    #[test]
    fn at_the_least_squares_the_gradient_is_zero() {
        let random = &mut RandomState::new(5);
        let (x, y) = (normals(30 * 4, random), normals(30 * 2, random));
        let model = Linear::least_squares(&x, &y, 4);
        let gradient = model.backward(&x, &loss(&model.forward(&x), &y).1);
        assert!(
            gradient.iter().all(|grad| grad.abs() < 1e-9),
            "{gradient:?}"
        );
    }

    #[test]
    #[should_panic(expected = "depend on one another")]
    fn least_squares_refuse_inputs_that_depend_on_one_another() {
        let x = [1.0, 2.0, 2.0, 4.0, 3.0, 6.0];
        let _ = Linear::least_squares(&x, &[1.0, 2.0, 3.0], 2);
    }

    #[test]
    fn the_first_step_of_adam_has_the_length_of_its_rate() {
        let mut parameters = [1.0, -1.0, 7.0];
        Adam::new(0.1).step(&mut parameters, &[250.0, -3e-3, 0.0]);
        for (parameter, expected) in parameters.into_iter().zip([0.9, -0.9, 7.0]) {
            assert!((parameter - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn adam_finds_a_linear_model_again() {
        let random = &mut RandomState::new(2);
        let (truth, mut model) = (Linear::new(5, 3, random), Linear::new(5, 3, random));
        let mut adam = Adam::new(1e-2);
        for _ in 0..2000 {
            let x = normals(8 * 5, random);
            let (_, grad) = loss(&model.forward(&x), &truth.forward(&x));
            let gradient = model.backward(&x, &grad);
            adam.step(model.parameters_mut(), &gradient);
        }
        let x = normals(8 * 5, random);
        assert!(loss(&model.forward(&x), &truth.forward(&x)).0 < 1e-6);
    }
}
