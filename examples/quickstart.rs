//! Load a solver, sample states, send a gradient back. The program of the README.

use std::sync::Arc;

use imle_runtime::{Error, Imle, ImleConfig, Registry, SumOfGamma, cargo_library_directory};
use serde_json::json;

fn main() -> Result<(), Error> {
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = unsafe { Registry::search([cargo_library_directory()?]) }?;
    let oracle = registry.open("k-subset", &json!({"dim": 6, "k": 2}))?;
    let config = ImleConfig {
        samples: 4,
        noise: Arc::new(SumOfGamma {
            kappa: 2.0,
            terms: 10,
        }),
        ..ImleConfig::default()
    };
    let imle = Imle::new(oracle, config)?;

    // Learn scores that select coordinates 1 and 4: the loss of a sample is |z - wanted|^2 / 2.
    let wanted = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let mut theta = vec![0.1, 0.0, 0.2, 0.3, 0.0, 0.1];
    for step in 0..100 {
        let saved = imle.forward(&theta, step)?; // states: [rows, samples, dim], here one row
        let samples = saved.z().chunks_exact(wanted.len());
        let grad_z: Vec<f64> = samples
            .flat_map(|z| z.iter().zip(&wanted).map(|(z, wanted)| z - wanted))
            .collect();
        let grad_theta = imle.backward(saved, &grad_z)?.all_solved()?; // [rows, dim]
        theta
            .iter_mut()
            .zip(&grad_theta)
            .for_each(|(theta, grad)| *theta -= 0.1 * grad);
    }
    println!("theta     {theta:.2?}");
    println!("marginals {:.2?}", imle.marginals(&theta, 100)?);
    println!("MAP state {:?}", imle.map(&theta)?.z());
    Ok(())
}
