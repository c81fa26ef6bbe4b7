//! Portfolios of assets whose returns are unknown.

use crate::RandomState;
use crate::dataset::{Dataset, dot, signals, single};

/// What to generate; the default is the usual benchmark at degree 4.
#[derive(Clone, Debug)]
pub struct PortfolioSettings {
    /// The number of assets.
    pub assets: usize,
    /// The number of problems, for training and testing together.
    pub rows: usize,
    /// The number of features of a problem, and of the factors that the assets have in common.
    pub features: usize,
    /// The degree of the polynomial from features to returns.
    pub degree: u32,
    /// The size of the noise, and of the risk that comes with it.
    pub noise: f64,
    /// The seed of the NumPy stream that everything is drawn from.
    pub seed: u32,
}

impl Default for PortfolioSettings {
    fn default() -> Self {
        Self {
            assets: 50,
            rows: 2000,
            features: 5,
            degree: 4,
            noise: 1.0,
            seed: 0,
        }
    }
}

/// Problems with the same risk and returns of their own.
#[derive(Clone, Debug)]
pub struct PortfolioData {
    /// The covariance of the returns, `[assets, assets]`.
    pub covariance: Vec<f64>,
    /// The features and the returns.
    pub data: Dataset,
}

impl PortfolioSettings {
    /// Draws the problems that these settings describe; theta are the returns of the assets.
    ///
    /// The features are standard normal; the returns are
    /// `(0.05 B x / sqrt(features) + 0.1^(1/degree))^degree + L f + 0.01 noise eps`, where `B` is a random
    /// matrix of zeros and ones, `L` one of uniform numbers, and `f` and `eps` are standard normal. The
    /// covariance is that of the last two terms. The numbers, returns rounded to `f32`, are those of PyEPO's
    /// generator.
    #[must_use]
    pub fn generate(&self) -> PortfolioData {
        let (features, assets) = (self.features, self.assets);
        let (degree, residual) = (f64::from(self.degree), 0.01 * self.noise);
        let random = &mut RandomState::new(self.seed);
        let b = random.coins(assets * features);
        let bound = 2.5e-3 * self.noise;
        let loadings = random.uniforms(assets * features, -bound, bound);
        let x = random.normals(self.rows * features);
        let base = 0.1_f64.powf(1.0 / degree);
        let mut theta = signals(&x, &b, features);
        for returns in theta.chunks_exact_mut(assets) {
            let factors = random.normals(features);
            for (value, loadings) in returns.iter_mut().zip(loadings.chunks_exact(features)) {
                let mean = (0.05 * *value + base).powf(degree);
                let noise = dot(&factors, loadings) + residual * random.normal(0.0, 1.0);
                *value = single(mean + noise);
            }
        }
        let data = Dataset {
            x,
            theta,
            features,
            dim: assets,
        };
        let covariance = covariance(&loadings, features, residual * residual);
        PortfolioData { covariance, data }
    }
}

/// Returns `L L^T + variance I`.
fn covariance(loadings: &[f64], features: usize, variance: f64) -> Vec<f64> {
    let rows = || loadings.chunks_exact(features).enumerate();
    let entry = |(i, a), (j, b)| dot(a, b) + if i == j { variance } else { 0.0 };
    rows()
        .flat_map(|a: (usize, &[f64])| rows().map(move |b| entry(a, b)))
        .collect()
}

#[cfg(test)]
mod tests {
    //! The expected numbers were printed by PyEPO's generator under NumPy 2.4.6.

    use super::*;

    #[test]
    fn features_returns_and_covariance_of_seed_0_are_pyepos() {
        let PortfolioData { covariance, data } = PortfolioSettings::default().generate();
        assert_eq!(
            (data.rows(), data.dim(), covariance.len()),
            (2000, 50, 2500)
        );
        assert_eq!(data.x[0], -0.9855107376841507);
        let returns = [0.09667511_f32, 0.10905234, 0.091301985];
        assert_eq!(data.theta[..3], returns.map(f64::from));
        let total: f64 = data.theta.iter().sum();
        assert!((total - 10_182.937452701386).abs() < 1e-6, "{total}");
        assert!((covariance[0] - 0.00011275121735689487).abs() < 1e-18);
    }

    #[test]
    fn the_covariance_is_symmetric() {
        let covariance = PortfolioSettings::default().generate().covariance;
        for i in 0..50 {
            for j in 0..i {
                assert_eq!(covariance[i * 50 + j], covariance[j * 50 + i]);
            }
        }
    }
}
