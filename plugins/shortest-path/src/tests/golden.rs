//! The 3x3 grid with eight neighbours and vertex costs: exact cases by exhaustive enumeration.

use imle_api::{ErrorKind, Linked};
use serde_json::json;

use super::{cheapest, open};
use crate::ShortestPath;

fn grid(policy: &str) -> Linked<ShortestPath> {
    let grid = json!({"height": 3, "width": 3, "moves": "eight"});
    open(&json!({"grid": grid, "costs": "vertices", "negative_costs": policy})).unwrap()
}

/// The vertices on the path.
fn vertices(policy: &str, costs: [f64; 9]) -> Vec<usize> {
    let z = cheapest(&grid(policy), &costs).unwrap();
    (0..9).filter(|&vertex| z[vertex] == 1.0).collect()
}

#[test]
fn grid03_the_four_maps_of_one_step() {
    let cases = [
        (
            [
                1.3125, 1.625, 1.1875, 2.1875, 2.6875, 1.0625, 1.875, 0.3125, 1.625,
            ],
            [0, 3, 7, 8].as_slice(),
        ),
        (
            [
                0.75, 1.1875, 0.5625, 1.625, 2.25, 1.125, 1.75, 0.9375, 1.8125,
            ],
            &[0, 4, 8],
        ),
        (
            [
                1.1875, 1.5, 1.125, 2.1875, 2.90625, 1.0, 1.65625, 0.4375, 1.46875,
            ],
            &[0, 1, 5, 8],
        ),
        (
            [
                0.90625, 0.96875, 0.3125, 1.625, 2.46875, 0.875, 1.6875, 0.8125, 2.0625,
            ],
            &[0, 1, 5, 8],
        ),
    ];
    for (costs, path) in cases {
        for policy in ["reject", "clamp", "bellman_ford"] {
            assert_eq!(vertices(policy, costs), path);
        }
    }
}

#[test]
fn grid04_each_policy_on_negative_costs() {
    let costs = [
        -0.5, 0.8125, 0.625, 0.5, 1.0, -0.4375, -0.375, 0.5625, -0.6875,
    ];
    assert_eq!(vertices("clamp", costs), [0, 1, 5, 8]);
    // No cycle between the ends is negative: the best simple path, which clamping misses.
    assert_eq!(vertices("bellman_ford", costs), [0, 3, 5, 6, 7, 8]);
    let error = cheapest(&grid("reject"), &costs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    assert!(
        error
            .message()
            .starts_with("theta is 0.5 at column 0, a negative cost")
    );
}

#[test]
fn grid02b_a_target_step_below_zero() {
    let costs = [
        -0.0625, 1.8125, -0.8125, 1.875, 2.9375, 0.5625, 0.125, 0.125, 1.8125,
    ];
    assert_eq!(vertices("clamp", costs), [0, 3, 7, 8]);
    // To and fro between vertices 2 and 5.
    let error = cheapest(&grid("bellman_ford"), &costs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    assert!(error.message().contains("a cycle of negative cost"));
}

#[test]
fn grid07_a_tie_of_three_goes_to_the_fewest_edges() {
    let costs = [1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0];
    assert_eq!(vertices("reject", costs), [0, 4, 8]);
}
