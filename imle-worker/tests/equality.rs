//! A solver in processes of its own answers as it does in this one, to the bit: states, outcomes, errors with
//! their sentences, marginals, facts.
#![cfg(target_os = "linux")]

mod common;

use common::{bad, library, marginals, numbers, settings, solve};
use imle_api::{ErrorKind, Limits, Oracle, Outcome};
use imle_runtime::{Isolated, Isolation, LayerConfig, Plugin, Registry};
use serde_json::{Value, json};
use std::sync::Arc;

/// A solver here, and the same in processes of its own.
fn both(plugin: &str, solver: &str, config: &Value) -> (Arc<dyn Oracle>, Isolated) {
    let path = library(plugin);
    // SAFETY: built from this workspace.
    let here = unsafe { Plugin::load(&path) }.expect("it is a plugin");
    let here = here.open(solver, config).expect("it is right");
    let there =
        Isolated::open(path, solver, &config.to_string(), &settings()).expect("it is right");
    (here, there)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn assert_same(here: &dyn Oracle, there: &dyn Oracle, rows: usize, seed: u64) {
    assert_eq!(here.facts(), there.facts());
    let theta = numbers(rows * here.facts().dim, seed);
    let (expected, found) = (
        solve(here, &theta, &Limits::none()),
        solve(there, &theta, &Limits::none()),
    );
    assert_eq!(expected.1, found.1, "{rows} rows, seed {seed}");
    let solved = |outcomes: &[Outcome], z: &[f64]| -> Vec<u64> {
        let rows = z.chunks(here.facts().dim).zip(outcomes);
        rows.filter(|(_, outcome)| outcome.is_ok())
            .flat_map(|(z, _)| bits(z))
            .collect()
    };
    assert_eq!(solved(&expected.1, &expected.0), solved(&found.1, &found.0));
    let (expected, found) = (marginals(here, &theta), marginals(there, &theta));
    assert_eq!(expected.1, found.1, "{rows} rows, seed {seed}");
    if expected.1.iter().all(Result::is_ok) {
        assert_eq!(bits(&expected.0), bits(&found.0));
    }
}

#[test]
fn solvers_answer_alike() {
    for (plugin, solver, config) in [
        ("imle_k_subset", "k-subset", json!({"dim": 20, "k": 5})),
        ("imle_k_subset", "k-subset", json!({"dim": 1, "k": 1})),
        (
            "imle_shortest_path",
            "shortest-path",
            json!({"grid": {"height": 4, "width": 5, "moves": "right_down"}, "costs": "vertices"}),
        ),
    ] {
        let (here, there) = both(plugin, solver, &config);
        for (seed, rows) in [0, 1, 2, 63, 1024, 5000, 1].into_iter().enumerate() {
            assert_same(&*here, &there, rows, seed as u64);
        }
        assert_eq!(there.deaths(), 0);
    }
}

#[test]
fn errors_of_rows_and_of_calls_are_alike() {
    for solver in [
        "panics",
        "panics-in-workspace",
        "panics-in-workspace-drop",
        "panics-on-payload-drop",
        "panics-on-thread",
        "not-a-number",
        "fraction",
        "unwritten",
        "wrong-ones",
        "bound-too-low",
        "radius-too-large",
        "wrong-marginals",
        "good",
    ] {
        // One in twenty rows of `numbers` begins with a one.
        let (here, there) = both("bad_plugin", solver, &json!({"dim": 5, "poison": 1.0}));
        for (seed, rows) in [1, 64, 64].into_iter().enumerate() {
            assert_same(&*here, &there, rows, seed as u64);
        }
        assert_eq!(there.deaths(), 0, "{solver}");
    }
}

#[test]
fn what_keeps_a_solver_from_being_opened_is_said_alike() {
    let path = library("bad_plugin");
    // SAFETY: built from this workspace.
    let here = unsafe { Plugin::load(&path) }.unwrap();
    for (solver, config) in [
        ("good", json!({"dim": 0})),
        ("good", json!({"dim": 3, "k": 1})),
        ("good", json!("four")),
        ("no-such", json!({})),
        ("panics-in-create", json!({})),
    ] {
        let expected = here.open(solver, &config).err().expect("it is wrong");
        assert_eq!(bad(solver, config, &settings()).unwrap_err(), expected);
    }
    let absent = path.with_file_name("libimle_absent.so");
    // SAFETY: there is no such file.
    let expected = unsafe { Plugin::load(&absent) }.unwrap_err();
    let found = Isolated::open(&absent, "good", "{}", &settings()).unwrap_err();
    assert_eq!(found, expected);
}

#[test]
fn many_threads_share_an_instance() {
    let (here, there) = both("imle_k_subset", "k-subset", &json!({"dim": 12, "k": 3}));
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (here, there) = (&here, &there);
            scope.spawn(move || {
                (0..50).for_each(|call| assert_same(&**here, there, 30, 100 * thread + call));
            });
        }
    });
    let idle = there.idle_processes().len();
    assert!((1..=6).contains(&idle), "{idle} processes for 6 threads");
}

#[test]
fn a_layer_says_so_in_its_file() {
    let registry = Registry::new();
    // SAFETY: built from this workspace.
    unsafe { registry.load(library("imle_k_subset")) }.unwrap();
    let text = |isolation: &str| {
        format!(
            "[oracle]\nsolver = \"k-subset\"\nconfig = {{ dim = 6, k = 2 }}\n{isolation}\n\
             [sampling]\nsamples = 4\nthreads = 2"
        )
    };
    let isolation = format!(
        "isolation = {{ worker = {:?} }}",
        env!("CARGO_BIN_EXE_imle-worker")
    );
    let here = LayerConfig::from_toml(&text("")).unwrap();
    let there = LayerConfig::from_toml(&text(&isolation)).unwrap();
    let theta = numbers(50 * 6, 1);
    let here = here.open(&registry).unwrap().layer.forward(&theta, 0);
    let there = there.open(&registry).unwrap().layer.forward(&theta, 0);
    assert_eq!(here.unwrap().z(), there.unwrap().z());

    let word = LayerConfig::from_toml(&text("isolation = \"process\"")).unwrap();
    assert_eq!(word.oracle.isolation, Some(Isolation::default()));
    for (wrong, sentence) in [
        ("isolation = \"thread\"", "unknown variant `thread`"),
        ("isolation = { retry = 1 }", "unknown field `retry`"),
        (
            "isolation = { grace = 0.0 }",
            "isolation: `grace` = 0 is not",
        ),
        (
            "isolation = { most_deaths = 0 }",
            "isolation: `most_deaths` = 0",
        ),
    ] {
        let error = LayerConfig::from_toml(&text(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.message().contains(sentence), "{error}");
    }
}

#[test]
fn a_worker_that_is_not_there_is_named() {
    let open = |worker: Option<&str>| {
        let settings = Isolation {
            worker: worker.map(Into::into),
            ..Isolation::default()
        };
        bad("good", json!({}), &settings).unwrap_err()
    };
    let absent = open(Some("/no/such/imle-worker"));
    assert_eq!(absent.kind(), ErrorKind::Io);
    assert!(
        absent
            .message()
            .contains("cannot run the worker /no/such/imle-worker"),
        "{absent}"
    );
    let relative = open(Some("imle-worker"));
    assert!(relative.message().contains("is relative"), "{relative}");
}
