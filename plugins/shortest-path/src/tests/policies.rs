//! Negative costs, limits, and costs of extreme size.

use imle_api::{ErrorKind, Limits, Oracle, StopFlag, unset};
use serde_json::{Value, json};

use super::{cheapest, open};

fn with_policy(policy: &str, directed: bool, costs: &str) -> Value {
    // A ring between two stubs: 0 - 1 - {2, 3} - 4 - 5, and 2 - 3.
    let edges = [
        [0, 1],
        [1, 2],
        [1, 3],
        [2, 4],
        [3, 4],
        [4, 5],
        [2, 3],
        [3, 2],
    ];
    let graph = json!({"vertices": 6, "edges": edges, "directed": directed});
    json!({"graph": graph, "costs": costs, "negative_costs": policy})
}

#[test]
fn reject_names_the_column_and_takes_zeros_of_both_signs() {
    let oracle = open(&with_policy("reject", true, "edges")).unwrap();
    let error = cheapest(&oracle, &[1.0, 1.0, 1.0, 1.0, -0.25, 1.0, 1.0, -2.0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    assert!(
        error.message().starts_with("theta is 0.25 at column 4"),
        "{error}"
    );
    let z = cheapest(&oracle, &[0.0, -0.0, 1.0, 0.0, 1.0, -0.0, 1.0, 1.0]).unwrap();
    assert_eq!(z, [1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn without_cycles_every_policy_is_exact_for_all_signs() {
    for policy in ["reject", "clamp", "bellman_ford"] {
        let grid = json!({"height": 2, "width": 3, "moves": "right_down"});
        let oracle = open(&json!({"grid": grid, "costs": "vertices", "negative_costs": policy}));
        let z = cheapest(&oracle.unwrap(), &[9.0, 1.0, 5.0, -3.0, -2.0, 9.0]).unwrap();
        assert_eq!(z, [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    }
}

#[test]
fn clamp_makes_a_negative_cost_free_and_no_more_than_free() {
    let oracle = open(&with_policy("clamp", false, "edges")).unwrap();
    // The detour over the negative edge 2 - 3 would earn 9, but costs 1 when clamped.
    let z = cheapest(&oracle, &[1.0, 1.0, 3.0, 1.0, 1.0, 1.0, -10.0, 1.0]).unwrap();
    assert_eq!(z, [1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn bellman_ford_is_exact_until_a_cycle_is_negative() {
    let oracle = open(&with_policy("bellman_ford", true, "edges")).unwrap();
    let z = cheapest(&oracle, &[1.0, 1.0, 3.0, 1.0, 1.0, 1.0, -2.0, 2.5]).unwrap();
    assert_eq!(z, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    // A cycle of cost zero is no harm.
    let z = cheapest(&oracle, &[1.0, 1.0, 3.0, 1.0, 1.0, 1.0, -2.0, 2.0]).unwrap();
    assert_eq!(z, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    let error = cheapest(&oracle, &[1.0, 1.0, 3.0, 1.0, 1.0, 1.0, -2.0, 1.5]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    let message = error.message();
    assert!(
        message.contains("passes vertex 2") || message.contains("passes vertex 3"),
        "{message}"
    );
}

#[test]
fn an_undirected_negative_edge_is_a_negative_cycle_unless_it_touches_an_end() {
    let oracle = open(&with_policy("bellman_ford", false, "edges")).unwrap();
    let error = cheapest(&oracle, &[1.0, 1.0, 3.0, -0.5, 1.0, 1.0, 1.0, 1.0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    let z = cheapest(&oracle, &[-7.0, 1.0, 3.0, 1.0, 1.0, -0.5, 1.0, 1.0]).unwrap();
    assert_eq!(z, [1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn one_row_that_fails_leaves_the_others_alone() {
    let oracle = open(&with_policy("reject", true, "vertices")).unwrap();
    let theta = [[-1.0; 6], [1.0; 6], [-1.0; 6]].concat();
    let mut z = [f64::NAN; 18];
    let mut outcomes = [unset(), unset(), unset()];
    oracle.solve(&theta, &mut z, &mut outcomes, &Limits::none());
    assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok());
    assert_eq!(z[..6], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(z[..6], z[12..]);
}

#[test]
fn a_raised_flag_stops_both_loops() {
    let stop = StopFlag::default();
    stop.raise();
    let oracle = open(&with_policy("bellman_ford", true, "vertices")).unwrap();
    let mut outcomes = [unset(), unset()];
    let theta = [
        -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0,
    ];
    oracle.solve(
        &theta,
        &mut [0.0; 12],
        &mut outcomes,
        &Limits::none().with_stop(&stop),
    );
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Stopped);
    }
}

#[test]
fn sums_of_huge_costs_do_not_overflow() {
    for (moves, sign) in [("right_down", -1.0), ("right_down", 1.0), ("four", 1.0)] {
        let grid = json!({"height": 3, "width": 3, "moves": moves});
        let oracle = open(&json!({"grid": grid, "costs": "vertices"})).unwrap();
        // Whoever adds these up to infinity sees a tie.
        let mut costs = [sign * f64::MAX; 9];
        costs[3] = sign * f64::MAX * 0.5;
        let z = cheapest(&oracle, &costs).unwrap();
        assert_eq!(z[3], if sign > 0.0 { 1.0 } else { 0.0 }, "{moves} {sign}");
    }
}
