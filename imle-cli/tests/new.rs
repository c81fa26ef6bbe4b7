//! `imle new`: what it makes builds and passes its check at once.

mod common;
#[path = "common/compiler.rs"]
mod compiler;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{imle, imle_with, text};

/// Runs a command in a folder.
fn succeed(program: &str, arguments: &[&str], folder: &Path) {
    let mut command = Command::new(program);
    // The build of the project is not part of the build of this test.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
    command
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target);
    let output = command
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
}

fn passes(library: &Path, solver: &str) {
    let checked = imle(&["check", text(library), solver]).succeeded();
    assert!(
        checked.stdout.contains("9 passed, 0 failed"),
        "{}",
        checked.stdout
    );
    let arguments = [
        "solve",
        solver,
        "--library",
        text(library),
        "-c",
        r#"{"dim": 3}"#,
    ];
    assert_eq!(
        imle_with(&arguments, "0.5,2,1\n").succeeded().rows(),
        [[0.0, 1.0, 0.0]]
    );
    let wrong = [
        "solve",
        solver,
        "--library",
        text(library),
        "-c",
        r#"{"dim": 0}"#,
    ];
    imle_with(&wrong, "1\n").failed(3, &["dim = 0; it must be at least 1"]);
    let shown = imle(&["plugins", "show", solver, "--library", text(library)]).succeeded();
    assert!(
        shown.stdout.contains("--config '{\"dim\":5}'"),
        "{}",
        shown.stdout
    );
}

/// Without the network: what the project depends on is what this workspace depends on.
#[test]
fn a_rust_project_builds_passes_its_tests_and_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    let made = imle(&["new", "my-first-solver", "--dir", text(&project)]).succeeded();
    assert!(
        made.stdout
            .contains("imle check target/debug/libimle_my_first_solver"),
        "{}",
        made.stdout
    );
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, project.join("Cargo.lock")).unwrap();
    succeed(env!("CARGO"), &["test", "--offline", "--lib"], &project);
    succeed(env!("CARGO"), &["build", "--offline"], &project);
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new/debug");
    let library: PathBuf = library.join(format!(
        "{}imle_my_first_solver{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    passes(&library, "my-first-solver");
}

#[test]
fn a_c_project_builds_and_passes_its_check() {
    let Some(compiler) = compiler::compiler() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    imle(&["new", "my-solver", "--c", "--dir", text(&project)]).succeeded();
    let flags = format!("CC={compiler}");
    succeed("make", &[&flags, "CFLAGS=-O2 -Wpedantic -Werror"], &project);
    let library = project.join(format!(
        "{}imle_my_solver{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    passes(&library, "my-solver");
}

/// The configuration of the C project is read by hand: what is not `{"dim": n}` is refused.
#[test]
fn the_c_project_reads_its_configuration_strictly() {
    if compiler::compiler().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    imle(&["new", "strict", "--c", "--dir", text(&project)]).succeeded();
    succeed("make", &[], &project);
    let library = project.join(format!(
        "{}imle_strict{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    for config in [
        r#"{"dim": -1}"#,
        r#"{"dim": 1.5}"#,
        r#"{"dim": 18446744073709551616}"#,
        r#"{"dim": "3"}"#,
        "{}",
        "[3]",
        r#"{"k": 3}"#,
        r#"{"dim": 3, "k": 1}"#,
    ] {
        let arguments = ["solve", "strict", "--library", text(&library), "-c", config];
        imle_with(&arguments, "1,2,3\n").failed(3, &["invalid configuration"]);
    }
}

#[test]
fn the_crate_that_a_project_depends_on_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api with a space");
    fs::create_dir(&api).unwrap();
    let project = folder.path().join("a");
    let arguments = [
        "new",
        "a",
        "--dir",
        text(&project),
        "--imle-api",
        text(&api),
    ];
    imle(&arguments).failed(6, &["not the folder of the crate imle-api"]);
    fs::write(api.join("Cargo.toml"), "").unwrap();
    imle(&arguments).succeeded();
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let path = format!(
        "imle-api = {{ path = {:?} }}",
        text(&api.canonicalize().unwrap())
    );
    assert!(manifest.contains(&path), "{manifest}");
}

#[test]
fn a_name_or_a_folder_that_does_not_do_is_refused() {
    for name in ["My", "a_b", "a--b", "-a", "1a", "a/b", ""] {
        assert_eq!(imle(&["new", "--", name]).code, 2, "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    imle(&["new", "a", "--dir", text(folder.path())]).failed(6, &["it exists"]);
}
