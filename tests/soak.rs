//! Millions of small solves through every built-in solver, and through a cache that is full: memory stays as it was
//! after a warm-up, and the statistics add up.
//!
//! Every solver is loaded as a plugin and solves the first example of its own schema, in steps of a layer: forward
//! and backward. The size is small; this is the whole of it, and prints a row a solver:
//!
//! ```sh
//! IMLE_SOAK=10000000 IMLE_SOAK_SECONDS=200 cargo test --release --test soak -- --nocapture
//! ```
//!
//! The seconds end the row of a solver early; it says how many solves there were.
//!
//! Alone in its file, so that no other test allocates meanwhile. Only Linux says how much memory is resident.

#![cfg(target_os = "linux")]

#[path = "common/memory.rs"]
mod memory;
#[path = "common/oracles.rs"]
mod oracles;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use comfy_table::{CellAlignment, Table, presets};
use fastrand::Rng;
use imle_runtime::{
    Cache, Facts, Identity, Imle, Layer, Limits, NoNoise, Oracle, Outcome, Registry, Sampling,
    ThetaDomain,
};
use memory::resident;
use oracles::registry;
use serde_json::json;

/// Rows of a call.
const ROWS: usize = 64;
/// What an allocator may still spread after the warm-up. A leak of 16 bytes a solve is past it in the small size.
const MOST_GROWTH: usize = 1 << 20;
/// The same with a thread's arena for each thread.
const MOST_GROWTH_OF_THREADS: usize = 4 << 20;
/// The cache holds about a third of the keys that it is asked for.
const CACHE_BYTES: usize = 1 << 20;
const CACHE_KEYS: u64 = 8_000;
const THREADS: usize = 4;

#[test]
fn memory_stays_and_statistics_add_up() {
    let size = Size::from_environment();
    let registry = registry();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "solver",
        "solves",
        "seconds",
        "MiB before",
        "MiB after",
        "growth",
    ]);
    let numbers = table.column_iter_mut().skip(1);
    numbers.for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut leaks = Vec::new();
    let mut note = |run: Run, most_growth| {
        table.add_row(run.cells());
        if run.growth() > most_growth as i64 {
            leaks.push(format!("{}: {} bytes more", run.what, run.growth()));
        }
    };
    for listing in registry.list() {
        note(soak_solver(&registry, &listing.name, size), MOST_GROWTH);
    }
    note(soak_cache(&registry, size), MOST_GROWTH_OF_THREADS);
    println!("{table}");
    assert!(leaks.is_empty(), "{leaks:?}");
}

/// Steps of a layer over the first example that a solver gives.
fn soak_solver(registry: &Registry, name: &str, size: Size) -> Run {
    let tally = Tally::new(open_example(registry, name));
    let layer = Layer::new(tally.clone(), Imle::default(), one_thread()).expect("it is right");
    let facts = tally.facts();
    let step = |call: u64| {
        let mut random = Rng::with_seed(call);
        let theta = theta(&mut random, facts);
        let saved = layer.forward(&theta, call).expect("theta is finite");
        let states = saved
            .states()
            .all_solved()
            .map(|states| states.z().to_vec());
        let states = states.unwrap_or_else(|why| panic!("{name}, call {call}: {why}"));
        let grad_z: Vec<f64> = states.iter().map(|z| z - random.f64()).collect();
        let gradient = layer.backward(saved, &grad_z).expect("grad_z fits");
        let gradient = gradient.all_solved();
        let gradient = gradient.unwrap_or_else(|why| panic!("{name}, call {call}: {why}"));
        (states, gradient)
    };
    let first = step(0);
    let run = run(name, size, &tally, step);
    assert_eq!(
        step(0),
        first,
        "{name}: a call depends on what was solved before"
    );
    assert_eq!(tally.asked(), tally.solved(), "{name}");
    run
}

/// Rows of a population that a cache has no room for, from several threads. What counts as solves are look-ups.
fn soak_cache(registry: &Registry, size: Size) -> Run {
    // The counts below are of a cache that has been full for a while.
    let size = Size {
        time: Duration::MAX,
        ..size
    };
    let behind = Tally::new(open_example(registry, "k-subset"));
    let cache = Cache::new(CACHE_BYTES);
    let tally = Tally::new(cache.wrap(behind.clone()));
    let sampling = Sampling {
        threads: THREADS,
        ..one_thread()
    };
    let layer = Layer::new(tally.clone(), Imle::default(), sampling).expect("it is right");
    let facts = tally.facts();
    let row = |key| theta_row(&mut Rng::with_seed(key), facts).collect::<Vec<_>>();
    let run = run("k-subset behind a full cache", size, &tally, |call| {
        let mut random = Rng::with_seed(call);
        let theta: Vec<f64> = (0..ROWS)
            .flat_map(|_| row(random.u64(..CACHE_KEYS)))
            .collect();
        let states = layer.map(&theta).expect("theta is finite");
        states.all_solved().expect("every row has a state");
        assert!(cache.statistics().bytes <= CACHE_BYTES);
    });
    let statistics = cache.statistics();
    let (lookups, entries) = (tally.asked(), statistics.entries as u64);
    assert_eq!(tally.solved(), lookups);
    assert_eq!(
        statistics.hits + statistics.misses,
        lookups,
        "{statistics:?}"
    );
    assert_eq!(behind.asked(), statistics.misses, "{statistics:?}");
    assert_eq!(behind.solved(), statistics.misses, "{statistics:?}");
    assert_eq!(
        statistics.evictions + entries,
        statistics.misses,
        "{statistics:?}"
    );
    assert!(statistics.evictions > lookups / 10 && statistics.hits > lookups / 10);
    println!("{statistics:?}");
    run
}

/// Repeats a step until the tally, or the time, is full; memory is looked at after a tenth of it and at the end.
fn run<T>(what: &str, size: Size, tally: &Tally, step: impl Fn(u64) -> T) -> Run {
    let begin = Instant::now();
    let mut calls = 0..;
    let mut until = |part: u32| {
        while tally.asked() < size.solves / u64::from(part) && begin.elapsed() < size.time / part {
            step(calls.next().expect("there is no end of numbers"));
        }
        resident()
    };
    let before = until(10);
    let after = until(1);
    Run {
        what: what.to_owned(),
        solves: tally.asked(),
        seconds: begin.elapsed().as_secs_f64(),
        before,
        after,
    }
}

/// A row of the table.
struct Run {
    what: String,
    solves: u64,
    seconds: f64,
    /// Resident bytes after the warm-up.
    before: usize,
    /// Resident bytes at the end.
    after: usize,
}

impl Run {
    fn growth(&self) -> i64 {
        self.after as i64 - self.before as i64
    }

    fn cells(&self) -> [String; 6] {
        let mebibytes = |bytes: usize| format!("{:.2}", bytes as f64 / f64::from(1 << 20));
        [
            self.what.clone(),
            self.solves.to_string(),
            format!("{:.1}", self.seconds),
            mebibytes(self.before),
            mebibytes(self.after),
            format!("{:+} KiB", self.growth() / 1024),
        ]
    }
}

/// How far each row of the table goes.
#[derive(Clone, Copy)]
struct Size {
    solves: u64,
    time: Duration,
}

impl Size {
    fn from_environment() -> Self {
        Self {
            solves: variable("IMLE_SOAK", 100_000),
            time: Duration::from_secs(variable("IMLE_SOAK_SECONDS", 3)),
        }
    }
}

fn variable<T: FromStr>(name: &str, otherwise: T) -> T {
    let Ok(text) = std::env::var(name) else {
        return otherwise;
    };
    let number = text.parse().ok();
    number.unwrap_or_else(|| panic!("{name}={text} is not a number"))
}

/// Counts the rows that an oracle is asked for, and those that it answers with a state.
struct Tally {
    oracle: Arc<dyn Oracle>,
    asked: AtomicU64,
    solved: AtomicU64,
}

impl Tally {
    fn new(oracle: Arc<dyn Oracle>) -> Arc<Self> {
        Arc::new(Self {
            oracle,
            asked: AtomicU64::new(0),
            solved: AtomicU64::new(0),
        })
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn solved(&self) -> u64 {
        self.solved.load(Ordering::Relaxed)
    }
}

impl Oracle for Tally {
    fn facts(&self) -> Facts {
        self.oracle.facts()
    }

    fn identity(&self) -> Identity {
        self.oracle.identity()
    }

    fn may_use_rayon(&self) -> bool {
        self.oracle.may_use_rayon()
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        self.asked
            .fetch_add(outcomes.len() as u64, Ordering::Relaxed);
        self.oracle.solve(theta, z, outcomes, limits);
        let solved = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        self.solved.fetch_add(solved as u64, Ordering::Relaxed);
    }
}

fn one_thread() -> Sampling {
    Sampling {
        threads: 1,
        noise: Arc::new(NoNoise),
        ..Sampling::default()
    }
}

fn open_example(registry: &Registry, name: &str) -> Arc<dyn Oracle> {
    let listings = registry.list();
    let listing = listings.iter().find(|listing| listing.name == name);
    let plugin = listing.and_then(|listing| listing.plugin.as_ref());
    let plugin = plugin.unwrap_or_else(|| panic!("{name} is not loaded"));
    let schema = plugin.schema(name).expect("it has a schema");
    let example = schema["examples"].get(0).unwrap_or(&json!(null)).clone();
    let opened = registry.open(name, &example);
    opened.unwrap_or_else(|why| panic!("{name} with {example}: {why}"))
}

fn theta(random: &mut Rng, facts: Facts) -> Vec<f64> {
    (0..ROWS)
        .flat_map(|_| theta_row(random, facts).collect::<Vec<_>>())
        .collect()
}

/// A row for which the solver is exact.
fn theta_row(random: &mut Rng, facts: Facts) -> impl Iterator<Item = f64> {
    (0..facts.dim).map(move |_| match facts.theta_domain {
        ThetaDomain::Any => 2.0 * random.f64() - 1.0,
        ThetaDomain::NonPositive => -random.f64(),
    })
}
