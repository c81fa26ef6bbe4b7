//! Programs that are no workers, in the place of one: opening a solver ends, in time and with the reason.
#![cfg(target_os = "linux")]

mod common;

use std::path::Path;

use common::{bad, settings};
use imle_api::{Error, ErrorKind};
use imle_runtime::Isolation;
use serde_json::json;

/// Has a program open a solver whose configuration is more than a socket holds.
fn open(program: &Path, time_limit: f64) -> Error {
    let settings = Isolation {
        worker: Some(program.to_owned()),
        time_limit,
        ..settings()
    };
    let config = json!({"dim": 2, "remark": "x".repeat(8 << 20)});
    bad("good", config, &settings).expect_err("it is no worker")
}

fn script(name: &str, time_limit: f64) -> Error {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workers");
    open(&folder.join(name), time_limit)
}

#[test]
fn one_that_does_not_read_is_killed() {
    let why = script("deaf.sh", 0.5);
    assert_eq!(why.kind(), ErrorKind::LimitReached);
    assert!(
        why.message().contains("answered nothing for 0.5 s"),
        "{why}"
    );
}

#[test]
fn one_that_answers_a_byte_at_a_time_is_killed() {
    let why = script("slow.sh", 0.5);
    assert_eq!(why.kind(), ErrorKind::LimitReached);
    assert!(
        why.message().contains("answered nothing for 0.5 s"),
        "{why}"
    );
}

#[test]
fn one_whose_answer_is_too_long_is_refused() {
    let why = script("endless.sh", 60.0);
    assert_eq!(why.kind(), ErrorKind::ContractBroken);
    for part in [
        "endless.sh answers what makes no sense",
        "a text of 18446744073709551615 bytes",
    ] {
        assert!(why.message().contains(part), "{why}");
    }
}

#[test]
fn one_that_ends_has_its_last_words() {
    let why = script("brief.sh", 60.0);
    assert_eq!(why.kind(), ErrorKind::BackendFailed);
    for part in ["exit status: 7", "I am no worker"] {
        assert!(why.message().contains(part), "{why}");
    }
}
