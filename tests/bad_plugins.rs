//! A host believes no plugin: each way to break the contract has its own error, and only as many rows fail
//! as are wrong.
//!
//! The plugins are the modes of `tests/c/bad.c`; each appears in one test. A mode that crashes or hangs is
//! not among them: nothing within one process helps against that.

use std::time::Duration;

use imle_api::ErrorKind::{
    self, AbiMismatch, BackendFailed, ContractBroken, Infeasible, InvalidConfig, Io, LimitReached,
    NotFound, Panic, Poisoned, Unsupported,
};
use imle_api::{Error, Facts, Limits, Oracle, Outcome, StopFlag, unset};
use imle_runtime::Plugin;
use serde_json::json;

mod common;

#[test]
fn a_library_that_is_not_a_plugin_of_this_version_is_refused() {
    for (mode, fragment) in [
        ("other_major", "it does not export `imle_plugin_v1`"),
        ("refuses_silently", "the plugin table is null"),
        (
            "refuses_with_reason",
            "the plugin refuses this host: host_minor is odd",
        ),
        (
            "plugin_size_zero",
            "the plugin table has struct_size 0, less than the 56 bytes",
        ),
        (
            "plugin_size_small",
            "the plugin table has struct_size 48, less than the 56 bytes",
        ),
        (
            "solver_size_zero",
            "the table of solver 0 has struct_size 0, less than the 96 bytes",
        ),
        (
            "solver_size_small",
            "the table of solver 0 has struct_size 88, less than the 96 bytes",
        ),
    ] {
        refused(mode, fragment);
    }
}

#[test]
fn a_table_without_sense_is_refused() {
    for (mode, fragment) in [
        ("no_solvers", "the table claims 0 solvers"),
        ("too_many_solvers", "the table claims 1099511627776 solvers"),
        ("solvers_null", "the array of solvers is null"),
        ("solvers_not_aligned", "the array of solvers is not aligned"),
        ("solver_null", "the table of solver 0 is null"),
        ("duplicate_name", "two solvers are named `bad`"),
        ("name_null", "the name of solver 0 is null"),
        ("name_empty", "the name of solver 0 is empty"),
        ("name_not_utf8", "the name of solver 0 is not UTF-8"),
        (
            "summary_not_utf8",
            "the summary of solver `bad` is not UTF-8",
        ),
        (
            "serial_group_not_utf8",
            "the serial group of solver `bad` is not UTF-8",
        ),
        ("plugin_name_null", "the plugin's name is null"),
        ("plugin_name_empty", "the plugin's name is empty"),
        ("plugin_name_not_utf8", "the plugin's name is not UTF-8"),
        ("plugin_version_null", "the plugin's version is null"),
        (
            "plugin_license_not_utf8",
            "the plugin's license is not UTF-8",
        ),
    ] {
        refused(mode, fragment);
    }
}

#[test]
fn a_required_function_that_is_missing_is_named() {
    for (mode, function) in [
        ("create_null", "create"),
        ("destroy_null", "destroy"),
        ("info_null", "info"),
        ("workspace_create_null", "workspace_create"),
        ("workspace_destroy_null", "workspace_destroy"),
        ("solve_null", "solve"),
    ] {
        refused(mode, &format!("solver `bad` has no `{function}` function"));
    }
}

#[test]
fn what_is_optional_may_be_null_and_what_is_newer_is_left_alone() {
    for mode in ["optional_null", "newer", "chats_on_success"] {
        let Some(outcomes) = solve(mode) else { return };
        assert!(outcomes.iter().all(Result::is_ok), "{mode}: {outcomes:?}");
    }
}

#[test]
fn a_schema_that_is_none_is_an_error() {
    for (mode, kind, fragment) in [
        ("schema_fails", Unsupported, "written on paper only"),
        (
            "schema_not_json",
            ContractBroken,
            "the configuration schema is not JSON",
        ),
    ] {
        let Some(plugin) = load(mode) else { return };
        let error = plugin.unwrap().schema("bad").unwrap_err();
        check(mode, &error, kind, fragment);
    }
    let Some(plugin) = load("schema_not_utf8") else {
        return;
    };
    assert_eq!(
        plugin.unwrap().schema("bad").unwrap(),
        json!({"title": "b\u{fffd}d"})
    );
}

#[test]
fn an_instance_that_cannot_be_made_says_why() {
    for (mode, kind, fragment) in [
        (
            "create_fails_silently",
            InvalidConfig,
            "the plugin gives no reason",
        ),
        ("create_fails_with_nul", InvalidConfig, "before\0after"),
        (
            "create_fails_not_utf8",
            InvalidConfig,
            "caf\u{fffd} is closed",
        ),
        ("create_fails_at_length", InvalidConfig, "aaaa"),
        ("create_fails_in_pieces", Infeasible, "one, two"),
        ("create_fails_with_instance", Io, "disk is full"),
        (
            "create_code_unknown",
            BackendFailed,
            "status 4000, which this host does not know: from the future",
        ),
        (
            "create_code_negative",
            BackendFailed,
            "status -7, which this host does not know: from the past",
        ),
        (
            "create_no_instance",
            ContractBroken,
            "`create` reported success and returned no instance",
        ),
    ] {
        let Some(error) = open_error(mode) else {
            return;
        };
        check(mode, &error, kind, fragment);
        assert!(
            error.message().starts_with("solver `bad`: "),
            "{mode}: {error}"
        );
        assert!(
            error.message().len() < 10_000,
            "{mode}: {} bytes",
            error.message().len()
        );
    }
}

#[test]
fn facts_without_sense_are_refused() {
    for (mode, kind, fragment) in [
        ("info_fails", BackendFailed, "cannot count"),
        (
            "info_writes_nothing",
            ContractBroken,
            "`info` states dim = 0",
        ),
        ("info_dim_zero", ContractBroken, "`info` states dim = 0"),
        (
            "info_dim_huge",
            ContractBroken,
            "`info` states dim = 1099511627776",
        ),
        (
            "info_lower_nan",
            ContractBroken,
            "`info` states bounds [NaN, 1]",
        ),
        (
            "info_upper_nan",
            ContractBroken,
            "`info` states bounds [0, NaN]",
        ),
        (
            "info_bounds_crossed",
            ContractBroken,
            "`info` states bounds [1, 0]",
        ),
        (
            "info_too_many_ones",
            ContractBroken,
            "`info` states that 3 coordinates in [0, 1] sum to 4",
        ),
    ] {
        let Some(error) = open_error(mode) else {
            return;
        };
        check(mode, &error, kind, fragment);
    }
}

#[test]
fn a_row_that_is_wrong_fails_alone() {
    for (mode, kind, fragment) in [
        (
            "forgets_row",
            ContractBroken,
            "the solver left this row unset",
        ),
        (
            "z_too_large",
            ContractBroken,
            "z[2] = 7 is not within [0, 1]",
        ),
        (
            "z_too_small",
            ContractBroken,
            "z[0] = -1 is not within [0, 1]",
        ),
        ("z_fraction", ContractBroken, "z[0] = 0.5 is not an integer"),
        ("z_nan", ContractBroken, "z[2] = NaN is not within [0, 1]"),
        (
            "z_infinite",
            ContractBroken,
            "z[2] = inf is not within [0, inf]",
        ),
        (
            "too_many_ones",
            ContractBroken,
            "z sums to 3, but every state sums to 1",
        ),
        (
            "too_few_ones",
            ContractBroken,
            "z sums to 0, but every state sums to 1",
        ),
        (
            "objective_nan",
            ContractBroken,
            "the objective is NaN, but <z, theta> is 3",
        ),
        (
            "objective_wrong",
            ContractBroken,
            "the objective is 3.25, but <z, theta> is 3",
        ),
        (
            "objective_forgotten",
            ContractBroken,
            "the objective is NaN, but <z, theta> is 3",
        ),
        ("bound_nan", ContractBroken, "the bound is NaN"),
        ("radius_nan", ContractBroken, "the radius is NaN"),
        ("radius_negative", ContractBroken, "the radius is -0.5"),
        ("row_fails", Infeasible, "no way out"),
        (
            "row_fails_silently",
            Infeasible,
            "the plugin gives no reason",
        ),
        ("row_fails_not_utf8", Infeasible, "caf\u{fffd} is shut"),
        (
            "row_status_unknown",
            BackendFailed,
            "status 4000, which this host does not know: from the future",
        ),
        (
            "row_status_negative",
            BackendFailed,
            "status -7, which this host does not know: from the past",
        ),
    ] {
        let Some(outcomes) = solve(mode) else { return };
        failed(mode, &outcomes, [None, Some((kind, fragment)), None]);
    }
}

#[test]
fn a_call_that_fails_takes_down_the_rows_that_it_left_unset() {
    let all = |kind, fragment| [Some((kind, fragment)); 3];
    for (mode, expected) in [
        (
            "solve_does_nothing",
            all(ContractBroken, "the solver left this row unset"),
        ),
        ("call_fails", all(BackendFailed, "licence expired")),
        (
            "call_fails_silently",
            all(BackendFailed, "the plugin gives no reason"),
        ),
        (
            "call_code_unknown",
            all(
                BackendFailed,
                "status 4000, which this host does not know: from",
            ),
        ),
        (
            "call_code_negative",
            all(
                BackendFailed,
                "status -7, which this host does not know: from",
            ),
        ),
        (
            "call_code_unset",
            all(
                BackendFailed,
                "status -1, which this host does not know: never",
            ),
        ),
        ("workspace_fails", all(BackendFailed, "no seats left")),
        (
            "no_workspace",
            all(
                ContractBroken,
                "`workspace_create` reported success and returned no",
            ),
        ),
        (
            "call_fails_midway",
            [
                None,
                Some((LimitReached, "out")),
                Some((LimitReached, "out of time")),
            ],
        ),
        ("call_fails_at_end", [None, None, None]),
    ] {
        let Some(outcomes) = solve(mode) else { return };
        failed(mode, &outcomes, expected);
    }
}

#[test]
fn a_panic_costs_one_row_and_one_workspace() {
    let slipped = Some((Panic, "slipped"));
    for (mode, expected) in [
        ("panics_once", [None, slipped, None]),
        ("panics_at_once", [slipped, None, None]),
        ("panics_midway", [None, None, None]),
        ("panics_always", [slipped; 3]),
        (
            "poisoned_from_birth",
            [Some((Poisoned, "born like this")); 3],
        ),
    ] {
        let Some(outcomes) = solve(mode) else { return };
        failed(mode, &outcomes, expected);
    }
}

#[test]
fn a_row_that_was_solved_before_a_panic_is_not_handed_out_again() {
    let mode = "panics_after_last_row";
    let Some(outcomes) = solve(mode) else { return };
    let expected = [
        Some((Panic, "slipped")),
        Some((BackendFailed, "gave up")),
        None,
    ];
    failed(mode, &outcomes, expected);
}

#[test]
fn a_bound_below_the_objective_proves_nothing() {
    let Some(outcomes) = solve("bound_too_low") else {
        return;
    };
    let expected = Some((ContractBroken, "the bound 2.75 is below the objective 3"));
    failed("bound_too_low", &outcomes, [None, expected, None]);
}

#[test]
fn a_message_for_a_row_that_did_not_fail_is_ignored() {
    let Some(outcomes) = solve("message_for_no_row") else {
        return;
    };
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

#[test]
fn a_solver_that_ignores_its_limits_still_answers() {
    let Some(plugin) = load("good") else { return };
    let plugin = plugin.unwrap();
    let oracle = plugin.open("bad", &json!({})).unwrap();
    assert_eq!(oracle.facts(), Facts::binary(3).with_ones(1));
    let stop = StopFlag::default();
    stop.raise();
    let outcomes = solve_rows(
        &*oracle,
        &Limits::none().with_stop(&stop).with_time(Duration::ZERO),
    );
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");

    let error = plugin
        .open("good", &json!({}))
        .err()
        .expect("there is none");
    check(
        "good",
        &error,
        NotFound,
        "no solver `good` in plugin `bad-plugin`; it has bad, worse",
    );
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let text = common::scratch("bad_plugins_text");
    std::fs::write(&text, "not a library").unwrap();
    for (path, fragment) in [
        (text, "cannot be opened as a library"),
        (
            common::scratch("bad_plugins_absent"),
            "cannot open the file",
        ),
        (common::scratch(""), "is a directory, not a library file"),
    ] {
        // SAFETY: there is no code to run.
        let error = unsafe { Plugin::load(&path) }.unwrap_err();
        check(&path.to_string_lossy(), &error, Io, fragment);
    }
}

#[test]
fn a_file_that_could_not_be_loaded_may_be_replaced_and_one_that_was_may_not() {
    let Some(library) = common::compile_c("bad.c", "bad_plugins_replacement", &["-DMODE_good"])
    else {
        return;
    };
    let path = common::scratch(&format!("bad_plugins_replaced_{}", std::process::id()));
    std::fs::write(&path, "not yet a library").unwrap();
    // SAFETY: there is no code to run.
    let error = unsafe { Plugin::load(&path) }.unwrap_err();
    check("text", &error, Io, "cannot be opened as a library");

    std::fs::copy(library, &path).unwrap();
    // SAFETY: the mode does everything right.
    unsafe { Plugin::load(&path) }.unwrap();

    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "not a library any more").unwrap();
    // SAFETY: there is no code to run.
    let error = unsafe { Plugin::load(&path) }.unwrap_err();
    check(
        "changed",
        &error,
        Io,
        "the file has changed since this process loaded it",
    );
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn every_mode_is_tested() {
    let modes = include_str!("c/bad.c").lines().filter_map(|line| {
        let (_, mode) = line.split_once("if defined MODE_")?;
        Some(mode)
    });
    let tests = include_str!("bad_plugins.rs");
    let untested: Vec<&str> = modes
        .filter(|mode| !tests.contains(&format!("\"{mode}\"")))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn a_table_of_marginals_without_sense_is_refused() {
    for (mode, fragment) in [
        (
            "marginals_size_small",
            "the table `imle.marginals/1` of solver `bad` has struct_size 8, less than the 16 bytes",
        ),
        (
            "marginals_not_aligned",
            "the table `imle.marginals/1` of solver `bad` is not aligned",
        ),
        (
            "marginals_function_null",
            "the table `imle.marginals/1` of solver `bad` has no `marginals` function",
        ),
    ] {
        refused(mode, fragment);
    }
}

#[test]
fn marginals_that_are_wrong_fail_alone() {
    for (mode, expected) in [
        ("marginals_good", None),
        (
            "marginals_row_forgotten",
            Some((ContractBroken, "the solver left this row unset")),
        ),
        ("marginals_row_fails", Some((LimitReached, "too wide"))),
        (
            "mu_nan",
            Some((ContractBroken, "mu[2] = NaN is not within [0, 1]")),
        ),
        (
            "mu_too_large",
            Some((ContractBroken, "mu[0] = 1.25 is not within [0, 1]")),
        ),
        (
            "mu_wrong_sum",
            Some((ContractBroken, "but every state sums to 1")),
        ),
        (
            "log_partition_infinite",
            Some((ContractBroken, "the log-partition is inf")),
        ),
        (
            "log_partition_forgotten",
            Some((ContractBroken, "the log-partition is NaN")),
        ),
        // The row itself and the row after it go to a fresh workspace; it is the first there, and succeeds.
        ("marginals_panic_once", None),
    ] {
        let Some(found) = marginals(mode) else { return };
        failed(mode, &found, [None, expected, None]);
    }
    let Some(found) = marginals("marginals_unsupported") else {
        return;
    };
    let expected = Some((Unsupported, "not for this instance"));
    failed("marginals_unsupported", &found, [expected; 3]);
}

/// What a mode is expected to say about a row: nothing, or a kind and words of the sentence.
type Expected = Option<(ErrorKind, &'static str)>;

/// Compiles and loads a mode; `None` without a compiler.
fn load(mode: &str) -> Option<Result<Plugin, Error>> {
    let flag = format!("-DMODE_{mode}");
    let path = common::compile_c("bad.c", &format!("bad_plugins_{mode}"), &[&flag])?;
    // SAFETY: no mode of the file does worse than report nonsense.
    Some(unsafe { Plugin::load(path) })
}

fn refused(mode: &str, fragment: &str) {
    if let Some(plugin) = load(mode) {
        let error = plugin.err().unwrap_or_else(|| panic!("{mode} is loaded"));
        check(mode, &error, AbiMismatch, fragment);
        assert!(error.message().starts_with("plugin /"), "{mode}: {error}");
    }
}

fn open_error(mode: &str) -> Option<Error> {
    let plugin = load(mode)?.expect("only its instances are wrong");
    let oracle = plugin.open("bad", &json!({}));
    Some(oracle.err().unwrap_or_else(|| panic!("{mode} is opened")))
}

fn solve(mode: &str) -> Option<Vec<Outcome>> {
    let plugin = load(mode)?.expect("only its rows are wrong");
    let oracle = plugin
        .open("bad", &json!({}))
        .expect("only its rows are wrong");
    Some(solve_rows(&*oracle, &Limits::none()))
}

/// Solves three rows whose largest coordinates are the first, the second and the third. A row that is
/// reported as solved is: whatever the plugin did, no wrong state gets through.
fn solve_rows(oracle: &dyn Oracle, limits: &Limits<'_>) -> Vec<Outcome> {
    let theta = [3.0, 1.0, 2.0, 1.0, 3.0, 2.0, 1.0, 2.0, 3.0];
    let (mut z, mut outcomes) = ([f64::NAN; 9], vec![unset(); 3]);
    oracle.solve(&theta, &mut z, &mut outcomes, limits);
    for (row, outcome) in outcomes.iter().enumerate() {
        if let Ok(solved) = outcome {
            let mut best = [0.0; 3];
            best[row] = 1.0;
            assert_eq!(
                (&z[3 * row..][..3], solved.objective),
                (&best[..], 3.0),
                "row {row}"
            );
        }
    }
    outcomes
}

/// Asks for the marginals of three rows of zeros; a row that has some has the right ones.
fn marginals(mode: &str) -> Option<Vec<Result<f64, Error>>> {
    let plugin = load(mode)?.expect("only its rows are wrong");
    let oracle = plugin
        .open("bad", &json!({}))
        .expect("only its rows are wrong");
    let (mut mu, mut found) = ([f64::NAN; 9], vec![unset(); 3]);
    oracle.marginals(&[0.0; 9], &mut mu, &mut found, &Limits::none());
    for (row, found) in found.iter().enumerate() {
        if let Ok(log_partition) = found {
            assert_eq!(
                (&mu[3 * row..][..3], *log_partition),
                (&[1.0 / 3.0; 3][..], 3_f64.ln())
            );
        }
    }
    Some(found)
}

fn failed<T>(mode: &str, outcomes: &[Result<T, Error>], expected: [Expected; 3]) {
    for (row, (outcome, expected)) in outcomes.iter().zip(expected).enumerate() {
        let place = format!("{mode}, row {row}");
        match (outcome, expected) {
            (Ok(_), None) => {}
            (Err(error), Some((kind, fragment))) => check(&place, error, kind, fragment),
            (Err(error), None) => panic!("{place}: {error}"),
            (Ok(_), Some(_)) => panic!("{place} is reported as solved"),
        }
    }
}

fn check(place: &str, error: &Error, kind: ErrorKind, fragment: &str) {
    assert_eq!(error.kind(), kind, "{place}: {error}");
    assert!(error.message().contains(fragment), "{place}: {error}");
}
