//! Cases of the other estimators, and all states of small problems.

use std::sync::Arc;

use imle_api::conformance::binary_vectors;
use imle_runtime::{
    Address, Aimle, Baseline, Difference, Distribution, Error, Estimator, Exact, Feedback,
    FenchelYoung, Gumbel, Imle, Labels, Layer, Limits, LossLayer, NoNoise, Noise, Normal,
    Perturbed, Pid, Registry, Replay, Sampling, Score, ScoreFunction, Sense, StraightThrough,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Stop, close, missing, number, numbers, oracle, replayed, same_states, samples};

/// More coordinates than this are not enumerated.
const MOST_COORDINATES: usize = 12;

/// All states of a small problem.
fn states(problem: &Value) -> Result<Vec<Vec<f64>>, Stop> {
    let size = |name: &str| match number(&problem[name])? {
        size if size.fract() == 0.0 && (1.0..=12.0).contains(&size) => Ok(size as usize),
        _ => Err(missing(name)),
    };
    let ones = |z: &[f64], count: usize| z.iter().sum::<f64>() == count as f64;
    match problem["kind"].as_str().unwrap_or_default() {
        "ksubset" => {
            let k = size("k")?;
            Ok(binary_vectors(size("m")?, |z| ones(z, k)))
        }
        "categorical" => Ok(binary_vectors(size("m")?, |z| ones(z, 1))),
        "assignment" => {
            let n = size("n")?;
            let once = |z: &[f64]| {
                (0..n).all(|at| {
                    let row: f64 = z[at * n..][..n].iter().sum();
                    let column: f64 = z.iter().skip(at).step_by(n).sum();
                    row == 1.0 && column == 1.0
                })
            };
            match n * n <= MOST_COORDINATES {
                true => Ok(binary_vectors(n * n, once)),
                false => Err(Stop::Unsupported(" of this size".to_owned())),
            }
        }
        "spanning_tree" => {
            let (n, edges) = (size("n")?, numbers(&problem["edges"])?);
            let edges: Vec<(usize, usize)> = edges
                .chunks_exact(2)
                .map(|ends| (ends[0] as usize, ends[1] as usize))
                .collect();
            if edges.len() > MOST_COORDINATES || edges.iter().any(|&(a, b)| a.max(b) >= n) {
                return Err(missing("edges"));
            }
            let is_tree = |z: &[f64]| ones(z, n - 1) && connects(n, &edges, z);
            Ok(binary_vectors(edges.len(), is_tree))
        }
        kind => Err(Stop::Unsupported(format!(" on problem {kind}"))),
    }
}

fn connects(vertices: usize, edges: &[(usize, usize)], z: &[f64]) -> bool {
    let mut reached = vec![false; vertices];
    reached[0] = true;
    for _ in 0..vertices {
        for (&(a, b), _) in edges.iter().zip(z).filter(|(_, z)| **z == 1.0) {
            let either = reached[a] || reached[b];
            (reached[a], reached[b]) = (either, either);
        }
    }
    reached.into_iter().all(|reached| reached)
}

/// A layer over the noise of a case.
fn layer(
    case: &Value,
    registry: &Registry,
    estimator: impl Estimator + 'static,
    sampling: Sampling,
) -> Result<Layer, Stop> {
    Ok(Layer::new(
        oracle(case, registry, "clamp")?,
        estimator,
        sampling,
    )?)
}

pub(super) fn straight_through(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, dy) = (numbers(&case["theta"])?, numbers(&case["dy"])?);
    let count = count_samples(&dy, &theta)?;
    let noise = noise(case, count)?;
    let sampling = Sampling {
        samples: count,
        noise,
        ..Sampling::default()
    };
    let layer = layer(case, registry, StraightThrough, sampling)?;
    let saved = layer.forward(&theta, 0)?;
    let grad = layer.backward(saved, &dy)?.all_solved()?;
    close("grad", &numbers(&case["expect"]["grad"])?, &grad)
}

fn count_samples(dy: &[f64], theta: &[f64]) -> Result<usize, Stop> {
    samples(dy.len() as f64 / theta.len() as f64)
}

fn noise(case: &Value, samples: usize) -> Result<Arc<dyn Noise>, Stop> {
    let problem = &case["problem"];
    let dim = number(&problem["m"])? as usize;
    Ok(match replayed(case, samples, dim)? {
        Some(replay) => Arc::new(replay),
        None => Arc::new(NoNoise),
    })
}

/// Recorded draws of a known distribution.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    draws: Replay,
    of: Arc<dyn Noise>,
}

#[typetag::serde(name = "recorded")]
impl Noise for Recorded {
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        self.draws.fill(address, eps)
    }

    fn score(&self, eps: &[f64], score: &mut [f64]) -> Result<(), Error> {
        self.of.score(eps, score)
    }
}

pub(super) fn perturbed(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, dy) = (numbers(&case["theta"])?, numbers(&case["dy"])?);
    let (params, expect) = (&case["params"], &case["expect"]);
    let count = samples(number(&params["N"])?)?;
    let sides: [(&str, Arc<dyn Noise>); 2] =
        [("gumbel", Arc::new(Gumbel)), ("normal", Arc::new(Normal))];
    for (name, of) in sides {
        let dim = number(&case["problem"]["m"])? as usize;
        let draws = replayed(case, count, dim)?.ok_or_else(|| missing("eps"))?;
        let sampling = Sampling {
            samples: count,
            tau: number(&params["sigma"])?.into(),
            noise: Arc::new(Recorded { draws, of }),
            ..Sampling::default()
        };
        let estimator = Perturbed {
            baseline: Baseline::None,
            ..Perturbed::default()
        };
        let layer = layer(case, registry, estimator, sampling)?;
        let saved = layer.forward(&theta, 0)?;
        same_states("y_samples", &numbers(&expect["y_samples"])?, saved.z())?;
        close(
            "y_mean",
            &numbers(&expect["y_mean"])?,
            &saved.states().marginals(),
        )?;
        let grad = layer
            .backward(saved, Feedback::GradMean(&dy))?
            .all_solved()?;
        let name = format!("grad_{name}");
        close(&name, &numbers(&expect[&name])?, &grad)?;
    }
    Ok(())
}

/// The perturbed loss of labels `y` and its gradient `y_mean - y`.
pub(super) fn fenchel_young(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, y) = (numbers(&case["theta"])?, numbers(&case["y"])?);
    let (params, expect) = (&case["params"], &case["expect"]);
    let count = samples(number(&params["N"])?)?;
    let sampling = Sampling {
        samples: count,
        tau: number(&params["sigma"])?.into(),
        noise: noise(case, count)?,
        ..Sampling::default()
    };
    let loss = LossLayer::new(oracle(case, registry, "clamp")?, FenchelYoung, sampling)?;
    let value = loss
        .evaluate(&theta, &Labels::states(&y), 0)?
        .all_solved()?;
    close("loss", &numbers(&expect["loss"])?, &value.losses)?;
    close("grad", &numbers(&expect["grad"])?, &value.theta)
}

/// Samples weighted with their losses `|z - b|^2` and exact scores `z - mu`, of the solver's own marginals.
pub(super) fn score_function(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, b) = (numbers(&case["theta"])?, numbers(&case["b"])?);
    let expect = &case["expect"];
    let count = samples(number(&case["params"]["S"])?)?;
    let sampling = Sampling {
        samples: count,
        noise: noise(case, count)?,
        ..Sampling::default()
    };
    let estimator = ScoreFunction {
        score: Score::Exact { states: None },
        baseline: Baseline::None,
    };
    let oracle = oracle(case, registry, "clamp")?;
    let exact = imle_runtime::exact_marginals(&*oracle, &theta, Sense::Maximize, &Limits::none())?;
    let mu = &exact.all_exact()?.mu;
    close("marginals", &numbers(&expect["marginals"])?, mu)?;
    let layer = Layer::new(oracle, estimator, sampling)?;
    let saved = layer.forward(&theta, 0)?;
    let states = saved.states().all_solved()?;
    same_states("z", &numbers(&expect["z"])?, states.z())?;
    let distance = |z: &[f64]| z.iter().zip(&b).map(|(z, b)| (z - b).powi(2)).sum();
    let losses: Vec<f64> = states.z().chunks_exact(layer.dim()).map(distance).collect();
    close("losses", &numbers(&expect["losses"])?, &losses)?;
    let grad = layer
        .backward(saved, Feedback::Losses(&losses))?
        .all_solved()?;
    close("grad", &numbers(&expect["grad"])?, &grad)
}

/// The traces of the controller whose two uses of lambda agree.
pub(super) fn adaptive(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, dy) = (numbers(&case["theta"])?, numbers(&case["dy"])?);
    let params = &case["params"];
    let count = samples(number(&params["S"])?)?;
    let estimator = Aimle {
        difference: match params["symmetric"].as_bool() {
            Some(true) => Difference::Central,
            Some(false) => Difference::OneSided,
            None => return Err(missing("symmetric")),
        },
        initial_beta: number(&params["initial_beta"])?,
        step: number(&params["beta_update_step"])?,
        momentum: number(&params["beta_update_momentum"])?,
        decay: number(&params["grad_norm_decay_rate"])?,
        target_norm: number(&params["target_norm"])?,
        initial_norm: number(&params["initial_grad_norm"])?,
        floor: 0.0,
        ..Aimle::default()
    };
    let sampling = Sampling {
        samples: count,
        noise: noise(case, count)?,
        ..Sampling::default()
    };
    let layer = layer(case, registry, estimator, sampling)?;
    let trace = case["expect"]["consistent"]
        .as_array()
        .ok_or_else(|| missing("consistent"))?;
    let mut beta = estimator.initial_beta;
    for (at, step) in trace.iter().enumerate() {
        let saved = layer.forward(&theta, at as u64)?;
        let grad = layer.backward(saved, &dy)?.all_solved()?;
        let memory = layer.memory();
        let [next, norm, _] = memory.get("controller").unwrap_or_default() else {
            return Err(missing("controller"));
        };
        close(
            &format!("beta_used of step {at}"),
            &[number(&step["beta_used"])?],
            &[beta],
        )?;
        close(
            &format!("grad_norm of step {at}"),
            &[number(&step["grad_norm"])?],
            &[*norm],
        )?;
        close(
            &format!("beta_next of step {at}"),
            &[number(&step["beta_next"])?],
            &[*next],
        )?;
        close(
            &format!("grad of step {at}"),
            &numbers(&step["grad"])?,
            &grad,
        )?;
        beta = *next;
    }
    Ok(())
}

pub(super) fn exact_marginals(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, expect) = (numbers(&case["theta"])?, &case["expect"]);
    let states = states(&case["problem"])?;
    let distribution = Distribution::gibbs(&states, &theta, 1.0)?;
    close(
        "n_states",
        &[number(&expect["n_states"])?],
        &[distribution.len() as f64],
    )?;
    close(
        "log_partition",
        &[number(&expect["log_partition"])?],
        &[log_partition(&distribution, &theta)],
    )?;
    let layer = exact(case, registry, states, None)?;
    close(
        "marginals",
        &numbers(&expect["marginals"])?,
        layer.forward(&theta, 0)?.z(),
    )
}

/// `ln Z = <z, theta> - ln p(z)`, of any state.
fn log_partition(distribution: &Distribution, theta: &[f64]) -> f64 {
    let heaviest = distribution.atoms().next();
    heaviest.map_or(f64::NEG_INFINITY, |(z, weight)| {
        z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>() - weight.ln()
    })
}

fn exact(
    case: &Value,
    registry: &Registry,
    states: Vec<Vec<f64>>,
    lambda: Option<f64>,
) -> Result<Layer, Stop> {
    let estimator = Exact {
        states: Some(states),
        lambda,
        difference: Difference::OneSided,
    };
    layer(case, registry, estimator, Sampling::default())
}

pub(super) fn finite_difference(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, dy, expect) = (
        numbers(&case["theta"])?,
        numbers(&case["dy"])?,
        &case["expect"],
    );
    let lambda = number(&case["params"]["lambda"])?;
    let moved: Vec<f64> = theta
        .iter()
        .zip(&dy)
        .map(|(theta, dy)| theta - lambda * dy)
        .collect();
    for (name, lambda) in [("fd", Some(lambda)), ("exact_vjp", None)] {
        let layer = exact(case, registry, states(&case["problem"])?, lambda)?;
        close(
            "mu_prime",
            &numbers(&expect["mu_prime"])?,
            layer.forward(&moved, 0)?.z(),
        )?;
        let saved = layer.forward(&theta, 0)?;
        close("mu", &numbers(&expect["mu"])?, saved.z())?;
        close(
            name,
            &numbers(&expect[name])?,
            &layer.backward(saved, &dy)?.all_solved()?,
        )?;
    }
    Ok(())
}

/// The loss is the squared distance from `b`.
pub(super) fn expected_loss(case: &Value) -> Result<(), Stop> {
    let (theta, b, expect) = (
        numbers(&case["theta"])?,
        numbers(&case["b"])?,
        &case["expect"],
    );
    let states = states(&case["problem"])?;
    let loss = |z: &[f64]| -> f64 { z.iter().zip(&b).map(|(z, b)| (z - b).powi(2)).sum() };
    let distribution = Distribution::gibbs(&states, &theta, 1.0)?;
    let best = states
        .iter()
        .min_by(|y, z| loss(y).total_cmp(&loss(z)))
        .ok_or_else(|| missing("problem"))?;
    close(
        "n_states",
        &[number(&expect["n_states"])?],
        &[distribution.len() as f64],
    )?;
    close(
        "log_partition",
        &[number(&expect["log_partition"])?],
        &[log_partition(&distribution, &theta)],
    )?;
    close(
        "marginals",
        &numbers(&expect["marginals"])?,
        &distribution.mean(),
    )?;
    close(
        "expected_loss",
        &[number(&expect["expected_loss"])?],
        &[distribution.expectation(loss)],
    )?;
    close(
        "grad_expected_loss",
        &numbers(&expect["grad_expected_loss"])?,
        &distribution.covariance(loss),
    )?;
    close("min_loss", &[number(&expect["min_loss"])?], &[loss(best)])?;
    same_states("argmin_state", &numbers(&expect["argmin_state"])?, best)
}

/// The target is the loss alone: `alpha = 0`, with the Hamming loss as a mean over a batch.
pub(super) fn loss_as_target(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let (theta, path) = (numbers(&case["theta"])?, numbers(&case["true_path"])?);
    let (params, expect) = (&case["params"], &case["expect"]);
    let batch = number(&params["batch"])?;
    let dy: Vec<f64> = path.iter().map(|y| (1.0 - 2.0 * y) / batch).collect();
    let lambda = number(&params["lambda"])?;
    let c_prime: Vec<f64> = dy.iter().map(|dy| lambda * dy).collect();
    close("c_prime", &numbers(&expect["c_prime"])?, &c_prime)?;
    let estimator = Imle {
        target: Arc::new(Pid { lambda, alpha: 0.0 }),
        divide_by_lambda: true,
        ..Imle::default()
    };
    let sampling = Sampling {
        sense: Sense::Minimize,
        noise: Arc::new(NoNoise),
        ..Sampling::default()
    };
    let layer = layer(case, registry, estimator, sampling)?;
    let z_prime = layer.map(&c_prime)?;
    same_states("z_prime", &numbers(&expect["z_prime"])?, z_prime.z())?;
    let saved = layer.forward(&theta, 0)?;
    same_states("z", &numbers(&expect["z"])?, saved.z())?;
    let grad = layer.backward(saved, &dy)?.all_solved()?;
    close("grad_cost", &numbers(&expect["grad_cost"])?, &grad)
}
