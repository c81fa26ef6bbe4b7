//! `imle check` passes what is right and finds each planted defect, whatever becomes of the process it runs in.
#![cfg(unix)]

mod common;
#[path = "common/compiler.rs"]
mod compiler;

use std::fs;

use common::{Ran, bad_plugin, imle, library, program, run, text};

/// What `imle check` says of a defect.
fn check(mode: &str, arguments: &[&str]) -> Option<Ran> {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let library = compiler::defect(mode, folder.path())?;
    Some(imle(&[&["check", text(&library)], arguments].concat()))
}

fn finds(mode: &str, says: &[&str]) {
    if let Some(ran) = check(mode, &["--time-limit", "20"]) {
        ran.failed(1, says);
    }
}

#[test]
fn what_is_right_passes_with_a_line_for_each_property() {
    let Some(ran) = check("none", &[]) else {
        return;
    };
    let ran = ran.succeeded();
    assert_eq!(ran.stdout.matches("\n  ok   ").count(), 9, "{}", ran.stdout);
    assert!(ran.stdout.contains("9 passed, 0 failed"), "{}", ran.stdout);
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
        assert!(ran.stdout.contains("9 passed, 0 failed"), "{}", ran.stdout);
    }
}

/// What `imle check` says of a solver of `tests/bad-plugin`, in few rows.
fn check_bad(solver: &str, arguments: &[&str]) -> Ran {
    let library = bad_plugin();
    let all = ["check", text(&library), solver, "--rows", "8"];
    imle(&[&all[..], arguments].concat())
}

fn bad(solver: &str, says: &[&str]) {
    check_bad(solver, &[]).failed(1, says);
}

#[test]
fn a_wrong_answer_is_shown_with_theta_z_and_the_better_z() {
    bad(
        "suboptimal",
        &[
            "FAIL every row gets a feasible state, and none is better",
            "optimality fails for {}: theta [",
            "] got [",
            "] with objective",
            ", but [",
        ],
    );
    let differs = "FAIL nothing but theta matters";
    bad("depends-on-history", &[differs, "and then ["]);
    bad("depends-on-chance", &[differs, "and then ["]);
    let proofs = "FAIL objective, bound and radius are right";
    bad("radius-too-large", &[proofs, "radius fails for {}"]);
    bad("bound-too-low", &[proofs, "bound"]);
    bad(
        "wrong-marginals",
        &["FAIL marginals, if there are any, are right"],
    );
    bad("infeasible", &["FAIL every row gets a feasible state"]);
    for solver in ["unwritten", "not-a-number", "fraction", "wrong-ones"] {
        bad(solver, &["FAIL", "contract broken"]);
    }
    finds("wrong_objective", &["contract broken: the objective is"]);
    finds("forgets_a_row", &["FAIL", "contract broken"]);
}

#[test]
fn a_configuration_that_is_taken_or_refused_wrongly_is_shown() {
    let accepted = [
        "refusal fails for",
        "no_such_key",
        "an unknown key was accepted",
    ];
    finds("takes_any_key", &accepted);
    finds(
        "refuses_its_example",
        &["opening fails for {}", "not today"],
    );
    let nothing = "the schema has no `examples`; give --config or --cases";
    finds("no_examples", &[nothing]);
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases.json");
    fs::write(&cases, r#"[{"config": {"dim": 0}, "refuses": true}]"#).unwrap();
    check_bad("good", &["--cases", text(&cases)]).succeeded();
    let accepts = check_bad("accepts-anything", &["--cases", text(&cases)]);
    accepts.failed(1, &["FAIL what describes no problem is refused"]);
}

#[test]
fn a_crash_is_a_finding_with_the_signal_named() {
    bad("segfault", &["FAIL", "the process was ended by SIGSEGV"]);
    bad("killed", &["the process was ended by SIGKILL"]);
    bad("exit", &["it ended the process with exit code 3"]);
    bad("exit-zero", &["it ended the process as if all were well"]);
    for solver in ["abort", "abort-in-create", "allocates", "panics-twice"] {
        bad(solver, &["the process was ended by SIGABRT"]);
    }
    for solver in ["stack-overflow", "exit-in-destroy", "closes-files"] {
        bad(solver, &["FAIL", "the process"]);
    }
}

#[test]
fn a_crash_while_the_library_is_loaded_is_a_finding() {
    let library = bad_plugin();
    for (mode, says) in [
        ("abort-at-load", "the process was ended by SIGABRT"),
        ("exit-at-load", "it ended the process with exit code 3"),
        ("loops-at-load", "it did not end within 1 s, and was killed"),
    ] {
        let mut command = program(&["check", text(&library), "--time-limit", "1"]);
        command.env("IMLE_BAD_PLUGIN_AT_LOAD", mode);
        let says = ["FAIL the library loads", says, "0 passed, 1 failed"];
        run(command, "").failed(1, &says);
    }
}

#[test]
fn a_panic_is_a_finding() {
    for solver in [
        "panics",
        "panics-in-create",
        "panics-in-workspace",
        "panics-in-workspace-drop",
        "panics-on-payload-drop",
        "panics-on-thread",
    ] {
        bad(solver, &["FAIL", "panic"]);
    }
}

/// The properties that the crash is not part of are looked at all the same.
#[test]
fn a_crash_costs_its_property_and_not_the_others() {
    let json = check_bad("segfault", &["--json"]).failed(1, &[]).json();
    assert_eq!(json["plugin"]["name"], "imle-bad-plugin");
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 9);
    // Loading and refusals need no solve; for the facts the states are asked for.
    let holds: Vec<bool> = findings
        .iter()
        .map(|finding| finding["holds"].as_bool().unwrap())
        .collect();
    assert_eq!(holds[..3], [true, true, false], "{json}");
    let failed = holds.iter().filter(|holds| !**holds).count();
    assert_eq!(
        (&json["failed"], &json["passed"]),
        (&failed.into(), &(9 - failed).into())
    );
}

#[test]
fn an_endless_loop_is_a_finding() {
    for solver in [
        "loops",
        "loops-politely",
        "sleeps",
        "loops-in-create",
        "loops-in-destroy",
    ] {
        let ran = check_bad(solver, &["--time-limit", "1"]);
        ran.failed(1, &["it did not end within 1 s, and was killed"]);
    }
}

#[test]
fn a_write_next_to_z_or_to_theta_is_a_finding() {
    bad("writes-behind-z", &["the word behind z became 7"]);
    bad("writes-before-z", &["the word in front of z became 7"]);
    bad("writes-theta", &["FAIL", "and became 7"]);
}

/// Where the system says what a process handles and starts.
#[test]
fn a_process_that_is_not_left_as_it_was_is_a_finding() {
    let left =
        "FAIL directory, environment, signals and children of the process are left as they were";
    bad("changes-directory", &[left, "the working directory: was"]);
    bad("changes-environment", &[left, "the environment: was"]);
    bad(
        "changes-rounding",
        &[left, "have become zero on this thread"],
    );
    if cfg!(target_os = "linux") {
        bad(
            "takes-interrupt",
            &[left, "the handlers have changed of SIGINT"],
        );
        bad(
            "starts-process",
            &[left, "the processes that it has started"],
        );
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
