//! Against the enumeration of all trees.

use imle_api::conformance::{Check, binary_vectors};
use imle_api::{ErrorKind, Limits, Linked, Oracle, Solver, solve_one, unset};
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

fn marginals(oracle: &dyn Oracle, theta: &[f64]) -> (Vec<f64>, f64) {
    let (mut mu, mut log_partition) = (vec![f64::NAN; theta.len()], [unset()]);
    oracle.marginals(theta, &mut mu, &mut log_partition, &Limits::none());
    let [log_partition] = log_partition;
    (mu, log_partition.unwrap())
}

fn assert_close(found: f64, expected: f64, slack: f64) {
    assert!((found - expected).abs() <= slack, "{found}, not {expected}");
}

/// The case `tree04_exact_marginals` of the public vectors.
#[test]
fn marginals_of_the_public_vectors() {
    let oracle = open(&json!({"vertices": 4})).unwrap();
    let theta = [-0.3125, -0.0625, -0.75, 1.0, 1.0625, -1.0625];
    let (mu, log_partition) = marginals(&oracle, &theta);
    assert_close(log_partition, 3.3001258293877513, 1e-13);
    let expected = [
        0.39767090308768027,
        0.5255976485318588,
        0.31366362523670266,
        0.7751234332576171,
        0.8214790526983404,
        0.16646533718780043,
    ];
    for (mu, expected) in mu.iter().zip(expected) {
        assert_close(*mu, expected, 1e-13);
    }
}

/// Cayley's formula: `n^(n - 2)` trees, each edge in two of `n`; an arborescence leaves the root as often,
/// and takes every other edge once in `n`.
#[test]
fn marginals_of_complete_graphs() {
    let n = 60;
    let size = n as f64;
    let count = (size - 2.0) * size.ln();
    let (mu, log_partition) = marginals(&open(&json!({"vertices": n})).unwrap(), &[0.0; 1770]);
    assert_close(log_partition, count, 1e-11);
    mu.iter()
        .for_each(|&mu| assert_close(mu, 2.0 / size, 1e-13));
    let solver = open(&json!({"vertices": n, "root": 7})).unwrap();
    let (mu, log_partition) = marginals(&solver, &vec![0.0; n * (n - 1)]);
    assert_close(log_partition, count, 1e-11);
    for (edge, mu) in mu.into_iter().enumerate() {
        let (from, to) = (edge / (n - 1), edge % (n - 1));
        let to = to + usize::from(to >= from);
        let expected = match (from, to) {
            (_, 7) => 0.0,
            (7, _) => 2.0 / size,
            _ => 1.0 / size,
        };
        assert_close(mu, expected, 1e-13);
    }
}

/// From any root, along edges in both directions: other eliminations of the same trees. The weights differ
/// by factors of up to `exp(2 scale)`, beyond what a double holds.
#[test]
fn marginals_do_not_depend_on_the_root() {
    let mut random = fastrand::Rng::with_seed(6);
    for (vertices, scale) in [(5, 1.0), (30, 1.0), (30, 20.0), (30, 2000.0)] {
        let solver =
            SpanningTree::new(serde_json::from_value(json!({"vertices": vertices})).unwrap());
        let edges = solver.unwrap().graph().edges.clone();
        let both: Vec<[usize; 2]> = edges.iter().flat_map(|&[a, b]| [[a, b], [b, a]]).collect();
        let tree = open(&config(vertices, &edges, None)).unwrap();
        for _ in 0..5 {
            let theta: Vec<f64> = edges
                .iter()
                .map(|_| (2.0 * random.f64() - 1.0) * scale)
                .collect();
            let twice: Vec<f64> = theta.iter().flat_map(|&theta| [theta, theta]).collect();
            let root = random.usize(1..vertices);
            let rooted = open(&config(vertices, &both, Some(root))).unwrap();
            let (mu, log_partition) = marginals(&tree, &theta);
            let (halves, other) = marginals(&rooted, &twice);
            assert_close(log_partition, other, 1e-12 * scale * vertices as f64);
            for (mu, halves) in mu.iter().zip(halves.chunks_exact(2)) {
                assert_close(*mu, halves[0] + halves[1], 1e-12 * (1.0 + scale));
            }
            assert_close(mu.iter().sum(), (vertices - 1) as f64, 1e-10);
        }
    }
}

/// Central differences: third derivatives are at most 1, and rounding is 1e-13 over the step.
#[test]
fn marginals_are_the_gradient_of_the_log_partition() {
    let mut random = fastrand::Rng::with_seed(7);
    for root in [None, Some(3)] {
        let config = match root {
            Some(root) => json!({"vertices": 9, "root": root}),
            None => json!({"vertices": 9}),
        };
        let oracle = open(&config).unwrap();
        let theta: Vec<f64> = (0..oracle.facts().dim)
            .map(|_| random.f64() * 6.0 - 3.0)
            .collect();
        let (mu, _) = marginals(&oracle, &theta);
        for at in 0..theta.len() {
            let moved = |by: f64| {
                let mut theta = theta.clone();
                theta[at] += by;
                marginals(&oracle, &theta).1
            };
            assert_close((moved(1e-4) - moved(-1e-4)) / 2e-4, mu[at], 1e-8);
        }
    }
}

#[test]
fn marginals_of_very_cold_trees_are_the_best_tree() {
    let oracle = open(&json!({"vertices": 12})).unwrap();
    let mut random = fastrand::Rng::with_seed(8);
    let theta: Vec<f64> = (0..66).map(|_| (random.f64() - 0.5) * 1e300).collect();
    let (z, solved) = solve_one(&oracle, &theta).unwrap();
    let (mu, log_partition) = marginals(&oracle, &theta);
    assert_eq!(mu, z);
    assert_close(log_partition / solved.objective, 1.0, 1e-12);
}

/// Found by fuzzing: logarithms of 1e300 lost the digits that tell the trees of a level apart.
#[test]
fn marginals_of_trees_far_apart_are_those_of_each_level() {
    let oracle = open(&json!({"vertices": 5})).unwrap();
    let at = |low: f64, high: f64| {
        let theta = [-55.0, 77.0, high, high, high, high, low, 105.0, 99.0, 101.0];
        marginals(&oracle, &theta).0
    };
    // Far enough apart for `exp`, and near enough to be one level.
    let expected = at(400.0, 800.0);
    for (low, high) in [(1e12, 1e15), (1e252, 1e300), (1e307, 2e307)] {
        for (mu, expected) in at(low, high).into_iter().zip(&expected) {
            assert_close(mu, *expected, 1e-9);
        }
    }
    // Two vertices that are strongly joined hang on one of two weak edges.
    let oracle = open(&config(3, &[[1, 2], [0, 1], [0, 2]], None)).unwrap();
    let first = 1.0 / (1.0 + (-2.0_f64).exp());
    for strong in [1e5, 1e17, 1e300] {
        let (mu, _) = marginals(&oracle, &[strong, 5.0, 3.0]);
        assert_close(mu[0], 1.0, 1e-9);
        assert_close(mu[1], first, 1e-9);
        assert_close(mu[2], 1.0 - first, 1e-9);
    }
}

/// Found by fuzzing, as above.
#[test]
fn marginals_of_arborescences_that_rounding_would_decide_are_refused() {
    let edges = [[1, 2], [2, 1], [0, 1], [0, 2]];
    let oracle = open(&config(3, &edges, Some(0))).unwrap();
    let ask = |strong: f64| {
        let (mut mu, mut log_partition) = (vec![0.0; 4], [unset()]);
        oracle.marginals(
            &[strong, strong, 5.0, 3.0],
            &mut mu,
            &mut log_partition,
            &Limits::none(),
        );
        let [log_partition] = log_partition;
        log_partition.map(|_| mu)
    };
    let first = 1.0 / (1.0 + (-2.0_f64).exp());
    assert_close(ask(1e6).unwrap()[2], first, 1e-9);
    for strong in [1e7, 1e17, 1e300] {
        let why = ask(strong).unwrap_err();
        assert_eq!(why.kind(), ErrorKind::InvalidTheta);
        assert!(
            why.message()
                .contains("exact marginals resolve differences up to 4194304"),
            "{why}"
        );
    }
    // An edge that nobody needs may be as low as it likes.
    let (mu, _) = marginals(&oracle, &[1.0, -1e300, 5.0, -1e300]);
    assert_eq!(mu, [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn marginals_of_a_huge_graph_are_refused() {
    let edges: Vec<[usize; 2]> = (1..5000).map(|vertex| [vertex - 1, vertex]).collect();
    let oracle = open(&config(5000, &edges, None)).unwrap();
    let (mut mu, mut log_partition) = (vec![0.0; 4999], [unset()]);
    oracle.marginals(&[0.0; 4999], &mut mu, &mut log_partition, &Limits::none());
    let why = log_partition[0].clone().unwrap_err();
    assert_eq!(why.kind(), ErrorKind::Unsupported);
    assert!(
        why.message().contains("vertices = 5000; the most are 4096"),
        "{why}"
    );
}
