//! Every order in which threads can meet at a row, tried by loom.
//!
//! Counters are no steps of the models.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use imle_api::ErrorKind;
use loom::thread;

use super::*;

const SOLVED: Solved = Solved {
    objective: 3.0,
    proof: imle_api::Proof::NONE,
};

/// What the threads of a model share.
#[derive(Clone)]
struct Model {
    memory: Arc<Memory>,
    identity: Identity,
    solves: Arc<AtomicUsize>,
}

impl Model {
    fn with_room_for(entries: usize) -> Self {
        let bytes = entries * (2 * size_of::<f64>() + ENTRY_OVERHEAD);
        Self {
            memory: Cache::new(bytes).0,
            identity: Identity::unique(),
            solves: Arc::default(),
        }
    }

    /// Asks for a row as an oracle behind a cache does. `solve` gets the number of solves so far.
    fn ask(&self, theta: f64, may_wait: bool, solve: impl Fn(usize) -> Outcome) -> Outcome {
        let asked = Asked {
            identity: self.identity,
            theta: &[theta],
        };
        let mut z = [f64::NAN];
        if let Some(solved) = self.memory.look_up(&asked, &mut z) {
            self.memory.hits.fetch_add(1, Ordering::Relaxed);
            assert_eq!(z, [theta]);
            return Ok(solved);
        }
        let outcome = self.memory.solve_through(&asked, &mut z, may_wait, |z| {
            let earlier = self.solves.fetch_add(1, Ordering::Relaxed);
            let outcome = solve(earlier);
            z[0] = theta;
            outcome
        });
        assert!(outcome.is_err() || z == [theta]);
        outcome
    }

    /// What holds when nobody asks any more.
    fn check(&self, asked: u64) {
        let statistics = Cache(self.memory.clone()).statistics();
        let clock = self.memory.clock.lock().expect("nobody panicked with it");
        assert_eq!(statistics.hits + statistics.misses, asked);
        assert_eq!(
            self.solves.load(Ordering::Relaxed) as u64,
            statistics.misses
        );
        assert_eq!(
            statistics.entries,
            clock.len(),
            "what is held can be dropped"
        );
        let size = clock.iter().map(|key| key.size()).sum::<usize>();
        assert_eq!(statistics.bytes, size);
        assert!(statistics.bytes <= self.memory.most_bytes);
    }
}

/// Tries the orders in which threads are interrupted no more than twice against their will.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut models = loom::model::Builder::new();
    models.preemption_bound = Some(2);
    models.check(model);
}

#[test]
fn a_row_is_solved_once_for_three_threads() {
    explore(|| {
        let model = Model::with_room_for(2);
        let ask = |model: Model| move || model.ask(1.0, true, |_| Ok(SOLVED));
        let others = [0, 1].map(|_| thread::spawn(ask(model.clone())));
        assert_eq!(ask(model.clone())(), Ok(SOLVED));
        for other in others {
            assert_eq!(other.join().expect("it ends"), Ok(SOLVED));
        }
        assert_eq!(model.solves.load(Ordering::Relaxed), 1);
        model.check(3);
    });
}

/// A worker of rayon meets a thread that is none, whose solve waits for that worker.
#[test]
fn who_may_not_wait_does_not() {
    explore(|| {
        let model = Model::with_room_for(2);
        let worker = thread::spawn({
            let model = model.clone();
            move || model.ask(1.0, false, |_| Ok(SOLVED))
        });
        let worker = Cell::new(Some(worker));
        let joined = || {
            let worker = worker.take().map(thread::JoinHandle::join);
            assert!(worker.is_none_or(|ended| ended.is_ok_and(|outcome| outcome == Ok(SOLVED))));
        };
        let outcome = model.ask(1.0, true, |_| {
            joined();
            Ok(SOLVED)
        });
        assert_eq!(outcome, Ok(SOLVED));
        joined();
        model.check(2);
    });
}

#[test]
fn a_failure_is_that_of_one_thread() {
    explore(|| {
        let model = Model::with_room_for(2);
        let first_fails = |earlier| match earlier {
            0 => Err(Error::new(ErrorKind::LimitReached, "too slow this time")),
            _ => Ok(SOLVED),
        };
        let outcomes = two_threads(&model, move |model, _| model.ask(1.0, true, first_fails));
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_err()).count(),
            1
        );
        assert_eq!(model.ask(1.0, true, first_fails), Ok(SOLVED));
        model.check(3);
    });
}

/// Oracles are not to panic; one that does costs its own row.
#[test]
fn a_panic_leaves_nobody_waiting() {
    explore(|| {
        let model = Model::with_room_for(2);
        let outcomes = two_threads(&model, |model, _| {
            let asked = || {
                model.ask(1.0, true, |earlier| match earlier {
                    0 => resume_unwind(Box::new("planted")),
                    _ => Ok(SOLVED),
                })
            };
            catch_unwind(AssertUnwindSafe(asked))
        });
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.is_err()).count(),
            1
        );
        model.check(2);
    });
}

#[test]
fn room_for_one_row_is_kept_to() {
    explore(|| {
        let model = Model::with_room_for(1);
        two_threads(&model, |model, thread| {
            for theta in [thread, 1.0 - thread] {
                assert_eq!(model.ask(theta, true, |_| Ok(SOLVED)), Ok(SOLVED));
            }
        });
        model.check(4);
    });
}

/// What each of two threads returns; the second one is this one.
fn two_threads<T: Send + 'static>(
    model: &Model,
    work: impl Fn(&Model, f64) -> T + Send + Clone + 'static,
) -> [T; 2] {
    let other = thread::spawn({
        let (model, work) = (model.clone(), work.clone());
        move || work(&model, 0.0)
    });
    let here = work(model, 1.0);
    [other.join().expect("it ends"), here]
}
