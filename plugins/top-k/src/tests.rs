//! Against the enumeration of all selections.

use imle_api::conformance::{Check, binary_vectors};
use imle_api::{ErrorKind, Linked, Oracle, solve_one};
use serde_json::json;

use crate::TopK;

fn selections(dim: usize, k: usize, at_most: bool) -> Vec<Vec<f64>> {
    binary_vectors(dim, |z| {
        let ones = z.iter().sum::<f64>() as usize;
        ones == k || at_most && ones < k
    })
}

/// The largest `<z, theta>`, without costs: what the check knows to compare with.
#[test]
fn obeys_the_law() {
    let mut check = Check::new();
    for (dim, k) in [(1, 1), (4, 1), (5, 2), (6, 6), (9, 4)] {
        for at_most in [false, true] {
            let config = json!({"dim": dim, "k": k, "at_most": at_most});
            check = check.case(config, selections(dim, k, at_most));
        }
    }
    check
        .refuses(json!({"dim": 3, "k": 0}))
        .refuses(json!({"dim": 3, "k": 4}))
        .refuses(json!({"dim": 0, "k": 0}))
        .refuses(json!({"dim": 1_000_000_000_000_u64, "k": 1}))
        .refuses(json!({"dim": 3, "k": 1, "costs": [1.0]}))
        .refuses(json!({"dim": 1, "k": 1, "costs": [null]}))
        .run::<TopK>()
        .unwrap();
}

#[test]
fn costs_are_subtracted_from_what_is_maximised() {
    let mut random = fastrand::Rng::with_seed(16);
    let mut quarters = || f64::from(random.i32(0..12)) / 4.0;
    for round in 0..300 {
        let (dim, k, at_most) = (
            1 + round % 7,
            1 + round % 7 * (round % 3) / 3,
            round % 2 == 0,
        );
        let costs: Vec<f64> = (0..dim).map(|_| quarters()).collect();
        let theta: Vec<f64> = (0..dim).map(|_| quarters()).collect();
        let config = json!({"dim": dim, "k": k, "costs": costs, "at_most": at_most});
        let oracle = Linked::<TopK>::open(&config.to_string()).unwrap();
        // Quarters are added without rounding.
        let value = |z: &[f64]| -> f64 { (0..dim).map(|i| z[i] * (theta[i] - costs[i])).sum() };
        let states = selections(dim, k, at_most);
        let best = states
            .iter()
            .map(|z| value(z))
            .fold(f64::NEG_INFINITY, f64::max);
        let (z, solved) = solve_one(&oracle, &theta).unwrap();
        assert!(
            states.contains(&z) && value(&z) == best,
            "{config} {theta:?}: {z:?}"
        );
        let reported: f64 = z.iter().zip(&theta).map(|(z, theta)| z * theta).sum();
        assert_eq!(solved.objective, reported);
    }
}

#[test]
fn facts_ties_and_zero() {
    let open = |config| Linked::<TopK>::open(config).unwrap();
    let exactly = open(r#"{"dim": 3, "k": 2, "costs": [1, 0, 1]}"#);
    assert_eq!(exactly.facts().ones, Some(2));
    assert_eq!(
        solve_one(&exactly, &[1.0, 0.0, 1.0]).unwrap().0,
        [1.0, 1.0, 0.0]
    );
    let at_most = open(r#"{"dim": 3, "k": 2, "costs": [1, 0, 1], "at_most": true}"#);
    assert_eq!(at_most.facts().ones, None);
    assert_eq!(
        solve_one(&at_most, &[1.0, -0.0, 2.0]).unwrap().0,
        [0.0, 0.0, 1.0]
    );
}

#[test]
fn a_net_value_that_is_no_number_is_an_error_that_says_so() {
    let config = r#"{"dim": 2, "k": 1, "costs": [0.0, -1e308]}"#;
    let oracle = Linked::<TopK>::open(config).unwrap();
    let error = solve_one(&oracle, &[0.0, 1.7e308]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
    assert!(
        error.message().contains("at column 1; less the cost of -1"),
        "{error}"
    );
    assert!(solve_one(&oracle, &[1.7e308, 0.0]).is_ok());
}

#[test]
fn the_radius_reaches_to_the_next_or_to_zero() {
    let radius = |config: &str, theta: &[f64]| {
        let oracle = Linked::<TopK>::open(config).unwrap();
        solve_one(&oracle, theta).unwrap().1.proof.radius
    };
    let is_just_below = |radius: f64, exact: f64| radius < exact && radius > exact - 1e-12;
    let exactly = r#"{"dim": 3, "k": 1, "costs": [1, 1, 1]}"#;
    let at_most = r#"{"dim": 3, "k": 2, "costs": [1, 1, 1], "at_most": true}"#;
    assert!(is_just_below(radius(exactly, &[3.0, 2.0, 0.0]), 0.5));
    assert!(is_just_below(radius(at_most, &[3.0, 2.0, 1.5]), 0.25));
    assert!(is_just_below(radius(at_most, &[3.0, 2.0, -9.0]), 1.0));
    assert!(is_just_below(radius(at_most, &[3.0, 0.75, 0.5]), 0.25));
}

/// Costs that nobody gave were once written out: 16 GiB of zeros.
#[test]
fn an_instance_without_costs_takes_no_memory_for_them() {
    let oracle = Linked::<TopK>::open(r#"{"dim": 2147483648, "k": 1}"#).unwrap();
    assert_eq!(oracle.facts().dim, 1 << 31);
}
