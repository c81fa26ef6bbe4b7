//! What a coordinate costs: `cargo bench -p imle-k-subset`. Items are coordinates.
//!
//! `copy` is the limit, a copy of the row to the state; `indices` is the textbook way, selecting among
//! indices.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use imle_api::{Limits, Linked, Oracle, unset};
use imle_k_subset::KSubset;

const SIZES: [(usize, usize); 6] = [
    (20, 5),
    (100, 10),
    (350, 10),
    (1000, 50),
    (10_000, 5000),
    (1_000_000, 50_000),
];

fn main() {
    divan::main();
}

/// Rows of Gumbel draws, one after the other.
fn rows(bencher: Bencher, dim: usize, mut select: impl FnMut(&[f64], &mut [f64])) {
    let mut random = fastrand::Rng::with_seed(1);
    let rows = (1_000_000 / dim).clamp(1, 1000);
    let gumbel = |_| -(-(1.0 - random.f64()).ln()).max(1e-300).ln();
    let theta: Vec<f64> = (0..rows * dim).map(gumbel).collect();
    let (mut z, mut row) = (vec![0.0; dim], 0);
    bencher.counter(ItemsCount::new(dim)).bench_local(|| {
        row = (row + 1) % rows;
        select(&theta[row * dim..][..dim], black_box(&mut z));
    });
}

#[divan::bench(args = SIZES)]
fn copy(bencher: Bencher, (dim, _): (usize, usize)) {
    rows(bencher, dim, |theta, z| z.copy_from_slice(theta));
}

#[divan::bench(args = SIZES)]
fn indices(bencher: Bencher, (dim, k): (usize, usize)) {
    let mut order: Vec<usize> = (0..dim).collect();
    rows(bencher, dim, |theta, z| {
        order.select_nth_unstable_by(k - 1, |&a, &b| {
            theta[b].total_cmp(&theta[a]).then(a.cmp(&b))
        });
        z.fill(0.0);
        order[..k].iter().for_each(|&i| z[i] = 1.0);
    });
}

#[divan::bench(args = SIZES)]
fn solver(bencher: Bencher, (dim, k): (usize, usize)) {
    let oracle = Linked::<KSubset>::open(&format!(r#"{{"dim": {dim}, "k": {k}}}"#));
    let oracle = oracle.expect("the configuration is right");
    let mut outcome = [unset()];
    rows(bencher, dim, |theta, z| {
        oracle.solve(theta, z, &mut outcome, &Limits::none());
    });
}
