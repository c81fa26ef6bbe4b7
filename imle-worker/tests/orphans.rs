//! However a program ends, the processes that served it end with it, whatever their solver is doing.
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{bad, settings, solve};
use imle_api::Limits;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// The program that ends: a test that is run by name, in a process of its own.
#[test]
#[ignore = "started by the others"]
fn parent() {
    let ending = std::env::var("IMLE_ORPHANS_ENDING").expect("the others set it");
    let oracle = bad("loops", json!({"dim": 2, "poison": 1.0}), &settings()).unwrap();
    println!("\nworker {}", oracle.idle_processes()[0]);
    let stuck = std::thread::spawn(move || solve(&oracle, &[1.0, 0.0], &Limits::none()));
    std::thread::sleep(Duration::from_millis(200));
    match &*ending {
        "panic" => panic!("the parent panics"),
        "exit" => std::process::exit(0),
        "abort" => std::process::abort(),
        _ => drop(stuck.join()), // until it is killed
    }
}

#[test]
fn none_is_left() {
    for ending in ["panic", "exit", "abort", "killed"] {
        let mut parent = start(ending);
        let worker = worker_of(&mut parent);
        if ending == "killed" {
            std::thread::sleep(Duration::from_millis(300));
            assert!(is_running(worker), "it serves while its parent lives");
            let id = Pid::from_raw(parent.id().cast_signed()).unwrap();
            kill_process(id, Signal::KILL).unwrap();
        }
        parent.wait().unwrap();
        let before = Instant::now();
        while is_running(worker) {
            assert!(before.elapsed() < Duration::from_secs(10), "{ending}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a solver starts is in the group of its process, and ends with it.
#[test]
fn what_a_solver_started_ends_too() {
    let seconds = format!("{}", 100_000 + std::process::id());
    let theta = [seconds.parse().unwrap(), 0.0];
    let is_there = || processes().any(|(_, line)| line == format!("sleep {seconds}"));
    for is_killed in [false, true] {
        let oracle = bad("starts-process", json!({"dim": 2}), &settings()).unwrap();
        let (_, outcomes) = solve(&oracle, &theta, &Limits::none());
        outcomes[0].clone().unwrap();
        let before = Instant::now();
        while !is_there() {
            assert!(before.elapsed() < Duration::from_secs(10), "it is started");
        }
        if is_killed {
            let id = Pid::from_raw(oracle.idle_processes()[0].cast_signed()).unwrap();
            kill_process(id, Signal::KILL).unwrap();
        }
        drop(oracle);
        let before = Instant::now();
        while is_there() {
            assert!(before.elapsed() < Duration::from_secs(10), "it is ended");
        }
    }
}

fn start(ending: &str) -> Child {
    Command::new(std::env::current_exe().expect("the test provides it"))
        .args(["--ignored", "--exact", "parent", "--nocapture"])
        .env("IMLE_ORPHANS_ENDING", ending)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test provides it")
}

fn worker_of(parent: &mut Child) -> u32 {
    let output = BufReader::new(parent.stdout.take().expect("the test provides it"));
    let mut lines = output.lines().map(|it| it.expect("the test provides it"));
    let id = lines.find_map(|line| line.strip_prefix("worker ").map(str::to_owned));
    id.expect("it says so")
        .parse()
        .expect("the test provides it")
}

/// A process that is dead and not collected does not run.
fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// The ids and command lines of all processes.
fn processes() -> impl Iterator<Item = (String, String)> {
    let entries = std::fs::read_dir("/proc")
        .expect("the test provides it")
        .map_while(Result::ok);
    entries.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let id = entry.file_name().into_string().ok()?;
        Some((id, line.trim_end().to_owned()))
    })
}
