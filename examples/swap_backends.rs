//! Learns the values of items under a knapsack, and changes the back end of the integer program while
//! training: the word that names the engine is all that changes. The same training with one engine is shown
//! beside it.
//!
//! `cargo run --release --example swap_backends` uses the engines whose libraries were built, and names
//! the others with the command that builds them.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use imle_example_support::{Adam, Linear, RandomState};
use imle_runtime::{
    Imle, Layer, Plugin, Portfolio, Registry, Sampling, cargo_library_directory, normalized_regret,
};
use imle_runtime::{Oracle, Sense, solve_one};
use serde_json::{Value, json};

const ENGINES: [&str; 4] = ["ilp-native", "ilp-microlp", "ilp-highs", "ilp-cbc"];
const ITEMS: usize = 12;
const FEATURES: usize = 4;
const TRAIN: usize = 128;
const TEST: usize = 128;
const EPOCHS: usize = 16;
const EPOCHS_AN_ENGINE: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    // A portfolio says in the log which engine it keeps.
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .target(env_logger::Target::Stdout)
        .init();
    let plugins = load_engines(&cargo_library_directory()?)?;
    let first = plugins.first().ok_or("no engine was built")?;
    let problem = knapsack();
    let data = Data::new(&*first.open(solver_of(first)?, &problem)?)?;
    let alone = training(std::slice::from_ref(first), &problem, &data)?;
    let swapped = training(&plugins, &problem, &data)?;
    println!(
        "epoch  engine          loss   regret  |  {} alone",
        solver_of(first)?
    );
    for (epoch, (one, two)) in swapped.iter().zip(&alone).enumerate() {
        println!(
            "{:>5}  {:12}  {:>6.3}  {:>5.2} %  |  {:>6.3}  {:>5.2} %",
            epoch + 1,
            one.engine,
            one.loss,
            100.0 * one.regret,
            two.loss,
            100.0 * two.regret,
        );
        if (one.loss - two.loss).abs() > 1e-6 || (one.regret - two.regret).abs() > 1e-6 {
            return Err(format!("{} goes another way", one.engine).into());
        }
    }
    compare(&plugins, &problem)
}

/// What an epoch came to.
struct Epoch {
    engine: String,
    /// The mean over samples of `|z - best|^2 / 2`, over the training rows.
    loss: f64,
    /// The normalized regret over the test rows.
    regret: f64,
}

/// Trains with the engines in turn, each replaced in the registry by the next.
fn training(
    plugins: &[Plugin],
    problem: &Value,
    data: &Data,
) -> Result<Vec<Epoch>, Box<dyn Error>> {
    let registry = Registry::new();
    registry.add(&plugins[0])?;
    // The name stays; what stands behind it changes.
    let name = solver_of(&plugins[0])?;
    let sampling = Sampling {
        samples: 4,
        ..Sampling::default()
    };
    let layer = Layer::new(registry.open(name, problem)?, Imle::default(), sampling)?;
    let mut model = Linear::new(FEATURES, ITEMS, &mut RandomState::new(1));
    let mut adam = Adam::new(0.05);
    let mut epochs = Vec::new();
    for step in 0..EPOCHS {
        let plugin = &plugins[step / EPOCHS_AN_ENGINE % plugins.len()];
        registry.replace(name, plugin, solver_of(plugin)?)?;
        epochs.push(Epoch {
            engine: solver_of(plugin)?.to_owned(),
            loss: train(&layer, data, &mut model, &mut adam, step as u64)?,
            regret: data.test_regret(&layer, &model)?,
        });
    }
    Ok(epochs)
}

/// Loads the engines that were built, the embedded ones first, and names those that were not.
fn load_engines(directory: &Path) -> Result<Vec<Plugin>, imle_runtime::Error> {
    let mut plugins = Vec::new();
    for engine in ENGINES {
        let file = format!(
            "{}imle_{}{}",
            std::env::consts::DLL_PREFIX,
            engine.replace('-', "_"),
            std::env::consts::DLL_SUFFIX
        );
        let path = directory.join(file);
        if path.is_file() {
            // SAFETY: the libraries in this directory were built from this workspace.
            plugins.push(unsafe { Plugin::load(path) }?);
        } else {
            println!("{engine} is not built; `cargo build --release -p imle-{engine}` builds it");
        }
    }
    Ok(plugins)
}

fn solver_of(plugin: &Plugin) -> Result<&str, &'static str> {
    let solver = plugin.solvers().next().ok_or("a plugin has a solver")?;
    Ok(&solver.name)
}

/// Choose items within two capacities; theta is their value.
fn knapsack() -> Value {
    let mut random = RandomState::new(0);
    let mut row = |name: &str, capacity: f64| {
        let weights: Vec<f64> = (0..ITEMS)
            .map(|_| random.uniform(1.0, 10.0).round())
            .collect();
        let rhs = (capacity * weights.iter().sum::<f64>()).round();
        let terms: serde_json::Map<String, Value> = weights
            .iter()
            .enumerate()
            .map(|(item, weight)| (format!("x{item}"), json!(weight)))
            .collect();
        json!({"name": name, "terms": terms, "sense": "<=", "rhs": rhs})
    };
    let rows = [row("weight", 0.4), row("volume", 0.5)];
    json!({"model": {"binaries": ITEMS, "rows": rows}})
}

/// Features, true values, and the best choices under them: training rows first, then test rows.
struct Data {
    x: Vec<f64>,
    values: Vec<f64>,
    best: Vec<f64>,
}

impl Data {
    fn new(oracle: &dyn Oracle) -> Result<Self, imle_runtime::Error> {
        let mut random = RandomState::new(2);
        let rows = TRAIN + TEST;
        let x: Vec<f64> = (0..rows * FEATURES)
            .map(|_| random.normal(0.0, 1.0))
            .collect();
        let weights: Vec<f64> = (0..ITEMS * FEATURES).map(|_| random.coin()).collect();
        let mut values = Vec::new();
        for x in x.chunks_exact(FEATURES) {
            for weights in weights.chunks_exact(FEATURES) {
                let score: f64 = x.iter().zip(weights).map(|(x, w)| x * w).sum();
                // A polynomial, so that no linear model is right everywhere.
                values.push((score / 2.0 + 3.0).powi(3) / 27.0 * random.uniform(0.7, 1.3));
            }
        }
        let mut best = Vec::new();
        for values in values.chunks_exact(ITEMS) {
            best.extend(solve_one(oracle, values)?.0);
        }
        Ok(Self { x, values, best })
    }

    fn test_regret(&self, layer: &Layer, model: &Linear) -> Result<f64, imle_runtime::Error> {
        let theta = model.forward(&self.x[TRAIN * FEATURES..]);
        let states = layer.map(&theta)?;
        let (values, best) = (&self.values[TRAIN * ITEMS..], &self.best[TRAIN * ITEMS..]);
        let objectives = objectives(values, states.all_solved()?.z());
        normalized_regret(
            &objectives,
            &self::objectives(values, best),
            Sense::Maximize,
        )
    }
}

fn objectives(values: &[f64], z: &[f64]) -> Vec<f64> {
    let rows = values.chunks_exact(ITEMS).zip(z.chunks_exact(ITEMS));
    rows.map(|(values, z)| values.iter().zip(z).map(|(value, z)| value * z).sum())
        .collect()
}

/// One pass over the training rows: I-MLE towards the best choices. Returns the loss.
fn train(
    layer: &Layer,
    data: &Data,
    model: &mut Linear,
    adam: &mut Adam,
    step: u64,
) -> Result<f64, imle_runtime::Error> {
    const BATCH: usize = 32;
    let mut loss = 0.0;
    let batches = data.x[..TRAIN * FEATURES].chunks(BATCH * FEATURES);
    for (index, x) in batches.enumerate() {
        let theta = model.forward(x);
        let saved = layer.forward(&theta, step * 1000 + index as u64)?;
        let samples = layer.sampling().samples;
        let best = data.best[index * BATCH * ITEMS..].chunks_exact(ITEMS);
        let best = best.flat_map(|row| std::iter::repeat_n(row, samples).flatten());
        let grad_z: Vec<f64> = saved
            .z()
            .iter()
            .zip(best)
            .map(|(z, best)| z - best)
            .collect();
        loss += grad_z.iter().map(|g| g * g / 2.0).sum::<f64>();
        let grad_theta = layer.backward(saved, &grad_z)?.all_solved()?;
        let gradient = model.backward(x, &grad_theta);
        adam.step(model.parameters_mut(), &gradient);
    }
    Ok(loss / (TRAIN * layer.sampling().samples) as f64)
}

/// Solves the same rows with every engine, and lets a portfolio choose the fastest.
fn compare(plugins: &[Plugin], problem: &Value) -> Result<(), Box<dyn Error>> {
    let mut random = RandomState::new(3);
    let thetas: Vec<Vec<f64>> = (0..100)
        .map(|_| (0..ITEMS).map(|_| random.uniform(-1.0, 3.0)).collect())
        .collect();
    let mut engines: Vec<(&str, Arc<dyn Oracle>)> = Vec::new();
    for plugin in plugins {
        let engine = solver_of(plugin)?;
        engines.push((engine, plugin.open(engine, problem)?));
    }
    for theta in &thetas {
        let first = solve_one(&*engines[0].1, theta)?.1.objective;
        for (engine, oracle) in &engines {
            let objective = solve_one(&**oracle, theta)?.1.objective;
            if (objective - first).abs() > 1e-6 * (1.0 + first.abs()) {
                return Err(format!(
                    "{engine} finds {objective} where {} finds {first}",
                    engines[0].0
                )
                .into());
            }
        }
    }
    println!(
        "{} engines agree on {} objectives",
        engines.len(),
        thetas.len()
    );
    let portfolio = Portfolio::new(engines, 20)?;
    for theta in &thetas {
        solve_one(&portfolio, theta)?;
    }
    println!(
        "a portfolio keeps {}",
        portfolio.chosen().ok_or("the trial is not over")?
    );
    Ok(())
}
