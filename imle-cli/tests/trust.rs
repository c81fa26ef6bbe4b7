//! `imle trust`: what a lock does not list is not loaded, by any command.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use common::{imle, library, program, run, text};
use tempfile::TempDir;

fn copied() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let copy = folder.path().join("libimle_mine.so");
    fs::copy(library("k-subset"), &copy).expect("it was built");
    (folder, copy)
}

#[test]
fn trust_lists_a_library_and_then_only_that_is_loaded() {
    let (folder, library) = copied();
    let check = |name: &str| imle(&["check", text(&folder.path().join(name)), "--rows", "10"]);
    let trusted = imle(&["trust", text(&library)]).succeeded();
    assert!(
        trusted.stdout.contains("with SHA-256 "),
        "{}",
        trusted.stdout
    );
    check("libimle_mine.so").succeeded();
    fs::copy(
        common::library("top-k"),
        folder.path().join("libimle_other.so"),
    )
    .unwrap();
    check("libimle_other.so").failed(1, &["does not list it", "`imle trust "]);
    let listed = imle(&["plugins", text(folder.path()), "--json"]);
    let json = listed.failed(5, &[]).json();
    assert_eq!(json["solvers"].as_array().unwrap().len(), 1);
    // The command that the message names does what it says.
    imle(&["trust", text(&folder.path().join("libimle_other.so"))]).succeeded();
    check("libimle_other.so").succeeded();
    imle(&["trust", "--remove", text(&library)]).succeeded();
    check("libimle_mine.so").failed(1, &["does not list it"]);
    imle(&["trust", "--remove", text(&library)]).failed(3, &["is not on the list"]);
}

#[test]
fn a_changed_library_is_refused_with_both_hashes() {
    let (_folder, library) = copied();
    let sha256 =
        |json: serde_json::Value| json["libraries"][0]["sha256"].as_str().unwrap().to_owned();
    let old = sha256(
        imle(&["trust", text(&library), "--json"])
            .succeeded()
            .json(),
    );
    fs::copy(common::library("top-k"), &library).unwrap();
    let refused = imle(&["plugins", "show", "top-k", "--library", text(&library)]);
    let new = sha256(
        imle(&["trust", text(&library), "--json"])
            .succeeded()
            .json(),
    );
    refused.failed(5, &[&old, &new]);
    imle(&["plugins", "show", "top-k", "--library", text(&library)]).succeeded();
}

#[test]
fn a_lock_elsewhere_applies_by_option_and_by_variable() {
    let (folder, library) = copied();
    let lock = folder.path().join("allowed.lock");
    let show = ["plugins", "show", "k-subset", "--library", text(&library)];
    fs::write(&lock, "").unwrap();
    imle(&[&show[..], &["--lock", text(&lock)]].concat())
        .failed(5, &["does not list it", text(&lock)]);
    let by_variable = || {
        let mut command = program(&show);
        command.env("IMLE_PLUGINS_LOCK", &lock);
        run(command, "")
    };
    by_variable().failed(5, &["does not list it"]);
    imle(&["trust", text(&library), "--lock", text(&lock)]).succeeded();
    by_variable().succeeded();
    imle(&[&show[..], &["--lock", text(&lock)]].concat()).succeeded();
    let printed = imle(&["trust", "--lock", text(&lock)]).succeeded().stdout;
    assert!(printed.contains("libimle_mine.so"), "{printed}");
    imle(&[&show[..], &["--lock", "/no/such.lock"]].concat()).failed(5, &["/no/such.lock"]);
    // A check runs its child processes under the same lock.
    let other = [
        "check",
        text(&common::library("top-k")),
        "--lock",
        text(&lock),
    ]
    .map(str::to_owned);
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    imle(&other).failed(1, &["does not list it"]);
}

/// A file that is not a library at all: listing looks at bytes, so it can be listed, and nothing happens.
#[test]
fn trust_runs_no_code_and_refuses_what_others_may_write() {
    let (folder, library) = copied();
    fs::write(&library, "no library").unwrap();
    imle(&["trust", text(&library)]).succeeded();
    fs::set_permissions(&library, Permissions::from_mode(0o666)).unwrap();
    imle(&["trust", text(&library)]).failed(5, &["can be written by every user", "chmod go-w"]);
    fs::set_permissions(&library, Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    imle(&["trust", text(&library)]).failed(5, &["the folder", "can be written by every user"]);
    imle(&["trust", "/no/such.so"]).failed(5, &["/no/such.so"]);
    imle(&["trust"]).failed(2, &["LIBRARY"]);
}
