//! What a row costs the engine: time, nodes and pivots, by family and scale of the noise.
//!
//! `cargo run --release -p imle-ilp-native --example effort [-- PART-OF-A-NAME [SIGMA [OBJECTIVES]]]`
//!
//! Microseconds are of CPU time, one row after the other. `ilp_families` of the root package compares
//! engines; this is for work on this one.

use cpu_time::ThreadTime;

use imle_api::{Error, Limits, Solver};
use imle_example_support::ilp_families::{
    Family, assignment, grid, k_subset, knapsack, set_packing, tsp_dfj, tsp_mtz,
};
use imle_ilp_native::{Config, IlpNative, Workspace};

fn main() -> Result<(), Error> {
    let families = [
        k_subset("k-subset 20/5", 20, 5),
        assignment("assignment 10", 10),
        assignment("assignment 20", 20),
        assignment("assignment 30", 30),
        tsp_dfj("TSP 8, subtour rows", 8),
        tsp_mtz("TSP 8, order variables", 8),
        grid("grid 12x12, linear", 12, "continuous"),
        grid("grid 12x12, binary", 12, "binary"),
        grid("grid 20x20, linear", 20, "continuous"),
        grid("grid 30x30, linear", 30, "continuous"),
        set_packing("set packing 200x60", 200, 60),
        knapsack("knapsacks 100x5", 100, 5, 100),
        knapsack("knapsack 100", 100, 1, 30),
    ];
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let mut number = |default: f64| {
        let word = arguments.next();
        word.map_or(default, |word| word.parse().expect("a number"))
    };
    let (sigma, objectives) = (number(1.0), number(200.0) as usize);
    println!("sigma = {sigma}");
    println!(
        "{:24} {:>10} {:>10} {:>8} {:>8} {:>10} {:>10}",
        "us", "median", "mean", "nodes", "pivots", "structure:", "mean"
    );
    for family in families.iter().filter(|f| f.name.contains(&wanted)) {
        let thetas = family.thetas(sigma, objectives);
        let [general, structure] = [
            measure(family, &thetas, false)?,
            measure(family, &thetas, true)?,
        ];
        println!(
            "{:24} {:10.2} {:10.2} {:8.1} {:8.1} {:10.2} {:10.2}",
            family.name,
            general.median,
            general.mean,
            general.nodes,
            general.pivots,
            structure.median,
            structure.mean
        );
    }
    Ok(())
}

/// Means, and the median of the time in microseconds.
struct Measured {
    median: f64,
    mean: f64,
    nodes: f64,
    pivots: f64,
}

fn measure(family: &Family, thetas: &[Vec<f64>], structure: bool) -> Result<Measured, Error> {
    let mut config: Config =
        serde_json::from_value(family.config.clone()).expect("a configuration");
    config.structure = structure;
    let solver = IlpNative::new(config)?;
    let mut workspace = Workspace::default();
    let mut z = vec![0.0; family.theta.base.len()];
    // The first solve builds what the others use.
    solver.solve(&mut workspace, &family.theta.base, &mut z, &Limits::none())?;
    let (mut times, mut nodes, mut pivots) = (Vec::new(), 0, 0);
    let began = ThreadTime::now();
    for theta in thetas.iter().take_while(|_| began.elapsed().as_secs() < 20) {
        let start = ThreadTime::now();
        solver.solve(&mut workspace, theta, &mut z, &Limits::none())?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        nodes += workspace.effort().0;
        pivots += workspace.effort().1;
    }
    let solves = times.len() as f64;
    let mean = times.iter().sum::<f64>() / solves;
    times.sort_by(f64::total_cmp);
    Ok(Measured {
        median: times[times.len() / 2],
        mean,
        nodes: nodes as f64 / solves,
        pivots: pivots as f64 / solves,
    })
}
