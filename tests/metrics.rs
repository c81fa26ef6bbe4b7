//! Metrics that look at ties.

#[path = "common/losses.rs"]
mod losses;
#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::{
    ErrorKind, Sense, cost_ratio_accuracy, exact_match, hamming, mean_relative_regret,
    normalized_regret, worst_objectives,
};
use losses::dot;
use oracles::{enumeration, numbers, subsets};

/// Predictions of few values, so that ties are everywhere.
#[test]
fn the_worst_objective_is_that_of_the_worst_tie_in_both_senses() {
    let (dim, rows) = (6, 200);
    let states = subsets(dim, 3);
    let oracle = enumeration(states.clone());
    let predicted: Vec<f64> = numbers(rows * dim, 1)
        .iter()
        .map(|value| (2.0 * value).round())
        .collect();
    let truth = numbers(rows * dim, 2);
    for sense in [Sense::Maximize, Sense::Minimize] {
        let sign = if sense == Sense::Maximize { 1.0 } else { -1.0 };
        let worst = worst_objectives(&*oracle, &predicted, &truth, sense, 1e-9).unwrap();
        let mut ties = 0;
        for (row, worst) in worst.iter().enumerate() {
            let part = row * dim..(row + 1) * dim;
            let (predicted, truth) = (&predicted[part.clone()], &truth[part]);
            let value = |z: &Vec<f64>| sign * dot(z, predicted); // small integers: exact
            let best = states.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            let optimal: Vec<f64> = states
                .iter()
                .filter(|z| value(z) == best)
                .map(|z| sign * dot(z, truth))
                .collect();
            ties += usize::from(optimal.len() > 1);
            let expected = sign * optimal.iter().copied().fold(f64::INFINITY, f64::min);
            assert!(
                (worst - expected).abs() < 1e-9,
                "row {row}: {worst} for {expected}"
            );
        }
        assert!(ties > rows / 2);
    }
}

#[test]
fn a_constant_prediction_is_as_bad_as_the_worst_state() {
    let oracle = enumeration(subsets(3, 1));
    let costs = [4.0, 7.0, 9.0];
    let worst = worst_objectives(&*oracle, &[1.0; 3], &costs, Sense::Minimize, 0.0).unwrap();
    assert_eq!(worst, [9.0]);
    assert_eq!(
        normalized_regret(&worst, &[4.0], Sense::Minimize).unwrap(),
        1.25
    );
}

#[test]
fn ties_that_no_weight_tells_apart_and_wrong_input_are_errors() {
    let oracle = enumeration(subsets(2, 1));
    let refused = |predicted: &[f64], truth: &[f64], tolerance| {
        worst_objectives(&*oracle, predicted, truth, Sense::Maximize, tolerance).unwrap_err()
    };
    // A near-tie of 1e-12 against a reward of 1: no weight up to 2^26 makes up for it.
    let close = refused(&[0.0, 0.0, 1.0, 1.0 + 1e-12], &[0.0, 0.0, 0.0, 1.0], 0.0);
    assert_eq!(close.kind(), ErrorKind::LimitReached);
    assert_eq!(
        close.message(),
        "row 1: its ties are too close to tell apart"
    );
    assert_eq!(
        refused(&[0.0; 2], &[0.0; 4], 0.0).message(),
        "1 predicted rows for 2 true ones"
    );
    assert_eq!(
        refused(&[0.0; 2], &[0.0; 2], -1.0).message(),
        "tolerance = -1 is not a number from 0 up"
    );
    assert_eq!(
        refused(&[f64::NAN; 2], &[0.0; 2], 0.0).kind(),
        ErrorKind::InvalidTheta
    );
}

#[test]
fn accuracies_count_rows() {
    let ratio = |tolerance| {
        cost_ratio_accuracy(
            &[4.0, 4.1, 8.0],
            &[4.0, 4.0, 4.0],
            Sense::Minimize,
            tolerance,
        )
        .unwrap()
    };
    assert_eq!(
        (ratio(1e-6), ratio(0.05), ratio(2.0)),
        (1.0 / 3.0, 2.0 / 3.0, 1.0)
    );
    let (z, right) = (
        [1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        [1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
    );
    assert_eq!(exact_match(&z, &right, 3).unwrap(), 0.5);
    assert_eq!(hamming(&z, &right, 3).unwrap(), 1.0);
    assert!(hamming(&z, &right, 4).is_err() && exact_match(&[], &[], 3).is_err());
    assert!(cost_ratio_accuracy(&[1.0], &[0.0], Sense::Minimize, 0.1).is_err());
}

#[test]
fn values_that_are_not_finite_are_named() {
    let refused = normalized_regret(&[1.0, f64::NAN], &[1.0, 1.0], Sense::Minimize).unwrap_err();
    assert_eq!(refused.message(), "the objective of row 1 is NaN");
    let refused = mean_relative_regret(&[1.0], &[f64::INFINITY], Sense::Maximize).unwrap_err();
    assert_eq!(refused.message(), "the optimum of row 0 is inf");
}
