//! The seeds of the fuzz targets go through what the targets do, so that neither rots on a toolchain without a fuzzer.
//! The solvers are loaded here, and linked there.

#[path = "../fuzz/src/lib.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "a library of its own, which a fuzzer drives"
)]
mod fuzz;

use std::path::Path;

use imle_runtime::{Registry, cargo_library_directory};

fn registry() -> Registry {
    let directory = cargo_library_directory().expect("a test lies in the build folder");
    // SAFETY: the libraries in this directory were built from this workspace.
    unsafe { Registry::search([directory]) }.expect("the directory can be read")
}

/// Every seed of a target, with its name.
fn each_seed(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut seeds = 0;
    for entry in folder.read_dir().expect("a target has seeds") {
        let path = entry.expect("the folder can be read").path();
        println!("{}", path.display()); // what is left to see when a seed ends the process
        run(&std::fs::read(path).expect("a seed can be read"));
        seeds += 1;
    }
    assert!(seeds > 0, "{target} has no seeds");
}

#[test]
fn configuration() {
    let registry = registry();
    each_seed("configuration", |seed| fuzz::configuration(&registry, seed));
}

#[test]
fn lp() {
    each_seed("lp", fuzz::lp);
}

#[test]
fn mps() {
    each_seed("mps", fuzz::mps);
}

#[test]
fn npy() {
    each_seed("npy", fuzz::npy);
}

#[test]
fn csv() {
    each_seed("csv", fuzz::csv);
}

#[test]
fn descriptor() {
    each_seed("descriptor", fuzz::descriptor);
}

#[test]
fn layer() {
    let registry = registry();
    each_seed("layer", |seed| fuzz::layer(&registry, seed));
}
