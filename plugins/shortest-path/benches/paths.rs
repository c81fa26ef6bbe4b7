//! What a row costs: `cargo bench -p imle-shortest-path`. `petgraph` is its own `dijkstra` on the same graph with the
//! same costs, which finds distances and no path.

use divan::{Bencher, black_box};
use imle_api::{Limits, Linked, Oracle, unset};
use imle_shortest_path::{Config, ShortestPath};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde_json::{Value, json};

const PROBLEMS: [&str; 6] = [
    "5x5 right_down edges",
    "12x12 eight vertices",
    "30x30 eight vertices",
    "30x30 eight edges",
    "30x30 four edges",
    "1000 vertices 5000 arcs",
];

fn main() {
    divan::main();
}

fn config(problem: &str) -> Value {
    let words: Vec<&str> = problem.split(' ').collect();
    if words[1] == "vertices" {
        let mut random = fastrand::Rng::with_seed(2);
        let mut end = || random.usize(0..1000);
        let edges: Vec<[usize; 2]> = (0..5000).map(|_| [end(), end()]).collect();
        let graph = json!({"vertices": 1000, "edges": edges, "directed": true});
        return json!({"graph": graph, "costs": "edges"});
    }
    let side: usize = words[0]
        .split('x')
        .next()
        .and_then(|side| side.parse().ok())
        .expect("a number");
    let grid = json!({"height": side, "width": side, "moves": words[1]});
    json!({"grid": grid, "costs": words[2]})
}

/// Rows of costs from 0 to 1, one after the other.
fn rows(bencher: Bencher, dim: usize, mut solve: impl FnMut(&[f64])) {
    const ROWS: usize = 100;
    let mut random = fastrand::Rng::with_seed(1);
    let theta: Vec<f64> = (0..ROWS * dim).map(|_| -random.f64()).collect();
    let mut row = 0;
    bencher.bench_local(|| {
        row = (row + 1) % ROWS;
        solve(&theta[row * dim..][..dim]);
    });
}

fn open(config: &Value) -> Linked<ShortestPath> {
    Linked::open(&config.to_string()).expect("the configuration is right")
}

#[divan::bench(args = PROBLEMS)]
fn solver(bencher: Bencher, problem: &str) {
    let oracle = open(&config(problem));
    let dim = oracle.facts().dim;
    let (mut z, mut outcome) = (vec![0.0; dim], [unset()]);
    rows(bencher, dim, |theta| {
        oracle.solve(theta, black_box(&mut z), &mut outcome, &Limits::none());
        assert!(outcome[0].is_ok());
    });
}

#[divan::bench(args = PROBLEMS)]
fn petgraph(bencher: Bencher, problem: &str) {
    let config = config(problem);
    let dim = open(&config).facts().dim;
    let directed = problem.contains("right_down") || problem.contains("arcs");
    let by_vertex = config["costs"] == "vertices";
    let config: Config = serde_json::from_value(config).expect("the configuration is right");
    let edges = config.edges().expect("the configuration is right");
    let vertices = edges.iter().flatten().max().expect("there are edges") + 1;
    let mut graph: DiGraph<(), usize> = DiGraph::new();
    for _ in 0..vertices {
        graph.add_node(());
    }
    for (edge, &[a, b]) in edges.iter().enumerate() {
        graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), edge);
        if !directed {
            graph.add_edge(NodeIndex::new(b), NodeIndex::new(a), edge);
        }
    }
    let (source, target) = (NodeIndex::new(0), NodeIndex::new(vertices - 1));
    rows(bencher, dim, |theta| {
        let distances = dijkstra(&graph, source, Some(target), |arc| match by_vertex {
            true => -theta[arc.source().index()],
            false => -theta[*arc.weight()],
        });
        black_box(distances);
    });
}
