//! SparseMAP finds the best point of the hull, whatever the polytope, and says when it does not.

#[path = "common/losses.rs"]
mod losses;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{ErrorKind, Facts, FnOracle, Labels, LossLayer, Oracle, Sampling, SparseMap};
use losses::dot;
use oracles::{brute_force, enumeration, k_subset, numbers, subsets};

/// The best point of the hull of each row: the gradient and the label.
fn mu(oracle: Arc<dyn Oracle>, loss: SparseMap, theta: &[f64], right: &[f64]) -> Vec<f64> {
    let layer = LossLayer::new(oracle, loss, Sampling::default()).expect("the settings are right");
    let value = layer
        .evaluate(theta, &Labels::states(right), 0)
        .expect("theta fits");
    let value = value.all_solved().expect("every row is solved");
    value
        .theta
        .iter()
        .zip(right)
        .map(|(grad, right)| grad + right)
        .collect()
}

/// The projection of `theta` onto the hull of the k-subsets: `min(1, max(0, theta - level))` that sums to k.
fn onto_capped_simplex(theta: &[f64], k: f64) -> Vec<f64> {
    let clipped = |level: f64| {
        theta
            .iter()
            .map(move |theta| (theta - level).clamp(0.0, 1.0))
    };
    let (mut low, mut high) = (-1e3, 1e3);
    for _ in 0..200 {
        let level = 0.5 * (low + high);
        if clipped(level).sum::<f64>() > k {
            low = level
        } else {
            high = level
        }
    }
    clipped(low).collect()
}

#[test]
fn over_subsets_it_is_the_projection_onto_the_capped_simplex() {
    for (dim, k, scale) in [
        (3, 1, 1.0),
        (10, 1, 2.0),
        (12, 5, 0.3),
        (40, 10, 1.0),
        (40, 10, 6.0),
    ] {
        let rows = 6;
        let theta: Vec<f64> = numbers(rows * dim, dim as u64)
            .iter()
            .map(|theta| theta * scale)
            .collect();
        let oracle = k_subset(dim, k);
        let right = [vec![1.0; k], vec![0.0; dim - k]].concat().repeat(rows);
        let found = mu(oracle, SparseMap::default(), &theta, &right);
        for (theta, found) in theta.chunks_exact(dim).zip(found.chunks_exact(dim)) {
            let expected = onto_capped_simplex(theta, k as f64);
            for (found, expected) in found.iter().zip(expected) {
                // The bound on mu is sqrt(2e-9 (1 + size)), with size below 250 here.
                assert!(
                    (found - expected).abs() < 1e-3,
                    "dim {dim}: {found} for {expected}"
                );
            }
        }
    }
}

/// Points in general position: optimal if no point is ahead in the direction of the gradient.
#[test]
fn over_any_points_no_state_improves_on_it() {
    let dim = 5;
    for (seed, count) in [(1, 4), (2, 6), (3, 30), (4, 200)] {
        let points: Vec<Vec<f64>> = numbers(count * dim, seed)
            .chunks_exact(dim)
            .map(<[f64]>::to_vec)
            .collect();
        let states = points.clone();
        let facts = Facts::bounded(dim, -1.0, 1.0, false);
        let oracle = Arc::new(FnOracle::new(facts, move |theta, z| {
            z.copy_from_slice(&brute_force(&states, theta));
            Ok(())
        }));
        for weight in [0.01, 1.0, 30.0] {
            let loss = SparseMap {
                weight,
                ..SparseMap::default()
            };
            let rows = 20;
            let theta = numbers(rows * dim, seed + 50);
            let right = points[0].repeat(rows);
            let found = mu(oracle.clone(), loss, &theta, &right);
            for (theta, mu) in theta.chunks_exact(dim).zip(found.chunks_exact(dim)) {
                let gradient: Vec<f64> = theta
                    .iter()
                    .zip(mu)
                    .map(|(theta, mu)| theta - weight * mu)
                    .collect();
                let best = brute_force(&points, &gradient);
                let gap = dot(&gradient, &best) - dot(&gradient, mu);
                let size = 1.0 + dot(theta, mu).abs() + weight * dot(mu, mu);
                assert!(
                    gap <= 2e-9 * size,
                    "{count} points, weight {weight}: gap {gap:e}"
                );
            }
        }
    }
}

#[test]
fn a_search_that_is_cut_short_fails_its_row_with_the_gap() {
    let oracle = enumeration(subsets(8, 4));
    let loss = SparseMap {
        most_solves: 2,
        ..SparseMap::default()
    };
    let layer = LossLayer::new(oracle, loss, Sampling::default()).unwrap();
    // Row 0 needs many states; row 1 is done with its second solve.
    let far = [9.0, 9.0, 9.0, 9.0, 0.0, 0.0, 0.0, 0.0];
    let theta = [numbers(8, 3), far.to_vec()].concat();
    let right = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0].repeat(2);
    let value = layer.evaluate(&theta, &Labels::states(&right), 0).unwrap();
    assert_eq!(value.errors.len(), 1);
    let failed = &value.errors[0];
    assert_eq!(
        (failed.row, failed.error.kind()),
        (0, ErrorKind::LimitReached)
    );
    assert!(
        failed
            .error
            .message()
            .starts_with("SparseMAP: after most_solves = 2 the gap is ")
    );
    assert!(value.losses[0].is_nan() && value.losses[1] == 0.0);
    assert_eq!(value.solves, 4);
}
