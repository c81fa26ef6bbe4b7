//! What the host does for a loaded solver, as the solver sees it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use imle_runtime::{Limits, Oracle, Plugin, StopFlag};
use serde_json::json;

fn probe(name: &str) -> Option<Plugin> {
    let library = common::compile_c("probe.c", name, &["-D_POSIX_C_SOURCE=200809L"])?;
    // SAFETY: our own library.
    Some(unsafe { Plugin::load(library) }.expect("it follows the header"))
}

fn states(oracle: &dyn Oracle, rows: usize, limits: &Limits<'_>) -> Vec<f64> {
    let mut z = vec![0.0; 2 * rows];
    let mut outcomes = vec![imle_api::unset(); rows];
    oracle.solve(&vec![1.0; 2 * rows], &mut z, &mut outcomes, limits);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    z
}

/// The most calls that were inside the engine at once.
fn crowd(oracles: [&Arc<dyn Oracle>; 4]) -> f64 {
    let most = |z: Vec<f64>| z.into_iter().fold(0.0, f64::max);
    std::thread::scope(|scope| {
        let calls =
            oracles.map(|oracle| scope.spawn(|| most(states(&**oracle, 10, &Limits::none()))));
        most(
            calls
                .map(|call| call.join().expect("it does not panic"))
                .to_vec(),
        )
    })
}

// One test: the plugin counts in a global variable, as an engine with global state would.
#[test]
fn a_serial_group_spans_the_solvers_of_loaded_libraries() {
    let (Some(first), Some(second)) = (probe("host_side_a"), probe("host_side_b")) else {
        return;
    };
    let open = |plugin: &Plugin, solver| plugin.open(solver, &json!({})).expect("it opens");
    let (one, two) = (open(&first, "crowd-one"), open(&first, "crowd-two"));
    assert_eq!(crowd([&one, &two, &one, &two]), 1.0);
    let free = open(&second, "crowd-free");
    assert!(crowd([&free, &free, &free, &free]) > 1.0);
}

#[test]
fn limits_reach_a_loaded_solver() {
    let Some(plugin) = probe("host_side_limits") else {
        return;
    };
    let oracle = plugin.open("limits", &json!({})).expect("it opens");
    assert_eq!(states(&*oracle, 1, &Limits::none()), [0.0, 0.0]);
    let z = states(
        &*oracle,
        1,
        &Limits::none().with_time(Duration::from_secs(100)),
    );
    assert!(z[0] > 50.0 && z[0] <= 100.0 && z[1] == 0.0, "{z:?}");
    // An exhausted limit does not read as "no limit".
    let z = states(&*oracle, 1, &Limits::none().with_time(Duration::ZERO));
    assert!(z[0] > 0.0 && z[0] < 1e-3, "{z:?}");
    let stop = StopFlag::default();
    assert_eq!(
        states(&*oracle, 1, &Limits::none().with_stop(&stop)),
        [0.0, 1.0]
    );
}

#[test]
fn extensions_are_found_by_their_ids() {
    let Some(plugin) = probe("host_side_extension") else {
        return;
    };
    assert!(
        plugin
            .extension("limits", c"imle.probe/1")
            .expect("there is the solver")
            .is_some()
    );
    for id in [c"imle.probe/2", c"imle.probe", c"imle.probe/11", c""] {
        assert!(
            plugin
                .extension("limits", id)
                .expect("there is the solver")
                .is_none()
        );
    }
    assert!(plugin.extension("no-such", c"imle.probe/1").is_err());
}
