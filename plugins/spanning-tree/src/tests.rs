//! Against the enumeration of all trees.

use imle_api::conformance::{Check, binary_vectors};
use imle_api::{ErrorKind, Linked, Oracle, Solver, solve_one};
use serde_json::{Value, json};

use crate::SpanningTree;

fn open(config: &Value) -> Result<Linked<SpanningTree>, imle_api::Error> {
    Linked::open(&config.to_string())
}

/// Edge sets that reach every vertex, along edges or against them if there is no root, with one edge
/// less than there are vertices.
fn states(vertices: usize, edges: &[[usize; 2]], root: Option<usize>) -> Vec<Vec<f64>> {
    binary_vectors(edges.len(), |z| {
        let chosen = || (0..edges.len()).filter(|&edge| z[edge] == 1.0);
        let mut reached = vec![false; vertices];
        reached[root.unwrap_or(0)] = true;
        for _ in 0..vertices {
            for [from, to] in chosen().map(|edge| edges[edge]) {
                reached[to] |= reached[from];
                reached[from] |= root.is_none() && reached[to];
            }
        }
        chosen().count() + 1 == vertices && reached.iter().all(|&reached| reached)
    })
}

fn config(vertices: usize, edges: &[[usize; 2]], root: Option<usize>) -> Value {
    match root {
        Some(root) => json!({"vertices": vertices, "edges": edges, "root": root}),
        None => json!({"vertices": vertices, "edges": edges}),
    }
}

const FOUR: [[usize; 2]; 6] = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];

#[test]
fn obeys_the_law() {
    let both_ways: Vec<[usize; 2]> = (0..12)
        .map(|i| [i / 3, if i % 3 < i / 3 { i % 3 } else { i % 3 + 1 }])
        .collect();
    // Parallel edges, a loop.
    let tangle = [[0, 1], [1, 0], [1, 1], [2, 1], [1, 2], [2, 1]];
    Check::new()
        .case(json!({"vertices": 4}), states(4, &FOUR, None))
        .case(
            json!({"vertices": 4, "root": 2}),
            states(4, &both_ways, Some(2)),
        )
        .case(config(3, &tangle, None), states(3, &tangle, None))
        .case(config(3, &tangle, Some(0)), states(3, &tangle, Some(0)))
        .case(config(1, &[[0, 0]], None), vec![vec![0.0]])
        .case(config(1, &[[0, 0]], Some(0)), vec![vec![0.0]])
        .case(config(2, &[[1, 0]], None), vec![vec![1.0]])
        .refuses(json!({"vertices": 0}))
        .refuses(json!({"vertices": 1}))
        .refuses(json!({"vertices": 100_000}))
        .refuses(json!({"vertices": 3, "edges": [[0, 1], [1, 3]]}))
        .refuses(json!({"vertices": 3, "edges": [[0, 1]]}))
        .refuses(json!({"vertices": 2, "edges": [[1, 0]], "root": 0}))
        .refuses(json!({"vertices": 2, "edges": [[1, 0]], "root": 2}))
        .run::<SpanningTree>()
        .unwrap();
}

#[test]
fn random_graphs_agree_with_enumeration() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut check = Check::new().rows(40);
    let mut feasible = 0;
    while feasible < 60 {
        let vertices = random.usize(2..=6);
        let edges: Vec<[usize; 2]> = (0..random.usize(1..=12))
            .map(|_| [random.usize(0..vertices), random.usize(0..vertices)])
            .collect();
        let root = random.bool().then(|| random.usize(0..vertices));
        let states = states(vertices, &edges, root);
        let config = config(vertices, &edges, root);
        if states.is_empty() {
            let refused = open(&config).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Infeasible, "{config}");
        } else {
            check = check.case(config, states);
            feasible += 1;
        }
    }
    check.run::<SpanningTree>().unwrap();
}

/// Two ways to write one problem: an arborescence without constraint on directions is a tree.
#[test]
fn an_arborescence_over_both_directions_weighs_as_much_as_the_tree() {
    let mut random = fastrand::Rng::with_seed(5);
    for vertices in [2, 9, 30] {
        let config = json!({"vertices": vertices});
        let tree = open(&config).unwrap();
        let solver = SpanningTree::new(serde_json::from_value(config).unwrap()).unwrap();
        let edges = &solver.graph().edges;
        let both: Vec<[usize; 2]> = edges.iter().flat_map(|&[a, b]| [[a, b], [b, a]]).collect();
        for _ in 0..20 {
            let root = random.usize(0..vertices);
            let rooted = open(&self::config(vertices, &both, Some(root))).unwrap();
            let theta: Vec<f64> = edges.iter().map(|_| random.f64() - 0.5).collect();
            let twice: Vec<f64> = theta.iter().flat_map(|&theta| [theta, theta]).collect();
            let wanted = solve_one(&tree, &theta).unwrap().0;
            let found = solve_one(&rooted, &twice).unwrap().0;
            let found: Vec<f64> = found.chunks_exact(2).map(|z| z[0] + z[1]).collect();
            assert_eq!(found, wanted);
        }
    }
}

/// Every choice makes a cycle of two, of cycles of two, and so on: as many levels as there can be.
#[test]
fn cycles_within_cycles_open_one_after_the_other() {
    let vertices = 40;
    let mut edges = vec![[0, 1]];
    let mut theta = vec![-1000.0];
    for vertex in 2..vertices {
        // Into the cycle of all vertices below, and back.
        edges.extend([[vertex - 1, vertex], [vertex, 1]]);
        theta.extend([-(vertex as f64), 10.0 - vertex as f64]);
    }
    let oracle = open(&config(vertices, &edges, Some(0))).unwrap();
    let (z, _) = solve_one(&oracle, &theta).unwrap();
    // Only the path is an arborescence: vertex 1 is entered from the root, vertex k from k - 1.
    let path = (0..edges.len()).map(|edge| f64::from(edge == 0 || edge % 2 == 1));
    assert_eq!(z, path.collect::<Vec<_>>());
}

#[test]
fn ties_go_to_the_lower_index() {
    let tree = open(&json!({"vertices": 4})).unwrap();
    let (z, _) = solve_one(&tree, &[0.0, -0.0, 0.0, 0.0, -0.0, 0.0]).unwrap();
    assert_eq!(z, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    let rooted = open(&config(2, &[[0, 1], [0, 1]], Some(0))).unwrap();
    assert_eq!(solve_one(&rooted, &[3.0, 3.0]).unwrap().0, [1.0, 0.0]);
}

#[test]
fn enormous_numbers_do_not_overflow() {
    let rooted = open(&json!({"vertices": 3, "root": 0})).unwrap();
    // Edges 01, 02, 10, 12, 20, 21: the cycle of 1 and 2 opens at the cheaper entry.
    let theta = [-1e308, -1.7e308, 0.0, 1.7e308, 0.0, 1.7e308];
    let (z, _) = solve_one(&rooted, &theta).unwrap();
    assert_eq!(z, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

/// The cases of the public vectors on four vertices that need no estimator.
#[test]
fn map_states_of_the_public_vectors() {
    let oracle = open(&json!({"vertices": 4})).unwrap();
    assert_eq!(oracle.facts().ones, Some(3));
    let cases = [
        (
            [-0.3125, -0.0625, -0.75, 1.0, 1.0625, -1.0625],
            [0, 1, 0, 1, 1, 0],
        ),
        (
            [-1.1875, 0.0625, 0.6875, 2.0625, -0.4375, -1.3125],
            [0, 1, 1, 1, 0, 0],
        ),
        (
            [
                0.7601073,
                -0.20460297,
                -0.4689217,
                -0.5127163,
                -1.9022679,
                1.1506207,
            ],
            [1, 1, 0, 0, 0, 1],
        ),
    ];
    for (theta, z) in cases {
        assert_eq!(solve_one(&oracle, &theta).unwrap().0, z.map(f64::from));
    }
}
