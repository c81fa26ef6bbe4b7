//! Solvers with algorithms of their own find what an integer program of the same problem finds.
//!
//! The plugins compare themselves with enumeration; these are sizes that enumeration does not reach.

#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::solve_one;
use oracles::{numbers, registry};
use serde_json::{Value, json};

/// A sum of variables by index, each once, compared with a number.
type Row = (Vec<(usize, u64)>, &'static str, usize);

fn sum(variables: impl IntoIterator<Item = usize>, sense: &'static str, rhs: usize) -> Row {
    let terms = variables.into_iter().map(|variable| (variable, 1));
    (terms.collect(), sense, rhs)
}

fn program(most: &[u32], rows: &[Row]) -> Value {
    let variable = |(at, most): (usize, &u32)| json!({"name": format!("x{at}"), "kind": "integer", "lower": 0, "upper": most});
    let variables: Vec<Value> = most.iter().enumerate().map(variable).collect();
    let row = |(terms, sense, rhs): &Row| {
        let term = |&(variable, weight): &(usize, u64)| (format!("x{variable}"), json!(weight));
        let terms: serde_json::Map<String, Value> = terms.iter().map(term).collect();
        json!({"terms": terms, "sense": sense, "rhs": rhs})
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({"model": {"variables": variables, "rows": rows}})
}

/// Both solve the same rows to the same objective, and to the same state where theta has no ties.
fn compare(solver: &str, config: &Value, most: &[u32], rows: &[Row]) {
    let registry = registry();
    let oracle = registry.open(solver, config).expect("it opens");
    let program = program(most, rows);
    let reference = registry.open("ilp-native", &program).expect("it opens");
    assert_eq!(oracle.facts().dim, most.len());
    for seed in 0..12 {
        let has_ties = seed % 3 == 0;
        let theta: Vec<f64> = numbers(most.len(), seed)
            .iter()
            .map(|theta| {
                if has_ties {
                    (theta * 3.0).round()
                } else {
                    *theta
                }
            })
            .collect();
        let (z, solved) = solve_one(&*oracle, &theta).expect("it is solved");
        let (wanted, reference) = solve_one(&*reference, &theta).expect("it is solved");
        oracle
            .facts()
            .check_state(&wanted)
            .expect("the program has the same states");
        let difference = (solved.objective - reference.objective).abs();
        assert!(
            difference < 1e-9,
            "{solver} {config} {theta:?}: {solved:?} {reference:?}"
        );
        assert!(has_ties || z == wanted, "{solver} {config} {theta:?}");
    }
}

fn pairs(nodes: usize) -> Vec<[usize; 2]> {
    (0..nodes)
        .flat_map(|a| (a + 1..nodes).map(move |b| [a, b]))
        .collect()
}

/// The edges at a node.
fn at(edges: &[[usize; 2]], node: usize) -> Vec<usize> {
    (0..edges.len())
        .filter(|&edge| edges[edge].contains(&node))
        .collect()
}

/// For every set of nodes of these sizes that has no `except`: fewer edges inside than nodes.
fn no_cycles(
    edges: &[[usize; 2]],
    nodes: usize,
    sizes: std::ops::RangeInclusive<u32>,
    except: Option<usize>,
) -> Vec<Row> {
    let sets = (0..1_usize << nodes).filter(|set| sizes.contains(&set.count_ones()));
    let sets = sets.filter(|set| except.is_none_or(|node| set >> node & 1 == 0));
    sets.map(|set| {
        let inside = |edge: &usize| edges[*edge].iter().all(|node| set >> node & 1 == 1);
        sum(
            (0..edges.len()).filter(inside),
            "<=",
            set.count_ones() as usize - 1,
        )
    })
    .collect()
}

#[test]
fn assignments() {
    let (rows, columns) = (9, 12);
    let lines = |sense: &'static str| {
        let across = (0..rows).map(move |row| sum(row * columns..(row + 1) * columns, sense, 1));
        let down = (0..columns)
            .map(move |column| sum((0..rows).map(|row| row * columns + column), "<=", 1));
        across.chain(down).collect::<Vec<Row>>()
    };
    let ones = vec![1; rows * columns];
    let config = json!({"rows": rows, "columns": columns});
    compare("assignment", &config, &ones, &lines("="));
    let config = json!({"rows": rows, "columns": columns, "unmatched": true});
    compare("assignment", &config, &ones, &lines("<="));
}

#[test]
fn selections_and_blocks() {
    let config = json!({"dim": 40, "k": 9, "at_most": true});
    compare("top-k", &config, &[1; 40], &[sum(0..40, "<=", 9)]);
    let blocks = [sum(0..10, "=", 1), sum(10..13, "=", 1), sum(13..40, "=", 1)];
    compare(
        "categorical",
        &json!({"blocks": [10, 3, 27]}),
        &[1; 40],
        &blocks,
    );
}

#[test]
fn knapsacks() {
    let weights: Vec<Vec<u64>> = (1..4)
        .map(|seed| {
            numbers(25, seed)
                .iter()
                .map(|n| (30.0 + n * 25.0) as u64)
                .collect()
        })
        .collect();
    let copies: Vec<u32> = (0..25).map(|item| 1 + item % 3).collect();
    let row = |(weights, capacity): (&Vec<u64>, usize)| {
        (
            weights.iter().copied().enumerate().collect(),
            "<=",
            capacity,
        )
    };
    for (dimensions, capacity) in [(1, 400), (2, 300), (3, 250)] {
        let weights = &weights[..dimensions];
        let capacities = vec![capacity; dimensions];
        let rows: Vec<Row> = weights
            .iter()
            .zip(capacities.iter().copied())
            .map(row)
            .collect();
        let config = json!({"weights": weights, "capacities": capacities});
        compare("knapsack", &config, &[1; 25], &rows);
        let config = json!({"weights": weights, "capacities": capacities, "copies": copies});
        compare("knapsack", &config, &copies, &rows);
    }
}

#[test]
fn matchings() {
    let edges = pairs(10);
    let ones = vec![1; edges.len()];
    for (cardinality, sense) in [("any", "<="), ("perfect", "=")] {
        let rows: Vec<Row> = (0..10)
            .map(|node| sum(at(&edges, node), sense, 1))
            .collect();
        let config = json!({"vertices": 10, "cardinality": cardinality});
        compare("matching", &config, &ones, &rows);
    }
}

#[test]
fn trees_and_arborescences() {
    let edges = pairs(7);
    let mut rows = no_cycles(&edges, 7, 2..=6, None);
    rows.push(sum(0..edges.len(), "=", 6));
    compare("spanning-tree", &json!({"vertices": 7}), &[1; 21], &rows);

    let both: Vec<[usize; 2]> = pairs(5)
        .iter()
        .flat_map(|&[a, b]| [[a, b], [b, a]])
        .collect();
    let mut rows = no_cycles(&both, 5, 2..=4, Some(3));
    for vertex in 0..5 {
        let into = (0..both.len()).filter(|&edge| both[edge][1] == vertex);
        rows.push(sum(into, "=", usize::from(vertex != 3)));
    }
    let config = json!({"vertices": 5, "edges": both, "root": 3});
    compare("spanning-tree", &config, &[1; 20], &rows);
}

#[test]
fn tours() {
    for nodes in [7, 11] {
        let edges = pairs(nodes);
        let mut rows = no_cycles(&edges, nodes, 3..=nodes as u32 / 2, None);
        rows.extend((0..nodes).map(|node| sum(at(&edges, node), "=", 2)));
        compare(
            "tsp",
            &json!({"nodes": nodes}),
            &vec![1; edges.len()],
            &rows,
        );
    }
}
