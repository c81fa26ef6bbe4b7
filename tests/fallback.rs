//! A fallback hands a row on where an engine failed, and only there.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::{Arc, Mutex};

use imle_api::conformance::Check;
use imle_runtime::{
    Cache, Error, ErrorKind, Facts, Fallback, FnOracle, Imle, Layer, Oracle, Sampling, solve_one,
};
use oracles::{Counting, brute_force, k_subset, numbers, subsets};

const DIM: usize = 6;
/// A row of which the moody back ends know nothing.
const HARD: [f64; DIM] = [0.5, -0.4, 0.3, 0.9, -0.2, 0.1];

/// Right, but for theta that begins with a positive number: there `fail` decides.
fn moody(
    fail: impl Fn(&mut [f64]) -> Result<(), Error> + Send + Sync + 'static,
) -> Arc<dyn Oracle> {
    let states = subsets(DIM, 2);
    Arc::new(FnOracle::new(
        Facts::binary(DIM).with_ones(2),
        move |theta, z| {
            z.copy_from_slice(&brute_force(&states, theta));
            if theta[0] > 0.0 { fail(z) } else { Ok(()) }
        },
    ))
}

fn failing(kind: ErrorKind) -> Arc<dyn Oracle> {
    moody(move |_| Err(Error::new(kind, "planted")))
}

fn fallback(first: Arc<dyn Oracle>, second: Arc<dyn Oracle>) -> Arc<Fallback> {
    Arc::new(Fallback::new([("first", first), ("second", second)]).expect("they fit"))
}

#[test]
fn failures_of_the_engine_are_handed_on_and_answers_are_not() {
    let handed_on = [
        ErrorKind::BackendFailed,
        ErrorKind::Unsupported,
        ErrorKind::ContractBroken,
        ErrorKind::Panic,
        ErrorKind::Poisoned,
    ];
    for kind in ErrorKind::ALL {
        let oracle = fallback(failing(kind), k_subset(DIM, 2));
        let solved = solve_one(&*oracle, &HARD).map(|(z, _)| z);
        if handed_on.contains(&kind) {
            assert_eq!(solved, Ok(brute_force(&subsets(DIM, 2), &HARD)), "{kind}");
            assert_eq!(oracle.failures(), [("first", 1), ("second", 0)]);
        } else {
            assert_eq!(solved, Err(Error::new(kind, "planted")));
            assert_eq!(oracle.failures(), [("first", 0), ("second", 0)]);
        }
    }
}

#[test]
fn a_panic_and_a_wrong_state_are_failures() {
    for first in [
        moody(|_| panic!("planted")),
        moody(|z| {
            z[0] = 0.5;
            Ok(())
        }),
    ] {
        let oracle = fallback(first, k_subset(DIM, 2));
        let (z, _) = solve_one(&*oracle, &HARD).unwrap();
        assert_eq!(z, brute_force(&subsets(DIM, 2), &HARD));
        assert_eq!(oracle.failures()[0], ("first", 1));
    }
}

#[test]
fn only_the_rows_that_failed_are_handed_on() {
    let second = Counting::new(k_subset(DIM, 2));
    let oracle = fallback(failing(ErrorKind::BackendFailed), second.clone());
    let theta = numbers(100 * DIM, 2);
    let bad = theta.chunks(DIM).filter(|theta| theta[0] > 0.0).count();
    assert!((20..80).contains(&bad));
    for threads in [1, 4] {
        let sampling = Sampling {
            tau: 0.0.into(),
            threads,
            ..Sampling::default()
        };
        let layer = Layer::new(oracle.clone(), Imle::default(), sampling).unwrap();
        let states = layer.map(&theta).unwrap();
        let states = states.all_solved().unwrap();
        for (z, theta) in states.z().chunks(DIM).zip(theta.chunks(DIM)) {
            assert_eq!(z, brute_force(&subsets(DIM, 2), theta));
        }
        assert_eq!(second.take(), bad);
    }
    assert_eq!(
        oracle.failures(),
        [("first", 2 * bad as u64), ("second", 0)]
    );
}

#[test]
fn a_fallback_obeys_the_law() {
    Check::new()
        .case(serde_json::json!({"dim": DIM, "k": 2}), subsets(DIM, 2))
        .refuses(serde_json::json!({"dim": 2, "k": 3}))
        .run_on(|config| {
            let second = oracles::registry().open("k-subset", config)?;
            Ok(fallback(failing(ErrorKind::BackendFailed), second))
        })
        .unwrap();
}

#[test]
fn an_answer_of_a_later_back_end_is_the_answer() {
    let first = || failing(ErrorKind::BackendFailed);
    let theta = [1.0; DIM];
    let oracle = fallback(first(), failing(ErrorKind::Infeasible));
    let why = solve_one(&*oracle, &theta).unwrap_err();
    assert_eq!(why, Error::new(ErrorKind::Infeasible, "planted"));

    let oracle = fallback(first(), moody(|_| panic!("too")));
    let why = solve_one(&*oracle, &theta).unwrap_err();
    assert_eq!(why.kind(), ErrorKind::BackendFailed);
    assert_eq!(
        why.message(),
        "every back end failed: `first`: back end failed: planted; `second`: panic in plugin: too"
    );
    assert_eq!(oracle.failures(), [("first", 1), ("second", 1)]);
}

#[test]
fn facts_hold_for_the_states_of_all() {
    let fixed = |facts| -> Arc<dyn Oracle> { Arc::new(FnOracle::new(facts, |_, _| Ok(()))) };
    let whole = Facts::bounded(3, -1.0, 2.0, true).with_ones(2);
    let part = Facts::bounded(3, 0.0, 3.5, false).with_ones(2);
    let facts = |a, b| fallback(fixed(a), fixed(b)).facts();
    assert_eq!(facts(whole, whole), whole);
    let both = Facts::bounded(3, -1.0, 3.5, false).with_ones(2);
    assert_eq!(facts(whole, part), both);
    let other = Facts::binary(3).with_ones(1);
    assert_eq!(facts(whole, other), Facts::bounded(3, -1.0, 2.0, true));
}

#[test]
fn a_cache_keeps_what_the_second_found_and_gives_it_to_nobody_else() {
    let cache = Cache::new(1 << 20);
    let second = Counting::new(k_subset(DIM, 2));
    let first = failing(ErrorKind::BackendFailed);
    let inner = fallback(first.clone(), second.clone());
    let (oracle, plain) = (cache.wrap(inner.clone()), cache.wrap(first));
    let found = solve_one(&*oracle, &HARD).unwrap();
    assert_eq!(solve_one(&*oracle, &HARD).unwrap(), found);
    assert_eq!((second.take(), inner.failures()[0].1), (1, 1));
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 1));
    let alone = solve_one(&*plain, &HARD).unwrap_err();
    assert_eq!(alone.kind(), ErrorKind::BackendFailed);

    let hopeless = fallback(
        failing(ErrorKind::BackendFailed),
        failing(ErrorKind::Unsupported),
    );
    let hopeless_cached = cache.wrap(hopeless.clone());
    for _ in 0..2 {
        solve_one(&*hopeless_cached, &HARD).unwrap_err();
    }
    assert_eq!(hopeless.failures(), [("first", 2), ("second", 2)]);
}

#[test]
fn back_ends_that_do_not_fit_are_refused() {
    let refused = |backends: Vec<(&str, Arc<dyn Oracle>)>| {
        let made = Fallback::new(backends).map(|_| ());
        made.unwrap_err().to_string()
    };
    assert_eq!(
        refused(vec![]),
        "invalid configuration: a fallback needs a back end"
    );
    assert_eq!(
        refused(vec![("a", k_subset(6, 2)), ("b", k_subset(5, 2))]),
        "invalid configuration: `a` has dim = 6 and `b` has 5"
    );
    assert_eq!(
        refused(vec![("a", k_subset(6, 2)), ("a", k_subset(6, 2))]),
        "invalid configuration: two back ends of a fallback are named `a`"
    );
}

/// Keeps the lines of the log.
struct Lines(Mutex<Vec<String>>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}: {}", record.level(), record.args());
        self.0.lock().expect("no logging thread panics").push(line);
    }

    fn flush(&self) {}
}

#[test]
fn the_first_failure_of_each_is_a_line_of_the_log() {
    static LINES: Lines = Lines(Mutex::new(Vec::new()));
    log::set_logger(&LINES).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let backends = [
        ("noisy", failing(ErrorKind::BackendFailed)),
        ("loud", failing(ErrorKind::Unsupported)),
    ];
    let oracle = Fallback::new(backends).unwrap();
    for _ in 0..5 {
        solve_one(&oracle, &[1.0; DIM]).unwrap_err();
    }
    // Other tests of this program write to the log too.
    let lines = LINES.0.lock().unwrap();
    let ours = |line: &&String| line.contains("`noisy`") || line.contains("`loud`");
    assert_eq!(
        lines.iter().filter(ours).collect::<Vec<_>>(),
        [
            "WARN: fallback: `noisy` failed on a row, which goes to `loud`, as others will: \
             back end failed: planted",
            "WARN: fallback: `loud` failed on a row, and is the last: unsupported: planted"
        ]
    );
}
