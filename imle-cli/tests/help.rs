//! Help, manual pages, completions and the benchmark: they say what there is.

mod common;

use std::fs;

use common::{imle, text};

const COMMANDS: [&str; 11] = [
    "new",
    "plugins",
    "check",
    "solve",
    "sample",
    "marginals",
    "bench",
    "trust",
    "run",
    "completions",
    "man",
];

#[test]
fn help_lists_commands_and_exit_codes() {
    let help = imle(&["--help"]).succeeded().stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command}")), "{command}");
        let of_command = imle(&[command, "--help"]).succeeded().stdout;
        assert!(of_command.contains("--json"), "{command}");
        // A line for the list, and more for whoever asks.
        let brief = imle(&[command, "-h"]).succeeded().stdout;
        let about = |help: &str| help.split("\n\nUsage:").next().map(str::len);
        assert!(about(&of_command) > about(&brief), "{of_command}");
    }
    for code in [
        "0  everything was done",
        "1  `check` found",
        "2  the command line",
        "4  rows could not be solved",
    ] {
        assert!(help.contains(code), "{help}");
    }
    assert!(!help.contains("check-child"), "{help}");
    assert_eq!(
        imle(&["--version"]).succeeded().stdout,
        format!("imle {}\n", env!("CARGO_PKG_VERSION"))
    );
    imle(&[]).failed(2, &["Usage"]);
    imle(&["slove"]).failed(2, &["unrecognized subcommand", "solve"]);
}

#[test]
fn all_that_is_printed_can_be_json() {
    for wrong in [&["solve", "--json"][..], &["slove", "--json"], &["--json"]] {
        let json = imle(wrong).failed(2, &["Usage"]).json();
        assert_eq!(json["error"]["exit_code"], 2);
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains("Usage"), "{message}");
    }
    let script = imle(&["completions", "bash"]).succeeded().stdout;
    let json = imle(&["completions", "bash", "--json"]).succeeded().json();
    assert_eq!(
        (&json["script"], &json["shell"]),
        (&script.into(), &"bash".into())
    );
    let page = imle(&["man"]).succeeded().stdout;
    assert_eq!(imle(&["man", "--json"]).succeeded().json()["page"], page);
    let folder = tempfile::tempdir().unwrap();
    let json = imle(&["man", text(folder.path()), "--json"])
        .succeeded()
        .json();
    assert_eq!(json["folder"], text(folder.path()));
}

/// The README and the help give the same table.
#[test]
fn the_readme_lists_the_exit_codes_and_commands() {
    let readme = include_str!("../../README.md");
    let help = imle(&["--help"]).succeeded().stdout;
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(
            readme.contains(&format!("| {code} | {meaning} |")),
            "| {code} | {meaning} |"
        );
    }
    for command in COMMANDS {
        assert!(readme.contains(&format!("imle {command}")), "{command}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = imle(&["completions", shell]).succeeded().stdout;
        assert!(
            COMMANDS.iter().all(|command| script.contains(command)),
            "{shell}"
        );
    }
    imle(&["completions", "csh"]).failed(2, &["csh", "bash"]);
    let page = imle(&["man"]).succeeded().stdout;
    assert!(
        page.contains(".TH imle 1") && page.contains("Exit codes"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    imle(&["man", text(folder.path())]).succeeded();
    for command in COMMANDS {
        let page = fs::read_to_string(folder.path().join(format!("imle-{command}.1"))).unwrap();
        assert!(page.contains("json"), "{command}");
    }
}

#[test]
fn bench_measures_every_kind_of_work() {
    let config = r#"{"dim": 6, "k": 2}"#;
    let arguments = [
        "bench",
        "k-subset",
        "-c",
        config,
        "--threads",
        "1,2",
        "--batch",
        "1,8",
        "--time",
        "0.02",
    ];
    let json = imle(&[&arguments[..], &["--json"]].concat())
        .succeeded()
        .json();
    let lines = json["rows_per_second"].as_array().unwrap();
    let sizes: Vec<(u64, u64)> = lines
        .iter()
        .map(|line| {
            (
                line["threads"].as_u64().unwrap(),
                line["batch"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(sizes, [(1, 1), (1, 8), (2, 1), (2, 8)]);
    for line in lines {
        for work in ["solve", "noise", "backward", "cached"] {
            assert!(line[work].as_f64().unwrap() > 0.0, "{line}");
        }
    }
    let table = imle(&arguments).succeeded().stdout;
    assert!(
        table.contains("backward") && table.contains("rows a batch"),
        "{table}"
    );
    imle(&["bench", "k-subset", "-c", config, "--batch", "0"]).failed(2, &["--batch 0"]);
}

/// Colours and bars are for terminals; here is none.
#[test]
fn output_that_is_no_terminal_is_plain() {
    for arguments in [
        &["plugins"][..],
        &["plugins", "show", "k-subset"],
        &["solve", "no-such"],
    ] {
        let ran = imle(arguments);
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr).contains('\x1b'),
            "{arguments:?}"
        );
    }
    let coloured = imle(&["plugins", "show", "k-subset", "--color", "always"]).succeeded();
    assert!(coloured.stdout.contains("\x1b["), "{}", coloured.stdout);
}
