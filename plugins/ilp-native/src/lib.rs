//! Integer programs with a resident engine of imle's own: the same rows, another objective, thousands of
//! times. Pure Rust, nothing to install.
//!
//! The [configuration](Config) is that of every ILP plugin.
//!
//! **Structure.** When a model is loaded, four kinds of feasible set are recognised and get an algorithm of
//! their own: one row of equal coefficients over all binary variables (the largest are selected), rows that
//! assign (shortest augmenting paths), unit flow (a shortest path; with cycles and a cost below zero the row goes
//! to the general engine), and one knapsack row of whole weights (dynamic programming over what a bound
//! leaves open). [`IlpNative::structure`] names what was found; `"structure": false` turns it off.
//!
//! **The general engine** is the dual simplex method with bounds on every variable, in branch and bound. Equations
//! are solved for once, when the first row comes. The tableau, which thereby has fewer rows and columns than the
//! model, stays; a row copies it and sets its own objective. A large sparse model is kept as a product
//! instead of being written out. Phase two of the primal method serves where an objective has no bound to
//! start from. Branching goes by penalties, and reduced costs narrow what is left.
//!
//! **Ties** are broken by rules that look at theta alone. Every row begins with the same basis, made from the model,
//! and every step from there is deterministic, so neither the rows solved before nor the thread can
//! matter: of several optima it is the one that this walk comes to first. Cardinality takes the lower
//! index; the other kernels say theirs in their modules. Objectives that differ by less than a part in 1e10 of the
//! largest coefficient are ties.
//!
//! **Trust.** A point is compared with the rows, bounds and kinds as given, and its objective with that of
//! the relaxation; a point that fails is an error of its row, [`BackendFailed`](imle_api::ErrorKind). Limits
//! are looked at every hundred pivots, in the general engine.
//!
//! **Size.** Mean CPU time in microseconds over 200 objectives. `cargo run --release --example families` of this
//! crate prints the right two columns; good_lp with CBC, which makes a model for every solve, was timed on the
//! same objectives and the same machine by a program that is not kept here. The machine was busy: take the
//! ratios for what they are.
//!
//! | family | CBC | general engine | with structure |
//! |---|---|---|---|
//! | k-subset 20/5 | 1303 | 1.3 (1000x) | 0.4 (3200x) |
//! | assignment 10 | 2543 | 36 (70x) | 2.6 (970x) |
//! | TSP 8, subtour rows | 2461 | 17 (145x) | |
//! | TSP 8, order variables | 26725 | 80 (334x) | |
//! | grid 12x12, linear | 2034 | 930 (2.2x) | 22 (92x) |
//! | grid 12x12, binary | 9977 | 884 (11x) | 24 (415x) |
//! | set packing 200x60 | 86770 | 4110 (21x) | |
//! | knapsacks 100x5 | 63296 | 2010 (31x) | |
//! | grid 30x30, linear | 60289 | 50500 (1.2x) | 183 (330x) |
//!
//! Without a structure, a problem whose relaxation is integral is the place to stop: from 400 rows by 3000
//! columns on (grid 20x20: 8 ms) HiGHS with a warm basis is faster. A tableau of more than 2^24 numbers is
//! refused with [`Unsupported`](imle_api::ErrorKind).

#![forbid(unsafe_code)]

mod branch;
mod budget;
mod check;
mod dual;
mod engine;
mod kernels;
mod matrix;
mod primal;
mod relaxation;
mod rules;
mod standard;
mod start;
mod tableau;

use imle_api::{Error, Facts, Limits, Proof, Solver, export_plugin};
use imle_ilp_model::Problem;

use crate::branch::Search;
use crate::engine::Engine;
use crate::kernels::{Scratch, Structure};

pub use imle_ilp_model::Config;

/// The solver `ilp-native`.
#[derive(Debug)]
pub struct IlpNative {
    problem: Problem,
    structure: Option<Structure>,
    engine: Engine,
}

/// What one thread keeps from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    objective: Vec<f64>,
    scratch: Scratch,
    search: Search,
}

impl IlpNative {
    /// Names the structure that was recognised in the problem, if there is one.
    #[must_use]
    pub fn structure(&self) -> Option<&'static str> {
        self.structure.as_ref().map(Structure::name)
    }
}

impl Workspace {
    /// Returns the nodes and the pivots that the last row took in the general engine.
    #[must_use]
    pub fn effort(&self) -> (u64, u64) {
        (self.search.nodes, self.search.pivots)
    }
}

impl Solver for IlpNative {
    const NAME: &'static str = "ilp-native";
    const SUMMARY: &'static str =
        "integer programs, resident: the same rows, another objective, thousands of times";
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let wanted = config.structure;
        let problem = Problem::new(config)?;
        let structure = if wanted {
            Structure::of(problem.model())
        } else {
            None
        };
        Ok(Self {
            problem,
            structure,
            engine: Engine::default(),
        })
    }

    fn facts(&self) -> Facts {
        self.problem.facts()
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        let Workspace {
            objective,
            scratch,
            search,
        } = workspace;
        self.problem.objective_for(theta, objective)?;
        let is_done = self
            .structure
            .as_ref()
            .is_some_and(|structure| structure.maximise(scratch, objective, &mut search.best));
        if !is_done {
            self.engine
                .maximise(search, self.problem.model(), objective, limits)?;
        }
        self.problem.state_of(&mut search.best, z)?;
        Ok(Proof::NONE)
    }
}

export_plugin!(IlpNative);
