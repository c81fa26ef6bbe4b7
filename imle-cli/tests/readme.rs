//! The commands of the README do what they say, one after the other, in an empty folder.
#![cfg(unix)]

mod common;
#[path = "common/compiler.rs"]
mod compiler;

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

#[test]
fn its_commands_run() {
    if compiler::compiler().is_none() {
        return;
    }
    let (_, rest) = README
        .split_once("```console\n")
        .expect("a block of commands");
    let (block, _) = rest.split_once("```").expect("its end");
    let commands: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    assert!(commands.len() > 10, "{block}");
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_imle")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    for line in commands {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", line])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", program.display()))
            .env("XDG_DATA_HOME", "/no/such/folder")
            .env_remove("IMLE_PLUGIN_PATH")
            .env_remove("IMLE_PLUGINS_LOCK");
        let output = shell.output().expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{said}");
    }
    for file in [
        "z.npy",
        "marginals.svg",
        "my-c-solver/imle-plugins.lock",
        "my-solver/src/lib.rs",
        "man/imle-solve.1",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

/// The tables `[run]` and those of the layer above it are one file.
#[test]
fn its_layer_runs() {
    use imle_cli::arrays::Array;
    let blocks: Vec<&str> = README
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let [layer, run] = blocks[..] else {
        panic!("two files: {blocks:?}")
    };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("layer.toml"), format!("{layer}\n{run}")).unwrap();
    Array::new([2, 10], vec![0.5; 20])
        .write(&file("theta.npy"), None)
        .unwrap();
    Array::new([2, 8, 10], vec![1.0; 160])
        .write(&file("grad_z.npy"), None)
        .unwrap();
    common::imle(&["run", common::text(&file("layer.toml"))]).succeeded();
    assert_eq!(Array::read(&file("z.npy")).unwrap().shape, [2, 8, 10]);
    assert_eq!(Array::read(&file("grad_theta.npy")).unwrap().shape, [2, 10]);
}
