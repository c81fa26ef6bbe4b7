//! The regularized maximiser over the hull of a feasible set that only an oracle knows.

use super::pooled::{add, dot};

/// `max over mu in the hull of <u, mu> - weight/2 |mu|^2`, solved state by state: Wolfe's algorithm for the
/// nearest point in a polytope (Mathematical Programming 1976), which is the active set method of SparseMAP.
///
/// The oracle maximises the gradient at `mu`; its state joins the active ones, and `mu` becomes the best point
/// of their hull. Then `<u - weight mu, z - mu>` bounds how far the value is from the best.
#[derive(Debug)]
pub(super) struct ActiveSet {
    weight: f64,
    states: Vec<Vec<f64>>,
    shares: Vec<f64>,
    /// `<u, z>` of each active state, and their products with each other.
    scores: Vec<f64>,
    products: Vec<Vec<f64>>,
    pub(super) mu: Vec<f64>,
}

impl ActiveSet {
    pub(super) fn new(weight: f64, dim: usize) -> Self {
        Self {
            weight,
            states: Vec::new(),
            shares: Vec::new(),
            scores: Vec::new(),
            products: Vec::new(),
            mu: vec![0.0; dim],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Writes the gradient at `mu`, whose best state is to come next: `u - weight mu`, at first `u`.
    pub(super) fn direction(&self, u: &[f64], out: &mut [f64]) {
        out.copy_from_slice(u);
        add(out, -self.weight, &self.mu);
    }

    /// How much more than at `mu` the value can be at most, given the best state of the direction.
    pub(super) fn bound(&self, u: &[f64], best: &[f64]) -> f64 {
        let terms = u.iter().zip(&self.mu).zip(best);
        terms
            .map(|((u, mu), best)| (u - self.weight * mu) * (best - mu))
            .sum()
    }

    /// Takes in a state and moves `mu` to the best point of the hull of the active ones. Returns false if the
    /// state brings nothing that can be told from rounding.
    pub(super) fn take_in(&mut self, u: &[f64], z: &[f64]) -> bool {
        let products: Vec<f64> = self.states.iter().map(|state| dot(state, z)).collect();
        for (row, product) in self.products.iter_mut().zip(&products) {
            row.push(*product);
        }
        self.products.push([products, vec![dot(z, z)]].concat());
        self.scores.push(dot(u, z));
        self.states.push(z.to_vec());
        self.shares
            .push(if self.shares.is_empty() { 1.0 } else { 0.0 });
        while let Some(best) = self.best_of_affine_hull() {
            let inside = self.move_towards(&best);
            // Dropped again: in exact arithmetic a state that improves on `mu` stays.
            if self.states.last().is_none_or(|last| last != z) {
                return false;
            }
            if inside {
                self.mu.fill(0.0);
                for (share, state) in self.shares.iter().zip(&self.states) {
                    add(&mut self.mu, *share, state);
                }
                return true;
            }
        }
        false
    }

    /// Moves the shares to `best`, or as far as none becomes negative; drops the state that stops them.
    fn move_towards(&mut self, best: &[f64]) -> bool {
        let pairs = || self.shares.iter().zip(best).enumerate();
        let limits = pairs().filter(|(_, (_, best))| **best <= 0.0);
        let limits = limits.map(|(at, (share, best))| (at, share / (share - best)));
        let first = limits.reduce(|first, other| if other.1 < first.1 { other } else { first });
        let (blocking, step) = first.map_or((None, 1.0), |(at, step)| (Some(at), step));
        for (share, best) in self.shares.iter_mut().zip(best) {
            *share += step * (best - *share);
        }
        if let Some(at) = blocking {
            self.drop_state(at);
        }
        blocking.is_none()
    }

    fn drop_state(&mut self, at: usize) {
        self.states.remove(at);
        self.shares.remove(at);
        self.scores.remove(at);
        self.products.remove(at);
        for row in &mut self.products {
            row.remove(at);
        }
    }

    /// The shares, of any sign and summing to 1, of the best point of the affine hull of the active states;
    /// nothing if they are dependent.
    ///
    /// Stationarity is `weight G a = scores - nu 1`. `G + c 1 1'` is positive definite if the states are affinely
    /// independent, and changes only `nu`, since the shares sum to 1.
    fn best_of_affine_hull(&self) -> Option<Vec<f64>> {
        let count = self.states.len();
        let scale = (0..count).map(|i| self.products[i][i]).sum::<f64>() / count as f64;
        let shift = if scale > 0.0 { scale } else { 1.0 };
        let entry = |i: usize, j: usize| self.weight * (self.products[i][j] + shift);
        let factor = cholesky(count, entry)?;
        let scores = solve(&factor, &self.scores);
        let ones = solve(&factor, &vec![1.0; count]);
        let nu = (scores.iter().sum::<f64>() - 1.0) / ones.iter().sum::<f64>();
        let shares = scores
            .iter()
            .zip(&ones)
            .map(|(score, one)| score - nu * one);
        Some(shares.collect())
    }
}

/// The lower factor of a positive definite matrix, row by row; nothing if it is not, to rounding.
fn cholesky(count: usize, entry: impl Fn(usize, usize) -> f64) -> Option<Vec<Vec<f64>>> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(count);
    for i in 0..count {
        let mut row = Vec::with_capacity(i + 1);
        for (j, above) in factor.iter().enumerate() {
            let rest = entry(i, j) - dot(&row, &above[..j]);
            row.push(rest / above[j]);
        }
        let rest = entry(i, i) - dot(&row, &row);
        if rest <= 1e-12 * entry(i, i) {
            return None;
        }
        row.push(rest.sqrt());
        factor.push(row);
    }
    Some(factor)
}

/// Solves `L L' x = right`.
fn solve(factor: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let count = factor.len();
    let mut x: Vec<f64> = Vec::with_capacity(count);
    for (row, right) in factor.iter().zip(right) {
        let rest = right - dot(row, &x);
        x.push(rest / row[x.len()]);
    }
    for i in (0..count).rev() {
        let later: f64 = (i + 1..count).map(|j| factor[j][i] * x[j]).sum();
        x[i] = (x[i] - later) / factor[i][i];
    }
    x
}
