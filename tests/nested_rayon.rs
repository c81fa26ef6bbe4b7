//! An oracle that uses rayon itself does not block the batch that runs on rayon.
//!
//! A worker that waits inside such an oracle may pick up another row of the batch. If that row waited for
//! one further down the same stack, it would wait for ever.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use imle_runtime::{Cache, Facts, FnOracle, Imle, Layer, NoNoise, Oracle, Portfolio, Sampling};
use oracles::{brute_force, subsets};
use rayon::prelude::*;

/// The best pair of four, found with rayon.
fn parallel() -> Arc<dyn Oracle> {
    Arc::new(FnOracle::new(Facts::binary(4), |theta, z| {
        let states = subsets(4, 2);
        let score = |state: &Vec<f64>| -> f64 {
            // Work to be stolen, so that workers do meet.
            let terms = (0..64)
                .into_par_iter()
                .with_max_len(1)
                .map(|at| theta[at % 4] * state[at % 4]);
            terms.collect::<Vec<_>>().iter().sum()
        };
        let scores: Vec<f64> = states.par_iter().with_max_len(1).map(score).collect();
        let best = (1..states.len()).fold(
            0,
            |best, at| if scores[at] > scores[best] { at } else { best },
        );
        z.copy_from_slice(&states[best]);
        Ok(())
    }))
}

/// Solves the same few rows on eight threads, again and again, through what `wrap` makes of the oracle.
fn finishes(rounds: u64, wrap: impl Fn() -> Arc<dyn Oracle> + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        let sampling = Sampling {
            samples: 16,
            threads: 8,
            noise: Arc::new(NoNoise),
            ..Sampling::default()
        };
        for round in 0..rounds {
            let imle = Layer::new(wrap(), Imle::default(), sampling.clone())
                .expect("the settings are right");
            let rows: Vec<f64> = oracles::numbers(6 * 4, round);
            let saved = imle.forward(&rows, round).expect("theta is finite");
            for (item, z) in saved.z().chunks_exact(4).enumerate() {
                let theta = &rows[item / 16 * 4..][..4];
                assert_eq!(z, brute_force(&subsets(4, 2), theta));
            }
        }
        done.send(()).expect("the test waits");
    });
    let outcome = waiting.recv_timeout(Duration::from_secs(300));
    assert!(
        outcome.is_ok(),
        "it stands still, or a state is wrong: {outcome:?}"
    );
}

#[test]
fn a_cache_does_not_wait_for_ever() {
    // Blocking in the cache stands still within 2000 rounds; blocking in the portfolio, within 40.
    finishes(2000, || Cache::new(1 << 20).wrap(parallel()));
}

#[test]
fn a_portfolio_does_not_wait_for_ever() {
    finishes(40, || {
        let backends = [("one", parallel()), ("two", parallel())];
        Arc::new(Portfolio::new(backends, 50).expect("they fit"))
    });
}
