//! A plugin whose solvers each do one thing wrong, for the tests of those who must survive or find it.
//!
//! Each is the solver of one-hot vectors of `dim` coordinates, the lower index on ties, but for the defect that
//! its name tells: [`Defect`]. The defect shows on every row or, where the configuration has a `poison`, on the
//! rows whose first coordinate is that. What goes wrong while a library is loaded is asked for by the variable
//! [`load::VARIABLE`]. None of this is an example to follow; `tests/c/bad.c` is the collection of what tables
//! and rows in C can do wrong without taking a process down.

pub mod crashes;
pub mod lies;
pub mod limits;
pub mod load;
pub mod panics;
pub mod state;
pub mod writes;

use std::fmt;
use std::marker::PhantomData;

use imle_api::{Error, ErrorKind, Facts, Limits, MarginalsFn, Proof, Solver, export_plugin};

/// What a solver does wrong; where it does nothing, it is right.
pub trait Defect: Send + Sync + Default + 'static {
    /// The name of the solver.
    const NAME: &'static str;
    /// What it does wrong.
    const SUMMARY: &'static str;

    /// Marginals, where they are what is wrong.
    const MARGINALS: Option<MarginalsFn<Bad<Self>>> = None;

    /// While the instance is made.
    ///
    /// # Errors
    ///
    /// What a solver may say.
    fn create(&self, dim: usize) -> Result<(), Error> {
        match dim {
            0 => Err(Error::new(
                ErrorKind::InvalidConfig,
                "dim = 0; give at least 1",
            )),
            _ => Ok(()),
        }
    }

    /// What is stated about the instance.
    fn facts(&self, dim: usize) -> Facts {
        Facts::binary(dim).with_ones(1)
    }

    /// While a workspace is made.
    fn workspace() {}

    /// While a workspace is destroyed.
    fn drop_workspace() {}

    /// While the instance is destroyed.
    fn destroy(&self) {}

    /// After a row is solved: `row.z` is right.
    ///
    /// # Errors
    ///
    /// What a solver may say.
    fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
        let _ = row;
        Ok(Proof::NONE)
    }
}

/// A row that a defect spoils.
#[derive(Debug)]
pub struct Row<'a> {
    /// `[dim]`
    pub theta: &'a [f64],
    /// `[dim]`
    pub z: &'a mut [f64],
    /// Those of the call.
    pub limits: &'a Limits<'a>,
    /// How many rows this workspace has solved.
    pub solved: u64,
}

/// The configuration of every solver here.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{}]))]
pub struct Config {
    /// The number of coordinates.
    #[serde(default = "four")]
    dim: usize,
    /// Spoil only the rows whose first coordinate is this.
    #[serde(default)]
    poison: Option<f64>,
}

fn four() -> usize {
    4
}

/// A solver with a defect.
pub struct Bad<D: Defect> {
    dim: usize,
    poison: Option<f64>,
    defect: D,
}

impl<D: Defect> fmt::Debug for Bad<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(D::NAME)
    }
}

impl<D: Defect> Drop for Bad<D> {
    fn drop(&mut self) {
        self.defect.destroy();
    }
}

/// The workspace of a solver with a defect.
#[derive(Debug)]
pub struct Scratch<D: Defect> {
    solved: u64,
    defect: PhantomData<fn() -> D>,
}

impl<D: Defect> Default for Scratch<D> {
    fn default() -> Self {
        D::workspace();
        Self {
            solved: 0,
            defect: PhantomData,
        }
    }
}

impl<D: Defect> Drop for Scratch<D> {
    fn drop(&mut self) {
        D::drop_workspace();
    }
}

impl<D: Defect> Solver for Bad<D> {
    const NAME: &'static str = D::NAME;
    const SUMMARY: &'static str = D::SUMMARY;
    const MARGINALS: Option<MarginalsFn<Self>> = D::MARGINALS;
    type Config = Config;
    type Workspace = Scratch<D>;

    fn new(Config { dim, poison }: Config) -> Result<Self, Error> {
        let defect = D::default();
        defect.create(dim)?;
        Ok(Self {
            dim,
            poison,
            defect,
        })
    }

    fn facts(&self) -> Facts {
        self.defect.facts(self.dim)
    }

    fn solve(
        &self,
        scratch: &mut Scratch<D>,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        let best = (1..self.dim).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
        z.fill(0.0);
        z[best] = 1.0;
        scratch.solved += 1;
        if self.poison.is_some_and(|poison| poison != theta[0]) {
            return Ok(Proof::NONE);
        }
        self.defect.act(Row {
            theta,
            z,
            limits,
            solved: scratch.solved,
        })
    }
}

/// Declares defects: the type, the name of the solver, what it does wrong, and the functions that do.
macro_rules! defects {
    ($($defect:ident $name:literal $summary:literal { $($body:item)* })+) => {
        $(
            #[doc = $summary]
            #[derive(Debug, Default)]
            pub struct $defect;

            impl $crate::Defect for $defect {
                const NAME: &'static str = $name;
                const SUMMARY: &'static str = $summary;
                $($body)*
            }
        )+
    };
}
pub(crate) use defects;

defects! {
    Nothing "good" "does nothing wrong" {}
}

export_plugin!(
    Bad<Nothing>,
    Bad<crashes::Segfault>,
    Bad<crashes::Abort>,
    Bad<crashes::Exit>,
    Bad<crashes::ExitZero>,
    Bad<crashes::StackOverflow>,
    Bad<crashes::Killed>,
    Bad<crashes::Allocates>,
    Bad<crashes::ClosesFiles>,
    Bad<crashes::AbortInCreate>,
    Bad<crashes::ExitInDestroy>,
    Bad<limits::Loops>,
    Bad<limits::LoopsPolitely>,
    Bad<limits::Sleeps>,
    Bad<limits::LoopsInCreate>,
    Bad<limits::LoopsInDestroy>,
    Bad<panics::Panics>,
    Bad<panics::PanicsInCreate>,
    Bad<panics::PanicsInDestroy>,
    Bad<panics::PanicsInWorkspace>,
    Bad<panics::PanicsInWorkspaceDrop>,
    Bad<panics::PanicsOnPayloadDrop>,
    Bad<panics::PanicsTwice>,
    Bad<panics::PanicsOnThread>,
    Bad<writes::BehindZ>,
    Bad<writes::BeforeZ>,
    Bad<writes::Theta>,
    Bad<state::Directory>,
    Bad<state::Environment>,
    Bad<state::Interrupt>,
    Bad<state::Locale>,
    Bad<state::Rounding>,
    Bad<state::Prints>,
    Bad<state::StartsThread>,
    Bad<state::StartsProcess>,
    Bad<lies::Suboptimal>,
    Bad<lies::Infeasible>,
    Bad<lies::Unwritten>,
    Bad<lies::NotANumber>,
    Bad<lies::Fraction>,
    Bad<lies::WrongOnes>,
    Bad<lies::History>,
    Bad<lies::Chance>,
    Bad<lies::RadiusTooLarge>,
    Bad<lies::BoundTooLow>,
    Bad<lies::WrongMarginals>,
    Bad<lies::AcceptsAnything>,
);
