//! `imle plugins` and `imle plugins show`.

mod common;

use std::fs;
use std::path::Path;

use common::{imle, library, program, run, text};

#[test]
fn the_table_lists_solvers_with_where_they_come_from() {
    let table = imle(&["plugins"]).succeeded();
    for name in ["k-subset", "shortest-path", "ilp-native"] {
        assert!(table.stdout.contains(name), "{}", table.stdout);
    }
    let json = imle(&["plugins", "--json"]).succeeded().json();
    let solvers = json["solvers"].as_array().unwrap();
    let solver = |name: &str| {
        solvers
            .iter()
            .find(|solver| solver["name"] == name)
            .unwrap()
    };
    let k_subset = solver("k-subset");
    assert_eq!(k_subset["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(k_subset["license"], "MIT OR Apache-2.0");
    assert_eq!(k_subset["catches_panics"], true);
    assert_eq!(
        k_subset["capabilities"],
        serde_json::json!(["exact marginals"])
    );
    assert_eq!(
        k_subset["library"],
        text(&library("k-subset").canonicalize().unwrap())
    );
    assert_eq!(solver("knapsack")["capabilities"], serde_json::json!([]));
}

#[test]
fn folders_can_be_named_in_three_ways() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        library("k-subset"),
        folder.path().join("libimle_k_subset.so"),
    )
    .unwrap();
    let folder = text(folder.path());
    let by_variable = || {
        let mut command = program(&["plugins", "--json"]);
        command.env("IMLE_PLUGIN_PATH", folder);
        run(command, "")
    };
    let by_option = imle(&["plugins", "--plugins", folder, "--json"]);
    for ran in [
        imle(&["plugins", folder, "--json"]),
        by_option,
        by_variable(),
    ] {
        let json = ran.succeeded().json();
        assert_eq!(json["solvers"].as_array().unwrap().len(), 1, "{json}");
    }
}

#[test]
fn a_library_that_cannot_be_used_is_named_and_the_others_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        library("k-subset"),
        folder.path().join("libimle_k_subset.so"),
    )
    .unwrap();
    fs::write(folder.path().join("libimle_broken.so"), "not a library").unwrap();
    let ran = imle(&["plugins", text(folder.path())]);
    ran.failed(
        5,
        &[
            "k-subset",
            "not loaded:",
            "libimle_broken.so",
            "1 library could not be used",
        ],
    );
    imle(&["plugins", "/no/such/folder"]).failed(5, &["/no/such/folder"]);
    let empty = tempfile::tempdir().unwrap();
    let ran = imle(&["plugins", text(empty.path())]).succeeded();
    assert!(
        ran.stderr.contains("There are no plugins"),
        "{}",
        ran.stderr
    );
}

#[test]
fn show_has_keys_defaults_and_an_example_that_was_opened() {
    let shown = imle(&["plugins", "show", "shortest-path"])
        .succeeded()
        .stdout;
    for part in [
        "grid.height",
        "graph.edges",
        "negative_costs",
        "\"reject\"",
        "required",
        "--config '{",
        "states of 9 zeros and ones",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
    let json = imle(&["plugins", "show", "k-subset", "--json"])
        .succeeded()
        .json();
    let keys: Vec<&str> = json["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["dim", "k"]);
    assert_eq!(json["keys"][0]["required"], true);
    assert_eq!(json["examples"][0]["dim"], 6);
}

/// So that `show` has something to show, and `check` something to try.
#[test]
fn every_solver_has_an_example_that_works() {
    let json = imle(&["plugins", "--json"]).succeeded().json();
    for solver in json["solvers"].as_array().unwrap() {
        let name = solver["name"].as_str().unwrap();
        if solver["plugin"] == "imle-bad-plugin" {
            continue; // some of its solvers end the process that opens them
        }
        let shown = imle(&["plugins", "show", name, "--json"])
            .succeeded()
            .json();
        assert!(!shown["examples"].as_array().unwrap().is_empty(), "{name}");
        for key in shown["keys"].as_array().unwrap() {
            assert!(
                !key["meaning"].as_str().unwrap().is_empty(),
                "{name}: {key}"
            );
        }
    }
}

#[test]
fn a_solver_that_is_not_there_names_those_that_are() {
    imle(&["plugins", "show", "other"]).failed(5, &["no solver `other`; there are: ", "k-subset"]);
}

/// As after `cargo install`: beside the program there are no plugins.
#[test]
fn where_no_plugins_are_the_places_are_named_that_could_have_some() {
    let of_system = ["/usr/local/lib/imle/plugins", "/usr/lib/imle/plugins"];
    if of_system.iter().any(|folder| Path::new(folder).exists()) {
        eprintln!("not tested: this system has plugins");
        return;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let installed = folder.path().join("imle");
    fs::hard_link(env!("CARGO_BIN_EXE_imle"), &installed).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&installed);
        command.args(arguments).env_remove("IMLE_PLUGIN_PATH");
        command.env("XDG_DATA_HOME", "/no/such/folder");
        common::run(command, "")
    };
    let places = [
        "/no/such/folder/imle/plugins, /usr/local/lib/imle/plugins",
        "--plugins DIR",
    ];
    for (arguments, code) in [
        (&["plugins"][..], 0),
        (&["plugins", "show", "k-subset"], 5),
        (&["solve", "k-subset"], 5),
    ] {
        run(arguments).failed(code, &places);
    }
}
