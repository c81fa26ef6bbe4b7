//! Every order in which threads can take a workspace and put it back, tried by loom.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::*;
use crate::unset;

static MADE: AtomicUsize = AtomicUsize::new(0);

/// Breaks its workspace where theta is negative.
struct Fragile;

struct Touched {
    is_broken: bool,
}

impl Default for Touched {
    fn default() -> Self {
        MADE.fetch_add(1, Ordering::Relaxed);
        Self { is_broken: false }
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
        assert!(!workspace.is_broken, "a broken workspace came back");
        if theta[0] < 0.0 {
            workspace.is_broken = true;
            // Says nothing, as `panic!` would for every order.
            resume_unwind(Box::new("planted"));
        }
        z[0] = 1.0;
        Ok(Proof::NONE)
    }
}

#[test]
fn workspaces_are_used_again_and_a_broken_one_is_not() {
    loom::model(|| {
        MADE.store(0, Ordering::Relaxed);
        let linked = Arc::new(Linked::new(Fragile));
        let solve_twice = |linked: Arc<Linked<Fragile>>| {
            move || {
                for theta in [[1.0, -1.0], [2.0, 3.0]] {
                    let (mut z, mut outcomes) = ([0.0; 2], [unset(), unset()]);
                    linked.solve(&theta, &mut z, &mut outcomes, &Limits::none());
                    let planted = |theta: f64, outcome: &Outcome| match outcome {
                        Ok(_) => theta > 0.0,
                        Err(why) => theta < 0.0 && why.message() == "planted",
                    };
                    let mut rows = theta.iter().zip(&outcomes);
                    assert!(
                        rows.all(|(&theta, outcome)| planted(theta, outcome)),
                        "{outcomes:?}"
                    );
                }
            }
        };
        let other = thread::spawn(solve_twice(linked.clone()));
        solve_twice(linked.clone())();
        other.join().expect("it ends");
        // Two threads, so at most two; and each broke one.
        let idle = linked.idle.lock().expect("nobody panicked with it").len();
        assert!(idle == 1 || idle == 2, "{idle}");
        assert_eq!(MADE.load(Ordering::Relaxed), idle + 2);
    });
}
