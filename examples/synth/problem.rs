//! The problem: 5 of 10 coordinates, and a vector that the states should be near to. Small enough that every
//! expectation is a sum over all 252 states.

use imle_example_support::RandomState;

/// Coordinates of theta and of a state.
pub(crate) const DIM: usize = 10;
/// Ones of a state.
pub(crate) const K: usize = 5;

/// `E[L] = sum over z of p(z; theta) |z - b|^2`, to be made small.
pub(crate) struct Problem {
    /// Where theta starts.
    pub(crate) start: Vec<f64>,
    b: Vec<f64>,
    /// The states and the loss of each.
    states: Vec<(Vec<f64>, f64)>,
}

impl Problem {
    /// Draws the problem of the paper's program: `randn(10)` twice from NumPy's stream of seed 0, the second
    /// rounded to `f32` and without its signs.
    pub(crate) fn of_the_paper() -> Self {
        let mut random = RandomState::new(0);
        let start = random.normals(DIM);
        let b = random.normals(DIM);
        let b: Vec<f64> = b.iter().map(|b| f64::from(*b as f32).abs()).collect();
        let with_loss = |z: Vec<f64>| {
            let loss = loss(&z, &b);
            (z, loss)
        };
        let states = states().map(with_loss).collect();
        Self { start, b, states }
    }

    pub(crate) fn states(&self) -> usize {
        self.states.len()
    }

    /// The smallest loss of a state: what `E[L]` cannot go below.
    pub(crate) fn minimum(&self) -> f64 {
        self.states
            .iter()
            .map(|(_, loss)| *loss)
            .fold(f64::INFINITY, f64::min)
    }

    /// `E[L]` at `theta`.
    pub(crate) fn expected_loss(&self, theta: &[f64]) -> f64 {
        let probabilities = self.probabilities(theta);
        let terms = probabilities.iter().zip(&self.states);
        terms.map(|(p, (_, loss))| p * loss).sum()
    }

    /// The derivative of the loss of each of the states `z`, `[rows, 10]`.
    pub(crate) fn grad_z(&self, z: &[f64]) -> Vec<f64> {
        let b = self.b.iter().cycle();
        z.iter().zip(b).map(|(z, b)| 2.0 * (z - b)).collect()
    }

    /// The score function estimate of the gradient at `theta`, from one faithful sample: `L(z) (z - mu)`.
    pub(crate) fn score_gradient(&self, theta: &[f64], random: &mut RandomState) -> Vec<f64> {
        let probabilities = self.probabilities(theta);
        let mut mu = vec![0.0; DIM];
        for (p, (z, _)) in probabilities.iter().zip(&self.states) {
            mu.iter_mut().zip(z).for_each(|(mu, z)| *mu += p * z);
        }
        let mut left = random.uniform(0.0, 1.0);
        let sampled = probabilities.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        let (z, loss) = &self.states[sampled.unwrap_or(self.states.len() - 1)];
        z.iter().zip(&mu).map(|(z, mu)| loss * (z - mu)).collect()
    }

    /// `p(z; theta) = exp <z, theta> / sum over z of exp <z, theta>` of each state.
    fn probabilities(&self, theta: &[f64]) -> Vec<f64> {
        let score = |z: &[f64]| z.iter().zip(theta).map(|(z, t)| z * t).sum::<f64>();
        let scores: Vec<f64> = self.states.iter().map(|(z, _)| score(z)).collect();
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        weights
    }
}

fn loss(z: &[f64], b: &[f64]) -> f64 {
    z.iter().zip(b).map(|(z, b)| (z - b).powi(2)).sum()
}

/// Lists the states, as the bits of numbers.
fn states() -> impl Iterator<Item = Vec<f64>> {
    let chosen = (0_u32..1 << DIM).filter(|bits| bits.count_ones() as usize == K);
    chosen.map(|bits| (0..DIM).map(|at| f64::from(bits >> at & 1)).collect())
}
