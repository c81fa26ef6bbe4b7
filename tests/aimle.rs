//! The controller of adaptive I-MLE settles at its target, from below and from above, for the whole batch and for
//! each row, and can be saved.

#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::{Aimle, Call, Difference, Layer, Memory, Sampling, Scope};
use oracles::{k_subset, numbers};

const ROWS: usize = 6;
const SAMPLES: usize = 4;
const DIM: usize = 12;

fn layer(aimle: Aimle) -> Layer {
    let sampling = Sampling {
        samples: SAMPLES,
        seed: 3,
        ..Sampling::default()
    };
    Layer::new(k_subset(DIM, 4), aimle, sampling).expect("the settings are right")
}

fn step(layer: &Layer, theta: &[f64], call: u64) -> Vec<f64> {
    let grad_z = numbers(theta.len() * SAMPLES, 1000 + call);
    let saved = layer.forward(theta, call).expect("theta is finite");
    layer.backward(saved, &grad_z).expect("grad_z fits").theta
}

fn settling(aimle: Aimle) -> Vec<(String, f64)> {
    let layer = layer(aimle);
    let theta = numbers(ROWS * DIM, 1);
    let names: Vec<String> = match aimle.scope {
        Scope::Batch => vec!["controller".to_owned()],
        Scope::Row => (0..ROWS).map(|row| format!("row {row}")).collect(),
    };
    let norms = |layer: &Layer| -> Vec<f64> {
        let memory = layer.memory();
        names
            .iter()
            .map(|name| memory.get(name).expect("a controller")[1])
            .collect()
    };
    let (burn_in, measured) = (300, 400);
    for call in 0..burn_in {
        step(&layer, &theta, call);
    }
    let mut means = vec![0.0; names.len()];
    for call in burn_in..burn_in + measured {
        step(&layer, &theta, call);
        for (mean, norm) in means.iter_mut().zip(norms(&layer)) {
            *mean += norm / measured as f64;
        }
    }
    names.into_iter().zip(means).collect()
}

#[test]
fn the_controller_settles_within_a_tenth_of_its_target_up_and_down() {
    for scope in [Scope::Batch, Scope::Row] {
        for difference in [Difference::OneSided, Difference::Central] {
            for initial_beta in [0.0, 5.0] {
                for target_norm in [1.0, 3.0] {
                    let aimle = Aimle {
                        scope,
                        difference,
                        initial_beta,
                        target_norm,
                        step: 0.02,
                        ..Aimle::default()
                    };
                    for (name, norm) in settling(aimle) {
                        assert!(
                            (norm / target_norm - 1.0).abs() < 0.1,
                            "{name} of {aimle:?} settles at {norm}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn beta_moves_towards_the_target_from_either_side() {
    let theta = numbers(ROWS * DIM, 1);
    for (initial_beta, rises) in [(0.0, true), (5.0, false)] {
        let layer = layer(Aimle {
            initial_beta,
            initial_norm: if rises { 0.0 } else { 8.0 },
            step: 0.01,
            ..Aimle::default()
        });
        for call in 0..10 {
            step(&layer, &theta, call);
        }
        let beta = layer.memory().get("controller").unwrap()[0];
        let expected = if rises {
            initial_beta + 0.1
        } else {
            initial_beta - 0.1
        };
        assert!((beta - expected).abs() < 1e-12, "beta = {beta}");
    }
}

#[test]
fn a_saved_controller_goes_on_where_it_was() {
    let theta = numbers(ROWS * DIM, 1);
    let aimle = Aimle {
        step: 0.1,
        momentum: 0.5,
        ..Aimle::default()
    };
    let through = layer(aimle);
    let first = layer(aimle);
    for call in 0..5 {
        step(&through, &theta, call);
        step(&first, &theta, call);
    }
    let file = serde_json::to_string(&first.memory()).unwrap();
    let second = layer(aimle);
    second.set_memory(serde_json::from_str(&file).unwrap());
    for call in 5..10 {
        assert_eq!(step(&through, &theta, call), step(&second, &theta, call));
    }
    assert_eq!(through.memory(), second.memory());
}

#[test]
fn a_memory_that_no_controller_has_is_refused() {
    let layer = layer(Aimle {
        scope: Scope::Row,
        ..Aimle::default()
    });
    let refused = |values: &[f64]| {
        let mut memory = Memory::default();
        memory.set("row 5", values.to_vec());
        layer.set_memory(memory);
        let call = Call::from(0).from_row(5);
        let saved = layer.forward(&numbers(DIM, 1), call).unwrap();
        let refused = layer.backward(saved, &numbers(DIM * SAMPLES, 2));
        refused.unwrap_err().message().to_owned()
    };
    assert_eq!(
        refused(&[1.0]),
        "the memory `row 5` holds [1.0], not beta, norm and update of aimle"
    );
    for (values, wrong) in [
        ([f64::INFINITY, 1.0, 0.0], "beta = inf"),
        ([f64::NAN, 1.0, 0.0], "beta = NaN"),
        ([-1.0, 1.0, 0.0], "beta = -1"),
        ([1.0, f64::INFINITY, 0.0], "norm = inf"),
        ([1.0, 1.0, f64::NAN], "update = NaN"),
    ] {
        let message = refused(&values);
        let expected =
            format!("the memory `row 5` holds {wrong}, which no controller of aimle has");
        assert_eq!(message, expected);
    }
}

#[test]
fn rows_of_one_example_share_its_controller() {
    let aimle = |scope| Aimle {
        scope,
        step: 0.1,
        ..Aimle::default()
    };
    let (by_row, by_batch) = (layer(aimle(Scope::Row)), layer(aimle(Scope::Batch)));
    let (theta, grad_z) = (numbers(2 * DIM, 1), numbers(2 * SAMPLES * DIM, 2));
    for number in 0..3 {
        let gradient = |layer: &Layer| {
            let call = Call::from(number).with_rows(&[7, 7]);
            let saved = layer.forward(&theta, call).unwrap();
            layer.backward(saved, &grad_z).unwrap().theta
        };
        assert_eq!(gradient(&by_row), gradient(&by_batch));
    }
    let (by_row, by_batch) = (by_row.memory(), by_batch.memory());
    assert!(by_row.get("row 7").is_some());
    assert_eq!(by_row.get("row 7"), by_batch.get("controller"));
}

#[test]
fn rows_with_their_own_controllers_do_not_see_each_other() {
    let aimle = Aimle {
        scope: Scope::Row,
        step: 0.1,
        ..Aimle::default()
    };
    let (whole, split) = (layer(aimle), layer(aimle));
    let theta = numbers(ROWS * DIM, 1);
    let grad_z = numbers(ROWS * SAMPLES * DIM, 2);
    for number in 0..5 {
        let saved = whole.forward(&theta, number).unwrap();
        let expected = whole.backward(saved, &grad_z).unwrap().theta;
        let mut gradient = Vec::new();
        for (part, grad_z) in grad_z.chunks(2 * SAMPLES * DIM).enumerate() {
            let call = Call::from(number).from_row(2 * part as u64);
            let saved = split
                .forward(&theta[2 * part * DIM..][..2 * DIM], call)
                .unwrap();
            gradient.extend(split.backward(saved, grad_z).unwrap().theta);
        }
        assert_eq!(gradient, expected);
    }
    assert_eq!(whole.memory(), split.memory());
}
