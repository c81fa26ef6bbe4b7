//! Knapsacks whose items have unknown values.

use crate::RandomState;
use crate::dataset::{Dataset, signals};

/// What to generate; the default is the usual benchmark at degree 4.
#[derive(Clone, Debug)]
pub struct KnapsackSettings {
    /// The number of items.
    pub items: usize,
    /// The number of resources that each item takes some of.
    pub resources: usize,
    /// The number of problems, for training and testing together.
    pub rows: usize,
    /// The number of features of a problem.
    pub features: usize,
    /// The degree of the polynomial from features to values.
    pub degree: u32,
    /// Values are multiplied by a number drawn uniformly from `1 - noise` to `1 + noise`.
    pub noise: f64,
    /// The seed of the NumPy stream that everything is drawn from.
    pub seed: u32,
}

impl Default for KnapsackSettings {
    fn default() -> Self {
        Self {
            items: 32,
            resources: 2,
            rows: 2000,
            features: 5,
            degree: 4,
            noise: 0.5,
            seed: 0,
        }
    }
}

/// Problems with the same weights and values of their own.
#[derive(Clone, Debug)]
pub struct KnapsackData {
    /// What each item takes of each resource, in hundredths, `[resources, items]`: 300 to 799.
    pub weights: Vec<u32>,
    /// The features and the values, which are whole numbers.
    pub data: Dataset,
}

impl KnapsackSettings {
    /// Draws the problems that these settings describe; theta are the values of the items.
    ///
    /// The features are standard normal; the values are
    /// `5 ((B x / sqrt(features) + 3)^degree + 1) / 3.5^degree`, where `B` is a random matrix of zeros and
    /// ones, times noise, rounded up. The numbers are those of PyEPO's generator.
    #[must_use]
    pub fn generate(&self) -> KnapsackData {
        let (features, degree) = (self.features, f64::from(self.degree));
        let random = &mut RandomState::new(self.seed);
        let weights = (0..self.resources * self.items)
            .map(|_| random.integer(300, 800))
            .collect();
        let b = random.coins(self.items * features);
        let x = random.normals(self.rows * features);
        let value = |signal: f64| {
            let mean = ((signal + 3.0).powf(degree) + 1.0) * 5.0 / 3.5_f64.powf(degree);
            (mean * random.uniform(1.0 - self.noise, 1.0 + self.noise)).ceil()
        };
        let theta = signals(&x, &b, features).into_iter().map(value).collect();
        let data = Dataset {
            x,
            theta,
            features,
            dim: self.items,
        };
        KnapsackData { weights, data }
    }
}

#[cfg(test)]
mod tests {
    //! The expected numbers were printed by PyEPO's generator under NumPy 2.4.6.

    use super::*;

    #[test]
    fn weights_features_and_values_of_seed_0_are_pyepos() {
        let KnapsackData { weights, data } = KnapsackSettings::default().generate();
        assert_eq!((weights.len(), data.rows(), data.dim()), (64, 2000, 32));
        assert_eq!(weights[..4], [472, 347, 417, 492]);
        assert_eq!(data.x[0], -1.5560236776953074);
        assert_eq!(data.theta[..6], [1.0, 1.0, 1.0, 1.0, 3.0, 2.0]);
        assert_eq!(data.theta.iter().sum::<f64>(), 263_484.0);
    }
}
