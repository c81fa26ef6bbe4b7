//! The contract, the facts, and what is refused.

use imle_api::conformance::Check;
use imle_api::{ErrorKind, Oracle, ThetaDomain};
use serde_json::{Value, json};

use super::{Paths, open};

fn grid(height: usize, width: usize, moves: &str, costs: &str) -> Value {
    json!({"grid": {"height": height, "width": width, "moves": moves}, "costs": costs})
}

fn graph(vertices: usize, edges: &[[usize; 2]], directed: bool, costs: &str) -> Value {
    json!({"graph": {"vertices": vertices, "edges": edges, "directed": directed}, "costs": costs})
}

/// Two ways with cycles between them, parallel edges, a loop, and a vertex off every path.
const TANGLE: [[usize; 2]; 10] = [
    [0, 1],
    [1, 2],
    [2, 1],
    [1, 3],
    [2, 3],
    [0, 2],
    [1, 3],
    [2, 2],
    [3, 0],
    [4, 1],
];

fn small_problems() -> Vec<Value> {
    let mut problems = Vec::new();
    for costs in ["edges", "vertices"] {
        for moves in ["right_down", "four", "eight"] {
            problems.push(grid(3, 3, moves, costs));
            problems.push(grid(2, 4, moves, costs));
            problems.push(grid(1, 3, moves, costs));
        }
        let mut inner = grid(3, 3, "four", costs);
        inner["source"] = json!(4);
        inner["target"] = json!(0);
        problems.push(inner);
        for directed in [true, false] {
            let mut tangle = graph(5, &TANGLE, directed, costs);
            tangle["target"] = json!(3);
            problems.push(tangle);
        }
        problems.push(graph(2, &[[0, 1], [0, 1], [0, 1]], true, costs));
        problems.push(graph(3, &[[1, 0], [2, 1]], false, costs));
    }
    problems
}

#[test]
fn obeys_the_law() {
    let mut check = Check::new();
    for config in small_problems() {
        for policy in ["reject", "clamp", "bellman_ford"] {
            let mut config = config.clone();
            config["negative_costs"] = json!(policy);
            let states = Paths::of(&config).states();
            check = check.case(config, states);
        }
    }
    check
        .refuses(json!({}))
        .refuses(grid(2, 2, "diagonal", "edges"))
        .refuses(grid(2, 2, "four", "corners"))
        .refuses(json!({"grid": {"height": 2, "width": 2, "moves": "four", "depth": 2}, "costs": "edges"}))
        .refuses(json!({"graph": {"vertices": 2, "edges": [[0, 1, 1]], "directed": true}, "costs": "edges"}))
        .run::<crate::ShortestPath>()
        .unwrap();
}

#[test]
fn the_five_by_five_grid_is_the_one_of_the_benchmarks() {
    let paths = Paths::of(&grid(5, 5, "right_down", "edges"));
    assert_eq!((paths.dim, paths.all.len()), (40, 70));
    assert!(paths.all.iter().all(|path| path.edges.len() == 8));
    // Row by row: four edges to the right, then five down.
    assert_eq!(paths.edges[..5], [[0, 1], [1, 2], [2, 3], [3, 4], [0, 5]]);
    assert_eq!(paths.edges[8..10], [[4, 9], [5, 6]]);
    assert_eq!(paths.edges[39], [23, 24]);
}

#[test]
fn facts_say_what_is_known_of_all_states() {
    let facts = |config: Value| {
        let facts = open(&config).unwrap().facts();
        (facts.dim, facts.ones, facts.theta_domain)
    };
    let (any, non_positive) = (ThetaDomain::Any, ThetaDomain::NonPositive);
    assert_eq!(facts(grid(5, 5, "right_down", "edges")), (40, Some(8), any));
    assert_eq!(
        facts(grid(5, 5, "right_down", "vertices")),
        (25, Some(9), any)
    );
    assert_eq!(facts(grid(5, 5, "four", "edges")), (40, None, non_positive));
    assert_eq!(
        facts(grid(12, 12, "eight", "vertices")),
        (144, None, non_positive)
    );
    // Paths of one and of two edges.
    let shortcut = graph(3, &[[0, 1], [1, 2], [0, 2]], true, "edges");
    assert_eq!(facts(shortcut), (3, None, any));
    // The only cycles pass the source, the target, or a vertex on no path.
    let edges = [[0, 1], [1, 2], [1, 0], [2, 1], [1, 3], [3, 3]];
    let mut beside = graph(4, &edges, true, "edges");
    beside["target"] = json!(2);
    assert_eq!(facts(beside), (6, Some(2), any));
    assert_eq!(
        facts(graph(3, &[[0, 1], [1, 2]], false, "vertices")),
        (3, Some(3), any)
    );
}

#[test]
fn no_path_is_infeasible() {
    for edges in [&[][..], &[[1, 0]], &[[0, 1], [2, 1]]] {
        let mut config = graph(3, edges, true, "vertices");
        config["target"] = json!(2);
        let error = open(&config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Infeasible);
        assert_eq!(
            error.message(),
            "no path leads from source = 0 to target = 2"
        );
    }
    // A wall of one-way edges.
    let mut config = grid(2, 2, "right_down", "edges");
    config["source"] = json!(1);
    config["target"] = json!(2);
    assert_eq!(open(&config).unwrap_err().kind(), ErrorKind::Infeasible);
}

#[test]
fn a_wrong_configuration_is_refused_with_its_values() {
    let refused = |config: Value| {
        let error = open(&config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        error.message().to_owned()
    };
    let with = |mut config: Value, key: &str, value: Value| {
        config[key] = value;
        config
    };
    let square = grid(2, 2, "four", "edges");
    let line = graph(2, &[[0, 1]], true, "edges");
    assert_eq!(
        refused(json!({"costs": "edges"})),
        "neither `grid` nor `graph` is given; give one"
    );
    assert_eq!(
        refused(with(square.clone(), "graph", line["graph"].clone())),
        "both `grid` and `graph` are given; give one"
    );
    assert_eq!(
        refused(grid(0, 5, "four", "edges")),
        "the grid is 0 by 5 vertices; height and width must be at least 1"
    );
    for side in [5000, usize::MAX] {
        assert_eq!(
            refused(grid(side, side, "four", "edges")),
            format!("the grid is {side} by {side} vertices; the most are 16777216 in all")
        );
    }
    for vertices in [0, 16_777_217] {
        assert_eq!(
            refused(graph(vertices, &[], true, "edges")),
            format!("vertices = {vertices} is not between 1 and 16777216")
        );
    }
    assert_eq!(
        refused(graph(2, &[[0, 1], [1, 2]], true, "edges")),
        "edge 1 is [1, 2], but vertices are numbered from 0 to 1"
    );
    assert_eq!(
        refused(with(square.clone(), "source", json!(4))),
        "source = 4 is no vertex: they are numbered from 0 to 3"
    );
    assert_eq!(
        refused(with(square.clone(), "target", json!(9))),
        "target = 9 is no vertex: they are numbered from 0 to 3"
    );
    assert_eq!(
        refused(with(square.clone(), "source", json!(3))),
        "source and target are both vertex 3; a path joins two different vertices"
    );
    assert!(refused(grid(1, 1, "four", "vertices")).starts_with("source and target are both"));
    assert!(refused(with(square, "negative_costs", json!("ignore"))).contains("`bellman_ford`"));
    assert!(
        refused(json!({"grid": {"height": 2, "width": 2, "moves": "four"}})).contains("`costs`")
    );
}
