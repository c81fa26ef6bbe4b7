//! The back ends for integer programs in one table, opened as a user opens them: loaded, by name.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, LazyLock, Once};

use imle_runtime::{Error, Oracle, Registry, cargo_library_directory, solve_one};
use serde_json::{Map, Value, json};

/// Set to 1, it makes a missing back end the failure of every test that uses the table.
const REQUIRE_ALL: &str = "IMLE_REQUIRE_ALL_BACKENDS";

const TABLE: [Backend; 5] = [
    Backend::exact("ilp-native"),
    Backend {
        structure: false,
        ..Backend::exact("ilp-native")
    },
    Backend::exact("ilp-microlp"),
    Backend::exact("ilp-highs"),
    Backend {
        // Reduced costs below this, its dual tolerance, are none to CBC.
        precision: 1e-7,
        ..Backend::exact("ilp-cbc")
    },
];

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let directory = cargo_library_directory().expect("Cargo built this test");
    // SAFETY: the libraries in this directory were built from this workspace.
    unsafe { Registry::search([directory]) }.expect("the directory can be read")
});

/// A row of the table: a solver, with or without its kernels for recognised structure.
#[derive(Clone, Copy)]
pub(crate) struct Backend {
    pub(crate) solver: &'static str,
    structure: bool,
    /// Objectives that differ by less are ties to the engine, relative to the sum of the coefficients.
    pub(crate) precision: f64,
}

impl Backend {
    /// Ties are what differs by no more than twice the part in 1e9 at which searches stop.
    const fn exact(solver: &'static str) -> Self {
        Self {
            solver,
            structure: true,
            precision: 2e-9,
        }
    }

    /// Opens the instance that a configuration describes.
    pub(crate) fn open(&self, config: &Value) -> Result<Arc<dyn Oracle>, Error> {
        let mut config = config.clone();
        if !self.structure {
            config["structure"] = json!(false);
        }
        REGISTRY.open(self.solver, &config)
    }

    /// Opens an instance whose configuration is known to be good.
    pub(crate) fn opened(&self, config: &Value) -> Arc<dyn Oracle> {
        self.open(config)
            .unwrap_or_else(|why| panic!("{self}: {why}"))
    }

    /// Solves one row with an instance made for it.
    pub(crate) fn solve(&self, config: &Value, theta: &[f64]) -> Result<Vec<f64>, Error> {
        solve_one(&*self.opened(config), theta).map(|(z, _)| z)
    }

    /// The state of a row that has one.
    pub(crate) fn state(&self, config: &Value, theta: &[f64]) -> Vec<f64> {
        self.solve(config, theta)
            .unwrap_or_else(|why| panic!("{self}: {why}"))
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernels = if self.structure {
            ""
        } else {
            " without structure"
        };
        write!(f, "{}{kernels}", self.solver)
    }
}

/// The back ends whose libraries were built, at least two of them.
///
/// # Panics
///
/// If a library is there and cannot be used, or if one is missing and `IMLE_REQUIRE_ALL_BACKENDS=1`.
pub(crate) fn backends() -> Vec<Backend> {
    let unusable = REGISTRY
        .problems()
        .iter()
        .find(|why| why.message().contains("imle_ilp_"));
    assert!(unusable.is_none(), "{unusable:?}");
    let names: Vec<String> = REGISTRY.list().into_iter().map(|l| l.name).collect();
    let (present, absent): (Vec<Backend>, Vec<Backend>) = TABLE
        .into_iter()
        .partition(|backend| names.iter().any(|name| name == backend.solver));
    static SAID: Once = Once::new();
    SAID.call_once(|| absent.iter().for_each(name_absent));
    let all_required = std::env::var(REQUIRE_ALL).is_ok_and(|value| value == "1");
    assert!(
        absent.is_empty() || !all_required,
        "{REQUIRE_ALL}=1 and a back end is missing: see above"
    );
    assert!(present.len() >= 2, "there is nothing to compare");
    present
}

/// Not through `eprintln`, which the test harness hides when a test passes.
fn name_absent(backend: &Backend) {
    let solver = backend.solver;
    let warning = format!(
        "\nNOT TESTED: there is no library of {solver}; `cargo build -p imle-{solver}` builds it\n"
    );
    std::io::stderr()
        .write_all(warning.as_bytes())
        .expect("stderr is open");
}

/// A row over the binaries `x0`, `x1`, ...
pub(crate) fn row(
    terms: impl IntoIterator<Item = (usize, f64)>,
    sense: &str,
    rhs: impl Into<f64>,
) -> Value {
    let terms: Map<String, Value> = terms
        .into_iter()
        .map(|(at, coefficient)| (format!("x{at}"), json!(coefficient)))
        .collect();
    json!({"terms": terms, "sense": sense, "rhs": rhs.into()})
}

/// The sum of some binaries.
pub(crate) fn sum(of: impl IntoIterator<Item = usize>) -> Vec<(usize, f64)> {
    of.into_iter().map(|at| (at, 1.0)).collect()
}

/// A program of binaries alone.
pub(crate) fn binaries(dim: usize, rows: impl Into<Vec<Value>>) -> Value {
    json!({"model": {"binaries": dim, "rows": rows.into()}})
}

/// A market split and a theta: easy to state, and out of reach of branch and bound for hours.
pub(crate) fn market_split(variables: usize) -> (Value, Vec<f64>) {
    let mut random = fastrand::Rng::with_seed(7);
    let rows: Vec<Value> = (0..5)
        .map(|_| {
            let weights: Vec<u32> = (0..variables).map(|_| random.u32(0..100)).collect();
            let half = weights.iter().sum::<u32>() / 2;
            row(weights.into_iter().map(f64::from).enumerate(), "=", half)
        })
        .collect();
    let theta = (0..variables).map(|_| random.f64()).collect();
    (binaries(variables, rows), theta)
}
