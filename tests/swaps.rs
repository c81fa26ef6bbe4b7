//! The solver behind a name is replaced thousands of times while threads call: no row is lost, none is wrong, no
//! call mixes two solvers, and memory stays as it is.
//!
//! The two solvers are told apart by their answers: one chooses the largest coordinate, the other the smallest.
//! The size is small; `IMLE_SWAPS=10000` is the whole of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use imle_runtime::{Imle, Layer, NoNoise, Plugin, Registry, Sampling, cargo_library_directory};
use serde_json::json;
use std::sync::Arc;

const THREADS: u64 = 8;
const DIM: usize = 6;
const ROWS: usize = 40;
/// Swaps after which memory is at its size: arenas of the allocator, one for each thread, are full.
const WARM_UP: usize = 500;
/// What the allocator may hold on to afterwards.
const SLACK: u64 = 4 << 20;

#[test]
fn no_row_is_lost_mixed_or_wrong() {
    let swaps = std::env::var("IMLE_SWAPS").map_or(2000, |swaps| swaps.parse().expect("a number"));
    let library = cargo_library_directory().unwrap();
    let library = library.join("libbad_plugin.so");
    // SAFETY: built from this workspace; the solvers that are asked here do nothing worse than choose badly.
    let plugin = unsafe { Plugin::load(library) }.unwrap();
    let registry = Registry::new();
    registry.add(&plugin).unwrap();
    let oracle = registry.open("good", &json!({"dim": DIM})).unwrap();
    let sampling = Sampling {
        noise: Arc::new(NoNoise),
        threads: 1,
        ..Sampling::default()
    };
    let layer = Layer::new(oracle, Imle::default(), sampling).unwrap();
    let done = AtomicBool::new(false);
    let calls = [AtomicU64::new(0), AtomicU64::new(0)];
    let mut warm = 0;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (layer, done, calls) = (&layer, &done, &calls);
                scope.spawn(move || {
                    let mut call = 0;
                    while !done.load(Ordering::Relaxed) {
                        let who = solve(layer, thread << 32 | call);
                        calls[who].fetch_add(1, Ordering::Relaxed);
                        call += 1;
                    }
                })
            })
            .collect();
        for swap in 0..swaps {
            let solver = ["suboptimal", "good"][swap % 2];
            registry.replace("good", &plugin, solver).unwrap();
            // A call that begins now ends on another instance: callers must have seen both.
            if swap % 15 == 0 {
                std::thread::yield_now();
            }
            if swap == WARM_UP {
                warm = resident();
            }
        }
        while calls.iter().any(|calls| calls.load(Ordering::Relaxed) < 10)
            && threads.iter().all(|thread| !thread.is_finished())
        {
            let solver = ["suboptimal", "good"][fastrand::usize(..2)];
            registry.replace("good", &plugin, solver).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .for_each(|thread| thread.join().expect("no row is wrong"));
    });
    let (now, calls) = (resident(), calls.map(AtomicU64::into_inner));
    eprintln!(
        "{swaps} swaps under {calls:?} calls of {ROWS} rows; resident {warm} bytes, then {now}"
    );
    assert!(now < warm + SLACK, "{warm} bytes grew to {now}");
}

/// Solves the rows of a seed and says which solver did, the same for all of them.
fn solve(layer: &Layer, seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let theta: Vec<f64> = (0..ROWS * DIM).map(|_| random.f64()).collect();
    let states = layer.map(&theta).expect("theta is finite");
    assert_eq!(states.z().len(), theta.len(), "seed {seed}");
    let rows = theta.chunks(DIM).zip(states.z().chunks(DIM));
    let solvers: Vec<usize> = rows.map(|(theta, z)| who(theta, z)).collect();
    assert!(
        solvers.iter().all(|solver| *solver == solvers[0]),
        "one call, two solvers: seed {seed}, {solvers:?}"
    );
    solvers[0]
}

/// 0 for the solver that chooses the largest coordinate, 1 for the one that chooses the smallest.
fn who(theta: &[f64], z: &[f64]) -> usize {
    assert_eq!(z.iter().sum::<f64>(), 1.0);
    let chosen = z.iter().position(|&z| z == 1.0).expect("one is chosen");
    let beats = |other: &&f64| **other > theta[chosen];
    match theta.iter().filter(beats).count() {
        0 => 0,
        others if others == DIM - 1 => 1,
        others => panic!("neither solver chooses what {others} others beat"),
    }
}

/// Bytes of this process in memory; 0 where nobody says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.map_or(0, |number| 1024 * number.trim().parse::<u64>().unwrap_or(0))
}
