//! Against the enumeration of everything that fits, and the two algorithms against each other.

use imle_api::conformance::Check;
use imle_api::{ErrorKind, Limits, Linked, Oracle, StopFlag, solve_one, unset};
use serde_json::{Value, json};

use crate::Knapsack;
use crate::dynamic::Dynamic;
use crate::order::Order;
use crate::problem::{Config, Problem};
use crate::search::Search;

fn open(config: &Value) -> Linked<Knapsack> {
    Linked::open(&config.to_string()).unwrap()
}

fn read(config: &Value) -> Config {
    serde_json::from_value(config.clone()).unwrap()
}

/// All counts up to the copies that no dimension is too small for.
fn states(config: &Value) -> Vec<Vec<f64>> {
    let Config {
        weights,
        capacities,
        copies,
    } = read(config);
    let items = weights[0].len();
    let copies = copies.unwrap_or(vec![1; items]);
    let mut states = vec![Vec::new()];
    for most in copies {
        let more = |state: Vec<f64>| {
            (0..=most).map(move |count| [&state[..], &[f64::from(count)]].concat())
        };
        states = states.into_iter().flat_map(more).collect();
    }
    let weight = |z: &[f64], weights: &[u64]| -> f64 {
        z.iter()
            .zip(weights)
            .map(|(z, &weight)| z * weight as f64)
            .sum()
    };
    let dimensions = || weights.iter().zip(&capacities);
    states.retain(|z| dimensions().all(|(w, &capacity)| weight(z, w) <= capacity as f64));
    states
}

#[test]
fn obeys_the_law() {
    let configs = [
        json!({"weights": [[3, 4, 2, 5, 1]], "capacities": [7]}),
        json!({"weights": [[30, 40, 20, 50, 10]], "capacities": [79]}),
        json!({"weights": [[3, 4, 2, 5, 1], [1, 0, 6, 2, 2]], "capacities": [7, 6]}),
        json!({"weights": [[3, 1, 2]], "capacities": [9], "copies": [2, 7, 3]}),
        json!({"weights": [[3, 1, 0], [0, 2, 1], [5, 5, 5]], "capacities": [9, 5, 21], "copies": [2, 5, 3]}),
        // Nothing fits; everything fits; an item that never fits; no capacity, but items without weight.
        json!({"weights": [[3, 4]], "capacities": [2]}),
        json!({"weights": [[3, 4]], "capacities": [7]}),
        json!({"weights": [[3, 9, 1, 1]], "capacities": [4]}),
        json!({"weights": [[3, 0], [0, 0]], "capacities": [0, 0], "copies": [1, 4]}),
        // Too large a table: one dimension by branch and bound.
        json!({"weights": [[2_000_000_011_u64, 1_999_999_993, 1_000_000_007, 3]], "capacities": [4_000_000_000_u64]}),
    ];
    let mut check = Check::new();
    for config in configs {
        let states = states(&config);
        check = check.case(config, states);
    }
    check
        .refuses(json!({"weights": [], "capacities": []}))
        .refuses(json!({"weights": [[]], "capacities": [1]}))
        .refuses(json!({"weights": [[1], [1, 2]], "capacities": [1, 1]}))
        .refuses(json!({"weights": [[1, 2]], "capacities": [1, 1]}))
        .refuses(json!({"weights": [[1, 2]], "capacities": [5_000_000_000_u64]}))
        .refuses(json!({"weights": [[1, 2]], "capacities": [3], "copies": [1]}))
        .refuses(json!({"weights": [[1, -2]], "capacities": [3]}))
        .refuses(json!({"weights": [[1.5]], "capacities": [3]}))
        .run::<Knapsack>()
        .unwrap();
}

fn random_config(random: &mut fastrand::Rng, dimensions: usize, items: usize) -> Value {
    let weights: Vec<Vec<u64>> = (0..dimensions)
        .map(|_| (0..items).map(|_| random.u64(0..12)).collect())
        .collect();
    let capacities: Vec<u64> = weights
        .iter()
        .map(|weights| random.u64(0..=weights.iter().sum::<u64>()))
        .collect();
    let copies: Vec<u32> = (0..items).map(|_| random.u32(1..=3)).collect();
    match random.bool() {
        true => json!({"weights": weights, "capacities": capacities}),
        false => json!({"weights": weights, "capacities": capacities, "copies": copies}),
    }
}

#[test]
fn random_problems_agree_with_enumeration() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut check = Check::new().rows(20);
    for _ in 0..120 {
        let (dimensions, items) = (random.usize(1..=4), random.usize(1..=6));
        let config = random_config(&mut random, dimensions, items);
        let states = states(&config);
        check = check.case(config, states);
    }
    check.run::<Knapsack>().unwrap();
}

/// Also which of several best states: whole gains have many.
#[test]
fn branch_and_bound_finds_the_state_of_dynamic_programming() {
    let mut random = fastrand::Rng::with_seed(12);
    let (mut order, mut dynamic, mut search) =
        (Order::default(), Dynamic::default(), Search::default());
    for round in 0..400 {
        let items = random.usize(1..=20);
        let problem = Problem::new(read(&random_config(&mut random, 1, items))).unwrap();
        let gains: Vec<i64> = (0..items)
            .map(|_| match round % 2 {
                0 => random.i64(-2..=6),
                _ => random.i64(-(1 << 50)..1 << 52),
            })
            .collect();
        order.set(&problem, &gains);
        let capacity = problem.capacity_for_dynamic().unwrap();
        let limits = Limits::none();
        let one = dynamic.best(&problem, &order, capacity, &limits).unwrap();
        let other = search
            .best(&problem, &order, u64::MAX, &limits)
            .unwrap()
            .unwrap();
        assert_eq!(one, other, "{problem:?} {gains:?}");
    }
}

/// Items that are looked at first are taken first, by value for weight and then by index.
#[test]
fn ties_go_to_the_better_for_their_weight_and_then_to_the_lower_index() {
    let one = open(&json!({"weights": [[4, 2, 2, 2]], "capacities": [4]}));
    assert_eq!(
        solve_one(&one, &[4.0, 2.0, 2.0, 2.0]).unwrap().0,
        [1.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(
        solve_one(&one, &[3.0, 1.0, 2.0, 1.0]).unwrap().0,
        [0.0, 1.0, 1.0, 0.0]
    );
    assert_eq!(
        solve_one(&one, &[0.0, -0.0, -1.0, 0.0]).unwrap().0,
        [0.0; 4]
    );
}

/// Theta is the weight, or more by a constant: many sets nearly fill the capacity, no bound says which sets do, and
/// branch and bound alone would not end.
#[test]
fn dynamic_programming_takes_over_where_bounds_are_poor() {
    let mut random = fastrand::Rng::with_seed(14);
    let weights: Vec<u64> = (0..60).map(|_| random.u64(500..1000)).collect();
    let capacity = weights.iter().sum::<u64>() / 2;
    let oracle = open(&json!({"weights": [weights, vec![1; 60]], "capacities": [capacity, 60]}));
    for more in [0, 100] {
        let gains: Vec<u64> = weights.iter().map(|weight| weight + more).collect();
        let theta: Vec<f64> = gains.iter().map(|&gain| gain as f64).collect();
        let (_, solved) = solve_one(&oracle, &theta).unwrap();
        // What can be gained within each room, item by item.
        let mut best = vec![0; capacity as usize + 1];
        for (&weight, gain) in weights.iter().zip(gains) {
            for room in (weight as usize..best.len()).rev() {
                best[room] = best[room].max(best[room - weight as usize] + gain);
            }
        }
        assert_eq!(solved.objective, best[capacity as usize] as f64);
    }
}

#[test]
fn a_row_that_is_stopped_is_an_error() {
    let mut random = fastrand::Rng::with_seed(13);
    let weights: Vec<Vec<u64>> = (0..3)
        .map(|_| (0..60).map(|_| random.u64(1..1000)).collect())
        .collect();
    let theta: Vec<f64> = (0..60)
        .map(|item| weights.iter().map(|w| w[item]).sum::<u64>() as f64 + 100.0)
        .collect();
    let config = json!({"weights": weights, "capacities": [9000, 9000, 9000]});
    let oracle = open(&config);
    let mut z = vec![0.0; 60];
    let mut outcome = [unset()];
    let stop = StopFlag::default();
    stop.raise();
    oracle.solve(
        &theta,
        &mut z,
        &mut outcome,
        &Limits::none().with_stop(&stop),
    );
    assert_eq!(outcome[0].as_ref().unwrap_err().kind(), ErrorKind::Stopped);
}
