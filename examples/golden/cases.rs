//! Cases of a vectors file, and what this project makes of them.

#[path = "methods.rs"]
mod methods;

use std::sync::Arc;

use imle_runtime::{
    Combinatorial, Difference, Error, Gumbel, Imle, Layer, NoNoise, Noise, Oracle, Pid, Registry,
    Replay, Sampling, Sense, SumOfGamma, Target,
};
use serde_json::{Map, Value, json};

/// Numbers that are not dyadic are compared up to this; states are compared exactly.
const TOLERANCE: f64 = 1e-6;

/// What became of a case.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Everything that the case states is so.
    Ok,
    /// What differs.
    Fail(String),
    /// The operation, and what about it is not here.
    Unsupported(String),
}

/// Runs a case: an object with `id`, `op` and what that operation needs.
pub(crate) fn run(case: &Value, registry: &Registry) -> Verdict {
    let op = case["op"].as_str().unwrap_or_default();
    let check = match op {
        "imle" | "imle_central" | "bb" => imle(case, registry),
        "bb_clip" => clipped(case, registry),
        "map" => map(case, registry),
        "map_ties" => ties(case, registry),
        "map_negative_costs" => negative_costs(case, registry),
        "adaptive_target" => methods::adaptive(case, registry),
        "exact_expected_loss" => methods::expected_loss(case),
        "exact_marginals" => methods::exact_marginals(case, registry),
        "exact_marginals_fd" => methods::finite_difference(case, registry),
        "perturbed_optimizer" => methods::perturbed(case, registry),
        "fenchel_young" => methods::fenchel_young(case, registry),
        "score_function" => methods::score_function(case, registry),
        "ste" => methods::straight_through(case, registry),
        "warcraft_mode1" => methods::loss_as_target(case, registry),
        "noise_gumbel" => gumbel(case),
        "noise_sog" => sum_of_gamma(case),
        "noise_sog_moments" => sum_of_gamma_moments(case),
        _ => Err(Stop::Unsupported(String::new())),
    };
    match check {
        Ok(()) => Verdict::Ok,
        Err(Stop::Differs(what)) => Verdict::Fail(what),
        Err(Stop::Unsupported(what)) => Verdict::Unsupported(format!("unsupported op {op}{what}")),
    }
}

/// Why a case ends early.
enum Stop {
    Differs(String),
    Unsupported(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Differs(error.to_string())
    }
}

/// Forward and backward; then every sample as a row of its own, whose gradient is that sample's.
fn imle(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let settings = Settings::of(case)?;
    let oracle = oracle(case, registry, "clamp")?;
    let expect = &case["expect"];
    let (theta, dy) = (numbers(&case["theta"])?, numbers(&case["dy"])?);
    let dim = oracle.facts().dim;

    let replay = replayed(case, settings.samples, dim)?;
    let layer = settings.layer(oracle.clone(), replay)?;
    let saved = layer.forward(&theta, 0)?;
    same_states(
        "z",
        &numbers(&expect["z"])?,
        saved.states().all_solved()?.z(),
    )?;
    let grad = layer.backward(saved, &dy)?.all_solved()?;
    close("grad", &numbers(&expect["grad"])?, &grad)?;

    let samples = theta
        .chunks_exact(dim)
        .flat_map(|row| row.repeat(settings.samples));
    let each_theta: Vec<f64> = samples.collect();
    let each_noise = replayed(case, settings.samples, dim)?.map(|replay| Replay {
        eps: replay
            .eps
            .into_iter()
            .flatten()
            .map(|sample| vec![sample])
            .collect(),
    });
    let one_sample = Settings {
        samples: 1,
        ..settings.clone()
    };
    let each = one_sample.layer(oracle, each_noise)?;
    let saved = each.forward(&each_theta, 0)?;
    let grad = each.backward(saved, &dy)?.all_solved()?;
    if let Some(expected) = expect.get("grad_per_sample") {
        close("grad_per_sample", &numbers(expected)?, &grad)?;
    }
    if let Some(expected) = expect.get("theta_prime") {
        let target = settings.target_parameters(&each_theta, &dy, dim);
        close("theta_prime", &numbers(expected)?, &target)?;
    }
    if let (Some(input), Some(expected)) = (expect.get("map_input_prime"), expect.get("z_prime")) {
        let z = each.map(&numbers(input)?)?;
        same_states("z_prime", &numbers(expected)?, z.all_solved()?.z())?;
    }
    Ok(())
}

/// The black-box rule over a solver that counts negative costs as zero.
fn clipped(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let settings = Settings {
        divide_by_lambda: true,
        ..Settings::of(case)?
    };
    let expect = &case["expect"];
    let (theta, dy) = (numbers(&case["theta"])?, numbers(&case["dy"])?);
    let layer = settings.layer(oracle(case, registry, "clamp")?, None)?;
    let target = settings.target_parameters(&theta, &dy, layer.dim());
    close("c_prime", &numbers(&expect["c_prime"])?, &target)?;
    let z_prime = layer.map(&target)?;
    same_states(
        "z_prime_clipped",
        &numbers(&expect["z_prime_clipped"])?,
        z_prime.all_solved()?.z(),
    )?;
    let saved = layer.forward(&theta, 0)?;
    same_states(
        "z",
        &numbers(&expect["z"])?,
        saved.states().all_solved()?.z(),
    )?;
    let grad = layer.backward(saved, &dy)?.all_solved()?;
    close("grad_clipped", &numbers(&expect["grad_clipped"])?, &grad)
}

fn map(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let z = map_state(case, registry, "clamp")?;
    same_states("z", &numbers(&case["expect"]["z"])?, &z)
}

/// A tie must be broken by the rule of the lowest index, or give one of the optimal states.
fn ties(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let expect = &case["expect"];
    let z = map_state(case, registry, "reject")?;
    if let Some(expected) = expect.get("lowest_index_rule_z") {
        return same_states("z", &numbers(expected)?, &z);
    }
    let Some(optimal) = expect.get("optimal_set").and_then(Value::as_array) else {
        return Err(Stop::Unsupported(" with this kind of tie".to_owned()));
    };
    for state in optimal {
        if numbers(state)? == z {
            return Ok(());
        }
    }
    Err(Stop::Differs(format!(
        "{z:?} is not one of the {} optimal states",
        optimal.len()
    )))
}

/// Of the policies for negative costs in the case, this project has the one that counts them as zero.
fn negative_costs(case: &Value, registry: &Registry) -> Result<(), Stop> {
    let z = map_state(case, registry, "clamp")?;
    same_states(
        "clip0_then_map_z",
        &numbers(&case["expect"]["clip0_then_map_z"])?,
        &z,
    )
}

fn gumbel(case: &Value) -> Result<(), Stop> {
    let eps: Vec<f64> = numbers(&case["uniforms"])?
        .into_iter()
        .map(Gumbel::quantile)
        .collect();
    close("eps", &numbers(&case["expect"]["eps"])?, &eps)?;
    if let Some(expected) = case["expect"].get("tau2_eps") {
        let scaled: Vec<f64> = eps.iter().map(|eps| 2.0 * eps).collect();
        close("tau2_eps", &numbers(expected)?, &scaled)?;
    }
    Ok(())
}

fn sum_of_gamma(case: &Value) -> Result<(), Stop> {
    let params = &case["params"];
    let tau = params["tau"].as_f64().unwrap_or(1.0);
    let noise = SumOfGamma {
        kappa: number(&params["kappa"])?,
        terms: Some(number(&params["s"])? as u32),
    };
    let draws = case["gamma_draws"]
        .as_array()
        .ok_or_else(|| missing("gamma_draws"))?;
    let draws: Vec<Vec<f64>> = draws.iter().map(numbers).collect::<Result<_, _>>()?;
    let coordinates = draws.first().map_or(0, Vec::len);
    if draws.iter().any(|term| term.len() != coordinates) {
        return Err(missing("gamma_draws"));
    }
    let sum = |coordinate: usize| draws.iter().map(|term| term[coordinate]).sum();
    let eps: Vec<f64> = (0..coordinates)
        .map(|at| tau * noise.assemble(sum(at)))
        .collect();
    close("eps", &numbers(&case["expect"]["eps"])?, &eps)?;
    let bound = number(&case["expect"]["lower_bound"])?;
    close("lower_bound", &[bound], &[tau * noise.lower_bound()])
}

fn sum_of_gamma_moments(case: &Value) -> Result<(), Stop> {
    let rows = case["expect"]["rows"]
        .as_array()
        .ok_or_else(|| missing("rows"))?;
    for row in rows {
        let tau = number(&row["tau"])?;
        let noise = SumOfGamma {
            kappa: number(&row["kappa"])?,
            terms: Some(number(&row["s"])? as u32),
        };
        let moments = [
            ("mean", tau * noise.mean()),
            ("var", tau * tau * noise.variance()),
            ("lower_bound", tau * noise.lower_bound()),
            ("sum_mean", tau * noise.mean() * noise.kappa),
            ("sum_var", tau * tau * noise.variance() * noise.kappa),
        ];
        for (name, value) in moments {
            let name = format!("{name} at kappa = {}", noise.kappa);
            let key = name.split(' ').next().unwrap_or_default();
            close(&name, &[number(&row[key])?], &[value])?;
        }
    }
    Ok(())
}

/// The estimator that the `params` of a case ask for.
#[derive(Clone)]
struct Settings {
    sense: Sense,
    samples: usize,
    tau: f64,
    tau_target: f64,
    target: Arc<dyn Target>,
    lambda: f64,
    difference: Difference,
    divide_by_lambda: bool,
}

impl Settings {
    fn of(case: &Value) -> Result<Self, Stop> {
        const KNOWN: [&str; 8] = [
            "S",
            "alpha",
            "lambda",
            "tau_theta",
            "tau_target",
            "scale",
            "symmetric",
            "target",
        ];
        let empty = Map::new();
        let params = case["params"].as_object().unwrap_or(&empty);
        if let Some(key) = params.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(Stop::Unsupported(format!(" with parameter {key}")));
        }
        let given = |key: &str| params.get(key).filter(|value| !value.is_null());
        let value = |key: &str, default| given(key).map_or(Ok(default), number);
        let text = |key: &str, default: &'static str| match given(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| missing(key)),
        };
        let lambda = value("lambda", 1.0)?;
        let alpha = value("alpha", 1.0)?;
        let (target, lambda): (Arc<dyn Target>, f64) = match text("target", "pid")? {
            "pid" => (Arc::new(Pid { lambda, alpha }), lambda),
            "eq14" => (Arc::new(Combinatorial), 1.0),
            other => return Err(Stop::Unsupported(format!(" with target {other}"))),
        };
        let symmetric = match given("symmetric") {
            None => case["op"] == "imle_central",
            Some(value) => value.as_bool().ok_or_else(|| missing("symmetric"))?,
        };
        Ok(Self {
            sense: match case["sense"].as_str() {
                None | Some("max") => Sense::Maximize,
                Some("min") => Sense::Minimize,
                _ => return Err(missing("sense")),
            },
            samples: samples(value("S", 1.0)?)?,
            tau: value("tau_theta", 1.0)?,
            tau_target: value("tau_target", 1.0)?,
            target,
            lambda,
            difference: match symmetric {
                true => Difference::Central,
                false => Difference::OneSided,
            },
            divide_by_lambda: match text("scale", "none")? {
                "none" => false,
                "inv_lambda" => true,
                other => return Err(Stop::Unsupported(format!(" with scale {other}"))),
            },
        })
    }

    fn layer(&self, oracle: Arc<dyn Oracle>, replay: Option<Replay>) -> Result<Layer, Error> {
        let imle = Imle {
            tau_target: Some(self.tau_target.into()),
            target: self.target.clone(),
            difference: self.difference,
            divide_by_lambda: self.divide_by_lambda,
        };
        let noise: Arc<dyn Noise> = match replay {
            Some(replay) => Arc::new(replay),
            None => Arc::new(NoNoise),
        };
        let sampling = Sampling {
            sense: self.sense,
            samples: self.samples,
            tau: self.tau.into(),
            noise,
            ..Sampling::default()
        };
        Layer::new(oracle, imle, sampling)
    }

    /// theta' in the sense of the case.
    fn target_parameters(&self, theta: &[f64], dy: &[f64], dim: usize) -> Vec<f64> {
        let sign = if self.sense == Sense::Minimize {
            -1.0
        } else {
            1.0
        };
        let mut target = vec![0.0; theta.len()];
        for ((row, theta), dy) in target
            .chunks_exact_mut(dim)
            .zip(theta.chunks_exact(dim))
            .zip(dy.chunks_exact(dim))
        {
            let theta: Vec<f64> = theta.iter().map(|theta| sign * theta).collect();
            self.target.shift(&theta, dy, self.lambda, row);
            row.iter_mut().for_each(|value| *value *= sign);
        }
        target
    }
}

fn map_state(case: &Value, registry: &Registry, negative_costs: &str) -> Result<Vec<f64>, Stop> {
    let settings = Settings::of(case)?;
    let layer = settings.layer(oracle(case, registry, negative_costs)?, None)?;
    Ok(layer
        .map(&numbers(&case["theta"])?)?
        .all_solved()?
        .z()
        .to_vec())
}

/// Opens the plugin for the problem of a case.
fn oracle(
    case: &Value,
    registry: &Registry,
    negative_costs: &str,
) -> Result<Arc<dyn Oracle>, Stop> {
    let problem = &case["problem"];
    // Before a solver makes room for a problem that the case has no numbers for.
    let values = numbers(&case["theta"])?.len() as f64;
    for size in ["m", "h", "w"] {
        if problem[size].as_f64().is_some_and(|size| size > values) {
            return Err(missing(size));
        }
    }
    let (solver, config) = match problem["kind"].as_str().unwrap_or_default() {
        "ksubset" => ("k-subset", json!({"dim": problem["m"], "k": problem["k"]})),
        "categorical" => ("k-subset", json!({"dim": problem["m"], "k": 1})),
        "grid_path" => ("shortest-path", grid_path(problem, negative_costs)?),
        "spanning_tree" => {
            let config = json!({"vertices": problem["n"], "edges": problem["edges"]});
            ("spanning-tree", config)
        }
        "assignment" => {
            let config = json!({"rows": problem["n"], "columns": problem["n"]});
            ("assignment", config)
        }
        "ranking" if problem["n"].as_f64().is_some_and(|n| n > values) => {
            return Err(missing("n"));
        }
        "ranking" => ("ranking", json!({"dim": problem["n"]})),
        kind => return Err(Stop::Unsupported(format!(" on problem {kind}"))),
    };
    Ok(registry.open(solver, &config)?)
}

fn grid_path(problem: &Value, negative_costs: &str) -> Result<Value, Stop> {
    let width = number(&problem["w"])?;
    let vertex = |name: &str| match numbers(&problem[name])?[..] {
        [row, column] => Ok((row * width + column) as u64),
        _ => Err(missing(name)),
    };
    let moves = match problem["neighbourhood"].as_u64() {
        Some(4) => "four",
        Some(8) => "eight",
        _ => return Err(Stop::Unsupported(" on this neighbourhood".to_owned())),
    };
    if problem["cost"] != "vertex" {
        return Err(Stop::Unsupported(format!(
            " with costs per {}",
            problem["cost"]
        )));
    }
    Ok(json!({
        "grid": {"height": problem["h"], "width": problem["w"], "moves": moves},
        "costs": "vertices",
        "source": vertex("start")?,
        "target": vertex("goal")?,
        "negative_costs": negative_costs,
    }))
}

/// The noise of a case, `[B, S, ...]`, if it has any.
fn replayed(case: &Value, samples: usize, dim: usize) -> Result<Option<Replay>, Stop> {
    if case["eps"].is_null() {
        return Ok(None);
    }
    let eps = numbers(&case["eps"])?;
    if !eps.len().is_multiple_of(samples * dim) {
        return Err(missing("eps"));
    }
    let rows = eps.chunks_exact(samples * dim);
    let eps = rows
        .map(|row| row.chunks_exact(dim).map(<[f64]>::to_vec).collect())
        .collect();
    Ok(Some(Replay { eps }))
}

/// All numbers of a nested array, in order.
fn numbers(value: &Value) -> Result<Vec<f64>, Stop> {
    match value {
        Value::Array(values) => {
            let parts: Vec<Vec<f64>> = values.iter().map(numbers).collect::<Result<_, _>>()?;
            Ok(parts.concat())
        }
        _ => Ok(vec![number(value)?]),
    }
}

fn number(value: &Value) -> Result<f64, Stop> {
    value
        .as_f64()
        .ok_or_else(|| Stop::Differs(format!("expected a number, found {value}")))
}

fn samples(value: f64) -> Result<usize, Stop> {
    if value.fract() == 0.0 && (1.0..=1e6).contains(&value) {
        return Ok(value as usize);
    }
    Err(Stop::Differs(format!(
        "S = {value} is no number of samples"
    )))
}

fn missing(name: &str) -> Stop {
    Stop::Differs(format!("the case has no proper `{name}`"))
}

fn same_states(name: &str, expected: &[f64], actual: &[f64]) -> Result<(), Stop> {
    if expected == actual {
        return Ok(());
    }
    Err(Stop::Differs(format!(
        "{name} is {actual:?}, expected {expected:?}"
    )))
}

fn close(name: &str, expected: &[f64], actual: &[f64]) -> Result<(), Stop> {
    let same = |(expected, actual): (&f64, &f64)| (expected - actual).abs() <= TOLERANCE;
    if expected.len() == actual.len() && expected.iter().zip(actual).all(same) {
        return Ok(());
    }
    Err(Stop::Differs(format!(
        "{name} is {actual:?}, expected {expected:?}"
    )))
}
