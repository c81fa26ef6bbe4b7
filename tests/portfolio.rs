//! A portfolio keeps the fastest back end that is never worse, and never answers with less than the best.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;
use std::time::Duration;

use imle_runtime::{
    Cache, Error, ErrorKind, Facts, FnOracle, Imle, Layer, Limits, Oracle, Portfolio, Sampling,
    StopFlag, solve_one,
};
use oracles::{brute_force, enumeration, k_subset, numbers, subsets};

/// A right answer after a while.
fn slow(milliseconds: u64) -> Arc<dyn Oracle> {
    let states = subsets(6, 2);
    Arc::new(FnOracle::new(Facts::binary(6), move |theta, z| {
        std::thread::sleep(Duration::from_millis(milliseconds));
        z.copy_from_slice(&brute_force(&states, theta));
        Ok(())
    }))
}

fn spoiled(spoil: fn(&mut [f64]) -> Result<(), Error>) -> Arc<dyn Oracle> {
    let states = subsets(6, 2);
    Arc::new(FnOracle::new(Facts::binary(6), move |theta, z| {
        z.copy_from_slice(&brute_force(&states, theta));
        spoil(z)
    }))
}

#[test]
fn a_wrong_back_end_is_dropped_and_never_answers() {
    let wrong = spoiled(|z| {
        z.rotate_left(1);
        Ok(())
    });
    let failing = spoiled(|_| Err(Error::new(ErrorKind::BackendFailed, "planted")));
    let backends = [("wrong", wrong), ("failing", failing), ("right", slow(1))];
    let portfolio = Portfolio::new(backends, 10).unwrap();
    for seed in 0..20 {
        let theta = numbers(6, seed);
        let (z, _) = solve_one(&portfolio, &theta).unwrap();
        assert_eq!(z, brute_force(&subsets(6, 2), &theta));
    }
    assert_eq!(portfolio.chosen(), Some("right"));
    let dropped = portfolio.dropped();
    assert!(
        dropped
            .iter()
            .any(|(name, why)| name == "wrong" && why.contains("where another found"))
    );
    assert!(
        dropped
            .iter()
            .any(|(name, why)| name == "failing" && why.contains("planted"))
    );
}

#[test]
fn the_fastest_is_kept_also_when_threads_ask() {
    let backends = [
        ("slow", slow(3)),
        ("loaded", k_subset(6, 2)),
        ("listed", slow(1)),
    ];
    let portfolio = Arc::new(Portfolio::new(backends, 8).unwrap());
    let sampling = Sampling {
        samples: 4,
        threads: 4,
        tau: 0.0.into(),
        ..Sampling::default()
    };
    let imle = Layer::new(portfolio.clone(), Imle::default(), sampling).unwrap();
    let theta = numbers(5 * 6, 1);
    let during = imle.forward(&theta, 0).unwrap().z().to_vec();
    // Rows that would have had to wait for the trial are solved beside it and do not count.
    while portfolio.chosen().is_none() {
        assert_eq!(imle.forward(&theta, 0).unwrap().z(), during);
    }
    assert_eq!(portfolio.chosen(), Some("loaded"));
    assert_eq!(imle.forward(&theta, 0).unwrap().z(), during);
}

#[test]
fn errors_on_which_all_agree_are_answers() {
    let infeasible = || spoiled(|_| Err(Error::new(ErrorKind::Infeasible, "empty")));
    let portfolio = Portfolio::new([("a", infeasible()), ("b", infeasible())], 2).unwrap();
    for _ in 0..4 {
        assert_eq!(
            solve_one(&portfolio, &[0.0; 6]).unwrap_err().kind(),
            ErrorKind::Infeasible
        );
    }
    assert!(portfolio.chosen().is_some() && portfolio.dropped().is_empty());
}

#[test]
fn a_limit_does_not_drop_a_back_end() {
    let portfolio = Portfolio::new([("a", slow(0)), ("b", enumeration(subsets(6, 2)))], 5).unwrap();
    let stop = StopFlag::default();
    stop.raise();
    let mut outcome = [imle_api::unset()];
    let limits = Limits::none().with_stop(&stop);
    portfolio.solve(&[0.0; 6], &mut [0.0; 6], &mut outcome, &limits);
    assert_eq!(outcome[0].as_ref().unwrap_err().kind(), ErrorKind::Stopped);
    assert!(portfolio.dropped().is_empty());
}

#[test]
fn a_cache_does_not_mix_the_trial_with_what_follows() {
    let portfolio = Arc::new(Portfolio::new([("a", k_subset(6, 2)), ("b", slow(1))], 1).unwrap());
    let before = portfolio.identity();
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(portfolio.clone());
    solve_one(&*oracle, &numbers(6, 1)).unwrap();
    assert_ne!(portfolio.identity(), before);
    solve_one(&*oracle, &numbers(6, 1)).unwrap();
    assert_eq!(cache.statistics().misses, 2);
}

#[test]
fn back_ends_that_do_not_fit_are_refused() {
    let refused = |backends: Vec<(&str, Arc<dyn Oracle>)>, rows| {
        Portfolio::new(backends, rows)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(vec![], 1),
        "invalid configuration: a portfolio needs a back end"
    );
    assert_eq!(
        refused(vec![("a", slow(0))], 0),
        "invalid configuration: trial_rows = 0; use at least 1"
    );
    assert_eq!(
        refused(vec![("a", slow(0)), ("b", k_subset(5, 2))], 1),
        "invalid configuration: `a` has dim = 6 and `b` has 5"
    );
}
