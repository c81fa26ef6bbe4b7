//! What each solver of the bad plugin does to the rows it was asked about, and to nothing else.
//!
//! Every mode runs in processes of its own. That each is here and in FAILURES.md is tested at the end.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bad_plugin::load;
use common::{bad, library, settings, solve};
use imle_api::ErrorKind::{self, BackendFailed, ContractBroken, LimitReached, Panic, Stopped};
use imle_api::conformance::{Check, binary_vectors};
use imle_api::{Error, Limits, Oracle, StopFlag};
use imle_runtime::{Isolated, Isolation, Plugin};
use serde_json::json;

const DIM: usize = 4;
/// The first coordinate of a row that is spoiled.
const POISON: f64 = 13.0;

/// What becomes of the spoiled row: nothing, or a kind and words of the sentence.
type Expected = Option<(ErrorKind, &'static str)>;

/// Rows that are spoiled one at a time, the defect of each and what it costs.
const ROWS: [(&str, Expected); 31] = [
    ("good", None),
    ("segfault", ended("signal: 11 (SIGSEGV)")),
    ("abort", ended("signal: 6 (SIGABRT)")),
    ("exit", ended("exit status: 3")),
    ("exit-zero", ended("exit status: 0")),
    ("stack-overflow", ended("has overflowed its stack")),
    ("killed", ended("signal: 9 (SIGKILL)")),
    (
        "allocates",
        ended("memory allocation of 1125899906842624 bytes failed"),
    ),
    ("loops", Some((LimitReached, "answered nothing for 0.5 s"))),
    (
        "loops-politely",
        Some((LimitReached, "answered nothing for 0.5 s")),
    ),
    ("sleeps", Some((LimitReached, "answered nothing for 0.5 s"))),
    ("panics", Some((Panic, "no row like 13"))),
    ("panics-in-workspace-drop", Some((Panic, "first panic"))),
    ("panics-on-payload-drop", Some((Panic, ""))),
    ("panics-twice", ended("signal: 6 (SIGABRT)")),
    (
        "panics-on-thread",
        Some((BackendFailed, "the helper panicked")),
    ),
    ("writes-theta", ended("signal: 11 (SIGSEGV)")),
    (
        "not-a-number",
        Some((ContractBroken, "z[0] = NaN is not within [0, 1]")),
    ),
    (
        "fraction",
        Some((ContractBroken, "z[0] = 0.25 is not an integer")),
    ),
    (
        "unwritten",
        Some((ContractBroken, "z sums to 0, but every state sums to 1")),
    ),
    (
        "bound-too-low",
        Some((ContractBroken, "the bound 12 is below the objective 13")),
    ),
    ("closes-files", None),
    ("changes-directory", None),
    ("changes-environment", None),
    ("takes-interrupt", None),
    ("changes-locale", None),
    ("changes-rounding", None),
    ("prints", None),
    ("starts-thread", None),
    ("starts-process", None),
    ("panics-in-destroy", None),
];

/// What no host can see in one row: it takes comparisons, which `conformance::Check` makes.
const LIES: [&str; 7] = [
    "suboptimal",
    "infeasible",
    "depends-on-history",
    "depends-on-chance",
    "radius-too-large",
    "wrong-marginals",
    "accepts-anything",
];

/// What has a test of its own below.
const OTHERS: [&str; 9] = [
    "abort-in-create",
    "loops-in-create",
    "panics-in-create",
    "panics-in-workspace",
    "exit-in-destroy",
    "loops-in-destroy",
    "writes-behind-z",
    "writes-before-z",
    "wrong-ones",
];

const fn ended(words: &'static str) -> Expected {
    Some((BackendFailed, words))
}

fn quick() -> Isolation {
    Isolation {
        time_limit: 0.5,
        grace: 0.2,
        ..settings()
    }
}

/// Rows whose largest coordinate goes round, with the poison in some of them.
fn rows(count: usize, is_spoiled: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut theta = vec![0.0; count * DIM];
    for (row, theta) in theta.chunks_mut(DIM).enumerate() {
        theta[row % DIM] = 2.0;
        if is_spoiled(row) {
            theta[0] = POISON;
        }
    }
    theta
}

/// Solves and looks at every row: the ones that are spoiled as expected, the others right, or lost with one that
/// was spoiled if `may_be_lost` says so.
fn check(
    oracle: &dyn Oracle,
    theta: &[f64],
    expected: Expected,
    may_be_lost: impl Fn(usize) -> bool,
) {
    let (z, outcomes) = solve(oracle, theta, &Limits::none());
    let rows = theta.chunks(DIM).zip(z.chunks(DIM));
    for (row, ((theta, z), outcome)) in rows.zip(&outcomes).enumerate() {
        let is_spoiled = theta[0] == POISON;
        match (outcome, expected) {
            (Ok(solved), None) => assert_right(theta, z, solved.objective),
            (Ok(solved), Some(_)) => {
                assert!(!is_spoiled, "row {row} is reported as solved");
                assert_right(theta, z, solved.objective);
            }
            (Err(error), Some(expected)) if is_spoiled || may_be_lost(row) => {
                assert_says(error, expected);
            }
            (Err(error), _) => panic!("row {row}: {error}"),
        }
    }
}

fn assert_right(theta: &[f64], z: &[f64], objective: f64) {
    let best = theta.iter().copied().fold(f64::MIN, f64::max);
    let at = theta
        .iter()
        .position(|&theta| theta == best)
        .expect("the test provides it");
    let mut right = [0.0; DIM];
    right[at] = 1.0;
    assert_eq!((z, objective), (&right[..], best));
}

fn assert_says(error: &Error, (kind, words): (ErrorKind, &str)) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn a_spoiled_row_costs_itself_and_the_rows_in_flight_behind_it() {
    for (solver, expected) in ROWS {
        eprintln!("{solver}");
        let oracle = bad(solver, json!({"dim": DIM, "poison": POISON}), &quick()).unwrap();
        let dies = expected.is_some_and(|(kind, words)| {
            words.contains("signal")
                || words.contains("exit")
                || words.contains("overflowed")
                || words.contains("allocation")
                || kind == LimitReached
        });
        // Rows 0 to 2 were answered when row 3 took the process down, and are kept.
        check(&oracle, &rows(8, |row| row == 3), expected, |row| {
            dies && row > 3
        });
        assert_eq!(oracle.deaths(), u64::from(dies), "{solver}");
        // The next call gets a process.
        check(&oracle, &rows(8, |_| false), None, |_| false);
    }
}

#[test]
fn with_retries_the_spoiled_rows_alone_fail() {
    // None of them hangs, and a busy machine takes its time over two panics.
    let settings = Isolation {
        retries: 1,
        time_limit: 60.0,
        ..quick()
    };
    for (solver, expected) in ROWS {
        let crashes = expected.is_some_and(|(kind, words)| {
            kind == BackendFailed && (words.contains("SIG") || words.contains("exit"))
        });
        if crashes {
            let oracle = bad(solver, json!({"dim": DIM, "poison": POISON}), &settings).unwrap();
            check(&oracle, &rows(40, |row| row % 13 == 3), expected, |_| false);
            assert!(oracle.deaths() >= 4, "{solver}: {}", oracle.deaths());
        }
    }
}

#[test]
fn an_overrun_by_one_word_is_found() {
    let open = |solver| bad(solver, json!({"dim": DIM, "poison": POISON}), &quick()).unwrap();
    // Behind the last row there is a page that nobody may touch.
    let behind = open("writes-behind-z");
    check(
        &behind,
        &rows(5, |row| row == 4),
        ended("signal: 11 (SIGSEGV)"),
        |_| false,
    );
    // In the middle it is another row's state, which the solver of this plugin then writes over.
    check(&behind, &rows(5, |row| row == 2), None, |_| false);

    // In front of the first row there are words that are looked at.
    let before = open("writes-before-z");
    let expected = (ContractBroken, "wrote in front of the array `z or mu`");
    check(&before, &rows(5, |row| row == 0), Some(expected), |_| true);
    // In the middle it is another row's state, whose row fails.
    let (_, outcomes) = solve(&before, &rows(5, |row| row == 2), &Limits::none());
    let error = outcomes[1].as_ref().unwrap_err();
    assert_says(error, (ContractBroken, "z[3] = 7 is not within [0, 1]"));
    assert_eq!(outcomes.iter().filter(|row| row.is_err()).count(), 1);
    assert_eq!((behind.deaths(), before.deaths()), (1, 1));
}

#[test]
fn an_instance_whose_making_ends_the_process_is_not_opened() {
    for (solver, kind, words) in [
        ("abort-in-create", BackendFailed, "signal: 6 (SIGABRT)"),
        (
            "loops-in-create",
            LimitReached,
            "answered nothing for 0.5 s",
        ),
        ("panics-in-create", Panic, "no dim like 4"),
    ] {
        let error = bad(solver, json!({}), &quick()).unwrap_err();
        assert_says(&error, (kind, words));
    }
}

#[test]
fn facts_that_are_wrong_fail_every_row_and_no_process() {
    for (solver, expected) in [
        ("panics-in-workspace", (Panic, "no room")),
        (
            "wrong-ones",
            (ContractBroken, "z sums to 1, but every state sums to 2"),
        ),
    ] {
        let oracle = bad(solver, json!({"dim": DIM}), &quick()).unwrap();
        let (_, outcomes) = solve(&oracle, &rows(3, |_| true), &Limits::none());
        for outcome in outcomes {
            assert_says(&outcome.unwrap_err(), expected);
        }
        assert_eq!(oracle.deaths(), 0);
    }
}

#[test]
fn an_instance_that_will_not_be_destroyed_is_not_waited_for() {
    for solver in ["exit-in-destroy", "loops-in-destroy", "panics-in-destroy"] {
        let oracle = bad(solver, json!({"dim": DIM}), &quick()).unwrap();
        check(&oracle, &rows(4, |_| false), None, |_| false);
        let process = oracle.idle_processes()[0];
        let before = Instant::now();
        drop(oracle);
        assert!(before.elapsed() < Duration::from_secs(5), "{solver}");
        assert!(!is_running(process), "{solver}");
    }
}

#[test]
fn what_goes_wrong_while_a_library_is_loaded_is_the_error_of_opening_it() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, expected) in load::MODES.into_iter().zip([
        (BackendFailed, "signal: 11 (SIGSEGV)"),
        (BackendFailed, "signal: 6 (SIGABRT)"),
        (BackendFailed, "exit status: 3"),
        (LimitReached, "answered nothing for 0.5 s"),
    ]) {
        let settings = Isolation {
            worker: Some(worker_with(folder.path().join(mode), load::VARIABLE, mode)),
            ..quick()
        };
        let error = bad("good", json!({}), &settings).unwrap_err();
        assert_says(&error, expected);
        assert!(error.message().starts_with("while it was opened: "));
    }
}

/// A program that runs the worker with a variable in its environment.
fn worker_with(path: PathBuf, variable: &str, value: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let worker = env!("CARGO_BIN_EXE_imle-worker");
    let script = format!("#!/bin/sh\n{variable}={value} exec {worker}\n");
    std::fs::write(&path, script).expect("the test provides it");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))
        .expect("the test provides it");
    path
}

#[test]
fn limits_reach_the_solver_and_end_one_that_does_not_look() {
    let settings = Isolation {
        grace: 0.2,
        ..settings()
    };
    let open = |solver| bad(solver, json!({"dim": DIM}), &settings).unwrap();
    let (polite, deaf) = (open("loops-politely"), open("loops"));
    let ask = |oracle: &Isolated, limits: &Limits<'_>| {
        let (_, outcomes) = solve(oracle, &rows(1, |_| false), limits);
        outcomes[0].clone().unwrap_err()
    };
    for (oracle, time, stop) in [
        (
            &polite,
            "the time limit of the call was reached",
            "the stop flag was raised",
        ),
        (
            &deaf,
            "went on for 0.2 s after the time limit of the call",
            "went on for 0.2 s after the stop flag was raised",
        ),
    ] {
        // Long enough for a busy machine to begin with the row.
        let limits = Limits::none().with_time(Duration::from_millis(500));
        assert_says(&ask(oracle, &limits), (LimitReached, time));
        let flag = StopFlag::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(500));
                flag.raise();
            });
            let limits = Limits::none().with_stop(&flag);
            assert_says(&ask(oracle, &limits), (Stopped, stop));
        });
    }
    assert_eq!((polite.deaths(), deaf.deaths()), (0, 2));
}

#[test]
fn a_solver_that_goes_on_answering_is_not_taken_for_one_that_hangs() {
    // More time for the call than for a row.
    let settings = Isolation {
        time_limit: 5.0,
        ..settings()
    };
    let oracle = bad("sleeps", json!({"dim": DIM, "poison": POISON}), &settings).unwrap();
    check(&oracle, &rows(4, |row| row < 3), None, |_| false);
    assert_eq!(oracle.deaths(), 0);
}

#[test]
fn a_crash_loop_is_a_quarantine_with_a_way_back() {
    let settings = Isolation {
        most_deaths: 3,
        quarantine: 1.0,
        ..quick()
    };
    let oracle = bad("exit", json!({"dim": DIM, "poison": POISON}), &settings).unwrap();
    let ask = |is_spoiled| {
        let (_, outcomes) = solve(&oracle, &rows(1, |_| is_spoiled), &Limits::none());
        outcomes[0].clone()
    };
    // Not in a row: an answer lies between.
    for _ in 0..4 {
        ask(true).unwrap_err();
        ask(false).unwrap();
    }
    for _ in 0..3 {
        assert_says(&ask(true).unwrap_err(), (BackendFailed, "exit status: 3"));
    }
    let quarantine = (
        BackendFailed,
        "solver `exit` is in quarantine for another 1 s: 3 of its processes died in a row, the last one so: the \
         process of solver `exit` ended: exit status: 3. A new instance, or `Isolated::release`, ends it",
    );
    assert_says(&ask(false).unwrap_err(), quarantine);
    assert_eq!(oracle.deaths(), 7);
    oracle.release();
    ask(false).unwrap();

    (0..3).for_each(|_| drop(ask(true)));
    assert_says(&ask(false).unwrap_err(), (BackendFailed, "in quarantine"));
    // After it one process is tried, and the first death is enough for the next.
    std::thread::sleep(Duration::from_millis(1100));
    assert_says(&ask(true).unwrap_err(), (BackendFailed, "exit status: 3"));
    assert_says(&ask(false).unwrap_err(), (BackendFailed, "in quarantine"));
    std::thread::sleep(Duration::from_millis(1100));
    ask(false).unwrap();
    ask(false).unwrap();
}

#[test]
fn a_process_that_was_killed_while_it_waited_costs_nothing() {
    let oracle = bad("good", json!({"dim": DIM}), &quick()).unwrap();
    for deaths in 1..4 {
        kill_idle(&oracle);
        check(&oracle, &rows(3, |_| false), None, |_| false);
        assert_eq!(oracle.deaths(), deaths);
    }
}

#[test]
fn what_belongs_to_a_process_is_left_as_it_was() {
    let state = || {
        let signals = std::fs::read_to_string("/proc/self/status").unwrap();
        let caught = signals.lines().find(|line| line.starts_with("SigCgt"));
        let tiny = std::hint::black_box(f64::MIN_POSITIVE) / 2.0;
        (
            std::env::current_dir().unwrap(),
            std::env::var_os("IMLE_BAD_PLUGIN"),
            caught.map(str::to_owned),
            tiny > 0.0,
        )
    };
    let before = state();
    for solver in [
        "changes-directory",
        "changes-environment",
        "takes-interrupt",
        "changes-locale",
        "changes-rounding",
    ] {
        let oracle = bad(solver, json!({"dim": DIM}), &quick()).unwrap();
        check(&oracle, &rows(4, |_| false), None, |_| false);
    }
    assert_eq!(state(), before);
}

#[test]
fn a_library_that_changed_is_not_served_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.so");
    std::fs::copy(library("bad_plugin"), &path).unwrap();
    let oracle = Isolated::open(&path, "good", "{}", &quick()).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "a new version").unwrap();
    check(&oracle, &rows(1, |_| false), None, |_| false);
    kill_idle(&oracle);
    let (_, outcomes) = solve(&oracle, &rows(1, |_| false), &Limits::none());
    let words = "the file has changed since it was opened; give the new version a new path";
    assert_says(outcomes[0].as_ref().unwrap_err(), (ErrorKind::Io, words));
}

/// Kills the process that waits, and waits until that is known.
fn kill_idle(oracle: &Isolated) {
    let id = oracle.idle_processes()[0];
    let id = rustix::process::Pid::from_raw(id.cast_signed()).expect("the test provides it");
    rustix::process::kill_process(id, rustix::process::Signal::KILL).expect("the test provides it");
    while !oracle.idle_processes().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_running(process: u32) -> bool {
    std::fs::exists(format!("/proc/{process}")).expect("the test provides it")
}

#[test]
fn lies_are_found_by_comparison() {
    let one_hot = binary_vectors(DIM, |z| z.iter().sum::<f64>() == 1.0);
    let check = |solver: &str| {
        Check::new()
            .case(json!({"dim": DIM}), one_hot.clone())
            .refuses(json!({"dim": 0}))
            .run_on(|config| Ok(Arc::new(bad(solver, config.clone(), &settings())?)))
    };
    check("good").unwrap();
    for solver in LIES {
        let failure = check(solver).expect_err(solver);
        eprintln!("{solver}: {failure}");
    }
}

#[test]
fn every_mode_is_tested_and_in_the_documentation() {
    let rows = ROWS.iter().map(|(solver, _)| *solver);
    let tested = rows.chain(LIES).chain(OTHERS).chain(load::MODES);
    let tested: BTreeSet<String> = tested.map(str::to_owned).collect();

    // SAFETY: built from this workspace, and harmless while nobody asks it to solve.
    let plugin = unsafe { Plugin::load(library("bad_plugin")) }.unwrap();
    let solvers = plugin.solvers().map(|solver| solver.name.clone());
    let modes = load::MODES.into_iter().map(str::to_owned);
    let there_are: BTreeSet<String> = solvers.chain(modes).collect();
    assert_eq!(tested, there_are);

    // The first cell of each row of the table lists modes.
    let page = include_str!("../../imle-runtime/FAILURES.md");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = cells.filter_map(|line| line.split(" |").next());
    let documented: BTreeSet<String> = cells
        .flat_map(|cell| cell.split('`'))
        .map(str::trim)
        .filter(|word| !word.is_empty() && *word != ",")
        .map(str::to_owned)
        .collect();
    assert_eq!(documented, there_are);
}
