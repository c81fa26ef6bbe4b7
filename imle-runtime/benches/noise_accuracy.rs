//! Distances between draws from tables and the distributions they stand for, with as many draws as asked:
//! `cargo bench -p imle-runtime --bench noise_accuracy -- 1e8`, and with another seed than 5 `-- 1e8 6`. A correct sampler with n draws is within
//! 1.63 / sqrt(n) 99 times of 100.

use std::time::Instant;

use imle_runtime::{Address, Gumbel, Noise, Normal, SumOfGamma};
use rand_distr::{Distribution, Gamma};

/// The largest difference of distribution functions is sought at this number of quantiles.
const BINS: usize = 1 << 20;

fn main() {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse::<f64>().ok());
    let draws = numbers.next().unwrap_or(1e6) as usize;
    let seed = numbers.next().unwrap_or(5.0) as u64;
    println!(
        "{draws} draws, seed {seed}; 99 of 100 distances are below {:.1e}",
        1.63 / (draws as f64).sqrt()
    );
    let gumbel = edges(Gumbel::quantile);
    println!(
        "gumbel: {:.2e}",
        distance(&gumbel, draws, stream(&Gumbel, seed))
    );
    for kappa in [1, 2, 5, 39, 1000] {
        let limit = SumOfGamma {
            kappa: f64::from(kappa),
            terms: None,
        };
        let mut draw = stream(&limit, seed);
        let sums = draws / kappa as usize;
        let distance = distance(&gumbel, sums, || (0..kappa).map(|_| draw()).sum());
        println!(
            "{sums} sums of {kappa} draws of the limit, against gumbel: {distance:.2e} (99 of 100 below {:.1e})",
            1.63 / (sums as f64).sqrt()
        );
    }
    let mut draw = stream(&Normal, seed);
    let n = draws as f64;
    let (mean, square) = (0..draws)
        .map(|_| draw())
        .fold((0.0, 0.0), |(m, s), x| (m + x / n, s + x * x / n));
    println!("normal: mean {mean:.1e}, variance {square:.6}");
    for (kappa, terms) in [
        (1.0, 1),
        (1.0, 10),
        (2.5, 3),
        (5.0, 10),
        (39.0, 10),
        (200.0, 2),
        (1000.0, 1),
    ] {
        let start = Instant::now();
        let noise = SumOfGamma {
            kappa,
            terms: Some(terms),
        };
        let edges = edges(|u| noise.quantile(u).expect("the noise is valid"));
        let made = start.elapsed();
        let unit = Gamma::new(1.0 / kappa, 1.0).expect("the shape is positive");
        let mut generator = address(seed, 0).generator();
        let direct = || {
            let sum = (1..=terms)
                .map(|i| kappa / f64::from(i) * unit.sample(&mut generator))
                .sum();
            noise.assemble(sum)
        };
        let distance = distance(&edges, draws, direct);
        println!(
            "direct draws, kappa {kappa}, {terms} terms: {distance:.2e} (edges {made:.1?}, all {:.1?})",
            start.elapsed()
        );
    }
}

fn address(seed: u64, row: u64) -> Address {
    Address {
        seed,
        call: 0,
        row,
        sample: 0,
    }
}

/// Draws one after the other, row by row.
fn stream(noise: &dyn Noise, seed: u64) -> impl FnMut() -> f64 {
    let (mut eps, mut at, mut row) = (vec![0.0; 4096], 4096, 0);
    move || {
        if at == eps.len() {
            noise
                .fill(&address(seed, row), &mut eps)
                .expect("the noise is valid");
            (at, row) = (0, row + 1);
        }
        at += 1;
        eps[at - 1]
    }
}

/// Returns quantiles with the shares below them. Of equal ones, as there are where rounding makes an atom, the
/// last counts.
fn edges(quantile: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut edges: Vec<(f64, f64)> = Vec::with_capacity(BINS);
    for at in 1..BINS {
        let u = at as f64 / BINS as f64;
        let edge = quantile(u);
        match edges.last_mut() {
            Some(last) if last.0 == edge => last.1 = u,
            _ => edges.push((edge, u)),
        }
    }
    edges
}

fn distance(edges: &[(f64, f64)], draws: usize, mut draw: impl FnMut() -> f64) -> f64 {
    let mut counts = vec![0u64; edges.len() + 1];
    for _ in 0..draws {
        let draw = draw();
        counts[edges.partition_point(|edge| edge.0 < draw)] += 1;
    }
    let mut below = 0;
    let differences = edges.iter().zip(counts).map(|(&(_, share), count)| {
        below += count;
        (below as f64 / draws as f64 - share).abs()
    });
    differences.fold(0.0, f64::max)
}
