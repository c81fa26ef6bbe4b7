//! The pieces that are worth taking, the best for their weight first.

use crate::problem::Problem;

/// Combined capacities are near this.
const COMBINED: f64 = (1_u64 << 40) as f64;
/// Steps that improve the multipliers.
const STEPS: u32 = 40;

/// Candidates in the order of the tie rule.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) candidates: Vec<Candidate>,
    /// The multiplier of each dimension. Any give a bound; good ones give a good one.
    pub(crate) multipliers: Vec<u64>,
    shares: Vec<f64>,
    best_shares: Vec<f64>,
}

/// A piece with a gain from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) piece: usize,
    pub(crate) gain: i64,
    /// The sum over dimensions of multiplier and weight; at most about 2^41.
    pub(crate) size: u64,
}

impl Order {
    pub(crate) fn set(&mut self, problem: &Problem, gains: &[i64]) {
        let gain = |(piece, at): (&crate::problem::Piece, usize)| Candidate {
            piece: at,
            gain: gains[piece.item] * i64::from(piece.count),
            size: 0,
        };
        self.candidates.clear();
        self.candidates.extend(
            problem
                .pieces
                .iter()
                .zip(0..)
                .map(gain)
                .filter(|c| c.gain > 0),
        );
        let dimensions = problem.capacities.len();
        self.shares.clear();
        self.shares.resize(dimensions, 1.0 / dimensions as f64);
        if dimensions > 1 {
            self.improve_shares(problem);
        }
        self.combine(problem);
    }

    /// Looks for the shares of the dimensions that make the bound low: dimensions that the continuous
    /// solution overfills get more. Like the multiplicative form of a subgradient method.
    fn improve_shares(&mut self, problem: &Problem) {
        let mut least = f64::INFINITY;
        for step in 0..STEPS {
            self.combine(problem);
            let (value, usage) = self.fill(problem);
            if value < least {
                least = value;
                self.best_shares.clone_from(&self.shares);
            }
            let rate = 1.0 / f64::from(1 + step);
            for (share, usage) in self.shares.iter_mut().zip(usage) {
                *share *= (1.0 + rate * (usage - 1.0)).max(0.1);
            }
            let sum: f64 = self.shares.iter().sum();
            self.shares.iter_mut().for_each(|share| *share /= sum);
        }
        self.shares.clone_from(&self.best_shares);
    }

    /// Combines the dimensions by their shares and sorts.
    fn combine(&mut self, problem: &Problem) {
        let multiplier = |(share, &capacity): (&f64, &u64)| {
            (share * COMBINED / capacity.max(1) as f64).round() as u64
        };
        self.multipliers.clear();
        self.multipliers
            .extend(self.shares.iter().zip(&problem.capacities).map(multiplier));
        for candidate in &mut self.candidates {
            let weights = &problem.pieces[candidate.piece].weights;
            let parts = weights.iter().zip(&self.multipliers);
            candidate.size = parts.map(|(weight, multiplier)| weight * multiplier).sum();
        }
        // Gain for size, without rounding; what has no size first.
        self.candidates.sort_unstable_by(|a, b| {
            let left = i128::from(a.gain) * i128::from(b.size);
            let right = i128::from(b.gain) * i128::from(a.size);
            right.cmp(&left).then(a.piece.cmp(&b.piece))
        });
    }

    /// Fills the combined capacity with candidates and a part of the last; returns what that is worth and which
    /// part of every dimension it takes.
    fn fill(&self, problem: &Problem) -> (f64, Vec<f64>) {
        let mut usage = vec![0.0; problem.capacities.len()];
        let mut room = self.capacity(&problem.capacities) as f64;
        let mut value = 0.0;
        for candidate in &self.candidates {
            let size = candidate.size as f64;
            let part = if size <= room { 1.0 } else { room / size };
            let weights = problem.pieces[candidate.piece].weights.iter();
            let rows = usage.iter_mut().zip(weights.zip(&problem.capacities));
            for (usage, (&weight, &capacity)) in rows {
                *usage += part * weight as f64 / capacity.max(1) as f64;
            }
            value += part * candidate.gain as f64;
            room -= part * size;
            if part < 1.0 {
                break;
            }
        }
        (value, usage)
    }

    /// The combined capacity of what is left in every dimension.
    pub(crate) fn capacity(&self, left: &[u64]) -> u64 {
        let parts = left.iter().zip(&self.multipliers);
        parts.map(|(left, multiplier)| left * multiplier).sum()
    }
}
