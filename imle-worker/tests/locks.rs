//! A lock that a program enforces holds in the processes that it starts, too.

use imle_runtime::{Isolated, Lock};

mod common;

#[test]
fn an_enforced_lock_holds_in_the_processes_of_a_plugin() {
    let folder = tempfile::tempdir().expect("it can be made");
    let mut lock = Lock::new(folder.path().join(Lock::NAME));
    let listed = common::library("imle_k_subset");
    lock.list(&listed).expect("it can be read");
    lock.enforce();
    let open =
        |library, solver, config| Isolated::open(library, solver, config, &common::settings());
    open(listed, "k-subset", r#"{"dim": 3, "k": 1}"#).expect("it is listed");
    let unlisted = common::library("imle_shortest_path");
    let refused = open(unlisted, "shortest-path", "{}").expect_err("it is not listed");
    assert!(refused.message().contains("does not list it"), "{refused}");
}
