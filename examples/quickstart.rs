//! Load a solver, sample states, send a gradient back. The program of the README.

use imle_runtime::{Error, Imle, Layer, Registry, Sampling, cargo_library_directory};
use serde_json::json;

fn main() -> Result<(), Error> {
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = unsafe { Registry::search([cargo_library_directory()?]) }?;
    let oracle = registry.open("k-subset", &json!({"dim": 6, "k": 2}))?;
    let sampling = Sampling {
        samples: 4,
        ..Sampling::default()
    };
    let layer = Layer::new(oracle, Imle::default(), sampling)?;

    // Learn scores that choose coordinates 1 and 4. The loss of a sample is |z - wanted|^2 / 2.
    let wanted = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let mut theta = [0.1, 0.0, 0.2, 0.3, 0.0, 0.1];
    for step in 0..100 {
        let saved = layer.forward(&theta, step)?; // states: [rows, samples, dim]
        let wanted = wanted.iter().cycle();
        let grad_z: Vec<f64> = saved.z().iter().zip(wanted).map(|(z, w)| z - w).collect();
        let grad_theta = layer.backward(saved, &grad_z)?.all_solved()?; // [rows, dim]
        for (theta, grad) in theta.iter_mut().zip(grad_theta) {
            *theta -= 0.1 * grad;
        }
    }
    println!("theta     {theta:.2?}");
    println!("marginals {:.2?}", layer.marginals(&theta, 100)?);
    println!("MAP state {:?}", layer.map(&theta)?.z());
    Ok(())
}
