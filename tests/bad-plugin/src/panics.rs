//! Panics, where a panic can be.

use std::panic::panic_any;
use std::thread;

use imle_api::{Error, ErrorKind, Proof};

use crate::{Row, defects};

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("the payload goes off");
    }
}

defects! {
    Panics "panics" "panics on a row" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            panic!("no row like {}", row.theta[0])
        }
    }
    PanicsInCreate "panics-in-create" "panics while an instance is made" {
        fn create(&self, dim: usize) -> Result<(), Error> {
            panic!("no dim like {dim}")
        }
    }
    PanicsInDestroy "panics-in-destroy" "panics while an instance is destroyed" {
        fn destroy(&self) {
            panic!("will not go")
        }
    }
    PanicsInWorkspace "panics-in-workspace" "panics while a workspace is made" {
        fn workspace() {
            panic!("no room")
        }
    }
    PanicsInWorkspaceDrop "panics-in-workspace-drop" "panics on a row, and while the workspace is destroyed" {
        fn drop_workspace() {
            panic!("will not leave")
        }
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            panic!("first panic")
        }
    }
    PanicsOnPayloadDrop "panics-on-payload-drop" "panics with a payload that panics when it is dropped" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            panic_any(Grenade)
        }
    }
    PanicsTwice "panics-twice" "panics while it unwinds, which no Rust program survives" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            let _grenade = Grenade;
            panic!("first panic")
        }
    }
    PanicsOnThread "panics-on-thread" "panics on a thread of its own and reports that" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            match thread::spawn(|| panic!("elsewhere")).join() {
                Ok(()) => Ok(Proof::NONE),
                Err(_) => Err(Error::new(ErrorKind::BackendFailed, "the helper panicked")),
            }
        }
    }
}
