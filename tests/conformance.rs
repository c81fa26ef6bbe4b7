//! Every plugin, loaded, obeys the law; so do the wrappers around one.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_api::conformance::{Check, binary_vectors};
use imle_runtime::{Cache, Error, Oracle};
use oracles::{registry, subsets};
use serde_json::{Value, json};

fn k_subset() -> Check {
    Check::new()
        .case(json!({"dim": 1, "k": 1}), subsets(1, 1))
        .case(json!({"dim": 6, "k": 2}), subsets(6, 2))
        .refuses(json!({"dim": 2, "k": 3}))
}

#[test]
fn k_subset_obeys_the_law_when_it_is_loaded() {
    k_subset()
        .run_on(|config| registry().open("k-subset", config))
        .unwrap();
}

#[test]
fn a_cache_obeys_the_law() {
    for bytes in [0, 2000, 1 << 20] {
        let cache = Cache::new(bytes);
        let open = |config: &Value| -> Result<Arc<dyn Oracle>, Error> {
            Ok(cache.wrap(registry().open("k-subset", config)?))
        };
        k_subset().run_on(open).unwrap();
    }
}

/// The six right-down paths over a 3x3 grid, as the vertices on them.
#[test]
fn shortest_path_obeys_the_law_when_it_is_loaded() {
    let is_path = |z: &[f64]| {
        let on: Vec<usize> = (0..9).filter(|&v| z[v] == 1.0).collect();
        let step = |pair: &[usize]| {
            pair[1] == pair[0] + 3 || (pair[1] == pair[0] + 1 && !pair[1].is_multiple_of(3))
        };
        on.len() == 5 && on[0] == 0 && on[4] == 8 && on.windows(2).all(step)
    };
    let paths = binary_vectors(9, is_path);
    assert_eq!(paths.len(), 6);
    let grid = json!({"height": 3, "width": 3, "moves": "right_down"});
    Check::new()
        .case(json!({"grid": grid, "costs": "vertices"}), paths)
        .refuses(json!({"grid": grid, "costs": "vertices", "target": 9}))
        .run_on(|config| registry().open("shortest-path", config))
        .unwrap();
}
