//! The documented rule: fewest edges, then the lower index at the first difference from the source.

use serde_json::{Value, json};

use super::{Paths, cheapest, open};

fn ones(config: &Value, costs: &[f64]) -> Vec<usize> {
    let z = cheapest(&open(config).unwrap(), costs).unwrap();
    (0..z.len()).filter(|&i| z[i] == 1.0).collect()
}

#[test]
fn a_grid_of_equal_costs_goes_right_and_then_down() {
    let grid = json!({"height": 3, "width": 3, "moves": "right_down"});
    assert_eq!(
        ones(&json!({"grid": grid, "costs": "edges"}), &[1.0; 12]),
        [0, 1, 4, 9]
    );
    assert_eq!(
        ones(&json!({"grid": grid, "costs": "vertices"}), &[1.0; 9]),
        [0, 1, 2, 5, 8]
    );
}

#[test]
fn zero_costs_take_the_fewest_edges_and_never_circle() {
    for moves in ["four", "eight"] {
        for costs in ["edges", "vertices"] {
            let grid = json!({"height": 3, "width": 4, "moves": moves});
            for policy in ["reject", "clamp", "bellman_ford"] {
                let config = json!({"grid": grid, "costs": costs, "negative_costs": policy});
                let paths = Paths::of(&config);
                let zeros = vec![0.0; paths.dim];
                let z = cheapest(&open(&config).unwrap(), &zeros).unwrap();
                assert_eq!(z, paths.best(&zeros));
            }
        }
    }
}

#[test]
fn a_free_detour_is_not_taken_and_a_free_cycle_is_not_entered() {
    let edges = [[0, 1], [1, 2], [2, 1], [2, 3], [1, 3]];
    let graph = json!({"vertices": 4, "edges": edges, "directed": true});
    let config = json!({"graph": graph, "costs": "edges"});
    assert_eq!(ones(&config, &[1.0, 0.0, 0.0, 1.0, 1.0]), [0, 4]);
    assert_eq!(ones(&config, &[1.0, 0.0, 0.0, 1.0, 2.0]), [0, 1, 3]);
}

#[test]
fn free_edges_as_far_away_as_the_source_count() {
    // Five edges over 1 to 4, three over 5 and 6; both cost 1, and 5 is as far from 7 as 0 is.
    let edges = [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 7],
        [0, 5],
        [5, 6],
        [6, 7],
        [6, 5],
    ];
    let graph = json!({"vertices": 8, "edges": edges, "directed": true});
    let config = json!({"graph": graph, "costs": "edges"});
    let costs = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    assert_eq!(ones(&config, &costs), [5, 6, 7]);
}

#[test]
fn of_parallel_edges_the_cheapest_and_then_the_first_is_taken() {
    let edges = [[0, 1], [0, 1], [0, 1], [1, 1]];
    let graph = json!({"vertices": 2, "edges": edges, "directed": false});
    let config = json!({"graph": graph, "costs": "edges"});
    assert_eq!(ones(&config, &[3.0, 2.0, 2.0, 0.0]), [1]);
    assert_eq!(ones(&config, &[0.0, -0.0, 0.0, 0.0]), [0]);
}

#[test]
fn edges_decide_by_their_own_index_and_vertices_by_theirs() {
    // Over vertex 2 by the edges 0 and 2, over vertex 1 by the edges 1 and 3.
    let edges = [[0, 2], [0, 1], [2, 3], [1, 3]];
    let graph = json!({"vertices": 4, "edges": edges, "directed": true});
    assert_eq!(
        ones(&json!({"graph": graph, "costs": "edges"}), &[1.0; 4]),
        [0, 2]
    );
    assert_eq!(
        ones(&json!({"graph": graph, "costs": "vertices"}), &[1.0; 4]),
        [0, 1, 3]
    );
}
