//! The multiplicative Fenchel-Young loss against a closed form.

use std::sync::Arc;

use imle_runtime::{
    Facts, FenchelYoungMultiplicative, FnOracle, Labels, Layer, LossLayer, Normal, Perturbation,
    Perturbed, Sampling, Temperature,
};

fn normal_share_below(x: f64) -> f64 {
    // Trapezoids from -9: within 1e-9.
    let (steps, low) = (20_000, -9.0);
    let width = (x - low) / f64::from(steps);
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    (0..steps)
        .map(|step| low + f64::from(step) * width)
        .map(|x| 0.5 * width * (density(x) + density(x + width)))
        .sum()
}

/// With two one-hot states and the second as label the expected loss is `E max(0, a w_1 - b w_2)` over
/// lognormal factors of mean 1: the value of an option to exchange (Margrabe 1978), which knows where the half is.
#[test]
fn over_two_states_it_is_the_value_of_an_exchange_option() {
    let (a, b, tau, samples) = (1.3_f64, 1.0, 0.8_f64, 200_000);
    let spread = tau * 2.0_f64.sqrt();
    let high = ((a / b).ln() + 0.5 * spread * spread) / spread;
    let (first, second) = (normal_share_below(high), normal_share_below(high - spread));
    let better = FnOracle::new(Facts::binary(2).with_ones(1), |theta, z| {
        z.copy_from_slice(if theta[1] > theta[0] {
            &[0.0, 1.0]
        } else {
            &[1.0, 0.0]
        });
        Ok(())
    });
    let sampling = Sampling {
        samples,
        tau: tau.into(),
        seed: 4,
        noise: Arc::new(Normal),
        ..Sampling::default()
    };
    let layer = LossLayer::new(Arc::new(better), FenchelYoungMultiplicative, sampling).unwrap();
    let value = layer
        .evaluate(&[a, b], &Labels::states(&[0.0, 1.0]), 0)
        .unwrap();
    // Terms are between 0 and a w, and E w^2 = exp(tau^2).
    let deviation = a * (0.5 * tau * tau).exp();
    let four_errors = 4.0 * deviation / (samples as f64).sqrt();
    let expected = a * first - b * second;
    assert!(
        (value.losses[0] - expected).abs() < four_errors,
        "{} for {expected}",
        value.losses[0]
    );
    assert!(
        (value.theta[0] - first).abs() < four_errors,
        "{} for {first}",
        value.theta[0]
    );
    assert!(
        (value.theta[1] + second).abs() < four_errors,
        "{} for {second}",
        value.theta[1]
    );
    // Without the half the factors would have mean exp(tau^2 / 2) = 1.38, far outside.
    assert!(four_errors < 0.1 * expected);
}

/// A factor has no unit: with a temperature of the size of theta, theta times ten would have noise of another kind.
#[test]
fn a_temperature_relative_to_theta_is_refused() {
    let sampling = Sampling {
        tau: Temperature::relative(0.5),
        noise: Arc::new(Normal),
        ..Sampling::default()
    };
    let multiplicative = Perturbed {
        perturbation: Perturbation::Multiplicative,
        ..Perturbed::default()
    };
    let oracle = || Arc::new(FnOracle::new(Facts::binary(2), |_, _| Ok(())));
    let estimator = Layer::new(oracle(), multiplicative, sampling.clone());
    let loss = LossLayer::new(oracle(), FenchelYoungMultiplicative, sampling);
    let why = "multiplicative noise follows the size of theta by itself; give tau as a number";
    assert_eq!(
        estimator.unwrap_err().message(),
        format!("estimator: {why}")
    );
    assert_eq!(loss.unwrap_err().message(), format!("loss: {why}"));
}
