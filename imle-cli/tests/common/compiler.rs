//! The C compiler of the system.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/c/defects.c` in a mode to a library in `folder`; `None`, loudly, where there is no compiler.
///
/// # Panics
///
/// With the compiler's words if it refuses the file.
pub(crate) fn defect(mode: &str, folder: &Path) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("libimle_{mode}.so"));
    let output = Command::new(compiler()?)
        .args([
            "-std=c11",
            "-O1",
            "-fPIC",
            "-shared",
            "-fvisibility=hidden",
            "-w",
        ])
        .arg(format!("-DMODE_{mode}"))
        .arg("-I")
        .arg(root.join("../imle-api/include"))
        .arg(root.join("tests/c/defects.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("the compiler can be started");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(library)
}

/// The variable `CC` names another than `cc`.
pub(crate) fn compiler() -> Option<String> {
    let program = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&program).arg("--version").output().is_ok() {
        return Some(program);
    }
    let warning = format!("\nNOT TESTED: there is no compiler `{program}`\n");
    // Not through `eprintln`, which the test harness hides when a test passes.
    std::io::stderr()
        .write_all(warning.as_bytes())
        .expect("stderr is open");
    None
}
