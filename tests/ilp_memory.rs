//! 20 000 solves on one resident instance leave the memory of the process as it was, over every back end.
//!
//! Alone in its file, so that no other test allocates meanwhile. Only Linux says how much memory is resident.

#![cfg(target_os = "linux")]

#[path = "common/ilp.rs"]
mod ilp;
#[path = "common/memory.rs"]
mod memory;

use fastrand::Rng;
use ilp::backends;
use imle_example_support::ilp_families::knapsack;
use imle_runtime::solve_one;
use memory::resident;

const SOLVES: usize = 20_000;
/// What the allocators of engines may still spread after the first solves. A leak of 100 bytes a solve is 2 MB.
const MOST_GROWTH: usize = 1 << 20;

#[test]
fn resident_solves_do_not_leak() {
    // Small, and not so easy that an engine never branches.
    let family = knapsack("knapsacks", 10, 2, 30);
    let mut rng = Rng::with_seed(1);
    let thetas: Vec<Vec<f64>> = (0..100).map(|_| family.theta.draw(1.0, &mut rng)).collect();
    for backend in backends() {
        let oracle = backend.opened(&family.config);
        let solve = |theta: &Vec<f64>| {
            solve_one(&*oracle, theta).unwrap_or_else(|why| panic!("{backend}: {why}"));
        };
        let warm_up = SOLVES / 10;
        thetas.iter().cycle().take(warm_up).for_each(solve);
        let before = resident();
        thetas.iter().cycle().take(SOLVES).for_each(solve);
        let growth = resident().saturating_sub(before);
        println!("{backend}: {growth} bytes more after {SOLVES} solves");
        assert!(growth <= MOST_GROWTH, "{backend}: {growth} bytes more");
    }
}
