//! How cost grows with threads and rows. On a machine that does nothing else.

use std::sync::Arc;

use imle_runtime::{Facts, FnOracle, Imle, Layer, NoNoise, Oracle, Sampling};

use crate::setting::{layer, linked, numbers, step};
use crate::timing::{Clock, Contender, measure};

pub(crate) fn run() {
    threads();
    rows();
    unequal_rows();
}

/// A step whose solves take 1 us and more.
fn threads() {
    let (rows, dim) = (1000, 350);
    let (theta, grad) = (numbers(rows * dim, 1), numbers(rows * dim, 2));
    let step = |threads| step(layer(linked(dim), 1, threads), &theta, &grad);
    let measured = measure(
        Clock::Wall,
        vec![
            Contender::new("one thread", step(1)),
            Contender::new("two threads", step(2)),
        ],
    );
    crate::print("a step of 350 coordinates: a row", rows, &measured);
    println!("  faster by {:.2}", measured[0].median / measured[1].median);
}

fn rows() {
    let dim = 20;
    let most = 64_000;
    let (theta, grad) = (numbers(most * dim, 1), numbers(most * dim, 2));
    let step = |rows: usize| {
        let numbers = ..rows * dim;
        step(layer(linked(dim), 1, 1), &theta[numbers], &grad[numbers])
    };
    let measured = measure(
        Clock::Thread,
        vec![
            Contender::new("64 rows", step(64)),
            Contender::new("64 000 rows", step(most)),
        ],
    );
    let [few, many] = [&measured[0], &measured[1]];
    crate::print("a step of 20 coordinates: 64 rows", 1, &measured[..1]);
    crate::print("the same, 64 rows of 64 000", 1000, &measured[1..]);
    let ratio = many.median / few.median / 1000.0;
    println!("  64 000 rows cost {ratio:.3} times what 1000 times 64 rows cost");
}

/// Spins for so many rounds, a little less than a nanosecond each.
fn spin(rounds: u32) {
    for round in 0..rounds {
        std::hint::black_box(round);
    }
}

/// One row of a thousand is a thousand times slower: as much work as all the others.
fn unequal_rows() {
    const SHORT: u32 = 2000;
    let rows = 1000;
    let oracle: Arc<dyn Oracle> = Arc::new(FnOracle::new(Facts::binary(1), |theta, z| {
        spin(if theta[0] > 0.0 { 1000 * SHORT } else { SHORT });
        z[0] = 0.0;
        Ok(())
    }));
    let layer = |threads| {
        let sampling = Sampling {
            threads,
            noise: Arc::new(NoNoise),
            ..Sampling::default()
        };
        Layer::new(oracle.clone(), Imle::default(), sampling).expect("the settings are right")
    };
    for slow in [0, rows / 2, rows - 1] {
        let mut theta = vec![-1.0; rows];
        theta[slow] = 1.0;
        let (one, two) = (layer(1), layer(2));
        let measured = measure(
            Clock::Wall,
            vec![
                Contender::new("one thread", || one.map(&theta)),
                Contender::new("two threads", || two.map(&theta)),
            ],
        );
        crate::print(&format!("row {slow} of {rows} slow: a batch"), 1, &measured);
        println!("  faster by {:.2}", measured[0].median / measured[1].median);
    }
}
