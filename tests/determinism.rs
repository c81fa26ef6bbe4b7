//! Results depend on theta, the settings and the address of the noise, and on nothing else.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/oracles.rs"]
mod oracles;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imle_runtime::{
    Call, Facts, Identity, Imle, Limits, Oracle, Outcome, Pid, Proof, Sampling, Sense, Solved,
};
use layers::{Settings, every_setting, imle, layer};
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

/// Writes ones and no zeros, and forgets rows; some rows take as long as it takes to wake a thread.
struct Careless(Identity);

impl Careless {
    const DIM: usize = 32;
}

impl Oracle for Careless {
    fn facts(&self) -> Facts {
        Facts::binary(Self::DIM)
    }

    fn identity(&self) -> Identity {
        self.0
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], _: &Limits<'_>) {
        let rows = theta.chunks_exact(Self::DIM);
        let rows = rows.zip(z.chunks_exact_mut(Self::DIM)).zip(outcomes);
        for ((theta, z), outcome) in rows {
            let end = Instant::now() + Duration::from_micros(100);
            while theta[0] > 1.0 && Instant::now() < end {}
            let ones = z.iter_mut().zip(theta).filter(|(_, theta)| **theta > 0.0);
            ones.for_each(|(z, _)| *z = 1.0);
            if theta[1] < 1.0 {
                let (objective, proof) = (0.0, Proof::NONE);
                *outcome = Ok(Solved { objective, proof });
            }
        }
    }
}

/// The memory of a layer is used again, and what its solves took decides who does the next ones.
#[test]
fn a_call_does_not_depend_on_those_before_it() {
    let settings = |threads| {
        let sampling = Sampling {
            samples: 2,
            threads,
            ..Sampling::default()
        };
        (imle(Pid::new(2.0)), sampling)
    };
    let oracle: Arc<dyn Oracle> = Arc::new(Careless(Identity::unique()));
    let call = |layer: &imle_runtime::Layer, number: u64, rows: usize| {
        let theta = numbers(rows * Careless::DIM, number);
        let grad_z = numbers(2 * rows * Careless::DIM, number + 100);
        let saved = layer.forward(&theta, number).expect("theta is finite");
        let z: Vec<u64> = saved.z().iter().map(|z| z.to_bits()).collect();
        let failed = saved.states().errors().count();
        let gradient = layer.backward(saved, &grad_z).expect("it is finite");
        let mean = layer.forward_mean(&theta, number).expect("as above");
        let mu: Vec<u64> = mean.mu().iter().map(|mu| mu.to_bits()).collect();
        (z, failed, gradient.theta, gradient.errors, mu)
    };
    for threads in [1, 2, 0] {
        let used = layer(oracle.clone(), settings(threads));
        for (number, rows) in [(1, 200), (2, 300), (3, 5), (4, 250), (5, 1), (6, 300)] {
            let fresh = layer(oracle.clone(), settings(1));
            let expected = call(&fresh, number, rows);
            assert!(
                rows < 100 || (1..2 * rows).contains(&expected.1),
                "some fail"
            );
            let found = call(&used, number, rows);
            assert!(found == expected, "call {number}, {threads} threads");
        }
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
