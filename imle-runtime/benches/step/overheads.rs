//! What the parts of the runtime add to a solve of 20 coordinates.

use std::sync::{Arc, Barrier};

use imle_api::Solver;
use imle_runtime::{Cache, Facts, FnOracle, Limits, Oracle};

use crate::setting::{bare, layer, linked, loaded, numbers, step};
use crate::timing::{Clock, Contender, measure};

const ROWS: usize = 1000;
const DIM: usize = 20;

pub(crate) fn run() {
    above_the_solver();
    plugin();
    cache();
    for threads in [1, 2, 8] {
        shared_cache(threads);
    }
}

fn solve(oracle: &dyn Oracle, theta: &[f64]) -> impl FnMut() {
    let (mut z, rows) = (vec![0.0; theta.len()], theta.len() / DIM);
    let mut outcomes = vec![imle_api::unset(); rows];
    move || oracle.solve(theta, &mut z, &mut outcomes, &Limits::none())
}

/// A bare loop, an oracle that checks what the solver returns, a layer that makes its result.
fn above_the_solver() {
    let theta = numbers(ROWS * DIM, 1);
    let (solver, mut workspace, mut z) = (bare(DIM), Default::default(), vec![0.0; theta.len()]);
    let linked = linked(DIM);
    let layer = layer(linked.clone(), 1, 1);
    let measured = measure(
        Clock::Thread,
        vec![
            Contender::new("a loop over the solver", || {
                let rows = theta.chunks_exact(DIM).zip(z.chunks_exact_mut(DIM));
                for (theta, z) in rows {
                    let solved = solver.solve(&mut workspace, theta, z, &Limits::none());
                    std::hint::black_box(solved.expect("k-subsets can be solved"));
                }
            }),
            Contender::new("oracle", solve(&*linked, &theta)),
            Contender::new("layer, without noise", || layer.map(&theta)),
        ],
    );
    crate::print("solving 20 coordinates: a row", ROWS, &measured);
    let above = (measured[2].median - measured[0].median) / ROWS as f64;
    println!("  the runtime above a bare loop      {above:10.2} ns");
}

fn plugin() {
    let (theta, grad) = (numbers(ROWS * DIM, 1), numbers(ROWS * DIM, 2));
    let (linked, loaded) = (linked(DIM), loaded(DIM));
    let measured = measure(
        Clock::Thread,
        vec![
            Contender::new("linked in", solve(&*linked, &theta)),
            Contender::new("loaded", solve(&*loaded, &theta)),
            Contender::new(
                "step, linked in",
                step(layer(linked.clone(), 1, 1), &theta, &grad),
            ),
            Contender::new(
                "step, loaded",
                step(layer(loaded.clone(), 1, 1), &theta, &grad),
            ),
        ],
    );
    crate::print("a plugin of 20 coordinates: a row", ROWS, &measured);
    let more = |at: usize| 100.0 * (measured[at + 1].median / measured[at].median - 1.0);
    println!(
        "  loaded costs more                  {:10.2} %, of a step {:.2} %",
        more(0),
        more(2)
    );
}

/// A solver that costs next to nothing.
fn cheap() -> Arc<dyn Oracle> {
    Arc::new(FnOracle::new(Facts::binary(DIM), |theta, z| {
        z.fill(0.0);
        z[0] = f64::from(u8::from(theta[0] > 0.0));
        Ok(())
    }))
}

fn cache() {
    let theta = numbers(ROWS * DIM, 1);
    let warm = Cache::new(1 << 24).wrap(cheap());
    let oracle = cheap();
    let measured = measure(
        Clock::Thread,
        vec![
            Contender::new("without a cache", solve(&*oracle, &theta)),
            Contender::new("hit", solve(&*warm, &theta)),
            Contender::new("miss, in a new cache", {
                let theta = &theta;
                let oracle = &oracle;
                move || solve(&*Cache::new(1 << 24).wrap(oracle.clone()), theta)()
            }),
        ],
    );
    crate::print("a cache of 20 coordinates: a row", ROWS, &measured);
    let overhead = (measured[2].median - measured[0].median) / ROWS as f64;
    println!("  a miss above the solve             {overhead:10.2} ns");
}

/// Every thread asks for the same four rows, which fall on few locks of the map.
fn shared_cache(threads: usize) {
    const ASKED: usize = 200_000;
    let rows = numbers(4 * DIM, 1).repeat(16);
    let warm = Cache::new(1 << 24).wrap(cheap());
    solve(&*warm, &rows)();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let measured = measure(
        Clock::Wall,
        vec![Contender::new(
            format!("hit, {threads} threads, of a core"),
            || {
                let barrier = Barrier::new(threads);
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            let mut solve = solve(&*warm, &rows);
                            barrier.wait();
                            (0..ASKED / 64).for_each(|_| solve());
                        });
                    }
                });
            },
        )],
    );
    // The time of a core: threads beyond the cores wait for one.
    let hits = ASKED * threads / threads.min(cores);
    crate::print("a cache that threads share: a row", hits, &measured);
}
