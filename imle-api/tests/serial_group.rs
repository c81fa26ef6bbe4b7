//! Solvers of one serial group exclude each other, across instances and kinds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imle_api::{Error, Facts, Limits, Linked, Oracle, Proof, Solver, unset};

static INSIDE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Stands for an engine with global state, bundled by two solvers.
fn engine() {
    MOST.fetch_max(INSIDE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(1));
    INSIDE.fetch_sub(1, Ordering::SeqCst);
}

macro_rules! solver {
    ($name:ident, $group:expr) => {
        struct $name;

        impl Solver for $name {
            const NAME: &'static str = stringify!($name);
            const SUMMARY: &'static str = "";
            const SERIAL_GROUP: Option<&'static str> = $group;
            type Config = ();
            type Workspace = ();

            fn new(_: ()) -> Result<Self, Error> {
                engine();
                Ok(Self)
            }

            fn facts(&self) -> Facts {
                Facts::binary(1)
            }

            fn solve(
                &self,
                _: &mut (),
                _: &[f64],
                z: &mut [f64],
                _: &Limits<'_>,
            ) -> Result<Proof, Error> {
                engine();
                z[0] = 0.0;
                Ok(Proof::NONE)
            }
        }
    };
}

solver!(One, Some("engine"));
solver!(Two, Some("engine"));
solver!(Free, None);

fn open_and_solve<S: Solver>() {
    let oracle = Linked::<S>::open("null").expect("it opens");
    let mut outcomes = vec![unset(); 5];
    oracle.solve(&[0.0; 5], &mut [0.0; 5], &mut outcomes, &Limits::none());
    assert!(outcomes.iter().all(Result::is_ok));
}

/// Returns how many threads were inside the engine at once.
fn crowd(work: [fn(); 4]) -> usize {
    MOST.store(0, Ordering::SeqCst);
    std::thread::scope(|scope| {
        for work in work {
            scope.spawn(work);
        }
    });
    MOST.load(Ordering::SeqCst)
}

// One test: the counters are global, like the engine.
#[test]
fn a_serial_group_lets_one_in_at_a_time_and_others_are_free() {
    let grouped = [
        open_and_solve::<One>,
        open_and_solve::<Two>,
        open_and_solve::<One>,
        open_and_solve::<Two>,
    ];
    assert_eq!(crowd(grouped), 1);
    assert!(crowd([open_and_solve::<Free>; 4]) > 1);
}
