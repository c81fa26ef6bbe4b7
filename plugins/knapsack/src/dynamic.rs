//! Dynamic programming over the capacity of one dimension.

use imle_api::{Error, Limits};

use crate::order::Order;
use crate::problem::Problem;

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub(crate) struct Dynamic {
    /// The best gain from the candidates that were looked at, for every capacity.
    best: Vec<i64>,
    /// For every candidate and capacity, whether it is taken: 64 capacities a word.
    takes: Vec<u64>,
    taken: Vec<bool>,
}

impl Dynamic {
    /// Says which candidates the first of the best states takes.
    ///
    /// # Errors
    ///
    /// If `limits` end it.
    pub(crate) fn best(
        &mut self,
        problem: &Problem,
        order: &Order,
        capacity: usize,
        limits: &Limits<'_>,
    ) -> Result<&[bool], Error> {
        let weight = |piece: usize| match problem.pieces[piece].weights[..] {
            [] => 0,
            [weight, ..] => weight as usize,
        };
        let words = capacity / 64 + 1;
        self.best.clear();
        self.best.resize(capacity + 1, 0);
        self.takes.clear();
        self.takes.resize(words * order.candidates.len(), 0);
        // From the last candidate to the first, so that the state can be read from the first on.
        for (at, candidate) in order.candidates.iter().enumerate().rev() {
            limits.check()?;
            let weight = weight(candidate.piece);
            let takes = &mut self.takes[at * words..][..words];
            for room in (weight..=capacity).rev() {
                let with = self.best[room - weight] + candidate.gain;
                if with >= self.best[room] {
                    self.best[room] = with;
                    takes[room / 64] |= 1 << (room % 64);
                }
            }
        }
        self.taken.clear();
        let mut room = capacity;
        for (at, candidate) in order.candidates.iter().enumerate() {
            let takes = self.takes[at * words + room / 64] >> (room % 64) & 1 == 1;
            room -= if takes { weight(candidate.piece) } else { 0 };
            self.taken.push(takes);
        }
        Ok(&self.taken)
    }
}
