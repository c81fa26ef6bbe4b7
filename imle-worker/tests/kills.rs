//! Processes are killed at random while many threads solve: every row is answered once, as without that or with
//! an error that says so; and with retries every row is right.
//!
//! The size is small; `IMLE_KILL_ROWS=100000` is the whole of it.
#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::{library, numbers, settings, solve};
use imle_api::{ErrorKind, Limits, Oracle};
use imle_runtime::{Isolated, Isolation, Plugin};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const THREADS: usize = 8;
const ROWS_A_CALL: usize = 125;
const INTERVAL: Duration = Duration::from_millis(50);
/// Fewer kills than this show nothing.
const LEAST_KILLS: usize = 10;

#[test]
fn rows_are_right_or_say_that_their_process_was_killed() {
    let failed = solve_under_fire(0);
    // What was lost is what was in flight.
    assert!(
        failed.rows > 0 && failed.rows < failed.kills * ROWS_A_CALL,
        "{failed:?}"
    );
}

#[test]
fn with_retries_every_row_is_right() {
    assert_eq!(solve_under_fire(20).rows, 0);
}

#[derive(Debug)]
struct Failed {
    rows: usize,
    kills: usize,
}

fn solve_under_fire(retries: u32) -> Failed {
    // One test at a time: the processes of the other are children of this process, too.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let all = std::env::var("IMLE_KILL_ROWS").map_or(8000, |rows| rows.parse().expect("a number"));
    let config =
        json!({"grid": {"height": 24, "width": 24, "moves": "right_down"}, "costs": "vertices"});
    let path = library("imle_shortest_path");
    // SAFETY: built from this workspace.
    let here = unsafe { Plugin::load(&path) }.expect("it is a plugin");
    let here = here.open("shortest-path", &config).expect("it is right");
    let settings = Isolation {
        retries,
        most_deaths: 1000,
        ..settings()
    };
    let there =
        Isolated::open(path, "shortest-path", &config.to_string(), &settings).expect("it is right");
    let (kills, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failed = std::thread::scope(|scope| {
        scope.spawn(|| kill_at_random(&kills, &done));
        let solve_part = |thread: usize| {
            let (mut failed, mut solved, mut call) = (0, 0, 0);
            while solved < all / THREADS || kills.load(Ordering::Relaxed) < LEAST_KILLS {
                failed += compare(&*here, &there, (thread * 1_000_000 + call) as u64);
                solved += ROWS_A_CALL;
                call += 1;
            }
            (solved, failed)
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || solve_part(thread)))
            .collect();
        let parts = threads.into_iter().map(|thread| thread.join());
        let parts: Vec<_> = parts.map(|part| part.expect("no row is wrong")).collect();
        done.store(true, Ordering::Relaxed);
        parts
    });
    let sum = |part: fn(&(usize, usize)) -> usize| failed.iter().map(part).sum::<usize>();
    let (rows, failed) = (sum(|part| part.0), sum(|part| part.1));
    let kills = kills.into_inner();
    eprintln!(
        "{rows} rows, {kills} kills, {} processes died, {retries} retries: {failed} rows failed",
        there.deaths()
    );
    assert!(there.deaths() > 0);
    Failed {
        rows: failed,
        kills,
    }
}

/// Solves the rows of a seed both ways; returns how many failed, each for the right reason.
fn compare(here: &dyn Oracle, there: &Isolated, seed: u64) -> usize {
    let dim = here.facts().dim;
    let theta = numbers(ROWS_A_CALL * dim, seed);
    let (expected_z, expected) = solve(here, &theta, &Limits::none());
    let (z, outcomes) = solve(there, &theta, &Limits::none());
    let mut failed = 0;
    for row in 0..ROWS_A_CALL {
        match &outcomes[row] {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BackendFailed, "{error}");
                assert!(error.message().contains("SIGKILL"), "{error}");
                failed += 1;
            }
            outcome => {
                assert_eq!(outcome, &expected[row], "seed {seed}, row {row}");
                let values = row * dim..(row + 1) * dim;
                assert_eq!(
                    z[values.clone()],
                    expected_z[values],
                    "seed {seed}, row {row}"
                );
            }
        }
    }
    failed
}

/// Kills one of the children of this process after the other.
fn kill_at_random(kills: &AtomicUsize, done: &AtomicBool) {
    let mut random = fastrand::Rng::with_seed(1);
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(INTERVAL);
        let children = children();
        if !children.is_empty() {
            let child = children[random.usize(..children.len())];
            // It may have ended since.
            if kill_process(child, Signal::KILL).is_ok() {
                kills.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The workers of this process that are not dead yet.
fn children() -> Vec<Pid> {
    let this = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc")
        .expect("the test provides it")
        .map_while(Result::ok);
    let child = |entry: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (head, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let is_dead = fields.next()? == "Z";
        let is_ours = fields.next()? == this && head.ends_with("(imle-worker");
        let id = entry.file_name().to_str()?.parse().ok()?;
        (is_ours && !is_dead).then(|| Pid::from_raw(id)).flatten()
    };
    entries.filter_map(child).collect()
}
