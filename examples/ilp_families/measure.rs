//! The engines, and the CPU time that each takes for the same objectives.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use imle_api::unset;
use imle_example_support::ilp_families::Family;
use imle_runtime::{Error, Limits, Oracle, Outcome, Registry, cargo_library_directory, solve_one};
use serde_json::json;

/// The baseline, and what stands in for it.
pub(crate) const BASELINE: [&str; 2] = ["ilp-cbc-default", "ilp-cbc"];
/// `ilp-native` without and with its kernels.
pub(crate) const NATIVE: [&str; 2] = ["native", "native, structure"];
/// How far objectives that are the same may be from each other, relatively.
const SAME: f64 = 1e-6;

/// A solver, under the name that the table has for it.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    solver: &'static str,
    structure: bool,
    registry: Arc<Registry>,
}

/// Finds the engines whose libraries are built, and names the others.
pub(crate) fn engines() -> Result<Vec<Engine>, Error> {
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = Arc::new(unsafe { Registry::search([cargo_library_directory()?]) }?);
    for problem in registry.problems() {
        eprintln!("{problem}");
    }
    let there: Vec<String> = registry.list().into_iter().map(|l| l.name).collect();
    let mut engines = Vec::new();
    for (name, solver, structure) in [
        ("CBC", BASELINE[0], false),
        ("ilp-cbc", BASELINE[1], false),
        ("ilp-highs", "ilp-highs", false),
        ("ilp-microlp", "ilp-microlp", false),
        (NATIVE[0], "ilp-native", false),
        (NATIVE[1], "ilp-native", true),
    ] {
        if there.iter().any(|there| there == solver) {
            engines.push(Engine {
                name,
                solver,
                structure,
                registry: registry.clone(),
            });
        } else {
            eprintln!("{solver} is not built; `cargo build --release -p imle-{solver}` builds it");
        }
    }
    Ok(engines)
}

impl Engine {
    fn open(&self, family: &Family) -> Result<Arc<dyn Oracle>, Error> {
        let mut config = family.config.clone();
        config["structure"] = json!(self.structure);
        self.registry.open(self.solver, &config)
    }
}

/// What one engine did with one family, by objective. It may have stopped before the last.
pub(crate) struct Series {
    pub(crate) engine: &'static str,
    pub(crate) microseconds: Vec<f64>,
    pub(crate) objectives: Vec<f64>,
}

/// What all engines did with one family.
pub(crate) struct Measured {
    pub(crate) family: &'static str,
    pub(crate) series: Vec<Series>,
}

impl Series {
    pub(crate) fn mean(&self) -> f64 {
        self.microseconds.iter().sum::<f64>() / self.microseconds.len() as f64
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.microseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn seconds(&self) -> f64 {
        self.microseconds.iter().sum::<f64>() * 1e-6
    }
}

impl Measured {
    pub(crate) fn of(&self, engine: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.engine == engine)
    }

    pub(crate) fn baseline(&self) -> Option<&Series> {
        self.of("CBC").or_else(|| self.of("ilp-cbc"))
    }

    /// How many times as long the baseline takes, over the objectives that both have solved.
    pub(crate) fn ratio(&self, series: &Series) -> Option<f64> {
        let baseline = self.baseline()?;
        let both = series.microseconds.len().min(baseline.microseconds.len());
        let sum = |series: &Series| series.microseconds[..both].iter().sum::<f64>();
        Some(sum(baseline) / sum(series))
    }

    /// The objectives on which the engines disagree.
    pub(crate) fn wrong(&self) -> usize {
        let rows = self.series.iter().map(|s| s.objectives.len()).max();
        let agree = |row: usize| {
            let mut of_row = self.series.iter().filter_map(|s| s.objectives.get(row));
            let first = of_row.next().copied().unwrap_or_default();
            of_row.all(|other| (other - first).abs() <= SAME * first.abs().max(1.0))
        };
        (0..rows.unwrap_or_default())
            .filter(|&row| !agree(row))
            .count()
    }
}

/// Lets every engine solve every theta, in turns whose order rotates, for so many seconds at most. A turn is one
/// call with `length` rows, as a batch hands out the samples of its rows; its time is shared equally.
pub(crate) fn measure(
    family: &Family,
    engines: &[Engine],
    thetas: &[Vec<f64>],
    length: usize,
    seconds: f64,
) -> Result<Measured, Error> {
    let clock = cost_of_the_clock();
    let mut oracles = Vec::new();
    let mut series = Vec::new();
    for engine in engines {
        let oracle = engine.open(family)?;
        // The first solve builds what the others use.
        solve_one(&*oracle, &family.theta.base)?;
        oracles.push(oracle);
        series.push(Series {
            engine: engine.name,
            microseconds: Vec::new(),
            objectives: Vec::new(),
        });
    }
    for (turn, thetas) in thetas.chunks(length).enumerate() {
        let rows = thetas.len();
        let theta = thetas.concat();
        let mut z = vec![0.0; theta.len()];
        for place in 0..engines.len() {
            let at = (turn + place) % engines.len();
            if series[at].seconds() > seconds {
                continue;
            }
            let mut outcomes: Vec<Outcome> = (0..rows).map(|_| unset()).collect();
            // Of the whole process: an engine may work in a thread of its own.
            let start = ProcessTime::now();
            oracles[at].solve(&theta, &mut z, &mut outcomes, &Limits::none());
            let taken = start.elapsed().saturating_sub(clock).as_secs_f64();
            for outcome in outcomes {
                series[at].microseconds.push(taken * 1e6 / rows as f64);
                series[at].objectives.push(outcome?.objective);
            }
        }
    }
    Ok(Measured {
        family: family.name,
        series,
    })
}

/// The CPU time that reading the clock takes, which is not little beside the fastest solves.
fn cost_of_the_clock() -> Duration {
    let mut costs: Vec<Duration> = (0..1000).map(|_| ProcessTime::now().elapsed()).collect();
    costs.sort_unstable();
    costs[costs.len() / 2]
}
