//! Whose turn it is: two counters in shared memory. Each side sleeps in the kernel (futex) until the other one
//! counts on; a death counts as well.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};

/// What a worker is asked to do with the rows in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Verb {
    Solve = 1,
    Marginals = 2,
    /// Destroy the instance and end.
    End = 3,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) rows: u32,
    /// Seconds; 0 for none.
    pub(super) time_limit: f64,
    /// Whether the stop word means anything.
    pub(super) may_stop: bool,
}

/// What became of a call: a status, and the length of its sentence in shared memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    pub(super) code: i32,
    pub(super) length: u32,
}

/// What ended a wait for a reply.
#[derive(Debug)]
pub(super) enum Waited {
    Reply(Reply),
    Dead,
    TimedOut,
}

/// The counter of replies when there will be none any more.
const DEAD: u32 = u32::MAX;

/// A word on a cache line of its own: the sides sleep on different ones.
#[derive(Debug, Default)]
#[repr(C, align(64))]
struct Counter(AtomicU32);

/// The first page of the shared memory. All zeros is how it begins; everything is atomic, so that no value that
/// the other side writes is worse than wrong.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Turns {
    asked: Counter,
    answered: Counter,
    stop: AtomicU32,
    verb: AtomicU32,
    rows: AtomicU32,
    may_stop: AtomicU32,
    time_limit: AtomicU64,
    code: AtomicI32,
    length: AtomicU32,
}

impl Turns {
    /// The word that asks the solver to stop.
    pub(super) fn stop(&self) -> &AtomicU32 {
        &self.stop
    }

    // ---- the parent's side ----

    /// Makes the request of a turn.
    pub(super) fn ask(&self, turn: u32, request: &Request) {
        self.stop.store(0, Ordering::Relaxed);
        self.verb.store(request.verb as u32, Ordering::Relaxed);
        self.rows.store(request.rows, Ordering::Relaxed);
        let may_stop = u32::from(request.may_stop);
        self.may_stop.store(may_stop, Ordering::Relaxed);
        let time_limit = request.time_limit.to_bits();
        self.time_limit.store(time_limit, Ordering::Relaxed);
        self.asked.0.store(turn, Ordering::Release);
        wake(&self.asked.0);
    }

    /// Sleeps until the turn is answered, the worker is dead, or for so long.
    pub(super) fn wait(&self, turn: u32, patience: Option<Duration>) -> Waited {
        // A sleep also ends by a signal, or is not begun; what was slept counts. `None` where the clock cannot hold it.
        let end = patience.and_then(|patience| Instant::now().checked_add(patience));
        loop {
            let answered = self.answered.0.load(Ordering::Acquire);
            if answered == turn {
                return Waited::Reply(Reply {
                    code: self.code.load(Ordering::Relaxed),
                    length: self.length.load(Ordering::Relaxed),
                });
            }
            if answered == DEAD {
                return Waited::Dead;
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO)
                || sleep(&self.answered.0, answered, left) == Err(Errno::TIMEDOUT)
            {
                return Waited::TimedOut;
            }
        }
    }

    /// The turn after one; neither the first value of the counters nor a death.
    pub(super) fn after(turn: u32) -> u32 {
        turn % (DEAD - 1) + 1
    }

    /// There will be no reply any more.
    pub(super) fn note_death(&self) {
        self.answered.0.store(DEAD, Ordering::Release);
        wake(&self.answered.0);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.answered.0.load(Ordering::Acquire) == DEAD
    }

    // ---- the worker's side ----

    /// Sleeps until there is a request after that of a turn; returns its turn. `None` if it makes no sense.
    pub(super) fn next(&self, after: u32) -> Option<(u32, Request)> {
        let turn = loop {
            let asked = self.asked.0.load(Ordering::Acquire);
            if asked != after {
                break asked;
            }
            // Woken or not, the counter says whether there is one.
            let _ = sleep(&self.asked.0, asked, None);
        };
        let verbs = [Verb::Solve, Verb::Marginals, Verb::End];
        let verb = self.verb.load(Ordering::Relaxed);
        let request = Request {
            verb: verbs.into_iter().find(|known| *known as u32 == verb)?,
            rows: self.rows.load(Ordering::Relaxed),
            time_limit: f64::from_bits(self.time_limit.load(Ordering::Relaxed)),
            may_stop: self.may_stop.load(Ordering::Relaxed) != 0,
        };
        Some((turn, request))
    }

    pub(super) fn reply(&self, turn: u32, reply: Reply) {
        self.code.store(reply.code, Ordering::Relaxed);
        self.length.store(reply.length, Ordering::Relaxed);
        self.answered.0.store(turn, Ordering::Release);
        wake(&self.answered.0);
    }
}

/// Sleeps while the word has this value, for so long at most.
fn sleep(word: &AtomicU32, value: u32, patience: Option<Duration>) -> Result<(), Errno> {
    let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
    futex::wait(word, Flags::empty(), value, patience.as_ref())
}

fn wake(word: &AtomicU32) {
    // It fails on an address that is none, which a reference is not.
    let _ = futex::wake(word, Flags::empty(), u32::MAX >> 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request = Request {
        verb: Verb::Marginals,
        rows: 7,
        time_limit: 0.25,
        may_stop: true,
    };

    #[test]
    fn requests_and_replies_alternate() {
        let turns = Turns::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..1000 {
                    let (turn, request) = turns.next(last).unwrap();
                    assert_eq!((request.verb, request.rows), (Verb::Marginals, 7));
                    assert_eq!((request.time_limit, request.may_stop), (0.25, true));
                    let length = turn;
                    turns.reply(turn, Reply { code: 3, length });
                    last = turn;
                }
            });
            let mut turn = 0;
            for _ in 0..1000 {
                turn = Turns::after(turn);
                turns.ask(turn, &REQUEST);
                match turns.wait(turn, None) {
                    Waited::Reply(reply) => assert_eq!((reply.code, reply.length), (3, turn)),
                    other => panic!("{other:?}"),
                }
            }
        });
    }

    #[test]
    fn a_wait_ends_with_a_death_or_in_time() {
        let turns = Turns::default();
        turns.ask(1, &REQUEST);
        let patience = Some(Duration::from_millis(5));
        assert!(matches!(turns.wait(1, patience), Waited::TimedOut));
        std::thread::scope(|scope| {
            scope.spawn(|| turns.note_death());
            assert!(matches!(turns.wait(1, None), Waited::Dead));
        });
        assert!(turns.is_dead());
    }

    /// As by the signals of a profiler: without an end it waits for ever.
    #[test]
    fn a_wait_that_is_disturbed_ends_all_the_same() {
        let turns = Turns::default();
        let is_over = AtomicU32::new(0);
        turns.ask(1, &REQUEST);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while is_over.load(Ordering::Relaxed) == 0 {
                    wake(&turns.answered.0);
                    std::thread::yield_now();
                }
            });
            let waited = turns.wait(1, Some(Duration::from_millis(5)));
            is_over.store(1, Ordering::Relaxed);
            assert!(matches!(waited, Waited::TimedOut));
        });
    }

    #[test]
    fn no_turn_is_the_beginning_or_a_death() {
        assert_eq!(Turns::after(0), 1);
        assert_eq!(Turns::after(DEAD - 2), DEAD - 1);
        assert_eq!(Turns::after(DEAD - 1), 1);
    }
}
