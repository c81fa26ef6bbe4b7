//! Noise, k-subsets and paths by themselves.

use imle_runtime::{Address, Gumbel, Limits, Noise, Normal, Outcome};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use rand_distr::{Distribution, Gamma};
use rand_xoshiro::rand_core::Rng;
use serde_json::json;

use crate::inputs::{KAPPA, linked, loaded, numbers, sum_of_gamma};
use crate::peers::Peers;
use crate::table::{Row, Target, print};
use crate::timing::{Contender, measure, measure_all};

/// The generator of row after row of noise.
fn addresses() -> impl FnMut() -> Address {
    let mut row = 0;
    move || {
        row += 1;
        Address {
            seed: 1,
            call: 0,
            row,
            sample: 0,
        }
    }
}

fn fill<'a>(dim: usize, noise: &'a dyn Noise) -> Contender<'a> {
    let (mut next, mut eps) = (addresses(), vec![0.0; dim]);
    noise.fill(&next(), &mut eps).expect("the noise is valid"); // makes its table
    Contender::new(dim, move || {
        noise.fill(&next(), &mut eps).expect("the noise is valid");
        eps[0]
    })
}

/// Ten Gamma draws a coordinate, as Eq. 13 of the paper says.
fn direct_sum<'a>(dim: usize) -> Contender<'a> {
    let unit = Gamma::new(1.0 / KAPPA as f64, 1.0).expect("the shape is positive");
    let (noise, mut next, mut eps) = (sum_of_gamma(Some(10)), addresses(), vec![0.0; dim]);
    Contender::new(dim, move || {
        let mut generator = next().generator();
        eps.fill_with(|| {
            let draw = |i| KAPPA as f64 / f64::from(i) * unit.sample(&mut generator);
            noise.assemble((1..=10).map(draw).sum())
        });
        eps[0]
    })
}

fn words<'a>(dim: usize) -> Contender<'a> {
    let (mut next, mut eps) = (addresses(), vec![0.0; dim]);
    Contender::new(dim, move || {
        let mut generator = next().generator();
        eps.fill_with(|| f64::from_bits(generator.next_u64()));
        eps[0]
    })
}

pub(crate) fn noise(_: Option<&Peers>) {
    let mut rows = Vec::new();
    for dim in [20, 1000] {
        let (exact, ten) = (sum_of_gamma(None), sum_of_gamma(Some(10)));
        let [gumbel, normal, exact, ten, direct, words] = measure([
            fill(dim, &Gumbel),
            fill(dim, &Normal),
            fill(dim, &exact),
            fill(dim, &ten),
            direct_sum(dim),
            words(dim),
        ]);
        let row = |what: &str, ours, target| {
            let row = Row::new(format!("{what}, dim {dim}"), ours, target);
            row.limit("words of the generator", &words)
        };
        rows.push(row("gumbel", &gumbel, Target::Within(4.0)));
        rows.push(row("normal", &normal, Target::Within(4.0)));
        rows.push(row("sum of gamma, limit", &exact, Target::Within(6.0)));
        rows.push(row("sum of gamma, 10 terms", &ten, Target::Within(6.0)));
        let beside = row("the same", &ten, Target::Faster(50.0));
        rows.push(beside.against("10 draws of rand_distr", &direct));
    }
    print("Noise: a draw on one core", &rows);
}

pub(crate) fn select(_: Option<&Peers>) {
    let mut rows = Vec::new();
    for (dim, k, most) in [
        (20, 5, 4.0),
        (20, 10, 4.0),
        (100, 10, 2.0),
        (350, 10, 2.0),
        (1000, 10, 2.0),
        (1000, 50, 2.0),
        (10_000, 5000, 2.0),
        (1_000_000, 50_000, 2.0),
    ] {
        // As many rows as a batch hands over at a time; never the same ones twice running, or a processor learns them.
        let count = (1024 / dim).max(1) * dim;
        let batches = (200_000 / count).clamp(4, 100);
        let theta = &numbers(batches * count, 4);
        let mut next = 0;
        let mut batch = move || {
            next = (next + 1) % batches;
            &theta[next * count..][..count]
        };
        let (oracle, mut z) = (linked(dim, k), vec![0.0; count]);
        let mut outcomes: Vec<Outcome> = vec![imle_api::unset(); count / dim];
        let (mut copy, mut values) = (vec![0.0; count], vec![0.0; dim]);
        let (mut second, mut third) = (batch, batch);
        let [ours, standard, copy] = measure([
            Contender::new(count, || {
                oracle.solve(batch(), &mut z, &mut outcomes, &Limits::none());
            }),
            Contender::new(count, || {
                for theta in second().chunks_exact(dim) {
                    values.copy_from_slice(theta);
                    values.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
                }
                values[0]
            }),
            Contender::new(count, || {
                copy.copy_from_slice(third());
                copy[0]
            }),
        ]);
        let row = Row::new(format!("{k} of {dim}"), &ours, Target::Within(most));
        let row = row.against("select_nth_unstable, values only", &standard);
        rows.push(row.limit("copy", &copy));
    }
    print("k-subset: a coordinate on one core, states checked", &rows);
}

pub(crate) fn paths(peers: Option<&Peers>) {
    let mut rows = Vec::new();
    for (side, moves, costs, target) in [
        (5, "right_down", "edges", Target::Within(300.0)),
        (12, "eight", "vertices", Target::Faster(2.5)),
        (30, "eight", "vertices", Target::Faster(2.5)),
        (30, "eight", "edges", Target::Faster(2.5)),
    ] {
        let grid = json!({"height": side, "width": side, "moves": moves});
        let oracle = loaded("shortest-path", &json!({"grid": grid, "costs": costs}));
        let dim = oracle.facts().dim;
        // The first row is that of the peers. Never the same one twice running, or a processor learns it.
        const ROWS: usize = 50;
        let theta: Vec<f64> = numbers(ROWS * dim, 3)
            .into_iter()
            .map(|cost| -cost)
            .collect();
        let theta = &theta;
        let (mut z, mut outcomes) = (vec![0.0; dim], [imle_api::unset()]);
        let mut next = 0;
        let mut row = move || {
            next = (next + 1) % ROWS;
            &theta[next * dim..][..dim]
        };
        let (mut second, mut third) = (row, row);
        let graph = graph(side, moves);
        let (source, end) = (NodeIndex::new(0), NodeIndex::new(side * side - 1));
        let mut copy = vec![0.0; dim];
        let mut contenders = vec![
            Contender::new(1, || {
                oracle.solve(row(), &mut z, &mut outcomes, &Limits::none())
            }),
            Contender::new(1, || {
                let theta = second();
                dijkstra(&graph, source, Some(end), |arc| match costs {
                    "vertices" => -theta[arc.source().index()],
                    _ => -theta[*arc.weight()],
                })
            }),
            Contender::new(1, || {
                copy.copy_from_slice(third());
                copy[0]
            }),
        ];
        let is_theirs = (side, costs) == (30, "vertices");
        let named = [
            ("scipy path", "csgraph.dijkstra", 3.0),
            ("python path", "Python, heapq", 150.0),
        ];
        let peers = peers.filter(|_| is_theirs);
        let theirs: Vec<_> = named
            .iter()
            .filter_map(|named| Some((named, peers?.contender(named.0, 1)?)))
            .collect();
        let (theirs, more): (Vec<_>, Vec<_>) = theirs.into_iter().unzip();
        contenders.extend(more);
        let measured = measure_all(contenders);
        let what = format!("{side}x{side} {moves}, {costs}");
        let row = Row::new(&what, &measured[0], target);
        let row = row.against("petgraph's dijkstra", &measured[1]);
        rows.push(row.limit("copy of the row", &measured[2]));
        for ((name, title, least), measured_theirs) in theirs.into_iter().zip(&measured[3..]) {
            let row = Row::new(&what, &measured[0], Target::Faster(least));
            rows.push(row.against(title, measured_theirs));
            oracle.solve(&theta[..dim], &mut z, &mut outcomes, &Limits::none());
            let objective = outcomes[0].as_ref().expect("it was solved").objective;
            let found = peers
                .and_then(|peers| peers.check(name))
                .and_then(|cost| cost.as_f64());
            let found = found.expect("a cost");
            assert!(
                (found + objective).abs() < 1e-9,
                "{name}: {found} for {objective}"
            );
        }
    }
    print("Paths: a row on one core; ours writes the state", &rows);
}

/// A grid with both directions of every edge, as petgraph has it; weights are the coordinates of edges.
fn graph(side: usize, moves: &str) -> DiGraph<(), usize> {
    let mut graph = DiGraph::new();
    for _ in 0..side * side {
        graph.add_node(());
    }
    let mut edges = 0;
    let mut add = |a: usize, b: usize| {
        graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), edges);
        if moves != "right_down" {
            graph.add_edge(NodeIndex::new(b), NodeIndex::new(a), edges);
        }
        edges += 1;
    };
    for row in 0..side {
        let first = row * side;
        (1..side).for_each(|column| add(first + column - 1, first + column));
        for column in (0..side).filter(|_| row + 1 < side) {
            let (vertex, below) = (first + column, first + column + side);
            if moves == "eight" && column > 0 {
                add(vertex, below - 1);
            }
            add(vertex, below);
            if moves == "eight" && column + 1 < side {
                add(vertex, below + 1);
            }
        }
    }
    graph
}
