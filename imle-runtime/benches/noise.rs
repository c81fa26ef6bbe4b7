//! What a draw costs: `cargo bench -p imle-runtime --bench noise`. Divide by the dimension.
//!
//! `words` is the limit: the generator's words, written to where the noise goes. `direct` is the sum of Gamma
//! draws that the table replaces.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use imle_runtime::{Address, Gumbel, Noise, Normal, SumOfGamma};
use rand_distr::{Distribution, Gamma};
use rand_xoshiro::rand_core::Rng;

const DIMS: [usize; 2] = [20, 1000];

fn main() {
    divan::main();
}

/// Fills row after row, as a layer does.
fn rows(bencher: Bencher, dim: usize, mut fill: impl FnMut(&Address, &mut [f64])) {
    let mut eps = vec![0.0; dim];
    let mut address = Address {
        seed: 1,
        call: 0,
        row: 0,
        sample: 0,
    };
    bencher.counter(ItemsCount::new(dim)).bench_local(|| {
        address.row += 1;
        fill(&address, black_box(&mut eps));
    });
}

fn noise(bencher: Bencher, dim: usize, noise: &dyn Noise) {
    rows(bencher, dim, |address, eps| {
        noise.fill(address, eps).expect("the noise is valid");
    });
}

#[divan::bench(args = DIMS)]
fn words(bencher: Bencher, dim: usize) {
    rows(bencher, dim, |address, eps| {
        let mut generator = address.generator();
        eps.fill_with(|| f64::from_bits(generator.next_u64()));
    });
}

#[divan::bench(args = DIMS)]
fn gumbel(bencher: Bencher, dim: usize) {
    noise(bencher, dim, &Gumbel);
}

#[divan::bench(args = DIMS)]
fn normal(bencher: Bencher, dim: usize) {
    noise(bencher, dim, &Normal);
}

#[divan::bench(args = DIMS)]
fn sum_of_gamma_limit(bencher: Bencher, dim: usize) {
    let limit = SumOfGamma {
        kappa: 5.0,
        terms: None,
    };
    noise(bencher, dim, &limit);
}

#[divan::bench(args = DIMS)]
fn sum_of_gamma_10_terms(bencher: Bencher, dim: usize) {
    let truncated = SumOfGamma {
        kappa: 5.0,
        terms: Some(10),
    };
    noise(bencher, dim, &truncated);
}

#[divan::bench(args = DIMS)]
fn direct_10_terms(bencher: Bencher, dim: usize) {
    let unit = Gamma::new(0.2, 1.0).expect("the shape is positive");
    rows(bencher, dim, |address, eps| {
        let mut generator = address.generator();
        eps.fill_with(|| {
            let draws = (1..=10).map(|i| 5.0 / f64::from(i) * unit.sample(&mut generator));
            (draws.sum::<f64>() - 10f64.ln()) / 5.0
        });
    });
}
