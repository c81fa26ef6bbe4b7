//! What a call costs more in a process of its own: `cargo bench -p imle-worker`.
//!
//! The same batch goes to the solver here and there in turns; the line gives the quartiles of the time of a call
//! and of the difference between neighbours. A call there copies theta and the states once each, and wakes the
//! worker and its caller once each; the copies alone are printed, too.

use std::hint::black_box;
use std::time::Instant;

use imle_api::{Limits, Oracle, unset};
use imle_runtime::{Isolated, Isolation, Plugin, cargo_library_directory};
use serde_json::json;

const CALLS: usize = 2000;

fn main() {
    let library = cargo_library_directory().expect("Cargo built this benchmark");
    let library = library.join("libimle_k_subset.so");
    // SAFETY: built from this workspace.
    let plugin = unsafe { Plugin::load(&library) }.expect("it is a plugin");
    let settings = Isolation {
        worker: Some(env!("CARGO_BIN_EXE_imle-worker").into()),
        ..Isolation::default()
    };
    println!("microseconds a call: lower quartile, median, upper quartile of {CALLS}");
    for (rows, dim) in [(1, 20), (64, 20), (1024, 20)] {
        let config = json!({"dim": dim, "k": dim / 2});
        let here = plugin.open("k-subset", &config).expect("it is right");
        let there = Isolated::open(&library, "k-subset", &config.to_string(), &settings);
        let there = there.expect("it is right");
        let mut random = fastrand::Rng::with_seed(1);
        let theta: Vec<f64> = (0..rows * dim).map(|_| random.f64()).collect();
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..CALLS {
            let (here, there) = (time(&*here, &theta), time(&there, &theta));
            let measured = [here, there, there - here, time_copies(&theta)];
            times
                .iter_mut()
                .zip(measured)
                .for_each(|(times, time)| times.push(time));
        }
        println!("{rows} rows of dim {dim}");
        for (name, times) in ["here", "there", "difference", "two copies"]
            .iter()
            .zip(&mut times)
        {
            times.sort_by(f64::total_cmp);
            let quartiles = [1, 2, 3].map(|quarter| times[quarter * CALLS / 4]);
            println!("  {name:12} {quartiles:8.1?}");
        }
    }
}

fn time(oracle: &dyn Oracle, theta: &[f64]) -> f64 {
    let rows = theta.len() / oracle.facts().dim;
    let (mut z, mut outcomes) = (vec![0.0; theta.len()], vec![unset(); rows]);
    let start = Instant::now();
    oracle.solve(theta, &mut z, &mut outcomes, &Limits::none());
    let time = start.elapsed();
    assert!(outcomes.iter().all(Result::is_ok));
    black_box(z);
    time.as_secs_f64() * 1e6
}

fn time_copies(theta: &[f64]) -> f64 {
    let mut copy = vec![0.0; theta.len()];
    let start = Instant::now();
    for _ in 0..2 {
        black_box(&mut copy).copy_from_slice(black_box(theta));
    }
    start.elapsed().as_secs_f64() * 1e6
}
