//! How cost grows with threads and rows. On a machine that does nothing else.

use std::ops::Range;
use std::sync::Arc;

use imle_runtime::{Call, Facts, FnOracle, Imle, Layer, NoNoise, Oracle, Sampling};

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
    let (dim, few, most) = (20, 64, 64_000);
    let (theta, grad) = (numbers(most * dim, 1), numbers(most * dim, 2));
    let step = |layer: &Layer, rows: Range<usize>| {
        let numbers = rows.start * dim..rows.end * dim;
        let call = Call::from(0).from_row(rows.start as u64);
        let saved = layer.forward(&theta[numbers.clone()], call);
        let gradient = layer.backward(saved.expect("theta is finite"), &grad[numbers]);
        std::hint::black_box(gradient.expect("the gradient is finite"));
    };
    let layer = layer(linked(dim), 1, 1);
    let measured = measure(
        Clock::Thread,
        vec![
            // Other rows each time, or the processor would know the branches by heart.
            Contender::new("1000 times 64 rows", || {
                let firsts = (0..most).step_by(few);
                firsts.for_each(|first| step(&layer, first..first + few));
            }),
            Contender::new("64 000 rows", || step(&layer, 0..most)),
        ],
    );
    crate::print("a step of 20 coordinates: a row", most, &measured);
    println!("  ratio {:.3}", measured[1].median / measured[0].median);
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
    // Not the last, which is begun when the others are done: nobody knows that it is slow.
    for slow in [0, rows / 4, rows / 2] {
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
