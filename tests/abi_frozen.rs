//! What was compiled against an earlier minor version works with this host for ever.
//!
//! Each folder of `tests/abi` is a released version: its header, a plugin written against it, and what it
//! says of its layout (`abi_layout.rs` compares that). A release adds a folder; none is ever changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use imle_api::{ErrorKind, Facts, Limits, Linked, solve_one, unset};
use imle_k_subset::KSubset;
use imle_runtime::{Plugin, cargo_library_directory};
use serde_json::json;

mod common;

#[test]
fn a_plugin_of_an_earlier_version_is_loaded_and_solves() {
    for (version, library) in frozen_plugins() {
        // SAFETY: the library is ours and follows the header of its version.
        let plugin = unsafe { Plugin::load(library) }.expect(&version);
        let described = (plugin.name(), plugin.version(), plugin.license());
        assert_eq!(
            described,
            ("frozen", "1.0.0", Some("MIT OR Apache-2.0")),
            "{version}"
        );
        let solver = plugin.solvers().next().expect("it has one");
        assert_eq!(solver.summary, "one of a few coordinates, or none");
        assert_eq!(solver.serial_group.as_deref(), Some("frozen-1.0"));
        assert_eq!(plugin.schema("frozen").expect(&version)["maximum"], 9);

        let oracle = plugin.open("frozen", &json!(3)).expect(&version);
        assert_eq!(oracle.facts(), Facts::binary(3));
        let (z, solved) = solve_one(&*oracle, &[1.0, 3.0, 3.0]).expect(&version);
        assert_eq!((z, solved.objective), (vec![0.0, 1.0, 0.0], 3.0));
        assert_eq!((solved.proof.radius, solved.proof.bound), (0.0, 3.0));
        let (z, solved) = solve_one(&*oracle, &[-1.0, -2.0, -4.0]).expect(&version);
        assert_eq!((z, solved.objective), (vec![0.0; 3], 0.0));
        assert!(solved.proof.radius > 0.499 && solved.proof.radius < 0.5);
    }
}

#[test]
fn its_errors_and_its_extension_come_through() {
    for (version, library) in frozen_plugins() {
        // SAFETY: the library is ours and follows the header of its version.
        let plugin = unsafe { Plugin::load(library) }.expect(&version);
        let refused = plugin
            .open("frozen", &json!(10))
            .err()
            .expect("10 is too many");
        assert_eq!(refused.kind(), ErrorKind::InvalidConfig);
        assert!(
            refused
                .message()
                .contains("expected an integer from 1 to 9")
        );

        let oracle = plugin.open("frozen", &json!(2)).expect(&version);
        let (theta, mut z) = ([1.0, 2.0, 2e6, 0.0, 3.0, 4.0], [f64::NAN; 6]);
        let mut outcomes = [unset(), unset(), unset()];
        oracle.solve(&theta, &mut z, &mut outcomes, &Limits::none());
        let error = outcomes[1].as_ref().expect_err("it is too hot");
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::InvalidTheta, "theta is too hot")
        );
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");

        let (mut mu, mut log_partition) = ([0.0; 2], [unset::<f64>()]);
        oracle.marginals(
            &[0.0, 2.0f64.ln()],
            &mut mu,
            &mut log_partition,
            &Limits::none(),
        );
        let log_partition = log_partition[0].as_ref().expect("it is tractable");
        assert!((log_partition - 4.0f64.ln()).abs() < 1e-14);
        assert!((mu[0] - 0.25).abs() < 1e-14 && (mu[1] - 0.5).abs() < 1e-14);
    }
}

/// `tests/c/host.c` is that host: its structs are larger than ours, smaller than those of version 1.0, or
/// ask for something that does not exist.
#[test]
fn a_plugin_takes_a_newer_host_and_refuses_one_from_before_version_1_0() {
    let Some(mut compiler) = common::compiler("c11") else {
        return;
    };
    let host = common::scratch("frozen_host");
    compiler
        .args(["-D_GNU_SOURCE", "-Wno-pedantic"])
        .arg(common::c_file("host.c"))
        .arg("-o")
        .args([&host, Path::new("-ldl")]);
    common::succeed(compiler);
    let ask = |library: &Path, config: &str| {
        let plain = Command::new(&host);
        for mut command in [plain].into_iter().chain(common::valgrind(&host)) {
            command.arg(library).arg(config);
            common::succeed(command);
        }
    };
    for (_, library) in frozen_plugins() {
        ask(&library, "3");
    }
    if let Some(library) = common::compile_c("k_subset.c", "frozen_k_subset", &[]) {
        ask(&library, r#"{"dim": 5, "k": 2}"#);
    }
    let rust = cargo_library_directory().expect("Cargo built this test");
    ask(&rust.join("libimle_k_subset.so"), r#"{"dim": 5, "k": 2}"#);
}

#[test]
fn valgrind_sees_nothing_wrong() {
    common::repeat_under_valgrind();
}

/// Names the crate, so that its library is built beside this test.
#[test]
fn the_library_of_the_test_above_is_built() {
    assert!(Linked::<KSubset>::open(r#"{"dim": 5, "k": 2}"#).is_ok());
}

/// The plugin of each version, compiled against the header of that version.
fn frozen_plugins() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi");
    let versions = fs::read_dir(folder).expect("the folder is there");
    let mut plugins = Vec::new();
    for version in versions {
        let version = version.expect("it can be read").path();
        let name = version.file_name().expect("it is named").to_string_lossy();
        // Every test compiles its own: they run at the same time.
        let thread = std::thread::current();
        let test = thread.name().unwrap_or_default().replace("::", "_");
        let library = common::scratch(&format!("{test}_{name}{}", std::env::consts::DLL_SUFFIX));
        let Some(mut compiler) = common::compiler_without_header("c11") else {
            break;
        };
        compiler
            .args(["-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-I"])
            .args([&version, &version.join("plugin.c")])
            .arg("-o")
            .args([&library, Path::new("-lm")]);
        common::succeed(compiler);
        plugins.push((name.into_owned(), library));
    }
    plugins
}
