//! An entry of the registry is replaced while calls run.

#[path = "common/oracles.rs"]
mod oracles;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use imle_runtime::{
    Cache, Error, ErrorKind, Facts, Fallback, FnOracle, Imle, Layer, NoNoise, Oracle, Pid, Plugin,
    Sampling, Temperature, cargo_library_directory, solve_one,
};
use oracles::{brute_force, numbers, registry, subsets};
use serde_json::json;

/// The k-subset plugin under another path: to the loader another library.
fn copy_of_k_subset(directory: &Path, name: &str) -> Plugin {
    let path = directory.join(name);
    let libraries = cargo_library_directory().expect("Cargo built this test");
    fs::copy(libraries.join("libimle_k_subset.so"), &path).expect("the folder can be written");
    // SAFETY: built from this workspace.
    unsafe { Plugin::load(path) }.expect("it is a plugin")
}

#[test]
fn calls_go_on_and_stay_right_while_the_solver_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry();
    let oracle = registry
        .open("k-subset", &json!({"dim": 8, "k": 3}))
        .unwrap();
    let plugins: Vec<Plugin> = (0..3)
        .map(|i| copy_of_k_subset(directory.path(), &format!("copy{i}.so")))
        .collect();
    let imle = Layer::new(
        oracle,
        Imle::default(),
        Sampling {
            tau: 0.0.into(),
            threads: 1,
            ..Sampling::default()
        },
    )
    .unwrap();
    let states = subsets(8, 3);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|thread| {
                let (imle, states, done) = (&imle, &states, &done);
                scope.spawn(move || {
                    let mut calls = 0;
                    while !done.load(Ordering::Relaxed) || calls < 20 {
                        let theta = numbers(10 * 8, 1000 * thread + calls);
                        let saved = imle.forward(&theta, calls).unwrap();
                        for (theta, z) in theta.chunks_exact(8).zip(saved.z().chunks_exact(8)) {
                            assert_eq!(z, brute_force(states, theta));
                        }
                        calls += 1;
                    }
                })
            })
            .collect();
        for swap in 0..200 {
            registry
                .replace("k-subset", &plugins[swap % 3], "k-subset")
                .unwrap();
        }
        done.store(true, Ordering::Relaxed);
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
    });
    let behind = registry
        .list()
        .into_iter()
        .find(|listing| listing.name == "k-subset")
        .unwrap();
    assert_eq!(
        behind.plugin.unwrap().path().file_name().unwrap(),
        "copy1.so"
    );
}

#[test]
fn a_backward_pass_finishes_on_the_instance_of_its_forward_pass() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry();
    let oracle = registry
        .open("k-subset", &json!({"dim": 8, "k": 3}))
        .unwrap();
    // The cache counts by instance: without noise and with lambda so small that nothing moves, backward asks
    // for the rows of forward again.
    let cache = Cache::new(1 << 20);
    let config = (
        Imle {
            target: Arc::new(Pid::new(f64::MIN_POSITIVE)),
            // At a temperature of its own, no proof of the forward pass covers the target.
            tau_target: Some(Temperature::from(1.0)),
            ..Imle::default()
        },
        Sampling {
            noise: Arc::new(NoNoise),
            ..Sampling::default()
        },
    );
    let imle = Layer::new(cache.wrap(oracle), config.0, config.1).unwrap();
    let saved = imle.forward(&numbers(8, 1), 0).unwrap();
    let plugin = copy_of_k_subset(directory.path(), "copy.so");
    registry.replace("k-subset", &plugin, "k-subset").unwrap();
    imle.backward(saved, &numbers(8, 2)).unwrap();
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 1));
    imle.forward(&numbers(8, 1), 0).unwrap();
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 2));
}

#[test]
fn a_cache_does_not_serve_states_of_the_old_instance() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry();
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(
        registry
            .open("k-subset", &json!({"dim": 8, "k": 3}))
            .unwrap(),
    );
    let theta = numbers(8, 1);
    solve_one(&*oracle, &theta).unwrap();
    solve_one(&*oracle, &theta).unwrap();
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 1));
    let plugin = copy_of_k_subset(directory.path(), "copy.so");
    registry.replace("k-subset", &plugin, "k-subset").unwrap();
    solve_one(&*oracle, &theta).unwrap();
    assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 2));
}

#[test]
fn a_replacement_that_does_not_fit_changes_nothing() {
    let registry = registry();
    let oracle = registry
        .open("k-subset", &json!({"dim": 8, "k": 3}))
        .unwrap();
    let before = oracle.identity();
    let plugins = registry.list();
    let other = plugins
        .iter()
        .find(|listing| listing.name == "shortest-path")
        .unwrap();
    let other = other.plugin.as_ref().unwrap();
    let refused = registry
        .replace("k-subset", other, "shortest-path")
        .unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::InvalidConfig,
        "its configuration is another: {refused}"
    );
    let refused = registry.replace("k-subset", other, "k-subset").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let refused = registry
        .replace("no-such", other, "shortest-path")
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert_eq!(oracle.identity(), before);
}

#[test]
fn a_library_that_changed_under_its_path_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = copy_of_k_subset(directory.path(), "copy.so");
    fs::remove_file(plugin.path()).unwrap();
    fs::write(plugin.path(), "a new version").unwrap();
    // SAFETY: refused before anything is run.
    let refused = unsafe { Plugin::load(plugin.path()) }.unwrap_err();
    assert!(
        refused
            .message()
            .ends_with("give the new version a new path"),
        "{refused}"
    );
}

/// The other solver refuses the configuration, so one instance that was still known would be in its way.
#[test]
fn instances_that_were_dropped_do_not_stand_in_the_way() {
    let registry = registry();
    let open = |k| {
        registry
            .open("k-subset", &json!({"dim": 5, "k": k}))
            .unwrap()
    };
    let kept = open(1);
    (2..=5).for_each(|k| drop(open(k)));
    let plugins = registry.list();
    let other = plugins
        .iter()
        .find(|listing| listing.name == "shortest-path")
        .unwrap();
    let other = other.plugin.as_ref().unwrap();
    assert!(
        registry
            .replace("k-subset", other, "shortest-path")
            .is_err()
    );
    drop(kept);
    registry
        .replace("k-subset", other, "shortest-path")
        .unwrap();
}

#[test]
fn a_fallback_follows_the_back_ends_that_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry();
    let open = || registry.open("k-subset", &json!({"dim": 8, "k": 3}));
    let failing = FnOracle::new(Facts::binary(8), |_, _| {
        Err(Error::new(ErrorKind::BackendFailed, "planted"))
    });
    let backends: [(_, Arc<dyn Oracle>); 2] = [
        ("failing", Arc::new(failing)),
        ("k-subset", open().unwrap()),
    ];
    let fallback = Arc::new(Fallback::new(backends).unwrap());
    let cache = Cache::new(1 << 20);
    let oracle = cache.wrap(fallback.clone());
    let theta = numbers(8, 1);
    let expected = brute_force(&subsets(8, 3), &theta);
    let before = oracle.pin().expect("an entry of a registry can be pinned");
    let mut misses = 0;
    for name in ["copy0.so", "copy1.so"] {
        for hits in 0..2 {
            let found = solve_one(&*oracle, &theta).unwrap().0;
            assert_eq!(found, expected);
            assert_eq!(cache.statistics().hits, misses + hits);
        }
        misses += 1;
        assert_eq!(cache.statistics().misses, misses);
        let plugin = copy_of_k_subset(directory.path(), name);
        registry.replace("k-subset", &plugin, "k-subset").unwrap();
        // A call that began before is still on the instance of then, and finds what that one found.
        assert_ne!(before.identity(), oracle.identity());
    }
    assert_eq!(solve_one(&*before, &theta).unwrap().0, expected);
    assert_eq!(cache.statistics().misses, misses);
    // The copies that were pinned count for the whole.
    assert_eq!(fallback.failures(), [("failing", misses), ("k-subset", 0)]);
}
