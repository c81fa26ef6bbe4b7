//! Exact marginals and log-partitions are exact, through loaded plugins and for every row of a batch.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::{Arc, LazyLock};

use imle_api::conformance::binary_vectors;
use imle_runtime::{
    Cache, ErrorKind, ExactMarginals, Facts, FnOracle, Limits, Oracle, Portfolio, Registry, Sense,
    StopFlag, exact_marginals, solve_one,
};
use oracles::{enumeration, marginals, numbers, subsets};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

/// Marginals and log-partition of one row.
fn exact(oracle: &dyn Oracle, theta: &[f64]) -> (Vec<f64>, f64) {
    let found = exact_marginals(oracle, theta, Sense::Maximize, &Limits::none());
    let ExactMarginals { mu, log_partitions } = found.expect("theta fits");
    let [log_partition] = &log_partitions[..] else {
        panic!("one row, not {}", log_partitions.len());
    };
    (mu, log_partition.clone().expect("the row has marginals"))
}

/// The same by looking at all states.
fn enumerated(states: &[Vec<f64>], theta: &[f64]) -> (Vec<f64>, f64) {
    let score = |z: &[f64]| z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>();
    let best = states.iter().map(|z| score(z)).fold(f64::MIN, f64::max);
    let total: f64 = states.iter().map(|z| (score(z) - best).exp()).sum();
    let mut mu = vec![0.0; theta.len()];
    for z in states {
        let probability = (score(z) - best).exp() / total;
        mu.iter_mut()
            .zip(z)
            .for_each(|(mu, z)| *mu += probability * z);
    }
    (mu, best + total.ln())
}

fn assert_close((mu, log_partition): (Vec<f64>, f64), expected: (Vec<f64>, f64), slack: f64) {
    let (expected_mu, expected) = expected;
    let scale = 1.0 + expected.abs();
    assert!(
        (log_partition - expected).abs() <= slack * scale,
        "A = {log_partition}, not {expected}"
    );
    for (at, (mu, expected)) in mu.iter().zip(&expected_mu).enumerate() {
        assert!(
            (mu - expected).abs() <= slack,
            "mu[{at}] = {mu}, not {expected}"
        );
    }
}

/// The plugins of this workspace, searched for once: these tests open thousands of instances.
static REGISTRY: LazyLock<Registry> = LazyLock::new(oracles::registry);

fn k_subset(dim: usize, k: usize) -> Arc<dyn Oracle> {
    let opened = REGISTRY.open("k-subset", &json!({"dim": dim, "k": k}));
    opened.expect("k fits dim")
}

fn shortest_path(config: &Value) -> Arc<dyn Oracle> {
    let opened = REGISTRY.open("shortest-path", config);
    opened.expect("there is a path")
}

/// Theta, marginals and log-partition of a public vector.
fn vector(id: &str) -> (Vec<f64>, (Vec<f64>, f64)) {
    fn flat(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(values) => values.iter().flat_map(flat).collect(),
            number => vec![number.as_f64().expect("a number")],
        }
    }
    let file: Value =
        serde_json::from_str(include_str!("vectors/imle_vectors.json")).expect("the file is JSON");
    let cases = file["cases"].as_array().expect("a list");
    let case = cases
        .iter()
        .find(|case| case["id"] == id)
        .expect("the case is there");
    let expect = &case["expect"];
    let log_partition = expect["log_partition"].as_f64().expect("a number");
    (
        flat(&case["theta"]),
        (flat(&expect["marginals"]), log_partition),
    )
}

/// The 16 spanning trees of four vertices: three edges that reach all.
fn trees() -> Vec<Vec<f64>> {
    let edges = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
    binary_vectors(6, |z| {
        let mut reached = [true, false, false, false];
        for _ in 0..3 {
            for (edge, _) in edges.iter().zip(z).filter(|(_, z)| **z == 1.0) {
                let either = reached[edge[0]] || reached[edge[1]];
                edge.iter().for_each(|&end| reached[end] = either);
            }
        }
        z.iter().sum::<f64>() == 3.0 && reached == [true; 4]
    })
}

/// The 6 permutation matrices of three.
fn permutations() -> Vec<Vec<f64>> {
    let sums_to_one = |z: &[f64], of: fn(usize, usize) -> usize| {
        (0..3).all(|i| (0..3).map(|j| z[of(i, j)]).sum::<f64>() == 1.0)
    };
    binary_vectors(9, |z| {
        sums_to_one(z, |i, j| 3 * i + j) && sums_to_one(z, |i, j| 3 * j + i)
    })
}

#[test]
fn the_public_vectors_hold() {
    let (theta, expected) = vector("exact01_synth_10_5");
    assert_close(exact(&*k_subset(10, 5), &theta), expected.clone(), 1e-12);
    // The enumeration that other tests of this file compare with.
    assert_close(enumerated(&subsets(10, 5), &theta), expected, 1e-12);
    let (theta, expected) = vector("tree04_exact_marginals");
    assert_close(enumerated(&trees(), &theta), expected, 1e-12);
    let (theta, expected) = vector("asg04_exact_marginals");
    assert_close(enumerated(&permutations(), &theta), expected, 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(4),
        ..ProptestConfig::with_cases(300)
    })]

    #[test]
    fn k_subset_is_exact(
        (dim, k) in (1..9_usize).prop_flat_map(|dim| (Just(dim), 1..=dim)),
        scale in prop::sample::select(vec![0.0, 0.1, 1.0, 30.0, 1e4]),
        seed: u64,
    ) {
        let theta: Vec<f64> = numbers(dim, seed).iter().map(|value| value * scale).collect();
        let expected = enumerated(&subsets(dim, k), &theta);
        // Rounding of theta itself: the exponents are exact to one part in 1e16 of 1e4 * dim.
        assert_close(exact(&*k_subset(dim, k), &theta), expected, 1e-13 * (1.0 + 100.0 * scale));
    }

    /// Edges from lower to higher vertices, parallel ones included; all paths by walking them.
    #[test]
    fn paths_without_cycles_are_exact(
        ends in prop::collection::vec((0..6_usize, 0..6_usize), 1..16),
        on_edges: bool,
        scale in prop::sample::select(vec![0.0, 1.0, 30.0, 1e4]),
        seed: u64,
    ) {
        let mut edges: Vec<[usize; 2]> = ends.iter().map(|&(a, b)| [a.min(b), a.max(b)]).collect();
        edges.push([0, 5]);
        let dim = if on_edges { edges.len() } else { 6 };
        let states = paths(&edges, dim, on_edges);
        let graph = json!({"vertices": 6, "edges": edges, "directed": true});
        let costs = if on_edges { "edges" } else { "vertices" };
        let oracle = shortest_path(&json!({"graph": graph, "costs": costs}));
        let theta: Vec<f64> = numbers(dim, seed).iter().map(|value| value * scale).collect();
        let slack = 1e-13 * (1.0 + 100.0 * scale);
        assert_close(exact(&*oracle, &theta), enumerated(&states, &theta), slack);
    }
}

/// The states of all paths from vertex 0 to vertex 5, each once.
fn paths(edges: &[[usize; 2]], dim: usize, on_edges: bool) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    let mut open = vec![(0, vec![0.0; dim])];
    while let Some((vertex, mut z)) = open.pop() {
        if !on_edges {
            z[vertex] = 1.0;
        }
        if vertex == 5 {
            found.push(z);
            continue;
        }
        for (edge, ends) in edges.iter().enumerate() {
            if ends[0] == vertex && ends[1] != vertex {
                let mut z = z.clone();
                if on_edges {
                    z[edge] = 1.0;
                }
                open.push((ends[1], z));
            }
        }
    }
    found.sort_by(|a, b| a.partial_cmp(b).expect("zeros and ones"));
    found.dedup();
    found
}

/// Where enumeration ends: the gradient of the log-partition, by central differences, is `mu`.
#[test]
fn marginals_are_the_gradient_of_the_log_partition() {
    let grid = |moves: &str, costs: &str| {
        shortest_path(&json!({"grid": {"height": 9, "width": 11, "moves": moves}, "costs": costs}))
    };
    for oracle in [
        k_subset(60, 17),
        grid("right_down", "edges"),
        grid("right_down", "vertices"),
    ] {
        let theta = numbers(oracle.facts().dim, 5);
        let (mu, _) = exact(&*oracle, &theta);
        let step = 1e-4; // the third derivative, at most 1, times its square, and 1e-14 / step of rounding
        for at in 0..theta.len() {
            let moved = |by: f64| {
                let mut theta = theta.clone();
                theta[at] += by;
                exact(&*oracle, &theta).1
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            assert!(
                (slope - mu[at]).abs() < 1e-8,
                "coordinate {at}: {slope}, not {}",
                mu[at]
            );
        }
    }
}

/// With theta at zero every state weighs one: log-partitions are logarithms of binomial coefficients.
#[test]
fn large_instances_are_counted() {
    let log_binomial = |n: u32, k: u32| {
        let factor = |i: u32| f64::from(n - k + i) / f64::from(i);
        (1..=k).map(|i| factor(i).ln()).sum::<f64>()
    };
    let (mu, log_partition) = exact(&*k_subset(3000, 1200), &[0.0; 3000]);
    assert_close(
        (mu, log_partition),
        (vec![0.4; 3000], log_binomial(3000, 1200)),
        1e-11,
    );
    let grid = json!({"height": 40, "width": 40, "moves": "right_down"});
    let oracle = shortest_path(&json!({"grid": grid, "costs": "vertices"}));
    let (mu, log_partition) = exact(&*oracle, &[0.0; 1600]);
    let all = log_binomial(78, 39);
    // Through the vertex in row r and column c: the ways to it times the ways from it.
    let through = |vertex: u32| {
        let (row, column) = (vertex / 40, vertex % 40);
        log_binomial(row + column, row) + log_binomial(78 - row - column, 39 - row) - all
    };
    let expected = (0..1600).map(|vertex| through(vertex).exp()).collect();
    assert_close((mu, log_partition), (expected, all), 1e-11);
}

#[test]
fn a_low_temperature_leaves_the_map_state() {
    let grid = json!({"height": 6, "width": 6, "moves": "right_down"});
    for oracle in [
        k_subset(20, 6),
        shortest_path(&json!({"grid": grid, "costs": "edges"})),
    ] {
        let theta = numbers(oracle.facts().dim, 3);
        let (z, solved) = solve_one(&*oracle, &theta).unwrap();
        let cold: Vec<f64> = theta.iter().map(|theta| theta / 1e-12).collect();
        let (mu, log_partition) = exact(&*oracle, &cold);
        assert_close((mu, log_partition * 1e-12), (z, solved.objective), 1e-9);
    }
}

/// Perturb-and-MAP with Gumbel noise on every state of a one-hot set is exact (the Gumbel-max trick): the
/// share of each coordinate among 40 000 samples lies within 4.5 standard errors of the softmax, which
/// fails a right program for one seed in 10 000.
#[test]
fn one_hot_marginals_are_what_gumbel_noise_samples() {
    use imle_runtime::{Address, Gumbel, Noise};
    let oracle = k_subset(7, 1);
    let theta = numbers(7, 11);
    let (mu, log_partition) = exact(&*oracle, &theta);
    let softmax = theta
        .iter()
        .map(|theta| (theta - log_partition).exp())
        .collect();
    assert_close((mu.clone(), 0.0), (softmax, 0.0), 1e-14);
    let samples = 40_000;
    let mut count = [0.0; 7];
    for sample in 0..samples {
        let mut perturbed = [0.0; 7];
        let address = Address {
            seed: 2,
            call: 0,
            row: 0,
            sample,
        };
        Gumbel.fill(&address, &mut perturbed).unwrap();
        perturbed
            .iter_mut()
            .zip(&theta)
            .for_each(|(eps, theta)| *eps += theta);
        let (z, _) = solve_one(&*oracle, &perturbed).unwrap();
        count.iter_mut().zip(z).for_each(|(count, z)| *count += z);
    }
    for (at, (count, mu)) in count.iter().zip(mu).enumerate() {
        let (n, error) = (samples as f64, (mu * (1.0 - mu) / samples as f64).sqrt());
        let z = (count / n - mu) / error;
        assert!(z.abs() < 4.5, "coordinate {at}: {} of {n}, z = {z}", count);
    }
}

#[test]
fn costs_are_rewards_with_the_other_sign() {
    let oracle = k_subset(6, 2);
    let costs = numbers(18, 4);
    let rewards: Vec<f64> = costs.iter().map(|cost| -cost).collect();
    let limits = Limits::none();
    let by_cost = exact_marginals(&*oracle, &costs, Sense::Minimize, &limits).unwrap();
    let by_reward = exact_marginals(&*oracle, &rewards, Sense::Maximize, &limits).unwrap();
    assert_eq!(by_cost.mu, by_reward.mu);
    assert_eq!(by_cost.log_partitions, by_reward.log_partitions);
    assert!(exact(&*oracle, &costs[..6]).0 != by_cost.mu[..6]);
}

#[test]
fn results_do_not_depend_on_threads_or_splits() {
    let oracle = k_subset(12, 5);
    let theta = numbers(12 * 203, 8);
    let bits = |found: ExactMarginals| {
        let log_partitions = found.log_partitions.into_iter().map(|found| found.unwrap());
        let values = found.mu.into_iter().chain(log_partitions);
        values.map(f64::to_bits).collect::<Vec<_>>()
    };
    let all = |theta: &[f64]| {
        bits(exact_marginals(&*oracle, theta, Sense::Maximize, &Limits::none()).unwrap())
    };
    let expected = all(&theta);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| all(&theta)), expected, "{threads} threads");
    }
    for (row, theta) in theta.chunks(12).enumerate() {
        let alone = all(theta);
        assert_eq!(alone[..12], expected[12 * row..][..12]);
        assert_eq!(alone[12], expected[12 * 203 + row]);
    }
}

#[test]
fn a_row_that_overflows_fails_alone() {
    let theta = [1.0, 2.0, 3.0, 1e308, -1e308, 1e308, 0.5, 0.5, 0.0];
    let oracle = k_subset(3, 2);
    let found = exact_marginals(&*oracle, &theta, Sense::Minimize, &Limits::none()).unwrap();
    let why = found.log_partitions[1].clone().unwrap_err();
    assert_eq!(why.kind(), ErrorKind::InvalidTheta);
    assert!(why.message().contains("sum to infinity"), "{why}");
    assert!(found.mu[3..6].iter().all(|mu| mu.is_nan()));
    let whole = found.all_exact().unwrap_err().to_string();
    assert!(whole.contains("row 1: "), "{whole}");
    for row in [0, 2] {
        let costs: Vec<f64> = theta[3 * row..][..3].iter().map(|cost| -cost).collect();
        let (mu, log_partition) = exact(&*oracle, &costs);
        assert_eq!(found.mu[3 * row..][..3], mu);
        assert_eq!(found.log_partitions[row], Ok(log_partition));
    }
    // The largest numbers that do not overflow, among them a difference that would.
    let huge = [f64::MAX / 4.0, -f64::MAX / 4.0, f64::MAX / 4.0];
    assert_eq!(
        exact(&*oracle, &huge),
        (vec![1.0, 0.0, 1.0], f64::MAX / 2.0)
    );
    let edges = json!({"vertices": 3, "edges": [[0, 1], [1, 2], [0, 2]], "directed": true});
    let oracle = shortest_path(&json!({"graph": edges, "costs": "edges"}));
    assert_eq!(
        exact(&*oracle, &huge),
        (vec![0.0, 0.0, 1.0], f64::MAX / 4.0)
    );
}

#[test]
fn theta_that_is_wrong_is_refused_as_everywhere() {
    let oracle = k_subset(3, 2);
    for (theta, words) in [
        (vec![1.0; 4], "not a multiple of dim = 3"),
        (vec![1.0, f64::NAN, 0.0], "theta is NaN at row 0, column 1"),
    ] {
        let why = exact_marginals(&*oracle, &theta, Sense::Maximize, &Limits::none()).unwrap_err();
        assert_eq!(why.kind(), ErrorKind::InvalidTheta);
        assert!(why.message().contains(words), "{why}");
    }
}

#[test]
fn who_has_no_exact_marginals_says_so() {
    let program = json!({"model": {"binaries": 2, "rows": [
        {"terms": {"x0": 1.0, "x1": 1.0}, "sense": "<=", "rhs": 1.0},
    ]}});
    let grid = json!({"height": 2, "width": 2, "moves": "four"});
    let cyclic = json!({"grid": {"height": 3, "width": 3, "moves": "four"}, "costs": "vertices"});
    for (oracle, words) in [
        (
            REGISTRY.open("ilp-native", &program).unwrap(),
            "ilp-native has no exact marginals",
        ),
        (
            enumeration(subsets(2, 1)),
            "this closure has no exact marginals",
        ),
        (shortest_path(&cyclic), "need a graph without cycles"),
        (
            k_subset(1 << 20, 1 << 19),
            "table of more than 2^28 numbers",
        ),
    ] {
        let [(_, found)] = &marginals(&*oracle, &vec![0.0; oracle.facts().dim])[..] else {
            panic!("one row");
        };
        let why = found.clone().unwrap_err();
        assert_eq!(why.kind(), ErrorKind::Unsupported, "{why}");
        assert!(why.message().contains(words), "{why}");
    }
    // Two ways around a square and no cycle in between: moves in four directions, but marginals.
    let square = shortest_path(&json!({"grid": grid, "costs": "vertices"}));
    assert_close(
        exact(&*square, &[0.0; 4]),
        (vec![1.0, 0.5, 0.5, 1.0], 2_f64.ln()),
        1e-15,
    );
}

#[test]
fn wrappers_forward_marginals() {
    let theta = numbers(18, 6);
    let expected = marginals(&*k_subset(6, 2), &theta);
    let cache = Cache::new(1 << 20);
    let cached = cache.wrap(k_subset(6, 2));
    assert_eq!(marginals(&*cached, &theta), expected);
    assert_eq!(cache.statistics().misses, 0, "marginals are no states");
    let portfolio = Portfolio::new([("one", k_subset(6, 2)), ("two", k_subset(6, 2))], 1).unwrap();
    assert_eq!(
        marginals(&portfolio, &theta),
        expected,
        "before it has chosen"
    );
    solve_one(&portfolio, &theta[..6]).unwrap();
    assert!(portfolio.chosen().is_some());
    assert_eq!(marginals(&portfolio, &theta), expected, "after it has");
}

#[test]
fn limits_are_kept() {
    let stop = StopFlag::default();
    stop.raise();
    let limits = Limits::none().with_stop(&stop);
    for oracle in [k_subset(3, 1), {
        let oracle = FnOracle::new(Facts::binary(3), |_, _| Ok(()));
        Arc::new(oracle.with_marginals(|_, _| unreachable!("the flag is raised"))) as Arc<_>
    }] {
        let found = exact_marginals(&*oracle, &[0.0; 6], Sense::Maximize, &limits).unwrap();
        for found in found.log_partitions {
            assert_eq!(found.unwrap_err().kind(), ErrorKind::Stopped);
        }
    }
}
