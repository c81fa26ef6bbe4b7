//! Sums over samples that are never all there at once: a thread solves a few, adds them up and forgets them.

use std::ops::Range;

use imle_api::{Error, Outcome, unset};

use crate::batch::{check_finite, reach, rows_a_call, solve_ready};
use crate::pass::Pass;

/// Samples that are added up by themselves before their sum is added to that of the row. Always the same, so
/// that sums are grouped alike for any number of threads, any split of a batch and any limits.
const BLOCK: usize = 64;

/// Sums that wait to be added in order, for each worker: enough that a slow one keeps nobody waiting.
const PARTS_A_WORKER: usize = 32;

/// With fewer blocks for each worker some would have nothing to do: then samples are solved one by one.
const FEWEST_BLOCKS_A_WORKER: usize = 4;

/// What to add up for each of some rows: the states of its samples at one theta or, at two under the same noise,
/// their differences, second less first.
pub(crate) struct Summation<'s> {
    /// The rows, by which the functions below know them as `at`.
    pub(crate) rows: &'s [usize],
    /// One theta or two.
    pub(crate) sides: usize,
    /// Writes the theta of `(at, side)` without its noise, and returns the temperature.
    pub(crate) base: &'s (dyn Fn(usize, usize, &mut [f64]) -> f64 + Sync),
    /// Whether `(at, sample)` is to be solved.
    pub(crate) wanted: &'s (dyn Fn(usize, usize) -> bool + Sync),
}

/// The sums of a [`Summation`], `[rows, dim]`, and what became of the samples.
pub(crate) struct Sums {
    pub(crate) z: Vec<f64>,
    pub(crate) tallies: Vec<Tally>,
}

/// What became of the samples of a row.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// The samples that were solved on every side: those in the sum.
    pub(crate) solved: usize,
    /// The coordinates in which their two sides differ.
    pub(crate) nonzeros: usize,
    /// How far theta without its noise can move before one of their states may change.
    pub(crate) reach: f64,
    /// Why the others were not, by sample.
    pub(crate) errors: Vec<(usize, Error)>,
}

impl Tally {
    pub(crate) const EMPTY: Self = Self {
        solved: 0,
        nonzeros: 0,
        reach: f64::INFINITY,
        errors: Vec::new(),
    };

    /// Counts a sample in.
    pub(crate) fn count(&mut self, reach: f64) {
        self.solved += 1;
        self.reach = self.reach.min(reach);
    }

    fn add(&mut self, later: &mut Self) {
        self.solved += later.solved;
        self.nonzeros += later.nonzeros;
        self.reach = self.reach.min(later.reach);
        self.errors.append(&mut later.errors);
    }
}

impl Pass<'_> {
    /// Solves what a summation wants, in memory for its rows and the threads, whatever the number of samples.
    pub(crate) fn sum(&self, summation: &Summation<'_>) -> Sums {
        let (rows, dim, samples) = (summation.rows, self.dim, self.sampling.samples);
        let mut sums = Sums {
            z: vec![0.0; rows.len() * dim],
            tallies: vec![Tally::EMPTY; rows.len()],
        };
        let blocks = rows.len() * samples.div_ceil(BLOCK);
        let workers = self.batch.threads.workers();
        if workers > 1 && blocks < workers * FEWEST_BLOCKS_A_WORKER {
            self.sum_parts(summation, 1, &mut sums);
        } else if samples > BLOCK {
            self.sum_parts(summation, BLOCK, &mut sums);
        } else {
            self.sum_rows(summation, &mut sums);
        }
        sums
    }

    /// Sums rows at the same time, each of one block.
    fn sum_rows(&self, summation: &Summation<'_>, sums: &mut Sums) {
        let (dim, samples) = (self.dim, self.sampling.samples);
        let items = summation.rows.len() * samples;
        let rows_a_unit = self.batch.threads.rows_a_unit(items).div_ceil(samples);
        let parts = sums.z.chunks_mut(rows_a_unit * dim);
        let parts = parts.zip(sums.tallies.chunks_mut(rows_a_unit)).enumerate();
        let units = parts.map(|(index, (z, tallies))| Unit {
            first: index * rows_a_unit,
            samples: 0..samples,
            z,
            tallies,
        });
        self.add_up(summation, &mut units.collect::<Vec<_>>());
    }

    /// Sums parts of blocks at the same time, one sample or whole blocks and a limited number of them, and then adds
    /// their sums in order.
    fn sum_parts(&self, summation: &Summation<'_>, part: usize, sums: &mut Sums) {
        let (dim, samples) = (self.dim, self.sampling.samples);
        let parts = samples.div_ceil(part);
        let total = summation.rows.len() * parts;
        let together = match self.batch.threads.workers() {
            1 => 1,
            workers => (workers * PARTS_A_WORKER).min(total).max(1),
        };
        let (mut z, mut tallies) = (vec![0.0; together * dim], vec![Tally::EMPTY; together]);
        let mut block = vec![0.0; dim];
        for first in (0..total).step_by(together) {
            z.fill(0.0);
            tallies.fill(Tally::EMPTY);
            let places = z.chunks_exact_mut(dim).zip(tallies.chunks_mut(1));
            let units = (first..total).zip(places).map(|(index, (z, tallies))| {
                let start = index % parts * part;
                Unit {
                    first: index / parts,
                    samples: start..(start + part).min(samples),
                    z,
                    tallies,
                }
            });
            self.add_up(summation, &mut units.collect::<Vec<_>>());
            for (index, (z, tally)) in (first..total).zip(z.chunks_exact(dim).zip(&mut tallies)) {
                let (at, end) = (index / parts, (index % parts + 1) * part);
                add(&mut block, z);
                sums.tallies[at].add(tally);
                if end % BLOCK == 0 || end >= samples {
                    add(&mut sums.z[at * dim..][..dim], &block);
                    block.fill(0.0);
                }
            }
        }
    }

    fn add_up(&self, summation: &Summation<'_>, units: &mut [Unit<'_>]) {
        let of_unit = |unit: &Unit<'_>| unit.tallies.len() * unit.samples.len() * summation.sides;
        let solves = units.iter().map(of_unit).sum();
        self.batch
            .threads
            .for_each_of_solves(solves, units, |scratch: &mut Scratch, _, unit| {
                let mut adder = Adder {
                    pass: self,
                    summation,
                    scratch,
                    unit,
                };
                adder.add_up();
            });
    }
}

/// Consecutive rows and some of their samples, which one thread adds up.
struct Unit<'u> {
    /// The position of the first row.
    first: usize,
    samples: Range<usize>,
    z: &'u mut [f64],
    tallies: &'u mut [Tally],
}

/// Memory that a thread uses again from unit to unit.
#[derive(Default)]
struct Scratch {
    /// `[sides, dim]`: theta of a row without its noise.
    base: Vec<f64>,
    tau: [f64; 2],
    eps: Vec<f64>,
    /// Of one call: the thetas `[samples, sides, dim]`, their states, what became of each, which of them can be
    /// solved, and whose samples they are.
    theta: Vec<f64>,
    z: Vec<f64>,
    outcomes: Vec<Outcome>,
    ready: Vec<bool>,
    owners: Vec<(usize, usize)>,
}

struct Adder<'a, 'u> {
    pass: &'a Pass<'a>,
    summation: &'a Summation<'a>,
    scratch: &'a mut Scratch,
    unit: &'a mut Unit<'u>,
}

impl Adder<'_, '_> {
    fn add_up(&mut self) {
        let (dim, sides) = (self.pass.dim, self.summation.sides);
        let width = sides * dim;
        let most = rows_a_call(width, self.pass.limits());
        self.scratch.base.resize(width, 0.0);
        self.scratch.eps.resize(dim, 0.0);
        self.scratch.theta.resize(most * width, 0.0);
        self.scratch.z.resize(most * width, 0.0);
        for at in self.unit.first..self.unit.first + self.unit.tallies.len() {
            for (side, base) in self.scratch.base.chunks_exact_mut(dim).enumerate() {
                self.scratch.tau[side] = (self.summation.base)(at, side, base);
            }
            for sample in self.unit.samples.clone() {
                if !(self.summation.wanted)(at, sample) {
                    continue;
                }
                self.prepare(at, sample);
                if self.scratch.owners.len() == most {
                    self.solve();
                }
            }
        }
        self.solve();
    }

    /// Writes the thetas of a sample.
    fn prepare(&mut self, at: usize, sample: usize) {
        let Scratch {
            base,
            tau,
            eps,
            theta,
            outcomes,
            ready,
            owners,
            ..
        } = &mut *self.scratch;
        let (pass, dim) = (self.pass, self.pass.dim);
        let item = self.summation.rows[at] * pass.sampling.samples + sample;
        let drawn = pass.eps(item, eps);
        let width = base.len();
        let places = theta[owners.len() * width..][..width].chunks_exact_mut(dim);
        for ((place, base), tau) in places.zip(base.chunks_exact(dim)).zip(*tau) {
            let perturbed = drawn.clone().and_then(|()| {
                for ((theta, base), eps) in place.iter_mut().zip(base).zip(&*eps) {
                    *theta = base + tau * eps;
                }
                check_finite(place)
            });
            ready.push(perturbed.is_ok());
            outcomes.push(perturbed.and(unset()));
        }
        owners.push((at, sample));
    }

    /// Solves what was prepared, and adds it up.
    fn solve(&mut self) {
        let (dim, sides) = (self.pass.dim, self.summation.sides);
        let scratch = &mut *self.scratch;
        let numbers = scratch.outcomes.len() * dim;
        scratch.z[..numbers].fill(0.0); // as in a batch: nothing of an earlier call
        let (rows, owners) = (self.summation.rows, &scratch.owners);
        solve_ready(
            |place| self.pass.oracles.of(rows[owners[place / sides].0]),
            &scratch.ready,
            self.pass.limits(),
            &scratch.theta[..numbers],
            &mut scratch.z[..numbers],
            &mut scratch.outcomes,
        );
        let width = sides * dim;
        for (index, &(at, sample)) in scratch.owners.iter().enumerate() {
            let place = at - self.unit.first;
            let tally = &mut self.unit.tallies[place];
            let outcomes = &scratch.outcomes[index * sides..][..sides];
            if let Some(error) = outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
                tally.errors.push((sample, error.clone()));
                continue;
            }
            let (theta, z) = (
                &scratch.theta[index * width..][..width],
                &scratch.z[index * width..][..width],
            );
            let sum = &mut self.unit.z[place * dim..][..dim];
            if sides == 1 {
                tally.count(reach(&outcomes[0], theta));
                add(sum, z);
            } else {
                tally.solved += 1;
                tally.nonzeros += add_difference(sum, z);
            }
        }
        scratch.owners.clear();
        scratch.outcomes.clear();
        scratch.ready.clear();
    }
}

/// Adds a state to a sum.
pub(crate) fn add(sum: &mut [f64], z: &[f64]) {
    sum.iter_mut().zip(z).for_each(|(sum, z)| *sum += z);
}

/// Adds the second of two states less the first; returns in how many coordinates they differ.
fn add_difference(sum: &mut [f64], z: &[f64]) -> usize {
    let (first, second) = z.split_at(sum.len());
    let mut nonzeros = 0;
    for ((sum, first), second) in sum.iter_mut().zip(first).zip(second) {
        *sum += second - first;
        nonzeros += usize::from(first != second);
    }
    nonzeros
}
