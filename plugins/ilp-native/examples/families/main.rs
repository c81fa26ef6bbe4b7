//! Times the engine on families of integer programs whose objective changes from solve to solve.
//!
//! `cargo run --release -p imle-ilp-native --example families [-- part-of-a-name]`
//!
//! Prints microseconds: the median, and the mean of CPU time where it is long enough for the system's clock;
//! what a solve took; and how many times as long good_lp with CBC takes, which makes a model for every
//! solve. CBC's means are those of the same objectives on a machine with two shared cores; to compare on
//! yours run the benchmark of all back ends.

mod models;

use std::time::Instant;

use imle_api::{Error, Limits, Solver};
use imle_ilp_native::{Config, IlpNative, Workspace};
use models::{Family, Theta, assignment, grid, k_subset, knapsack, set_packing, tsp_dfj, tsp_mtz};

const SIGMA: f64 = 1.0;
const OBJECTIVES: usize = 200;
/// The clock of CPU time may tick every few milliseconds: means below this say nothing.
const CLOCK: f64 = 50.0;

fn main() -> Result<(), Error> {
    let families = [
        k_subset("k-subset 20/5", 20, 5, Some(1303.0)),
        assignment("assignment 10", 10, Some(2543.0)),
        tsp_dfj("tsp 8 dfj", 8, Some(2461.0)),
        tsp_mtz("tsp 8 mtz", 8, Some(26725.0)),
        grid("grid 12 lp", 12, "continuous", Some(2034.0)),
        grid("grid 12 ilp", 12, "binary", Some(9977.0)),
        set_packing("set packing 200x60", 200, 60, Some(86770.0)),
        knapsack("knapsack 100x5", 100, 5, 100, Some(63296.0)),
        knapsack("knapsack 100x1", 100, 1, 30, None),
        assignment("assignment 20", 20, None),
        assignment("assignment 30", 30, None),
        grid("grid 20 lp", 20, "continuous", None),
        grid("grid 30 lp", 30, "continuous", Some(60289.0)),
    ];
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:20} {:>10} {:>10} {:>8} {:>8} {:>8} | {:>10} {:>8}",
        "us", "median", "mean CPU", "nodes", "pivots", "ratio", "structured", "ratio"
    );
    for family in families.iter().filter(|f| f.name.contains(&wanted)) {
        let [general, structured] = [measure(family, false)?, measure(family, true)?];
        let ratio = |measured: &Measured| {
            let enough = measured.cpu > CLOCK;
            let us = if enough {
                measured.cpu
            } else {
                measured.median
            };
            family.cbc.map_or(f64::NAN, |cbc| cbc / us)
        };
        println!(
            "{:20} {:10.2} {:10.2} {:8.1} {:8.1} {:8.1} | {:10.2} {:8.1}",
            family.name,
            general.median,
            general.cpu,
            general.nodes,
            general.pivots,
            ratio(&general),
            structured.median,
            ratio(&structured)
        );
    }
    Ok(())
}

/// What a solve takes: the median, and the mean of the CPU time, nodes and pivots.
#[derive(Default)]
struct Measured {
    median: f64,
    cpu: f64,
    nodes: f64,
    pivots: f64,
}

fn measure(family: &Family, structure: bool) -> Result<Measured, Error> {
    let mut config: Config =
        serde_json::from_value(family.config.clone()).expect("a configuration");
    config.structure = structure;
    let solver = IlpNative::new(config)?;
    let mut workspace = Workspace::default();
    let mut random = fastrand::Rng::with_seed(1);
    let mut z = vec![0.0; family.theta.base.len()];
    let thetas: Vec<Vec<f64>> = (0..OBJECTIVES)
        .map(|_| draw(&family.theta, &mut random))
        .collect();
    // The first solve builds what the others use.
    solver.solve(&mut workspace, &thetas[0], &mut z, &Limits::none())?;
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let mut times = Vec::with_capacity(OBJECTIVES);
    let mut measured = Measured::default();
    for theta in &thetas {
        let start = Instant::now();
        solver.solve(&mut workspace, theta, &mut z, &Limits::none())?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        let (nodes, pivots) = workspace.effort();
        measured.nodes += nodes as f64;
        measured.pivots += pivots as f64;
        if began.elapsed().as_secs() > 20 {
            break;
        }
    }
    let solves = times.len() as f64;
    measured.cpu = (cpu_seconds() - cpu) * 1e6 / solves;
    measured.nodes /= solves;
    measured.pivots /= solves;
    times.sort_by(f64::total_cmp);
    measured.median = times[times.len() / 2];
    Ok(measured)
}

fn draw(theta: &Theta, random: &mut fastrand::Rng) -> Vec<f64> {
    let gumbel = |random: &mut fastrand::Rng| -(-(1.0 - random.f64()).ln()).ln();
    let noisy = |base: &f64| (base + SIGMA * gumbel(random)).min(theta.most);
    theta.base.iter().map(noisy).collect()
}

/// What this thread has computed so far, where the system says (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) * 1e-9
}
