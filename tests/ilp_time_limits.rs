//! A time limit is kept within twice the limit plus 50 ms, over every back end.
//!
//! Counted in CPU time of the process, which a busy machine does not stretch: an engine that looks at the clock
//! computes less there, not more. Alone in its file, so that no other test computes meanwhile. Only Linux
//! says how much a process has computed.

#![cfg(target_os = "linux")]

#[path = "common/ilp.rs"]
mod ilp;

use std::time::Duration;

use ilp::{backends, market_split};
use imle_runtime::{ErrorKind, Limits, Oracle};

const LIMIT: Duration = Duration::from_millis(400);
const SLACK: Duration = Duration::from_millis(50);

/// User and system time of this process, in the hundredths of a second that Linux counts for programs.
fn computed() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|word| word.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(10 * ticks)
}

/// CBC counts a time limit in whole seconds, rounded up.
fn limit_of(solver: &str) -> Duration {
    match solver {
        "ilp-cbc" => Duration::from_secs(LIMIT.as_secs() + 1),
        _ => LIMIT,
    }
}

fn kind_within(oracle: &dyn Oracle, theta: &[f64]) -> Option<ErrorKind> {
    let mut outcome = [imle_api::unset()];
    let limits = Limits::none().with_time(LIMIT);
    oracle.solve(theta, &mut vec![0.0; theta.len()], &mut outcome, &limits);
    let [outcome] = outcome;
    outcome.err().map(|why| why.kind())
}

#[test]
fn limits_are_kept_in_twice_the_time() {
    for backend in backends() {
        for variables in [40, 60] {
            let (config, theta) = market_split(variables);
            let oracle = backend.opened(&config);
            let before = computed();
            let kind = kind_within(&*oracle, &theta);
            let taken = computed() - before;
            println!("{backend}, {variables} variables: {taken:?} of {LIMIT:?}");
            assert_eq!(kind, Some(ErrorKind::LimitReached), "{backend}");
            let most = 2 * limit_of(backend.solver) + SLACK;
            assert!(taken <= most, "{backend}: {taken:?}, more than {most:?}");
        }
    }
}
