//! Tours through towns whose distances are partly unknown.

use crate::RandomState;
use crate::dataset::{Dataset, signals, single};

/// What to generate; the default is the usual benchmark at degree 4.
#[derive(Clone, Debug)]
pub struct TspSettings {
    /// The number of nodes.
    pub nodes: usize,
    /// The number of problems, for training and testing together.
    pub rows: usize,
    /// The number of features of a problem.
    pub features: usize,
    /// The degree of the polynomial from features to costs.
    pub degree: u32,
    /// What the features add is multiplied by a number drawn uniformly from `1 - noise` to `1 + noise`.
    pub noise: f64,
    /// The seed of the NumPy stream that everything is drawn from.
    pub seed: u32,
}

impl Default for TspSettings {
    fn default() -> Self {
        Self {
            nodes: 20,
            rows: 2000,
            features: 10,
            degree: 4,
            noise: 0.5,
            seed: 0,
        }
    }
}

impl TspSettings {
    /// Draws the problems that these settings describe; theta are the costs of the edges `(i, j)` with
    /// `i < j`, by `i` and then by `j`.
    ///
    /// The nodes are points of the plane, half of them uniform and half of them normal, the same in every
    /// problem. An edge costs its length plus
    /// `(B x / sqrt(features) + 3)^degree / 3^(degree - 1)` times noise, rounded to four digits, where `B`
    /// is a random matrix of zeros and of numbers from -2 to 2. The numbers, rounded to `f32`, are those of
    /// PyEPO's generator.
    #[must_use]
    pub fn generate(&self) -> Dataset {
        let (features, degree) = (self.features, f64::from(self.degree));
        let random = &mut RandomState::new(self.seed);
        let lengths = lengths(&places(self.nodes, random));
        let dim = lengths.len();
        let mut b = random.coins(dim * features);
        let sizes = random.uniforms(b.len(), -2.0, 2.0);
        b.iter_mut().zip(sizes).for_each(|(b, size)| *b *= size);
        let x = random.normals(self.rows * features);
        let cost = |(signal, length): (f64, &f64)| {
            let mean = (signal + 3.0).powf(degree) / 3_f64.powf(degree - 1.0);
            let factor = random.uniform(1.0 - self.noise, 1.0 + self.noise);
            single(four_digits(length + mean * factor))
        };
        let signals = signals(&x, &b, features).into_iter();
        Dataset {
            theta: signals.zip(lengths.iter().cycle()).map(cost).collect(),
            x,
            features,
            dim,
        }
    }
}

/// Draws where the nodes are.
fn places(nodes: usize, random: &mut RandomState) -> Vec<(f64, f64)> {
    let mut coordinates = random.uniforms(nodes / 2 * 2, -2.0, 2.0);
    coordinates.extend(random.normals((nodes - nodes / 2) * 2));
    coordinates
        .chunks_exact(2)
        .map(|xy| (xy[0], xy[1]))
        .collect()
}

/// Returns the lengths of the edges between all pairs of places.
fn lengths(places: &[(f64, f64)]) -> Vec<f64> {
    let distance = |a: (f64, f64), b: (f64, f64)| {
        let (x, y) = (a.0 - b.0, a.1 - b.1);
        (x * x + y * y).sqrt()
    };
    let from = |(i, &a)| places[i + 1..].iter().map(move |&b| distance(a, b));
    places.iter().enumerate().flat_map(from).collect()
}

/// Rounds as NumPy's `around(value, 4)` does.
fn four_digits(value: f64) -> f64 {
    (value * 1e4).round_ties_even() / 1e4
}

#[cfg(test)]
mod tests {
    //! The expected numbers were printed by PyEPO's generator under NumPy 2.4.6.

    use super::*;

    #[test]
    fn features_and_costs_of_seed_0_are_pyepos() {
        let data = TspSettings::default().generate();
        assert_eq!((data.rows(), data.dim(), data.features()), (2000, 190, 10));
        assert_eq!(data.x[0], -1.5306162443986169);
        let costs = [1.942_f32, 4.0549, 1.8161, 13.4929];
        assert_eq!(data.theta[..4], costs.map(f64::from));
        let total: f64 = data.theta.iter().sum();
        assert!((total - 2_480_994.697).abs() < 1e-3, "{total}");
    }

    #[test]
    fn edges_are_listed_by_their_lower_node() {
        let places = [(0.0, 0.0), (3.0, 4.0), (0.0, 1.0)];
        assert_eq!(lengths(&places), [5.0, 1.0, 18_f64.sqrt()]);
    }
}
