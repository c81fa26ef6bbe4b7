//! Against the enumeration of all tours, and the two algorithms against each other.

use std::collections::BTreeSet;

use imle_api::conformance::Check;
use imle_api::{ErrorKind, Limits, Linked, Oracle, StopFlag, solve_one, unset};
use serde_json::json;

use crate::dynamic::Dynamic;
use crate::search::Search;
use crate::{Costs, Tsp};

/// Every tour, from the permutations of all nodes.
fn states(nodes: usize) -> Vec<Vec<f64>> {
    let mut orders = vec![vec![0]];
    for node in 1..nodes {
        let places = |order: Vec<usize>| {
            (1..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, node);
                order
            })
        };
        orders = orders.into_iter().flat_map(places).collect();
    }
    let tsp = Tsp { nodes };
    let edges = nodes * (nodes - 1) / 2;
    let tours: BTreeSet<Vec<u8>> = orders
        .iter()
        .map(|order| {
            let mut z = vec![0.0; edges];
            tsp.write(order, &mut z);
            z.iter().map(|&z| z as u8).collect()
        })
        .collect();
    assert_eq!(tours.len(), (3..nodes).product::<usize>());
    let state = |tour: Vec<u8>| tour.into_iter().map(f64::from).collect();
    tours.into_iter().map(state).collect()
}

#[test]
fn obeys_the_law() {
    let mut check = Check::new();
    for nodes in 3..=7 {
        check = check.case(json!({"nodes": nodes}), states(nodes));
    }
    check
        .refuses(json!({"nodes": 2}))
        .refuses(json!({"nodes": 129}))
        .refuses(json!({"nodes": -3}))
        .refuses(json!({}))
        .run::<Tsp>()
        .unwrap();
}

/// The edge of two nodes is where the documentation says.
#[test]
fn coordinates_are_in_the_order_of_the_pairs() {
    let mut z = [0.0; 10];
    Tsp { nodes: 5 }.write(&[0, 3, 1, 4, 2], &mut z);
    // 01 02 03 04 12 13 14 23 24 34
    assert_eq!(z, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
}

/// Rows of all kinds: points in a plane, anything, whole numbers with many ties, two clusters.
fn theta(nodes: usize, kind: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    let points: Vec<[f64; 2]> = (0..nodes).map(|_| [random.f64(), random.f64()]).collect();
    let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b)));
    let value = |(a, b): (usize, usize)| match kind {
        0 => -(points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]),
        1 => random.f64() - 0.5,
        2 => f64::from(random.i32(-2..=2)),
        3 => f64::from(u8::from(a % 2 == b % 2)) + random.f64() * 0.1,
        _ => 1e300 * (random.f64() - 0.5),
    };
    pairs.map(value).collect()
}

fn costs(nodes: usize, theta: &[f64]) -> Costs {
    let mut gains = Vec::new();
    imle_api::to_integers(theta, 50, &mut gains);
    let mut costs = Costs::default();
    costs.set(nodes, &gains);
    costs
}

#[test]
fn branch_and_bound_agrees_with_dynamic_programming() {
    let mut random = fastrand::Rng::with_seed(8);
    let (mut dynamic, mut search) = (Dynamic::default(), Search::default());
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for nodes in 5..=14 {
        for round in 0..if nodes < 12 { 100 } else { 10 } {
            let theta = theta(nodes, round % 5, &mut random);
            let costs = costs(nodes, &theta);
            dynamic.best_tour(&costs, &mut one);
            search
                .best_tour(&costs, &mut other, &Limits::none())
                .unwrap();
            let mut visited = other.clone();
            visited.sort_unstable();
            assert!(visited.iter().copied().eq(0..nodes), "{theta:?}");
            let difference = costs.of_tour(&other) - costs.of_tour(&one);
            assert!((0..256).contains(&difference), "{theta:?}");
        }
    }
}

/// What a tour pays at a node it pays whatever the tour. The search finds as good a tour after such a change, from
/// other first tours, multipliers and branches.
#[test]
fn prices_of_nodes_do_not_matter() {
    let mut random = fastrand::Rng::with_seed(9);
    for (nodes, kinds) in [(13, 0..5), (20, 0..5), (30, 0..2)] {
        let oracle = Linked::<Tsp>::open(&json!({"nodes": nodes}).to_string()).unwrap();
        for kind in kinds.filter(|&kind| kind < 4) {
            let theta = theta(nodes, kind, &mut random);
            let prices: Vec<f64> = (0..nodes).map(|_| random.f64() * 4.0 - 2.0).collect();
            let mut at = theta.iter();
            let moved: Vec<f64> = (0..nodes)
                .flat_map(|a| (a + 1..nodes).map(move |b| (a, b)))
                .map(|(a, b)| at.next().unwrap() + prices[a] + prices[b])
                .collect();
            let (z, solved) = solve_one(&oracle, &theta).unwrap();
            let (_, moved) = solve_one(&oracle, &moved).unwrap();
            oracle.facts().check_state(&z).unwrap();
            let paid = 2.0 * prices.iter().sum::<f64>();
            assert!(
                (moved.objective - paid - solved.objective).abs() < 1e-9,
                "{nodes} {kind}"
            );
        }
    }
}

#[test]
fn a_row_that_is_stopped_is_an_error_and_the_workspace_serves_the_next() {
    let oracle = Linked::<Tsp>::open(r#"{"nodes": 25}"#).unwrap();
    let theta = theta(25, 1, &mut fastrand::Rng::with_seed(10));
    let expected = solve_one(&oracle, &theta).unwrap().0;
    let stop = StopFlag::default();
    stop.raise();
    let mut z = vec![0.0; theta.len()];
    let mut outcome = [unset()];
    let limits = Limits::none().with_stop(&stop);
    oracle.solve(&theta, &mut z, &mut outcome, &limits);
    assert_eq!(outcome[0].as_ref().unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(solve_one(&oracle, &theta).unwrap().0, expected);
}

#[test]
fn ties_of_dynamic_programming_go_to_the_first_tour() {
    let oracle = Linked::<Tsp>::open(r#"{"nodes": 4}"#).unwrap();
    let (z, _) = solve_one(&oracle, &[0.0; 6]).unwrap();
    // 0, 1, 2, 3: not the edges 02 and 13.
    assert_eq!(z, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
}

/// The conformance check lists states, which is too many tours for branch and bound.
#[test]
fn branch_and_bound_depends_on_theta_alone() {
    let mut random = fastrand::Rng::with_seed(15);
    let rows: Vec<Vec<f64>> = (0..40).map(|row| theta(14, row % 5, &mut random)).collect();
    let open = || Linked::<Tsp>::open(r#"{"nodes": 14}"#).unwrap();
    let oracle = open();
    let solve = |theta: &Vec<f64>| solve_one(&oracle, theta).unwrap().0;
    let forward: Vec<_> = rows.iter().map(solve).collect();
    let mut backward: Vec<_> = rows.iter().rev().map(solve).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    let fresh: Vec<_> = rows
        .iter()
        .map(|theta| solve_one(&open(), theta).unwrap().0)
        .collect();
    assert_eq!(forward, fresh);
}
