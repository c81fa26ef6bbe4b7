//! `imle check` passes what is right and finds each planted defect, whatever becomes of the process it runs in.
#![cfg(unix)]

mod common;
#[path = "common/compiler.rs"]
mod compiler;

use std::fs;

use common::{Ran, imle, library, text};

/// What `imle check` says of a defect.
fn check(mode: &str, arguments: &[&str]) -> Option<Ran> {
    let folder = tempfile::tempdir().unwrap();
    let library = compiler::defect(mode, folder.path())?;
    Some(imle(&[&["check", text(&library)], arguments].concat()))
}

fn finds(mode: &str, says: &[&str]) {
    if let Some(ran) = check(mode, &["--time-limit", "5"]) {
        ran.failed(1, says);
    }
}

#[test]
fn what_is_right_passes_with_a_line_for_each_property() {
    let Some(ran) = check("none", &[]) else {
        return;
    };
    let ran = ran.succeeded();
    assert_eq!(ran.stdout.matches("\n  ok   ").count(), 8, "{}", ran.stdout);
    assert!(ran.stdout.contains("8 passed, 0 failed"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("note it declares no licence"),
        "{}",
        ran.stdout
    );
}

/// The examples in the schemas of the plugins of this workspace.
#[test]
fn every_plugin_passes() {
    for name in [
        "assignment",
        "categorical",
        "k-subset",
        "knapsack",
        "matching",
        "ranking",
        "shortest-path",
        "spanning-tree",
        "top-k",
        "tsp",
        "ilp-microlp",
        "ilp-native",
    ] {
        let ran = imle(&["check", text(&library(name)), "--rows", "40"]).succeeded();
        assert!(ran.stdout.contains("8 passed, 0 failed"), "{}", ran.stdout);
    }
}

#[test]
fn a_wrong_answer_is_shown_with_theta_z_and_the_better_z() {
    finds(
        "not_the_best",
        &[
            "FAIL every row gets a feasible state, and none is better",
            "optimality fails for {}: theta [",
            "] got [",
            "] with objective",
            ", but [",
            "1 failed",
        ],
    );
    finds(
        "remembers",
        &["FAIL nothing but theta matters", "and then ["],
    );
    finds(
        "wrong_radius",
        &[
            "FAIL objective, bound and radius are right",
            "radius fails for {}",
        ],
    );
    finds("wrong_objective", &["contract broken: the objective is"]);
    finds("half", &["FAIL", "z[", "= 0.5 is not an integer"]);
    finds("forgets_a_row", &["FAIL", "contract broken"]);
    finds(
        "takes_any_key",
        &[
            "refusal fails for",
            "no_such_key",
            "an unknown key was accepted",
        ],
    );
    finds(
        "refuses_its_example",
        &["opening fails for {}", "not today"],
    );
    finds(
        "no_examples",
        &["the schema has no `examples`; give --config or --cases"],
    );
}

#[test]
fn a_crash_is_a_finding_with_the_signal_named() {
    finds("crash", &["FAIL", "the process was ended by SIGSEGV"]);
    finds("crash_in_create", &["the process was ended by SIGABRT"]);
    finds(
        "crash_at_load",
        &[
            "FAIL the library loads",
            "the process was ended by SIGABRT",
            "0 passed, 1 failed",
        ],
    );
    finds("stack_overflow", &["the process was ended by SIG"]);
    finds("exit", &["it ended the process with exit code 3"]);
}

/// The properties that the crash is not part of are looked at all the same.
#[test]
fn a_crash_costs_its_property_and_not_the_others() {
    let Some(ran) = check("crash", &["--json"]) else {
        return;
    };
    let json = ran.failed(1, &[]).json();
    assert_eq!(json["plugin"]["name"], "defects");
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 8);
    // Loading and refusals need no solve, facts ask for the states, of which theta = (1, -1, -1) crashes.
    assert_eq!(findings[0]["holds"], true);
    assert_eq!(findings[1]["holds"], true);
    assert_eq!(findings[3]["holds"], false);
    assert_eq!(
        json["failed"].as_u64().unwrap() + json["passed"].as_u64().unwrap(),
        8
    );
}

#[test]
fn an_endless_loop_is_a_finding() {
    if let Some(ran) = check("hang", &["--time-limit", "0.5"]) {
        ran.failed(1, &["it did not end within 0.5 s, and was killed"]);
    }
}

/// A plugin that prints what a finding looks like does not answer for the check.
#[test]
fn what_a_plugin_prints_is_not_taken_for_a_finding() {
    finds("chats", &["optimality fails"]);
}

#[test]
fn states_that_are_listed_are_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases.json");
    let k_subset = library("k-subset");
    let run = |content: &str| {
        fs::write(&cases, content).unwrap();
        imle(&[
            "check",
            text(&k_subset),
            "k-subset",
            "--cases",
            text(&cases),
        ])
    };
    let states = "[[1, 1, 0], [1, 0, 1], [0, 1, 1]]";
    let good = format!(
        r#"[{{"config": {{"dim": 3, "k": 2}}, "states": {states}}}, {{"config": {{"dim": 1, "k": 2}}, "refuses": true}}]"#
    );
    run(&good).succeeded();
    let missing = r#"[{"config": {"dim": 3, "k": 2}, "states": [[1, 1, 0], [1, 0, 1]]}]"#;
    run(missing).failed(1, &["feasibility fails", "which is not a state"]);
    let accepted = r#"[{"config": {"dim": 2, "k": 2}, "refuses": true}]"#;
    run(accepted).failed(1, &["a configuration that must be refused was accepted"]);
    run("[{}]").failed(3, &["cases.json", "missing field `config`"]);
}

#[test]
fn what_cannot_be_checked_says_why() {
    imle(&["check", "/no/such.so"]).failed(5, &["/no/such.so: there is no such file"]);
    let k_subset = library("k-subset");
    imle(&["check", text(&k_subset), "other"])
        .failed(5, &["no solver `other` in it; there are: k-subset"]);
    imle(&["check", text(&k_subset), "-c", "{"]).failed(3, &["not JSON"]);
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libimle_text.so");
    fs::write(&library, "not a library").unwrap();
    imle(&["check", text(&library)]).failed(1, &["cannot be opened as a library"]);
}
