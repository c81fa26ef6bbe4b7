//! What several tests share.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// Set to 1, it makes a missing valgrind the failure of every test that asks for it.
const REQUIRE_VALGRIND: &str = "IMLE_REQUIRE_VALGRIND";

/// Names a folder to use instead of the usual one for [`scratch`].
const SCRATCH: &str = "IMLE_TESTS_SCRATCH";

/// The folder of `imle_plugin.h`.
pub(crate) const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/imle-api/include");

/// Flags under which the header and every C file of this repository are free of warnings.
pub(crate) const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compiles `tests/c/{source}` as C11, or as C++17 if it ends in `.cpp`, into a plugin library in the
/// target directory, called `name`; a name serves one test file alone.
///
/// Returns `None`, loudly, where there is no compiler.
///
/// # Panics
///
/// With the compiler's words if it refuses the file.
pub(crate) fn compile_c(source: &str, name: &str, flags: &[&str]) -> Option<PathBuf> {
    let language = if source.ends_with(".cpp") {
        "c++17"
    } else {
        "c11"
    };
    let library = scratch(&format!("{name}{}", std::env::consts::DLL_SUFFIX));
    let mut command = compiler(language)?;
    command
        .args(["-O1", "-fPIC", "-shared", "-fvisibility=hidden"])
        .args(flags)
        .arg(c_file(source))
        .arg("-o")
        .args([&library, Path::new("-lm")]);
    succeed(command);
    Some(library)
}

/// A compiler as [`compiler_without_header`] gives it that knows the header.
pub(crate) fn compiler(standard: &str) -> Option<Command> {
    let mut command = compiler_without_header(standard)?;
    command.args(["-I", INCLUDE]);
    Some(command)
}

/// A compiler for a `-std=` such as `c99` or `c++20`, and strict; `None`, loudly, where there is none. The variables
/// `CC` and `CXX` name other compilers than the system's.
pub(crate) fn compiler_without_header(standard: &str) -> Option<Command> {
    let (variable, usual) = if standard.starts_with("c++") {
        ("CXX", "c++")
    } else {
        ("CC", "cc")
    };
    let program = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    if Command::new(&program).arg("--version").output().is_err() {
        warn(&format!("NOT TESTED: there is no compiler `{program}`"));
        return None;
    }
    let mut command = Command::new(program);
    command.arg(format!("-std={standard}")).args(STRICT);
    Some(command)
}

/// Runs a command and returns what it prints.
///
/// # Panics
///
/// With everything that it says if it fails.
pub(crate) fn succeed(mut command: Command) -> String {
    let output = command.output().expect("the program can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// A file in `tests/c`.
pub(crate) fn c_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/c")
        .join(name)
}

/// A file in a folder that tests may write to.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = std::env::var_os(SCRATCH).map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned();
    folder.unwrap_or_else(usual).join(name)
}

/// Runs the tests of the file that asks once more, under valgrind and with libraries of their own.
pub(crate) fn repeat_under_valgrind() {
    let this_program = std::env::current_exe().expect("it runs");
    let Some(mut command) = valgrind(&this_program) else {
        return;
    };
    let folder = scratch("valgrind");
    std::fs::create_dir_all(&folder).expect("the folder can be written");
    command
        .args(["--test-threads=1", "--nocapture", "--skip", "valgrind"])
        .env(SCRATCH, folder);
    succeed(command);
}

/// A command that runs `program` and fails, with the place, if it touches memory that is not its own, decides by
/// what was never written, or loses memory. `None`, loudly, where there is no valgrind.
///
/// # Panics
///
/// If there is none and `IMLE_REQUIRE_VALGRIND=1`.
pub(crate) fn valgrind(program: &Path) -> Option<Command> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        let is_required = std::env::var(REQUIRE_VALGRIND).is_ok_and(|value| value == "1");
        assert!(
            !is_required,
            "{REQUIRE_VALGRIND}=1 and there is no valgrind"
        );
        static SAID: Once = Once::new();
        SAID.call_once(|| warn("NOT TESTED: there is no valgrind"));
        return None;
    }
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        // What the standard library keeps for the main thread counts as possibly lost.
        .args([
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ])
        .arg(program);
    Some(command)
}

/// Not through `eprintln`, which the test harness hides when a test passes.
fn warn(sentence: &str) {
    let warning = format!("\n{sentence}\n");
    let written = std::io::stderr().write_all(warning.as_bytes());
    written.expect("stderr is open");
}
