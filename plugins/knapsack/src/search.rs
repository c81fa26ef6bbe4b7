//! Branch and bound over the candidates in their order: taken, then left.

use imle_api::{Error, Limits};

use crate::order::Order;
use crate::problem::Problem;

/// Limits are looked at once in this many steps.
const PATIENCE: u64 = 1024;

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// What is left in every dimension.
    left: Vec<u64>,
    taken: Vec<bool>,
    best: Vec<bool>,
}

impl Search {
    /// Says which candidates the first of the best states takes; `None` if `most_steps` are too few for the proof.
    ///
    /// The first, because a branch is dropped only where nothing better than the best known state can be:
    /// whatever the bound, the search comes to the first of the best states, and no other replaces it.
    ///
    /// # Errors
    ///
    /// If `limits` end the search before its proof.
    pub(crate) fn best(
        &mut self,
        problem: &Problem,
        order: &Order,
        most_steps: u64,
        limits: &Limits<'_>,
    ) -> Result<Option<&[bool]>, Error> {
        self.left.clone_from(&problem.capacities);
        self.taken.clear();
        let mut most = -1; // taking nothing is a state
        let mut gain = 0;
        let mut steps = 0_u64;
        loop {
            steps += 1;
            if steps > most_steps {
                return Ok(None);
            }
            if steps.is_multiple_of(PATIENCE) {
                limits.check()?;
            }
            let is_open = gain + self.bound(order) > most;
            if is_open && let Some(candidate) = order.candidates.get(self.taken.len()) {
                let weights = &problem.pieces[candidate.piece].weights;
                let fits = self
                    .left
                    .iter()
                    .zip(weights)
                    .all(|(left, weight)| weight <= left);
                if fits {
                    gain += candidate.gain;
                    self.left
                        .iter_mut()
                        .zip(weights)
                        .for_each(|(left, weight)| *left -= weight);
                }
                self.taken.push(fits);
                continue;
            }
            if is_open {
                most = gain;
                self.best.clone_from(&self.taken);
            }
            // Back to the last candidate that was taken, which is left now.
            while self.taken.last() == Some(&false) {
                self.taken.pop();
            }
            let Some(at) = self.taken.len().checked_sub(1) else {
                return Ok(Some(&self.best));
            };
            let candidate = &order.candidates[at];
            let weights = &problem.pieces[candidate.piece].weights;
            gain -= candidate.gain;
            self.left
                .iter_mut()
                .zip(weights)
                .for_each(|(left, weight)| *left += weight);
            self.taken[at] = false;
        }
    }

    /// What the candidates that are still to come can add at most: they fill the combined capacity, and a part of
    /// the last of them counts.
    fn bound(&self, order: &Order) -> i64 {
        let mut room = order.capacity(&self.left);
        let mut gain = 0;
        for candidate in &order.candidates[self.taken.len()..] {
            if candidate.size > room {
                let part =
                    i128::from(candidate.gain) * i128::from(room) / i128::from(candidate.size);
                return gain + part as i64;
            }
            room -= candidate.size;
            gain += candidate.gain;
        }
        gain
    }
}
