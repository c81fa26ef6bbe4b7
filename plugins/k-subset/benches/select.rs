//! What a coordinate costs: `cargo bench -p imle-k-subset`. Items are coordinates.
//!
//! `copy` is the limit, a copy of the rows to the states; `indices` is the textbook way, selecting among
//! indices; `select_nth_unstable` selects among the values and makes no state.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use imle_api::{Limits, Linked, Oracle, unset};
use imle_k_subset::KSubset;

const SIZES: [(usize, usize); 7] = [
    (20, 5),
    (20, 10),
    (100, 10),
    (350, 10),
    (1000, 50),
    (10_000, 5000),
    (1_000_000, 50_000),
];

fn main() {
    divan::main();
}

/// So many coordinates are handed over at a time, or one row: what a batch does.
const COORDINATES: usize = 1024;

/// Rows of Gumbel draws, some at a time, one after the other.
fn rows(bencher: Bencher, dim: usize, mut select: impl FnMut(&[f64], &mut [f64])) {
    let mut random = fastrand::Rng::with_seed(1);
    let rows = (COORDINATES / dim).max(1);
    let times = (1_000_000 / (rows * dim)).clamp(1, 1000);
    let gumbel = |_| -(-(1.0 - random.f64()).ln()).max(1e-300).ln();
    let theta: Vec<f64> = (0..times * rows * dim).map(gumbel).collect();
    let (mut z, mut time) = (vec![0.0; rows * dim], 0);
    bencher
        .counter(ItemsCount::new(rows * dim))
        .bench_local(|| {
            time = (time + 1) % times;
            select(&theta[time * rows * dim..][..rows * dim], black_box(&mut z));
        });
}

/// One row at a time of those handed over.
fn each_row(bencher: Bencher, dim: usize, mut select: impl FnMut(&[f64], &mut [f64])) {
    rows(bencher, dim, |theta, z| {
        let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        rows.for_each(|(theta, z)| select(theta, z));
    });
}

#[divan::bench(args = SIZES)]
fn copy(bencher: Bencher, (dim, _): (usize, usize)) {
    rows(bencher, dim, |theta, z| z.copy_from_slice(theta));
}

#[divan::bench(args = SIZES)]
fn indices(bencher: Bencher, (dim, k): (usize, usize)) {
    let mut order: Vec<usize> = (0..dim).collect();
    each_row(bencher, dim, |theta, z| {
        order.select_nth_unstable_by(k - 1, |&a, &b| {
            theta[b].total_cmp(&theta[a]).then(a.cmp(&b))
        });
        z.fill(0.0);
        order[..k].iter().for_each(|&i| z[i] = 1.0);
    });
}

/// The values alone, without the state.
#[divan::bench(args = SIZES)]
fn select_nth_unstable(bencher: Bencher, (dim, k): (usize, usize)) {
    let mut values = vec![0.0; dim];
    each_row(bencher, dim, |theta, _| {
        values.copy_from_slice(theta);
        let (_, &mut last, _) = values.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        black_box(last);
    });
}

#[divan::bench(args = SIZES)]
fn solver(bencher: Bencher, (dim, k): (usize, usize)) {
    let oracle = Linked::<KSubset>::open(&format!(r#"{{"dim": {dim}, "k": {k}}}"#));
    let oracle = oracle.expect("the configuration is right");
    let mut outcomes = vec![unset(); (COORDINATES / dim).max(1)];
    rows(bencher, dim, |theta, z| {
        oracle.solve(theta, z, &mut outcomes, &Limits::none());
    });
}
