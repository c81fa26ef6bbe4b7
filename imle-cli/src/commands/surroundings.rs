//! What a solver must leave as it was: the process around it.

use std::ffi::OsString;
use std::fmt::Debug;
use std::path::PathBuf;

/// The state of this process and of the thread that asks.
pub(super) struct Surroundings {
    directory: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
    keeps_small_numbers: bool,
    /// A bit for each signal that has a handler, if the system tells.
    handled_signals: Option<u64>,
    /// The processes that this one has started, if the system tells.
    children: Vec<String>,
}

impl Surroundings {
    pub(super) fn now() -> Self {
        let smallest = std::hint::black_box(f64::MIN_POSITIVE);
        Self {
            directory: std::env::current_dir().ok(),
            variables: std::env::vars_os().collect(),
            keeps_small_numbers: smallest * std::hint::black_box(0.5) != 0.0,
            handled_signals: handled_signals(),
            children: children(),
        }
    }

    /// Says what is no longer as it was.
    pub(super) fn changed(&self) -> Option<String> {
        let now = Self::now();
        let changes = [
            changed("the working directory", &self.directory, &now.directory),
            changed("the environment", &self.variables, &now.variables),
            (self.keeps_small_numbers && !now.keeps_small_numbers)
                .then(|| "numbers below 2.2e-308 have become zero on this thread".to_owned()),
            self.handled_anew(&now),
            changed(
                "the processes that it has started",
                &self.children,
                &now.children,
            ),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        (!changes.is_empty()).then(|| changes.join("; "))
    }

    fn handled_anew(&self, now: &Self) -> Option<String> {
        let (before, now) = (self.handled_signals?, now.handled_signals?);
        let names: Vec<String> = (1..=64)
            .filter(|signal| (before ^ now) >> (signal - 1) & 1 == 1)
            .map(super::check_process::signal_name)
            .collect();
        (!names.is_empty()).then(|| format!("the handlers have changed of {}", names.join(", ")))
    }
}

fn changed<T: PartialEq + Debug>(what: &str, before: &T, now: &T) -> Option<String> {
    (before != now).then(|| {
        let shown = |value: &T| {
            let text = format!("{value:?}");
            // An environment is long, and its end is what is new.
            let start = text.char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            text[start..].to_owned()
        };
        format!("{what}: was {}, is {}", shown(before), shown(now))
    })
}

/// From Linux's own account of this process.
fn handled_signals() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Those that have ended count until somebody asks how.
fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let is_child = |stat: &str| {
        // The name before the bracket may hold anything; behind it are the state and the parent.
        let behind = stat.rsplit_once(')').map(|(_, behind)| behind);
        behind.and_then(|behind| behind.split_whitespace().nth(1)) == Some(&own)
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut children: Vec<String> = processes
        .filter(|process| {
            let stat = std::fs::read_to_string(process.path().join("stat"));
            stat.is_ok_and(|stat| is_child(&stat))
        })
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect();
    children.sort();
    children
}
