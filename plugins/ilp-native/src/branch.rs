//! Branch and bound, depth first on one tableau.
//!
//! A child differs from its parent by a bound, so the tableau goes from node to node as it is: the dual
//! simplex method repairs what the new bounds violate. Bounds that changed are on a trail and are put
//! back on the way up.

use imle_api::Error;
use imle_ilp_model::Model;

use crate::budget::{Budget, failed};
use crate::check::satisfies;
use crate::dual::Candidate;
use crate::relaxation::{Relaxed, refresh, relax};
use crate::rules::{Choice, choose, fix};
use crate::standard::Standard;
use crate::tableau::Tableau;

/// A bound must be better than the incumbent by more, absolutely and relatively.
const BETTER: f64 = 1e-9;
const BETTER_RELATIVE: f64 = 1e-13;
/// A value this near to an integer is one, and one that a node must be split on where that failed.
const INTEGRAL: f64 = 1e-6;
const EXACTLY_INTEGRAL: f64 = 1e-10;
/// How far the objective of a point may be from that of its relaxation, relatively.
const SAME: f64 = 1e-6;

/// A child that is still to be visited.
#[derive(Clone, Copy, Debug)]
struct Open {
    trail: usize,
    variable: usize,
    bounds: (f64, f64),
    /// No point of the child is better.
    bound: f64,
}

/// What a search works with, and the best point that it found.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub(crate) tableau: Tableau,
    spare: Tableau,
    candidates: Vec<Candidate>,
    trail: Vec<(usize, (f64, f64))>,
    open: Vec<Open>,
    point: Vec<f64>,
    /// The best point and its objective, minus infinity without one.
    pub(crate) best: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) nodes: u64,
    pub(crate) pivots: u64,
}

/// What does not change during a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) model: &'a Model,
    pub(crate) standard: &'a Standard,
    pub(crate) start: &'a Tableau,
    pub(crate) objective: &'a [f64],
}

/// How a search ended; what it found is in [`Search::best`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ended {
    Done,
    /// The relaxation is unbounded, which says nothing about points with integers.
    Unbounded,
}

impl Search {
    /// Looks for the best point, from the basis and bounds that the tableau has.
    pub(crate) fn run(&mut self, task: Task<'_>, budget: &mut Budget<'_>) -> Result<Ended, Error> {
        self.value = f64::NEG_INFINITY;
        (self.nodes, self.pivots) = (0, 0);
        self.trail.clear();
        self.open.clear();
        loop {
            budget.node(self.open.len())?;
            self.nodes += 1;
            let before = self.tableau.age;
            let relaxed = self.node(task, budget)?;
            self.pivots += (self.tableau.age - before) as u64;
            if relaxed == Relaxed::Unbounded {
                return if self.open.is_empty() {
                    Ok(Ended::Unbounded)
                } else {
                    Err(failed("rounding made a bounded relaxation look unbounded"))
                };
            }
            if !self.next() {
                return Ok(Ended::Done);
            }
            let Self { tableau, spare, .. } = self;
            refresh(tableau, task.start, spare, task.objective);
        }
    }

    /// No point at or below this is of interest.
    fn cutoff(&self) -> f64 {
        if self.value == f64::NEG_INFINITY {
            return self.value;
        }
        self.value + BETTER + BETTER_RELATIVE * self.value.abs()
    }

    /// Solves one node: closes it, or leaves its children among the open ones.
    fn node(&mut self, task: Task<'_>, budget: &mut Budget<'_>) -> Result<Relaxed, Error> {
        loop {
            let cutoff = self.cutoff();
            let Self {
                tableau,
                candidates,
                ..
            } = self;
            let relaxed = relax(tableau, task.objective, cutoff, candidates, budget)?;
            if relaxed != Relaxed::Optimal {
                return Ok(relaxed);
            }
            let bound = tableau.objective();
            if bound <= cutoff {
                return Ok(Relaxed::Cutoff);
            }
            let gap = bound - cutoff;
            let mut choice = choose(tableau, task.standard, INTEGRAL, gap);
            if choice == Choice::Integral {
                if self.accept(task, bound) {
                    return Ok(Relaxed::Optimal);
                }
                choice = choose(&mut self.tableau, task.standard, EXACTLY_INTEGRAL, gap);
            }
            match choice {
                Choice::Integral => return self.polish(task, bound, budget),
                Choice::Nothing => return Ok(Relaxed::Cutoff),
                Choice::Force(variable, bounds) => self.narrow(variable, bounds),
                Choice::Split {
                    variable,
                    first,
                    second,
                    drop,
                } => {
                    fix(&mut self.tableau, task.standard, gap, &mut self.trail);
                    let trail = self.trail.len();
                    self.open.push(Open {
                        trail,
                        variable,
                        bounds: second,
                        bound: bound - drop,
                    });
                    self.open.push(Open {
                        trail,
                        variable,
                        bounds: first,
                        bound: f64::INFINITY,
                    });
                    return Ok(Relaxed::Optimal);
                }
            }
        }
    }

    /// Changes bounds until further notice.
    fn narrow(&mut self, variable: usize, bounds: (f64, f64)) {
        self.trail.push((variable, self.tableau.bounds(variable)));
        self.tableau.set_bounds(variable, bounds);
    }

    /// Goes to the next open node; false if there is none.
    fn next(&mut self) -> bool {
        let cutoff = self.cutoff();
        while let Some(open) = self.open.pop() {
            while self.trail.len() > open.trail {
                if let Some((variable, bounds)) = self.trail.pop() {
                    self.tableau.set_bounds(variable, bounds);
                }
            }
            if open.bound > cutoff {
                self.narrow(open.variable, open.bounds);
                return true;
            }
        }
        while let Some((variable, bounds)) = self.trail.pop() {
            self.tableau.set_bounds(variable, bounds);
        }
        false
    }

    /// Makes the rounded optimum of the relaxation the incumbent if it is a point of the model.
    fn accept(&mut self, task: Task<'_>, bound: f64) -> bool {
        let columns = task.standard.columns;
        self.point.clear();
        self.point.extend((0..columns).map(|at| {
            let value = self.tableau.value(at);
            if task.standard.step[at] > 0.0 {
                value.round()
            } else {
                value
            }
        }));
        let value: f64 = self
            .point
            .iter()
            .zip(task.objective)
            .map(|(x, c)| x * c)
            .sum();
        let size: f64 = self
            .point
            .iter()
            .zip(task.objective)
            .map(|(x, c)| (x * c).abs())
            .sum();
        if (value - bound).abs() > SAME * (1.0 + size) || !satisfies(task.model, &self.point) {
            return false;
        }
        if value > self.value {
            std::mem::swap(&mut self.best, &mut self.point);
            self.value = value;
        }
        true
    }

    /// Solves for the continuous variables once more with the integers where they were rounded to.
    fn polish(
        &mut self,
        task: Task<'_>,
        bound: f64,
        budget: &mut Budget<'_>,
    ) -> Result<Relaxed, Error> {
        let trail = self.trail.len();
        for at in 0..task.standard.columns {
            if task.standard.step[at] > 0.0 {
                let value = self.tableau.value(at).round();
                self.narrow(at, (value, value));
            }
        }
        let Self {
            tableau,
            candidates,
            ..
        } = self;
        let relaxed = relax(
            tableau,
            task.objective,
            f64::NEG_INFINITY,
            candidates,
            budget,
        )?;
        let accepted = relaxed == Relaxed::Optimal && self.accept(task, bound);
        for (variable, bounds) in self.trail.drain(trail..).rev() {
            self.tableau.set_bounds(variable, bounds);
        }
        if accepted {
            return Ok(Relaxed::Optimal);
        }
        Err(failed(
            "a relaxation has an integral optimum that violates the rows by rounding",
        ))
    }
}
