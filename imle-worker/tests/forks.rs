//! A fork of the process that opened a solver does not share its worker, and does not end it.
#![cfg(target_os = "linux")]

mod common;

use common::{bad, settings, solve};
use imle_api::{ErrorKind, Limits};
use serde_json::json;

#[test]
fn a_fork_is_told_to_open_its_own() {
    let oracle = bad("good", json!({"dim": 2}), &settings()).unwrap();
    let ask = || solve(&oracle, &[1.0, 2.0], &Limits::none()).1.remove(0);
    ask().unwrap();
    // SAFETY: the other threads, which wait, hold no lock that the few lines below need.
    let fork = unsafe { libc::fork() };
    if fork == 0 {
        let is_told = ask().is_err_and(|error| error.kind() == ErrorKind::Unsupported);
        drop(oracle);
        // SAFETY: ends the fork without what the test runner does at its end.
        unsafe { libc::_exit(i32::from(!is_told)) };
    }
    let mut status = -1;
    // SAFETY: `status` is ours and lives through the call.
    let ended = unsafe { libc::waitpid(fork, &mut status, 0) };
    assert_eq!((ended, status), (fork, 0));
    ask().unwrap();
    assert_eq!(oracle.deaths(), 0);
}
