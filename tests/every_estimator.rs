//! What holds for every estimator: determinism, senses, failed rows, files, and that it learns.

#[path = "common/estimators.rs"]
mod estimators;
#[path = "common/oracles.rs"]
mod oracles;
#[path = "common/registered.rs"]
mod registered;

use std::collections::BTreeSet;
use std::sync::Arc;

use estimators::{Case, every_estimator};
use imle_runtime::{
    Call, Distribution, Error, ErrorKind, Estimator, Facts, Feedback, FnOracle, Layer, Oracle,
    Saved, Sense,
};
use oracles::{brute_force, k_subset, numbers, subsets};

const DIM: usize = 6;
const ROWS: usize = 20;

fn cases() -> impl Iterator<Item = (usize, Case)> {
    let of = |ones| {
        every_estimator(DIM, ones)
            .into_iter()
            .map(move |case| (ones, case))
    };
    of(2).chain(of(1))
}

/// One backward pass; what is fed back is a function of the states alone.
fn backward(case: &Case, layer: &Layer, saved: Saved) -> Vec<f64> {
    let z = saved.z().to_vec();
    let gradient = match case.needs_losses {
        false => {
            let grad_z: Vec<f64> = z.iter().enumerate().map(|(at, z)| z - weight(at)).collect();
            layer.backward(saved, &grad_z)
        }
        true => {
            let loss = |z: &[f64]| {
                z.iter()
                    .enumerate()
                    .map(|(at, z)| (z - weight(at)).powi(2))
                    .sum()
            };
            let losses: Vec<f64> = z.chunks_exact(DIM).map(loss).collect();
            layer.backward(saved, Feedback::Losses(&losses))
        }
    };
    gradient.expect("the feedback fits").theta
}

fn weight(at: usize) -> f64 {
    [0.25, 1.5, -0.5, 0.75, 0.0, 1.0][at % DIM]
}

fn run(case: &Case, layer: &Layer, theta: &[f64], call: Call<'_>) -> (Vec<f64>, Vec<f64>) {
    let saved = layer.forward(theta, call).expect("theta is finite");
    (saved.z().to_vec(), backward(case, layer, saved))
}

#[test]
fn the_list_has_every_estimator_that_is_registered() {
    let listed: BTreeSet<String> = cases()
        .map(|(_, case)| {
            let file = serde_json::to_value(&case.estimator).unwrap();
            file["type"].as_str().unwrap().to_owned()
        })
        .collect();
    let registered: BTreeSet<String> = registered::names::<Box<dyn Estimator>>()
        .into_iter()
        .collect();
    assert_eq!(listed, registered);
}

#[test]
fn a_file_makes_the_same_estimator() {
    for (_, case) in cases() {
        let file = serde_json::to_string(&case.estimator).unwrap();
        let read: Arc<dyn Estimator> = serde_json::from_str(&file).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", case.estimator));
        let toml = file.replacen('{', "{\"no_such_key\":1,", 1);
        let refused = serde_json::from_str::<Arc<dyn Estimator>>(&toml).unwrap_err();
        assert!(
            refused.to_string().contains("no_such_key"),
            "{file}: {refused}"
        );
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let theta = numbers(ROWS * DIM, 1);
    for (ones, case) in cases() {
        let with_threads = |threads| {
            let mut case = case.clone();
            case.sampling.threads = threads;
            let layer = case.layer(k_subset(DIM, ones), Sense::Maximize);
            // Twice: the second pass sees what the first one remembered.
            [5, 6].map(|call| run(&case, &layer, &theta, call.into()))
        };
        let alone = with_threads(1);
        assert!(alone[0].1.iter().all(|value| value.is_finite()), "{case:?}");
        assert!(alone[0].1.iter().any(|&value| value != 0.0), "{case:?}");
        for threads in [2, 5] {
            assert_eq!(with_threads(threads), alone, "{case:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_how_a_batch_is_split() {
    let theta = numbers(ROWS * DIM, 1);
    for (ones, case) in cases().filter(|(_, case)| !case.remembers_batch) {
        let (whole, split) = (
            case.layer(k_subset(DIM, ones), Sense::Maximize),
            case.layer(k_subset(DIM, ones), Sense::Maximize),
        );
        for number in 0..2 {
            let expected = run(&case, &whole, &theta, number.into());
            let (mut z, mut gradient, mut first) = (Vec::new(), Vec::new(), 0);
            for size in [1, 7, 12] {
                let call = Call::from(number).from_row(first as u64);
                let part = run(&case, &split, &theta[first * DIM..][..size * DIM], call);
                z.extend(part.0);
                gradient.extend(part.1);
                first += size;
            }
            assert_eq!((z, gradient), expected, "{case:?}");
        }
    }
}

/// The rows of a matrix in another order.
fn gather(matrix: &[f64], order: &[usize]) -> Vec<f64> {
    let width = matrix.len() / order.len();
    let rows = order.iter().map(|&row| &matrix[row * width..][..width]);
    rows.flatten().copied().collect()
}

#[test]
fn an_example_has_the_same_states_and_gradient_wherever_it_is_in_a_batch() {
    let theta = numbers(ROWS * DIM, 1);
    let order: Vec<usize> = (0..ROWS).map(|at| at * 7 % ROWS).collect(); // each once
    let examples: Vec<u64> = order.iter().map(|&row| row as u64).collect();
    for (ones, case) in cases().filter(|(_, case)| !case.remembers_batch) {
        let layer = || case.layer(k_subset(DIM, ones), Sense::Maximize);
        let (plain, shuffled) = (layer(), layer());
        for number in 0..2 {
            let (z, gradient) = run(&case, &plain, &theta, number.into());
            let call = Call::from(number).with_rows(&examples);
            let found = run(&case, &shuffled, &gather(&theta, &order), call);
            let expected = (gather(&z, &order), gather(&gradient, &order));
            assert_eq!(found, expected, "{case:?}");
        }
        assert_eq!(plain.memory(), shuffled.memory(), "{case:?}");
    }
}

#[test]
fn both_senses_give_mirrored_results() {
    let theta = numbers(ROWS * DIM, 1);
    let costs: Vec<f64> = theta.iter().map(|theta| 0.0 - theta).collect();
    for (ones, case) in cases() {
        let rewards = case.layer(k_subset(DIM, ones), Sense::Maximize);
        let minimised = case.layer(k_subset(DIM, ones), Sense::Minimize);
        let (z, gradient) = run(&case, &rewards, &theta, 3.into());
        let (z_min, gradient_min) = run(&case, &minimised, &costs, 3.into());
        let mirrored: Vec<f64> = gradient_min.iter().map(|value| 0.0 - value).collect();
        assert_eq!((z, gradient), (z_min, mirrored), "{case:?}");
    }
}

/// As k-subset, but fails where the first coordinate of theta is far above the others.
fn moody(ones: usize) -> Arc<dyn Oracle> {
    let states = subsets(DIM, ones);
    let facts = Facts::binary(DIM).with_ones(ones);
    let refuse = |theta: &[f64]| match theta[0] > 1e3 {
        true => Err(Error::new(ErrorKind::Infeasible, "not today")),
        false => Ok(()),
    };
    let all = states.clone();
    let oracle = FnOracle::new(facts, move |theta, z| {
        refuse(theta)?;
        z.copy_from_slice(&brute_force(&states, theta));
        Ok(())
    });
    Arc::new(oracle.with_marginals(move |theta, mu| {
        refuse(theta)?;
        let gibbs = Distribution::gibbs(&all, theta, 1.0)?;
        mu.copy_from_slice(&gibbs.mean());
        let (z, probability) = gibbs.atoms().next().expect("there are states");
        let score: f64 = z.iter().zip(theta).map(|(z, theta)| z * theta).sum();
        Ok(score - probability.ln())
    }))
}

#[test]
fn a_row_that_fails_is_reported_and_leaves_the_others_alone() {
    for (ones, case) in cases().filter(|(_, case)| !case.remembers_batch) {
        let mut theta = numbers(3 * DIM, 1);
        let alone = run(
            &case,
            &case.layer(moody(ones), Sense::Maximize),
            &theta[2 * DIM..],
            Call::from(1).from_row(2),
        );
        theta[DIM] = 1e9;
        let layer = case.layer(moody(ones), Sense::Maximize);
        let saved = layer.forward(&theta, 1).unwrap();
        let failed = saved
            .states()
            .errors()
            .filter(|error| error.row == 1)
            .count();
        let normalises = format!("{case:?}").contains("projection: Norm")
            || format!("{case:?}").contains("projection: Std");
        let solves = !format!("{case:?}").contains("straight_through: false")
            && !format!("{case:?}").contains("Exact { states: Some")
            || case.needs_losses;
        assert_eq!(failed > 0, solves && !normalises, "{case:?}");
        assert_eq!(
            saved
                .states()
                .errors()
                .filter(|error| error.row != 1)
                .count(),
            0
        );
        let gradient = backward(&case, &layer, saved);
        if failed > 0 {
            assert_eq!(gradient[DIM..2 * DIM], [0.0; DIM], "{case:?}");
        }
        assert_eq!(gradient[2 * DIM..], alone.1, "{case:?}");
    }
}

/// Gradient descent on the Hamming distance from a fixed state, from a theta that prefers another one.
#[test]
fn every_estimator_learns_in_both_senses() {
    // Far from zero, over which multiplicative noise does not lead.
    let start = [1.9, 1.6, 1.3, 1.5, 1.1, 1.2];
    for sense in [Sense::Maximize, Sense::Minimize] {
        for (ones, case) in cases() {
            let mut wanted = [0.0; DIM];
            wanted[DIM - ones..].fill(1.0);
            let layer = case.layer(k_subset(DIM, ones), sense);
            let mut theta = match sense {
                Sense::Maximize => start,
                Sense::Minimize => start.map(|theta| -theta),
            };
            assert_ne!(layer.map(&theta).unwrap().z(), wanted);
            for step in 0..300 {
                let saved = layer.forward(&theta, step).unwrap();
                let grad_z: Vec<f64> = saved
                    .z()
                    .iter()
                    .enumerate()
                    .map(|(at, _)| 1.0 - 2.0 * wanted[at % DIM])
                    .collect();
                let hamming = |z: &[f64]| {
                    z.iter()
                        .zip(&wanted)
                        .map(|(z, wanted)| (z - wanted).abs())
                        .sum()
                };
                let losses: Vec<f64> = saved.z().chunks_exact(DIM).map(hamming).collect();
                let feedback = match case.needs_losses {
                    true => Feedback::Losses(&losses),
                    false => Feedback::GradZ(&grad_z),
                };
                let gradient = layer.backward(saved, feedback).unwrap().theta;
                theta
                    .iter_mut()
                    .zip(gradient)
                    .for_each(|(theta, gradient)| *theta -= 0.05 * gradient);
            }
            assert_eq!(
                layer.map(&theta).unwrap().z(),
                wanted,
                "{sense:?} {theta:?} {case:?}"
            );
        }
    }
}
