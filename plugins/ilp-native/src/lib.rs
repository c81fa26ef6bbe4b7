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
//! instead of being written out, and its rows leave by steepest edge. Phase two of the primal method serves where an objective has no bound to
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
//! **Speed.** Mean CPU time of a solve in microseconds, and how many times as long good_lp with CBC takes
//! for the same 200 objectives, a new model for each; noise of scale 1, 20 rows a call, through the plugin
//! library. `cargo run --release --example ilp_families` of the root package prints this for every engine that
//! is built. The geometric mean over these families but the largest grid is 55x, with structure 186x.
//! HiGHS and CBC are the plugins `ilp-highs` and `ilp-cbc`, their C++ compiled at `-O2`; CBC alone with its default
//! options is the measure.
//!
//! | family | CBC | general engine | with structure | `ilp-highs` | `ilp-cbc` | `ilp-microlp` |
//! |---|---|---|---|---|---|---|
//! | k-subset 20/5 | 894 | 2.1 (424x) | 0.52 (1734x) | 73 (12x) | 210 (4.3x) | 15 (59x) |
//! | assignment 10 | 1632 | 22 (74x) | 2.7 (610x) | 204 (8.0x) | 318 (5.1x) | 177 (9.2x) |
//! | TSP 8, subtour rows | 1628 | 12.6 (129x) | | 211 (7.7x) | 347 (4.7x) | 127 (13x) |
//! | TSP 8, order variables | 13187 | 60 (218x) | | 3903 (3.5x) | 4784 (3.2x) | 553 (26x) |
//! | grid 12x12, linear | 1009 | 209 (4.8x) | 10 (101x) | 731 (1.4x) | 1096 (.92x) | 805 (1.3x) |
//! | grid 12x12, binary | 5562 | 216 (26x) | 12 (458x) | 758 (7.3x) | 1152 (4.8x) | 868 (6.4x) |
//! | grid 30x30, linear | 32554 | 10380 (3.1x) | 68 (479x) | 15622 (2.0x) | 33929 (.97x) | 19681 (1.6x) |
//! | set packing 200x60 | 54412 | 2297 (26x) | | 189169 (.30x) | 50601 (1.1x) | 4859 (12x) |
//! | knapsacks 100x5 | 37788 | 1310 (28x) | | 82714 (.45x) | 58627 (.64x) | 7567 (4.9x) |
//!
//! One run of `--seconds 2` on a machine that was busy with other work: ratios vary by a tenth from run to run. Two
//! are below the floors that the program prints, 2000x for the k-subset and 150x for the linear 12x12 grid with
//! structure. In the grid about two thirds of the time is the search; the rest is passes over 1012 numbers, for checks
//! on either side.
//!
//! **Size.** The same with `--sizes`:
//!
//! | family | CBC | microlp | general engine | with structure |
//! |---|---|---|---|---|
//! | k-subset 1000/50 | 16291 | 2986 | 109 (149x) | 13 (1223x) |
//! | assignment 20 | 4327 | 1196 | 145 (30x) | 12 (370x) |
//! | assignment 30 | 8030 | 4566 | 217 (37x) | 24 (331x) |
//! | grid 20x20, linear | 3447 | 4187 | 1610 (2.1x) | 47 (73x) |
//! | knapsacks 200x5 | 148272 | 67481 | 8981 (17x) | |
//! | set packing 400x120 | 343676 | 66030 | 79973 (3.9x) | |
//!
//! It stops being the right choice at a few hundred variables in rows that pack, where microlp is no slower, and
//! without a structure at some thousand columns with an integral relaxation, where HiGHS with a warm basis
//! is made for the problem: the configuration is the same. A tableau of more than 2^24 numbers is refused with
//! [`Unsupported`](imle_api::ErrorKind).
//!
//! **Every row starts cold.** The last row's basis as a start was measured (microseconds, cold and warm, one base
//! theta, general engine): assignment 10 at noise of scale 0.03 19 and 4, at 0.3 21 and 9, at 1 21 and 18;
//! grid 12x12 231 and 98, 260 and 190, 215 and 427; assignment 30 at scale 1 184 and 422; set packing at scale
//! 0.1 609 and 706, at 1 2202 and 2848; knapsacks the same. It pays where a kernel pays more, loses where the
//! noise is large, and would let the rows before choose between tied optima.

#![forbid(unsafe_code)]

mod branch;
mod budget;
mod check;
mod dual;
mod engine;
mod kernels;
mod matrix;
mod primal;
mod product;
mod relaxation;
mod rules;
mod standard;
mod start;
mod tableau;

use imle_api::{Error, Facts, Limits, Proof, Solver, export_plugin};
use imle_ilp_model::Problem;

use crate::branch::Search;
use crate::check::Membership;
use crate::engine::Engine;
use crate::kernels::{Scratch, Structure};

pub use imle_ilp_model::Config;

/// The solver `ilp-native`.
#[derive(Debug)]
pub struct IlpNative {
    problem: Problem,
    membership: Membership,
    /// Whether theta addresses all variables in their order.
    is_in_order: bool,
    /// Whether nothing is known beside theta.
    is_plain: bool,
    structure: Option<Structure>,
    engine: Engine,
}

/// What one thread keeps from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    objective: Vec<f64>,
    scratch: Scratch,
    search: Search,
    sums: Vec<(f64, f64)>,
}

impl IlpNative {
    /// Names the structure that was recognised in the problem, if there is one.
    #[must_use]
    pub fn structure(&self) -> Option<&'static str> {
        self.structure.as_ref().map(Structure::name)
    }
}

/// An objective of larger coefficients is scaled before anything is summed.
const HUGE: f64 = 1e250;

impl IlpNative {
    /// Lets the kernel write the best point, if there is one for the model and it takes this objective.
    fn by_structure(&self, workspace: &mut Workspace, theta: &[f64]) -> Result<bool, Error> {
        let Some(structure) = &self.structure else {
            return Ok(false);
        };
        let is_huge = theta.iter().fold(false, |any, t| any | (t.abs() > HUGE));
        let objective = if self.is_in_order && self.is_plain && !is_huge {
            theta
        } else {
            self.problem
                .objective_for(theta, &mut workspace.objective)?;
            &workspace.objective
        };
        let Workspace {
            scratch, search, ..
        } = workspace;
        Ok(structure.maximise(scratch, objective, &mut search.best))
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
        let (wanted, is_plain) = (
            config.structure,
            config.objective.0.is_empty() && !config.keep_objective,
        );
        let problem = Problem::new(config)?;
        let structure = if wanted {
            Structure::of(problem.model())
        } else {
            None
        };
        let variables = problem.model().variables().len();
        Ok(Self {
            membership: Membership::new(problem.model()),
            is_in_order: problem.theta().iter().copied().eq(0..variables),
            is_plain,
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
        if !self.by_structure(workspace, theta)? {
            let Workspace {
                objective, search, ..
            } = workspace;
            self.problem.objective_for(theta, objective)?;
            self.engine
                .maximise(search, self.problem.model(), objective, limits)?;
        }
        let values = &mut workspace.search.best;
        if !self.membership.contains(values, &mut workspace.sums) {
            // Rounds, and checks again, or says what is wrong.
            self.problem.state_of(values, z)?;
        }
        // With no negative zero.
        if self.is_in_order {
            let values = z.iter_mut().zip(&*values);
            values.for_each(|(z, value)| *z = value + 0.0);
        } else {
            let state = self.problem.theta().iter().map(|&at| values[at] + 0.0);
            z.iter_mut().zip(state).for_each(|(z, value)| *z = value);
        }
        Ok(Proof::NONE)
    }
}

export_plugin!(IlpNative);
