//! Every order in which threads can take a workspace of a loaded solver and put it back, tried by loom: the plugin
//! is part of this program, and reached through its table as one that was loaded.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imle_api::{Limits, Proof, Solver, solve_one};
use loom::cell::UnsafeCell;
use loom::thread;

use super::*;
use crate::plugin::Plugin;

static MADE: AtomicUsize = AtomicUsize::new(0);
static ALIVE: AtomicUsize = AtomicUsize::new(0);
static ALIVE_AFTER_THE_INSTANCE: AtomicUsize = AtomicUsize::new(0);

/// Panics where theta is negative.
struct Fragile;

/// Loom sees who touches it, and whether anything keeps two threads apart.
struct Touched(UnsafeCell<()>);

impl Default for Touched {
    fn default() -> Self {
        MADE.fetch_add(1, Ordering::Relaxed);
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self(UnsafeCell::new(()))
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        self.0.with_mut(|_| ());
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        ALIVE_AFTER_THE_INSTANCE.fetch_add(ALIVE.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Solver for Fragile {
    const NAME: &'static str = "fragile";
    const SUMMARY: &'static str = "one, or a panic";
    type Config = ();
    type Workspace = Touched;

    fn new((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn facts(&self) -> Facts {
        Facts::binary(1)
    }

    fn solve(
        &self,
        workspace: &mut Touched,
        theta: &[f64],
        z: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<Proof, Error> {
        workspace.0.with_mut(|_| thread::yield_now());
        if theta[0] < 0.0 {
            // Says nothing, as `panic!` would for every order.
            resume_unwind(Box::new("planted"));
        }
        z[0] = 1.0;
        Ok(Proof::NONE)
    }
}

imle_api::export_plugin!(Fragile);

#[test]
fn a_workspace_has_one_thread_at_a_time_and_ends_before_its_instance() {
    loom::model(|| {
        MADE.store(0, Ordering::Relaxed);
        // SAFETY: the entry function of this program, with the tables of the SDK.
        let plugin = unsafe { Plugin::from_entry(imle_plugin_v1, "this program") };
        let plugin = plugin.expect("it is a plugin");
        let oracle = plugin.open_loaded("fragile", "null").expect("it opens");
        let oracle = Arc::new(oracle);
        let solve_often = |oracle: Arc<LoadedOracle>| {
            move || {
                assert!(solve_one(&*oracle, &[1.0]).is_ok());
                let error = solve_one(&*oracle, &[-1.0]).expect_err("it panics");
                assert_eq!(error.message(), "planted");
                assert!(solve_one(&*oracle, &[2.0]).is_ok());
            }
        };
        let other = thread::spawn(solve_often(oracle.clone()));
        solve_often(oracle.clone())();
        other.join().expect("it ends");
        // Two threads, so at most two; and each broke one, which is gone.
        let idle = oracle.idle.lock().expect("nobody panicked with it").len();
        assert!(idle == 1 || idle == 2, "{idle}");
        assert_eq!(ALIVE.load(Ordering::Relaxed), idle);
        assert_eq!(MADE.load(Ordering::Relaxed), idle + 2);
        drop(oracle);
        assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
        assert_eq!(ALIVE_AFTER_THE_INSTANCE.load(Ordering::Relaxed), 0);
    });
}
