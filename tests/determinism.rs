//! Results depend on theta, the settings and the address of the noise, and on nothing else.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/oracles.rs"]
mod oracles;

use std::collections::BTreeMap;

use imle_runtime::{Call, Imle, Sampling, Sense};
use layers::{Settings, every_setting, layer};
use oracles::{k_subset, numbers};

fn run(config: Settings, theta: &[f64], grad_z: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let imle = layer(k_subset(10, 3), config);
    let saved = imle.forward(theta, 5).expect("theta is finite");
    let z = saved.z().to_vec();
    let gradient = imle.backward(saved, grad_z).expect("grad_z is finite");
    (z, gradient.theta)
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (theta, grad_z) = (numbers(50 * 10, 1), numbers(50 * 3 * 10, 2));
    for config in every_setting() {
        let with_threads = |threads| {
            run(
                (
                    config.0.clone(),
                    Sampling {
                        threads,
                        ..config.1.clone()
                    },
                ),
                &theta,
                &grad_z,
            )
        };
        let alone = with_threads(1);
        for threads in [0, 2, 5] {
            assert_eq!(with_threads(threads), alone, "{config:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_how_a_batch_is_split() {
    let (rows, dim, samples) = (20, 10, 3);
    let (theta, grad_z) = (numbers(rows * dim, 1), numbers(rows * samples * dim, 2));
    for config in every_setting() {
        let (whole_z, whole_gradient) = run(config.clone(), &theta, &grad_z);
        let imle = layer(k_subset(10, 3), config);
        let (mut z, mut gradient, mut first) = (Vec::new(), Vec::new(), 0);
        for size in [1, 7, 12] {
            let part = first * dim..(first + size) * dim;
            let saved = imle
                .forward(&theta[part], Call::from(5).from_row(first as u64))
                .unwrap();
            z.extend_from_slice(saved.z());
            let part = first * samples * dim..(first + size) * samples * dim;
            gradient.extend(imle.backward(saved, &grad_z[part]).unwrap().theta);
            first += size;
        }
        assert_eq!((z, gradient), (whole_z, whole_gradient));
    }
}

#[test]
fn both_senses_give_mirrored_results() {
    let (theta, grad_z) = (numbers(20 * 10, 1), numbers(20 * 3 * 10, 2));
    let costs: Vec<f64> = theta.iter().map(|theta| -theta).collect();
    for config in every_setting() {
        let (z, gradient) = run(config.clone(), &theta, &grad_z);
        let (z_min, gradient_min) = run(
            (
                config.0,
                Sampling {
                    sense: Sense::Minimize,
                    ..config.1
                },
            ),
            &costs,
            &grad_z,
        );
        let mirrored: Vec<f64> = gradient_min.iter().map(|gradient| -gradient).collect();
        assert_eq!((z, gradient), (z_min, mirrored));
    }
}

#[test]
fn other_seeds_calls_rows_and_samples_have_other_noise() {
    let states = |seed, call: u64| {
        let config = (
            Imle::default(),
            Sampling {
                samples: 2,
                seed,
                tau: 5.0.into(),
                ..Sampling::default()
            },
        );
        layer(k_subset(30, 15), config)
            .forward(&[0.0; 60], call)
            .unwrap()
            .z()
            .to_vec()
    };
    let mut seen = BTreeMap::new();
    for (seed, call) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (at, z) in states(seed, call).chunks_exact(30).enumerate() {
            let bits: Vec<bool> = z.iter().map(|&z| z == 1.0).collect();
            let twin = seen.insert(bits, (seed, call, at));
            assert_eq!(twin, None, "two addresses share their noise");
        }
    }
}

#[test]
fn map_ignores_the_noise() {
    let config = (
        Imle::default(),
        Sampling {
            samples: 7,
            tau: 100.0.into(),
            sense: Sense::Minimize,
            ..Sampling::default()
        },
    );
    let imle = layer(k_subset(4, 2), config);
    let states = imle.map(&[0.4, 0.1, 0.3, 0.2]).unwrap();
    assert_eq!(
        (states.z(), states.samples(), states.rows()),
        (&[0.0, 1.0, 0.0, 1.0][..], 1, 1)
    );
}
