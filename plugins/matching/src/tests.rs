//! Against the enumeration of all matchings.

use imle_api::conformance::{Check, binary_vectors};
use imle_api::{ErrorKind, Linked, Oracle, solve_one};
use serde_json::{Value, json};

use crate::Matching;

fn open(config: &Value) -> Result<Linked<Matching>, imle_api::Error> {
    Linked::open(&config.to_string())
}

/// Edge sets that touch every vertex at most once: all, those of the largest size, or those that touch all.
fn states(vertices: usize, edges: &[[usize; 2]], cardinality: &str) -> Vec<Vec<f64>> {
    let mut states = binary_vectors(edges.len(), |z| {
        let mut touched = vec![0; vertices];
        for (_, ends) in z.iter().zip(edges).filter(|(z, _)| **z == 1.0) {
            ends.iter().for_each(|&end| touched[end] += 1);
        }
        touched.iter().all(|&times| times <= 1)
    });
    let size = |z: &Vec<f64>| z.iter().sum::<f64>();
    let largest = states.iter().map(size).fold(0.0, f64::max);
    match cardinality {
        "any" => {}
        "maximum" => states.retain(|z| size(z) == largest),
        _ => states.retain(|z| 2.0 * size(z) == vertices as f64),
    }
    states
}

fn config(vertices: usize, edges: &[[usize; 2]], cardinality: &str) -> Value {
    json!({"vertices": vertices, "edges": edges, "cardinality": cardinality})
}

fn complete(vertices: usize) -> Vec<[usize; 2]> {
    (0..vertices)
        .flat_map(|a| (a + 1..vertices).map(move |b| [a, b]))
        .collect()
}

#[test]
fn obeys_the_law() {
    // Parallel edges, a loop, a triangle with a tail.
    let tangle = [[0, 1], [1, 0], [2, 2], [1, 2], [2, 0], [2, 3]];
    let mut check = Check::new()
        .case(json!({"vertices": 4}), states(4, &complete(4), "any"))
        .case(
            json!({"vertices": 6, "cardinality": "perfect"}),
            states(6, &complete(6), "perfect"),
        )
        .case(config(1, &[[0, 0]], "maximum"), vec![vec![0.0]]);
    for cardinality in ["any", "maximum", "perfect"] {
        let states = states(4, &tangle, cardinality);
        check = check.case(config(4, &tangle, cardinality), states);
    }
    check
        .refuses(json!({"vertices": 0}))
        .refuses(json!({"vertices": 1}))
        .refuses(json!({"vertices": 60_000}))
        .refuses(json!({"vertices": 3, "edges": [[0, 3]]}))
        .refuses(json!({"vertices": 3, "edges": []}))
        .refuses(json!({"vertices": 3, "cardinality": "perfect"}))
        .refuses(
            json!({"vertices": 4, "edges": [[0, 1], [1, 2], [1, 3]], "cardinality": "perfect"}),
        )
        .refuses(json!({"vertices": 3, "cardinality": "some"}))
        .run::<Matching>()
        .unwrap();
}

/// Odd cycles within odd cycles appear by chance: up to three hundred problems, forty thetas each.
#[test]
fn random_graphs_agree_with_enumeration() {
    let mut random = fastrand::Rng::with_seed(6);
    let mut check = Check::new().rows(40);
    for _ in 0..100 {
        let vertices = random.usize(2..=8);
        let edges: Vec<[usize; 2]> = (0..random.usize(1..=11))
            .map(|_| [random.usize(0..vertices), random.usize(0..vertices)])
            .collect();
        for cardinality in ["any", "maximum", "perfect"] {
            let states = states(vertices, &edges, cardinality);
            let config = config(vertices, &edges, cardinality);
            if states.is_empty() {
                assert_eq!(open(&config).unwrap_err().kind(), ErrorKind::Infeasible);
            } else {
                check = check.case(config, states);
            }
        }
    }
    check.run::<Matching>().unwrap();
}

/// The best over all perfect matchings, by dynamic programming over sets of vertices.
fn best_perfect(vertices: usize, weight: &dyn Fn(usize, usize) -> f64) -> f64 {
    let mut best = vec![f64::NEG_INFINITY; 1 << vertices];
    best[0] = 0.0;
    for set in 1..1_usize << vertices {
        let first = set.trailing_zeros() as usize;
        for other in (first + 1..vertices).filter(|other| set >> other & 1 == 1) {
            let rest = set & !(1 << first) & !(1 << other);
            best[set] = best[set].max(best[rest] + weight(first, other));
        }
    }
    best[(1 << vertices) - 1]
}

#[test]
fn complete_graphs_agree_with_dynamic_programming() {
    let mut random = fastrand::Rng::with_seed(7);
    for vertices in [8, 10, 12, 14] {
        let oracle = open(&json!({"vertices": vertices, "cardinality": "perfect"})).unwrap();
        let edges = complete(vertices);
        for round in 0..100 {
            // Few different whole numbers make blossoms; clusters of three make them needed.
            let theta: Vec<f64> = edges
                .iter()
                .map(|[a, b]| match round % 3 {
                    0 => f64::from(random.i32(-3..=3)),
                    1 => random.f64() - 0.5,
                    _ => f64::from(random.i32(0..=2)) + if a / 3 == b / 3 { 10.0 } else { 0.0 },
                })
                .collect();
            let (z, solved) = solve_one(&oracle, &theta).unwrap();
            oracle.facts().check_state(&z).unwrap();
            let weight =
                |a: usize, b: usize| theta[edges.iter().position(|ends| *ends == [a, b]).unwrap()];
            let best = best_perfect(vertices, &weight);
            assert!((solved.objective - best).abs() < 1e-12, "{theta:?}");
        }
    }
}

#[test]
fn edges_that_do_not_pay_are_taken_only_for_their_number() {
    let edges = [[0, 1], [1, 2], [2, 3]];
    let theta = [0.0, -0.0, -1.0];
    let any = open(&config(4, &edges, "any")).unwrap();
    assert_eq!(solve_one(&any, &theta).unwrap().0, [0.0, 0.0, 0.0]);
    let maximum = open(&config(4, &edges, "maximum")).unwrap();
    assert_eq!(maximum.facts().ones, Some(2));
    assert_eq!(solve_one(&maximum, &theta).unwrap().0, [1.0, 0.0, 1.0]);
}

#[test]
fn parallel_edges_tie_to_the_lower_index_and_enormous_numbers_do_not_overflow() {
    let oracle = open(&config(3, &[[0, 1], [1, 0], [1, 2]], "any")).unwrap();
    let (z, _) = solve_one(&oracle, &[1.7e308, 1.7e308, 1.6e308]).unwrap();
    assert_eq!(z, [1.0, 0.0, 0.0]);
}
