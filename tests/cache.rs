//! What the cache claims: exact, one solve a key, bounded, counted.

#[path = "common/oracles.rs"]
mod oracles;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use imle_runtime::{
    Cache, Error, ErrorKind, Facts, FnOracle, Identity, Imle, Layer, Limits, Oracle, Outcome,
    Proof, Sampling, Solved, solve_one,
};
use oracles::{Counting, k_subset, numbers};

#[test]
fn a_cached_oracle_answers_as_the_oracle_itself() {
    let plain = k_subset(8, 3);
    let cache = Cache::new(1 << 20);
    let cached = cache.wrap(plain.clone());
    for round in 0..2 {
        for seed in 0..100 {
            let theta = numbers(8, seed);
            let expected = solve_one(&*plain, &theta).unwrap();
            assert_eq!(
                solve_one(&*cached, &theta).unwrap(),
                expected,
                "round {round}"
            );
        }
    }
    let statistics = cache.statistics();
    assert_eq!(
        (statistics.hits, statistics.misses, statistics.entries),
        (100, 100, 100)
    );
}

#[test]
fn under_contention_a_key_is_solved_once() {
    let solves = Arc::new(AtomicUsize::new(0));
    let counter = solves.clone();
    let slow = FnOracle::new(Facts::binary(1), move |theta, z| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        z[0] = f64::from(theta[0] > 0.0);
        Ok(())
    });
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(Arc::new(slow));
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                for key in 0..5 {
                    let (z, _) = solve_one(&*oracle, &[f64::from(key)]).unwrap();
                    assert_eq!(z, [f64::from(key > 0)]);
                }
            });
        }
    });
    assert_eq!(solves.load(Ordering::SeqCst), 5);
    assert_eq!(
        (cache.statistics().hits, cache.statistics().misses),
        (35, 5)
    );
}

#[test]
fn the_bytes_are_bounded_and_what_is_asked_for_stays() {
    let counting = Counting::new(k_subset(16, 3));
    let most_bytes = 50_000;
    let cache = Cache::new(most_bytes);
    let oracle = cache.wrap(counting.clone());
    let favourite = numbers(16, 0);
    solve_one(&*oracle, &favourite).unwrap();
    for seed in 1..2000 {
        solve_one(&*oracle, &numbers(16, seed)).unwrap();
        solve_one(&*oracle, &favourite).unwrap();
        assert!(cache.statistics().bytes <= most_bytes);
    }
    // Every row was solved once: the favourite was never dropped.
    assert_eq!(counting.take(), 2000);
    let statistics = cache.statistics();
    assert_eq!((statistics.hits, statistics.misses), (1999, 2000));
    assert_eq!(statistics.evictions + statistics.entries as u64, 2000);
    assert!(statistics.entries > 50 && statistics.bytes > most_bytes / 2);
}

#[test]
fn the_statistics_add_up_under_threads_and_eviction() {
    let counting = Counting::new(k_subset(8, 3));
    let cache = Cache::new(20_000);
    let sampling = Sampling {
        samples: 5,
        threads: 4,
        tau: 0.0.into(),
        ..Sampling::default()
    };
    let imle = Layer::new(cache.wrap(counting.clone()), Imle::default(), sampling).unwrap();
    for call in 0..20 {
        imle.forward(&numbers(100 * 8, call % 3), call).unwrap();
    }
    let statistics = cache.statistics();
    assert_eq!(statistics.hits + statistics.misses, 20 * 100 * 5);
    assert_eq!(statistics.misses as usize, counting.take());
    assert_eq!(
        statistics.evictions + statistics.entries as u64,
        statistics.misses
    );
    assert!(statistics.bytes <= 20_000 && statistics.evictions > 0);
}

#[test]
fn an_entry_that_does_not_fit_is_not_kept() {
    let cache = Cache::new(100);
    let oracle = cache.wrap(k_subset(8, 3));
    for _ in 0..3 {
        solve_one(&*oracle, &numbers(8, 1)).unwrap();
    }
    let statistics = cache.statistics();
    assert_eq!(
        (statistics.misses, statistics.entries, statistics.bytes),
        (3, 0, 0)
    );
}

#[test]
fn instances_that_share_a_cache_do_not_share_states() {
    let cache = Cache::new(1 << 20);
    let (one, two) = (cache.wrap(k_subset(4, 1)), cache.wrap(k_subset(4, 2)));
    let theta = [0.4, 0.3, 0.2, 0.1];
    assert_eq!(solve_one(&*one, &theta).unwrap().0, [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(solve_one(&*two, &theta).unwrap().0, [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(cache.statistics().hits, 0);
}

#[test]
fn two_wrappers_of_one_instance_share_its_states() {
    let cache = Cache::new(1 << 20);
    let oracle = k_subset(4, 1);
    let (one, two) = (cache.wrap(oracle.clone()), cache.wrap(oracle));
    solve_one(&*one, &[0.4, 0.3, 0.2, 0.1]).unwrap();
    solve_one(&*two, &[0.4, 0.3, 0.2, 0.1]).unwrap();
    assert_eq!(cache.statistics().hits, 1);
}

#[test]
fn the_key_is_the_bits_of_theta() {
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(k_subset(2, 1));
    for theta in [
        [0.0, 1.0],
        [-0.0, 1.0],
        [f64::MIN_POSITIVE, 1.0],
        [0.0, 1.0f64.next_up()],
    ] {
        solve_one(&*oracle, &theta).unwrap();
    }
    assert_eq!(cache.statistics().misses, 4);
}

#[test]
fn errors_are_not_kept() {
    let tries = AtomicUsize::new(0);
    let second_time_lucky = FnOracle::new(Facts::binary(1), move |_, z| {
        if tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(Error::new(ErrorKind::LimitReached, "too slow this time"));
        }
        z[0] = 1.0;
        Ok(())
    });
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(Arc::new(second_time_lucky));
    assert_eq!(
        solve_one(&*oracle, &[1.0]).unwrap_err().kind(),
        ErrorKind::LimitReached
    );
    assert_eq!(cache.statistics().entries, 0);
    assert_eq!(solve_one(&*oracle, &[1.0]).unwrap().0, [1.0]);
    assert_eq!(solve_one(&*oracle, &[1.0]).unwrap().0, [1.0]);
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 2));
}

#[test]
fn a_panic_in_the_oracle_leaves_the_cache_usable() {
    let tries = AtomicUsize::new(0);
    let panics_once = FnOracle::new(Facts::binary(1), move |_, z| {
        assert_ne!(tries.fetch_add(1, Ordering::SeqCst), 0, "planted");
        z[0] = 0.0;
        Ok(())
    });
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(Arc::new(panics_once));
    let first = solve_one(&*oracle, &[1.0]).unwrap_err();
    assert_eq!(first.kind(), ErrorKind::Panic);
    assert!(first.message().contains("planted"));
    assert_eq!(solve_one(&*oracle, &[1.0]).unwrap().0, [0.0]);
}

/// An oracle that does not make an error of a panic.
struct PanicsOnce(AtomicUsize, Identity);

impl Oracle for PanicsOnce {
    fn facts(&self) -> Facts {
        Facts::binary(1)
    }

    fn identity(&self) -> Identity {
        self.1
    }

    fn solve(&self, _: &[f64], z: &mut [f64], outcomes: &mut [Outcome], _: &Limits<'_>) {
        assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 0, "planted");
        z.fill(1.0);
        outcomes.fill(Ok(Solved {
            objective: 1.0,
            proof: Proof::NONE,
        }));
    }
}

#[test]
fn a_panic_goes_on_and_leaves_no_entry_behind() {
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(Arc::new(PanicsOnce(
        AtomicUsize::new(0),
        Identity::unique(),
    )));
    let solve = || solve_one(&*oracle, &[1.0]);
    let panicked = catch_unwind(AssertUnwindSafe(solve)).unwrap_err();
    assert!(
        panicked
            .downcast_ref::<String>()
            .unwrap()
            .contains("planted")
    );
    let statistics = cache.statistics();
    assert_eq!((statistics.entries, statistics.bytes), (0, 0));
    for _ in 0..2 {
        assert_eq!(solve().unwrap().0, [1.0]);
    }
    let statistics = cache.statistics();
    assert_eq!(
        (statistics.hits, statistics.misses, statistics.entries),
        (1, 2, 1)
    );
}

#[test]
fn a_cached_layer_gives_the_same_gradients() {
    let cache = Cache::new(1 << 20);
    let (theta, grad_z) = (numbers(20 * 8, 1), numbers(20 * 3 * 8, 2));
    let gradient = |oracle: Arc<dyn Oracle>| {
        let imle = Layer::new(
            oracle,
            Imle::default(),
            Sampling {
                samples: 3,
                ..Sampling::default()
            },
        )
        .unwrap();
        imle.backward(imle.forward(&theta, 0).unwrap(), &grad_z)
            .unwrap()
            .theta
    };
    let plain = gradient(k_subset(8, 3));
    let cached = cache.wrap(k_subset(8, 3));
    assert_eq!(gradient(cached.clone()), plain);
    assert_eq!(gradient(cached), plain);
    assert!(cache.statistics().hits >= 60);
}
