//! A state depends on theta alone: 200 objectives on one resident instance have the states of 200 fresh
//! instances, bit for bit, in any order and from any number of threads, over every back end.

#[path = "common/ilp.rs"]
mod ilp;

use std::sync::Arc;

use fastrand::Rng;
use ilp::backends;
use imle_example_support::ilp_families::{
    Family, assignment, grid, k_subset, knapsack, set_packing, tsp_dfj, tsp_mtz,
};
use imle_runtime::{Oracle, solve_one};

const OBJECTIVES: usize = 200;
const THREADS: usize = 8;

/// The families of the benchmark, small.
fn families() -> Vec<Family> {
    vec![
        k_subset("k-subset", 12, 4),
        assignment("assignment", 5),
        tsp_dfj("tsp dfj", 6),
        tsp_mtz("tsp mtz", 5),
        grid("grid lp", 5, "continuous"),
        grid("grid as a product", 10, "continuous"),
        grid("grid ilp", 4, "binary"),
        set_packing("set packing", 24, 10),
        knapsack("knapsack", 20, 1, 30),
        knapsack("knapsacks", 15, 3, 30),
    ]
}

/// Smooth thetas, and whole ones, which tie.
fn thetas(family: &Family) -> Vec<Vec<f64>> {
    let rng = &mut Rng::with_seed(5);
    let rows = (0..OBJECTIVES).map(|row| {
        let mut theta = family.theta.draw(1.0, rng);
        if !row.is_multiple_of(2) {
            let most = family.theta.most;
            theta.iter_mut().for_each(|t| *t = t.round().min(most));
        }
        theta
    });
    rows.collect()
}

fn state(oracle: &dyn Oracle, theta: &[f64]) -> Vec<u64> {
    let (z, _) = solve_one(oracle, theta).expect("every row has a state");
    z.iter().map(|z| z.to_bits()).collect()
}

/// The rows, in an order of the seed's own.
fn shuffled(seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..OBJECTIVES).collect();
    Rng::with_seed(seed).shuffle(&mut order);
    order
}

#[test]
fn one_instance_equals_fresh_ones() {
    for backend in backends() {
        for family in families() {
            let (name, thetas) = (family.name, thetas(&family));
            let fresh = |theta: &Vec<f64>| state(&*backend.opened(&family.config), theta);
            let expected: Vec<Vec<u64>> = thetas.iter().map(fresh).collect();
            let resident = backend.opened(&family.config);
            for row in shuffled(6) {
                let got = state(&*resident, &thetas[row]);
                assert_eq!(got, expected[row], "{backend}, {name}, row {row}");
            }
            // Each thread takes a part of the rows, some of which others take too.
            let (thetas, expected) = (Arc::new(thetas), Arc::new(expected));
            let workers = (0..THREADS as u64).map(|seed| {
                let (resident, thetas, expected) =
                    (resident.clone(), thetas.clone(), expected.clone());
                std::thread::spawn(move || {
                    for row in shuffled(seed).into_iter().take(OBJECTIVES / 4) {
                        let got = state(&*resident, &thetas[row]);
                        assert_eq!(got, expected[row], "{backend}, {name}, row {row}, threads");
                    }
                })
            });
            let workers: Vec<_> = workers.collect();
            let done = workers.into_iter().map(|worker| worker.join());
            done.for_each(|worker| worker.expect("the states are the same"));
        }
    }
}
