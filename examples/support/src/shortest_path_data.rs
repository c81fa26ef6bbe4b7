//! Shortest paths on a grid: the synthetic benchmark of decision-focused learning.

use crate::RandomState;
use crate::dataset::{Dataset, signals, single};

/// A grid of nodes whose arcs lead right and down, from the top left to the bottom right node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The number of rows of nodes.
    pub height: usize,
    /// The number of nodes in a row.
    pub width: usize,
}

impl Grid {
    /// Returns the number of nodes.
    #[must_use]
    pub fn nodes(self) -> usize {
        self.height * self.width
    }

    /// Lists the arcs as pairs of nodes (node = row * width + column): for each row of nodes first the
    /// arcs to the right, then the arcs down. This is the order of the coordinates of theta and z.
    ///
    /// ```
    /// let grid = imle_example_support::Grid { height: 2, width: 2 };
    /// assert_eq!(grid.arcs(), [(0, 1), (0, 2), (1, 3), (2, 3)]);
    /// ```
    #[must_use]
    pub fn arcs(self) -> Vec<(usize, usize)> {
        let mut arcs = Vec::new();
        for row in 0..self.height {
            let nodes = row * self.width..(row + 1) * self.width;
            arcs.extend(nodes.clone().skip(1).map(|node| (node - 1, node)));
            if row + 1 < self.height {
                arcs.extend(nodes.map(|node| (node, node + self.width)));
            }
        }
        arcs
    }
}

/// What to generate; the default is the usual benchmark at degree 4.
#[derive(Clone, Debug)]
pub struct ShortestPathSettings {
    /// The grid of every problem.
    pub grid: Grid,
    /// The number of problems, for training and testing together.
    pub rows: usize,
    /// The number of features of a problem.
    pub features: usize,
    /// The degree of the polynomial from features to costs: how wrong a linear model must be.
    pub degree: u32,
    /// Costs are multiplied by a number drawn uniformly from `1 - noise` to `1 + noise`.
    pub noise: f64,
    /// The seed of the NumPy stream that everything is drawn from.
    pub seed: u32,
}

impl Default for ShortestPathSettings {
    fn default() -> Self {
        Self {
            grid: Grid {
                height: 5,
                width: 5,
            },
            rows: 2000,
            features: 5,
            degree: 4,
            noise: 0.5,
            seed: 0,
        }
    }
}

impl ShortestPathSettings {
    /// Draws the problems that these settings describe; theta are the costs of the arcs, in the order of
    /// [`Grid::arcs`].
    ///
    /// The features are standard normal; the costs are
    /// `((B x / sqrt(features) + 3)^degree + 1) / 3.5^degree`, where `B` is a random matrix of zeros and
    /// ones, times noise. The numbers, rounded to `f32`, are those of PyEPO's generator.
    #[must_use]
    pub fn generate(&self) -> Dataset {
        let (features, dim) = (self.features, self.grid.arcs().len());
        let random = &mut RandomState::new(self.seed);
        let b = random.coins(dim * features);
        let x = random.normals(self.rows * features);
        let cost = |signal| {
            let factor = random.uniform(1.0 - self.noise, 1.0 + self.noise);
            single(mean_cost(signal, self.degree) * factor)
        };
        Dataset {
            theta: signals(&x, &b, features).into_iter().map(cost).collect(),
            x,
            features,
            dim,
        }
    }
}

fn mean_cost(signal: f64, degree: u32) -> f64 {
    let degree = f64::from(degree);
    ((signal + 3.0).powf(degree) + 1.0) / 3.5_f64.powf(degree)
}

#[cfg(test)]
mod tests {
    //! The expected numbers were printed by PyEPO's generator under NumPy 2.4.6.

    use super::*;
    use crate::gather;

    fn generate(seed: u32, degree: u32, noise: f64) -> Dataset {
        let settings = ShortestPathSettings {
            seed,
            degree,
            noise,
            ..ShortestPathSettings::default()
        };
        settings.generate()
    }

    /// The cost of the best path by dynamic programming over the nodes, which are in topological order.
    fn best_cost(grid: Grid, costs: &[f64]) -> f64 {
        let mut best = vec![f64::INFINITY; grid.nodes()];
        best[0] = 0.0;
        for ((from, to), cost) in grid.arcs().into_iter().zip(costs) {
            best[to] = best[to].min(best[from] + cost);
        }
        best[grid.nodes() - 1]
    }

    fn total_best_cost(data: &Dataset) -> f64 {
        let grid = ShortestPathSettings::default().grid;
        data.theta
            .chunks_exact(data.dim())
            .map(|costs| best_cost(grid, costs))
            .sum()
    }

    #[track_caller]
    fn assert_close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value} != {expected}");
    }

    #[test]
    fn the_first_row_of_seed_42_is_pyepos() {
        let data = generate(42, 4, 0.5);
        assert_eq!((data.rows(), data.features(), data.dim()), (2000, 5, 40));
        let x = [
            -0.6800247215784908,
            0.23225369716100355,
            0.29307247329868125,
            -0.7143514180263678,
            1.8657745111447566,
        ];
        assert_eq!(data.x[..5], x);
        let costs = [0.3539176_f32, 1.0785899, 1.0139644, 0.6649363, 0.29919598];
        assert_eq!(data.theta[..5], costs.map(f64::from));
    }

    #[test]
    fn sums_of_costs_and_of_best_costs_are_pyepos() {
        for (seed, degree, noise, costs, best) in [
            (42, 4, 0.5, 57675.15167901805, 7278.922816538019),
            (0, 1, 0.5, 90976.08960463107, 14555.517145425081),
            (0, 4, 0.5, 57801.99650848727, 6928.568452354986),
            (0, 6, 0.5, 62945.4189746647, 5848.488468167954),
            (0, 4, 0.0, 57852.48715845635, 7349.291271659546),
        ] {
            let data = generate(seed, degree, noise);
            assert_close(data.theta.iter().sum(), costs);
            assert_close(total_best_cost(&data), best);
        }
    }

    #[test]
    fn the_degree_changes_the_first_cost_and_not_the_features() {
        for (degree, cost) in [(1, 1.1825694), (4, 0.246251), (6, 0.1044918)] {
            let data = generate(0, degree, 0.5);
            assert_eq!(data.x[0], 1.126635922106507);
            assert_close(data.theta[0], cost);
        }
        assert_close(generate(0, 1, 0.5).theta[79_999], 1.3208792);
    }

    #[test]
    fn the_split_is_scikit_learns() {
        let data = generate(42, 4, 0.5);
        let (train, test) = data.split(1000, 42);
        assert_eq!((train.rows(), test.rows()), (1000, 1000));
        let expected = |rows: &[usize]| gather(&data.theta, data.dim(), rows);
        assert_eq!(test.theta[..120], expected(&[1860, 353, 1333]));
        assert_eq!(train.theta[..120], expected(&[440, 573, 946]));
        assert_eq!(test.x[..5], gather(&data.x, 5, &[1860]));
    }

    #[test]
    fn the_arcs_are_in_pyepos_order() {
        let grid = Grid {
            height: 3,
            width: 3,
        };
        let names = grid
            .arcs()
            .into_iter()
            .map(|(from, to)| format!("{from}{to} "));
        let expected = "01 12 03 14 25 34 45 36 47 58 67 78 ";
        assert_eq!(names.collect::<String>(), expected);
    }
}
