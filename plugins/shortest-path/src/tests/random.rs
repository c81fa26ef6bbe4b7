//! Random graphs: algorithm against enumeration, and algorithm against algorithm.

use imle_api::{ErrorKind, Limits};
use petgraph::algo::{bellman_ford, dijkstra};
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Paths, cheapest, open};
use crate::config::Problem;
use crate::network::Network;
use crate::{Config, Costs, Grid, Moves, NegativeCosts, Workspace};

/// A graph with costs for its edges or its vertices, small integers of both signs.
fn problem(acyclic: bool, lowest: i32) -> impl Strategy<Value = (Value, Vec<f64>)> {
    (3..7_usize, any::<bool>(), any::<bool>()).prop_flat_map(
        move |(vertices, on_edges, directed)| {
            let edge = [0..vertices, 0..vertices].prop_map(move |[a, b]| match acyclic {
                true => [a.min(b), a.max(b)],
                false => [a, b],
            });
            let edges = prop::collection::vec(edge, 1..14);
            let costs = prop::collection::vec(lowest..6, 14);
            (edges, costs).prop_map(move |(edges, mut costs)| {
                costs.truncate(if on_edges { edges.len() } else { vertices });
                let directed = directed || acyclic;
                let graph = json!({"vertices": vertices, "edges": edges, "directed": directed});
                let on = if on_edges { "edges" } else { "vertices" };
                let costs = costs.into_iter().map(f64::from).collect();
                (
                    json!({"graph": graph, "costs": on, "negative_costs": "bellman_ford"}),
                    costs,
                )
            })
        },
    )
}

/// Whether some cycle that paths could use is negative, by Floyd and Warshall's algorithm.
fn has_negative_cycle(paths: &Paths, vertices: usize, costs: &[f64]) -> bool {
    const FAR: f64 = f64::INFINITY;
    let (source, target) = (0, vertices - 1);
    let mut far = vec![vec![FAR; vertices]; vertices];
    for (edge, &[a, b]) in paths.edges.iter().enumerate() {
        for (from, to) in [(a, b), (b, a)]
            .into_iter()
            .take(if paths.directed { 1 } else { 2 })
        {
            let cost = costs[if paths.costs == Costs::Edges {
                edge
            } else {
                to
            }];
            if from != to && to != source && from != target {
                far[from][to] = cost.min(far[from][to]);
            }
        }
    }
    for via in 0..vertices {
        for from in 0..vertices {
            for to in 0..vertices {
                far[from][to] = far[from][to].min(far[from][via] + far[via][to]);
            }
        }
    }
    let useful = |vertex: usize| far[source][vertex] < FAR && far[vertex][target] < FAR;
    (1..target).any(|vertex| useful(vertex) && far[vertex][vertex] < 0.0)
}

fn check(config: &Value, costs: &[f64]) -> Result<(), TestCaseError> {
    let paths = Paths::of(config);
    let oracle = match open(config) {
        Ok(oracle) => oracle,
        Err(why) => {
            prop_assert_eq!(why.kind(), ErrorKind::Infeasible);
            prop_assert!(paths.all.is_empty());
            return Ok(());
        }
    };
    let vertices = config["graph"]["vertices"].as_u64().unwrap() as usize;
    match cheapest(&oracle, costs) {
        Ok(z) => {
            prop_assert_eq!(z, paths.best(costs));
            prop_assert!(!has_negative_cycle(&paths, vertices, costs));
        }
        Err(why) => {
            prop_assert_eq!(why.kind(), ErrorKind::InvalidTheta);
            prop_assert!(has_negative_cycle(&paths, vertices, costs), "{}", why);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_cycles_the_rule_holds_whatever_the_signs((config, costs) in problem(true, -5)) {
        check(&config, &costs)?;
    }

    #[test]
    fn with_cycles_the_rule_holds_for_costs_from_zero((config, costs) in problem(false, 0)) {
        check(&config, &costs)?;
    }

    #[test]
    fn with_cycles_negative_costs_are_solved_or_a_cycle_is_negative((config, costs) in problem(false, -2)) {
        check(&config, &costs)?;
    }

    #[test]
    fn the_algorithms_agree_with_each_other_and_with_petgraph(
        moves in prop::sample::select(vec![Moves::RightDown, Moves::Four, Moves::Eight]),
        (height, width) in (2..9_usize, 1..9_usize),
        on_edges in any::<bool>(),
        costs in prop::collection::vec(0.0..1.0_f64, 240),
    ) {
        let priced = if on_edges { Costs::Edges } else { Costs::Vertices };
        let config = Config {
            grid: Some(Grid { height, width, moves }),
            graph: None,
            costs: priced,
            source: None,
            target: None,
            negative_costs: NegativeCosts::Reject,
        };
        let problem = Problem::new(config).unwrap();
        let costs = &costs[..problem.dim(priced)];
        let network = Network::new(&problem, priced).unwrap();
        let path = |search: &dyn Fn(&mut Workspace)| {
            let theta: Vec<f64> = costs.iter().map(|cost| -cost).collect();
            let mut z = vec![f64::NAN; theta.len()];
            let mut workspace = Workspace::default();
            workspace.start(&theta, network.len());
            search(&mut workspace);
            workspace.write_path(&network, &mut z);
            z
        };
        let z = path(&|workspace| workspace.dijkstra(&network, &Limits::none()).unwrap());
        let other = path(&|workspace| workspace.bellman_ford(&network, &Limits::none()).unwrap());
        prop_assert_eq!(&z, &other);
        if network.is_acyclic() {
            prop_assert_eq!(&z, &path(&|workspace| workspace.in_order(&network)));
        }
        let cost: f64 = z.iter().zip(costs).map(|(z, cost)| z * cost).sum();
        prop_assert!((cost - by_petgraph(&problem, priced, costs)).abs() < 1e-12);
    }
}

/// The cost of the cheapest path by the algorithms of petgraph, which must agree, too.
fn by_petgraph(problem: &Problem, priced: Costs, costs: &[f64]) -> f64 {
    let mut graph = DiGraph::<(), f64>::new();
    (0..problem.vertices).for_each(|_| _ = graph.add_node(()));
    for (edge, &[a, b]) in problem.edges.iter().enumerate() {
        for (from, to) in [(a, b), (b, a)]
            .into_iter()
            .take(if problem.directed { 1 } else { 2 })
        {
            let cost = costs[if priced == Costs::Edges { edge } else { to }];
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), cost);
        }
    }
    let ends = (
        NodeIndex::new(problem.source),
        NodeIndex::new(problem.target),
    );
    let near = dijkstra(&graph, ends.0, Some(ends.1), |edge| *edge.weight())[&ends.1];
    let far = bellman_ford(&graph, ends.0).unwrap().distances[problem.target];
    assert!((near - far).abs() < 1e-12);
    match priced {
        Costs::Edges => near,
        Costs::Vertices => near + costs[problem.source],
    }
}
