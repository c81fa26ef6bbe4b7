//! Runs the built program as a user does.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run of the program left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// # Panics
    ///
    /// With what the program said, if it did not do everything.
    pub(crate) fn succeeded(self) -> Self {
        let Self {
            code,
            stdout,
            stderr,
        } = &self;
        assert_eq!(*code, 0, "{stdout}\n{stderr}");
        self
    }

    /// # Panics
    ///
    /// If it ended with another code, or does not say one of these.
    pub(crate) fn failed(self, code: i32, says: &[&str]) -> Self {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.code, code, "{all}");
        for part in says {
            assert!(all.contains(part), "no `{part}` in\n{all}");
        }
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}\n{}", self.stdout))
    }

    /// The numbers of CSV output, by line.
    pub(crate) fn rows(&self) -> Vec<Vec<f64>> {
        let line = |line: &str| {
            line.split(',')
                .map(|field| field.parse().expect("a number"))
                .collect()
        };
        self.stdout.lines().skip(1).map(line).collect()
    }
}

/// The program, without settings of whoever runs the tests.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imle"));
    command
        .args(arguments)
        .env_remove("IMLE_PLUGIN_PATH")
        .env_remove("IMLE_PLUGINS_LOCK")
        .env_remove("IMLE_API")
        .env("XDG_DATA_HOME", "/no/such/folder");
    command
}

pub(crate) fn imle(arguments: &[&str]) -> Ran {
    imle_with(arguments, "")
}

pub(crate) fn imle_with(arguments: &[&str], input: &str) -> Ran {
    run(program(arguments), input)
}

pub(crate) fn run(mut command: Command, input: &str) -> Ran {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_owned();
    // A program that ends without reading closes the pipe.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it does not panic");
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A plugin library of this workspace.
pub(crate) fn library(name: &str) -> PathBuf {
    built(&format!("imle_{}", name.replace('-', "_")))
}

/// The plugin whose solvers each do one thing wrong. Its name keeps it out of searches.
pub(crate) fn bad_plugin() -> PathBuf {
    built("bad_plugin")
}

fn built(library: &str) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    Path::new(env!("CARGO_BIN_EXE_imle"))
        .with_file_name("deps")
        .join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"))
}

/// Text of a path.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("it is UTF-8")
}
