//! Plugins of this workspace load, are listed and opened; everything else gets its own sentence.

mod common;
#[path = "common/oracles.rs"]
mod oracles;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

use imle_runtime::{
    Error, ErrorKind, Facts, Limits, Plugin, Proof, Registry, Solver, cargo_library_directory,
    solve_one,
};
use oracles::registry;
use serde_json::json;

/// The folders of `plugins` that are libraries to load and that the root package names, or whose library was built
/// by itself as those of engines in C++ are, in order.
fn plugins() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| fs::read_to_string(path).expect("a manifest");
    let manifest = read(root.join("Cargo.toml"));
    let folders = fs::read_dir(root.join("plugins")).expect("the folder is there");
    let mut names: Vec<String> = folders
        .map(|folder| folder.expect("it can be read").path())
        .filter(|folder| read(folder.join("Cargo.toml")).contains("cdylib"))
        .map(|folder| {
            folder
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| {
            manifest.contains(&format!("\nimle-{name}.workspace = true")) || is_built(name)
        })
        .collect();
    names.sort();
    names
}

fn is_built(name: &str) -> bool {
    let library = format!("imle_{}", name.replace('-', "_"));
    let directory = cargo_library_directory().expect("tests run in one");
    directory
        .join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"))
        .exists()
}

#[test]
fn every_plugin_of_the_workspace_is_found_and_described() {
    let registry = registry();
    assert!(registry.problems().is_empty(), "{:?}", registry.problems());
    let list = registry.list();
    let names: Vec<&str> = list.iter().map(|listing| listing.name.as_str()).collect();
    assert_eq!(names, plugins());
    for listing in list {
        let plugin = listing.plugin.expect("it was loaded");
        assert_eq!(plugin.version(), env!("CARGO_PKG_VERSION"));
        assert_eq!(plugin.license(), Some("MIT OR Apache-2.0"));
        assert!(plugin.catches_panics());
        assert!(!listing.solver.summary.is_empty());
        let schema = plugin.schema(&listing.name).unwrap();
        assert!(schema["properties"].is_object(), "{schema}");
        assert_eq!(
            schema["additionalProperties"], false,
            "unknown keys are refused"
        );
    }
}

#[test]
fn an_unknown_solver_names_those_there_are() {
    let refused = registry()
        .open("k_subset", &json!({}))
        .map(|_| ())
        .unwrap_err();
    let there_are = plugins().join(", ");
    assert_eq!(
        refused.to_string(),
        format!("not found: no solver `k_subset`; there are {there_are}")
    );
    let refused = Registry::new()
        .open("k-subset", &json!({}))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "not found: no solver `k-subset`: the registry is empty"
    );
}

#[test]
fn a_wrong_configuration_names_the_solver_the_key_and_the_value() {
    let refused = |config| {
        let refused = registry()
            .open("k-subset", &config)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidConfig);
        refused.message().to_owned()
    };
    assert_eq!(
        refused(json!({"dim": 3, "k": 4})),
        "solver `k-subset`: k = 4 is not between 1 and dim = 3"
    );
    let message = refused(json!({"dim": 3, "k": 1, "kk": 1}));
    assert!(
        message
            .starts_with("solver `k-subset`: at `kk`: unknown field `kk`, expected `dim` or `k`"),
        "{message}"
    );
    let message = refused(json!({"dim": -3, "k": 1}));
    assert!(
        message.contains("at `dim`: invalid value: integer `-3`"),
        "{message}"
    );
    assert!(refused(json!([])).contains("invalid"));
}

fn load(path: impl AsRef<std::path::Path>) -> Error {
    // SAFETY: none of these files has code to run.
    unsafe { Plugin::load(path) }.expect_err("it is not a plugin")
}

#[test]
fn what_is_not_a_library_is_refused() {
    let text = common::scratch("loading_text.so");
    fs::write(&text, "not a library").unwrap();
    let empty = common::scratch("loading_empty.so");
    fs::write(&empty, "").unwrap();
    for file in [&text, &empty] {
        let refused = load(file);
        assert_eq!(refused.kind(), ErrorKind::Io);
        assert!(
            refused.message().contains("cannot be opened as a library"),
            "{refused}"
        );
        assert!(
            refused.message().contains(&file.display().to_string()),
            "{refused}"
        );
    }
    let library = fs::read(
        cargo_library_directory()
            .unwrap()
            .join("libimle_k_subset.so"),
    )
    .unwrap();
    for length in [4, 63, 64, 100, 1000, 5000] {
        let cut = common::scratch(&format!("loading_cut_{length}.so"));
        fs::write(&cut, &library[..length]).unwrap();
        let refused = load(&cut);
        assert!(
            refused.message().contains("cannot be opened as a library"),
            "{refused}"
        );
    }
    let missing = load("/no/such/file.so");
    assert_eq!(missing.kind(), ErrorKind::Io);
    assert!(
        missing
            .message()
            .starts_with("plugin /no/such/file.so: cannot open the file:"),
        "{missing}"
    );
    let directory = load(cargo_library_directory().unwrap());
    assert!(
        directory
            .message()
            .ends_with("is a directory, not a library file"),
        "{directory}"
    );
}

fn search(directory: &std::path::Path) -> Result<Registry, Error> {
    // SAFETY: the directories hold libraries of this workspace, or none.
    unsafe { Registry::search([directory]) }
}

#[test]
fn a_search_needs_a_directory_that_is_there_and_absolute() {
    let relative = search("plugins".as_ref()).map(|_| ()).unwrap_err();
    assert!(
        relative
            .message()
            .contains("the path is relative; give an absolute one"),
        "{relative}"
    );
    let missing = search("/no/such/directory".as_ref())
        .map(|_| ())
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
    assert!(
        missing.message().contains("/no/such/directory"),
        "{missing}"
    );
}

#[test]
fn a_bad_library_is_a_problem_and_not_the_end_of_the_search() {
    let directory = tempfile::tempdir().unwrap();
    let good = cargo_library_directory()
        .unwrap()
        .join("libimle_k_subset.so");
    fs::copy(good, directory.path().join("libimle_k_subset.so")).unwrap();
    fs::write(directory.path().join("libimle_broken.so"), "not a library").unwrap();
    fs::write(
        directory.path().join("libother.so"),
        "does not have our name",
    )
    .unwrap();
    let registry = search(directory.path()).unwrap();
    assert_eq!(registry.list().len(), 1);
    assert_eq!(registry.problems().len(), 1);
    let refused = registry
        .open("nothing", &json!({}))
        .map(|_| ())
        .unwrap_err();
    assert!(
        refused.message().contains("libimle_broken.so"),
        "the reason is at hand: {refused}"
    );
}

#[test]
fn two_solvers_of_one_name_are_refused_with_both_places() {
    let directory = tempfile::tempdir().unwrap();
    let good = cargo_library_directory()
        .unwrap()
        .join("libimle_k_subset.so");
    for name in ["libimle_a.so", "libimle_b.so"] {
        fs::copy(&good, directory.path().join(name)).unwrap();
    }
    let registry = search(directory.path()).unwrap();
    assert_eq!(registry.list().len(), 1, "the first by name is kept");
    let problem = registry.problems()[0].to_string();
    assert!(
        problem.contains("two solvers are named `k-subset`"),
        "{problem}"
    );
    assert!(
        problem.contains("libimle_a.so") && problem.contains("libimle_b.so"),
        "{problem}"
    );
}

/// A solver of the host program itself.
struct Nothing;

impl Solver for Nothing {
    const NAME: &'static str = "nothing";
    const SUMMARY: &'static str = "the zero vector";
    type Config = Vec<()>;
    type Workspace = ();

    fn new(_: Vec<()>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn facts(&self) -> Facts {
        Facts::binary(2)
    }

    fn solve(&self, _: &mut (), _: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
        z.fill(0.0);
        Ok(Proof::NONE)
    }
}

#[test]
fn linked_and_loaded_solvers_stand_in_one_registry() {
    let registry = registry();
    registry.link::<Nothing>().unwrap();
    assert!(
        registry
            .link::<Nothing>()
            .unwrap_err()
            .message()
            .contains("this program")
    );
    let oracle = registry.open("nothing", &json!([])).unwrap();
    assert_eq!(solve_one(&*oracle, &[1.0, 2.0]).unwrap().0, [0.0, 0.0]);
    assert!(
        registry
            .list()
            .iter()
            .any(|listing| listing.plugin.is_none())
    );
}
