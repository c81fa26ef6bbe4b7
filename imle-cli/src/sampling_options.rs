//! Noise on the command line.

use clap::Args;
use imle_runtime::{LayerConfig, Sampling, Temperature};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::instance::ThetaOptions;

/// How theta is perturbed.
#[derive(Args, Debug)]
pub(crate) struct SamplingOptions {
    /// The number of samples of each row
    #[arg(short, long, value_name = "N")]
    samples: Option<usize>,
    /// The noise and its parameters, such as `normal` or `sum_of_gamma,kappa=3,terms=10`
    #[arg(
        short,
        long,
        value_name = "TYPE[,KEY=VALUE..]",
        default_value = "gumbel"
    )]
    noise: String,
    /// The temperature: a number, or `relative=NUMBER` for that multiple of the standard deviation of each row
    #[arg(
        short,
        long,
        value_name = "NUMBER",
        default_value = "1",
        allow_negative_numbers = true
    )]
    tau: String,
    /// The seed of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The number of the call, which is a part of the address of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) call: u64,
    /// Give sample 2i + 1 the negated noise of sample 2i
    #[arg(long)]
    antithetic: bool,
}

impl SamplingOptions {
    pub(crate) fn sampling(
        &self,
        theta: &ThetaOptions,
        samples: usize,
    ) -> Result<Sampling, Failure> {
        let sampling = json!({
            "sense": theta.sense,
            "samples": self.samples.unwrap_or(samples),
            "seed": self.seed,
            "tau": tau(&self.tau)?,
            "noise": parameters(&self.noise)?,
            "antithetic": self.antithetic,
            "threads": theta.threads,
        });
        // As in a layer's file, so that the settings are checked, and by the same sentences.
        let layer = json!({"oracle": {"solver": ""}, "sampling": sampling});
        let layer = LayerConfig::from_json(&layer.to_string());
        // The place in that text says nothing to whoever wrote the options.
        let sentence = |why: &str| why.split(" at line ").next().map(ToOwned::to_owned);
        let layer =
            layer.map_err(|why| Failure::input(sentence(why.message()).unwrap_or_default()))?;
        Ok(layer.sampling)
    }
}

fn tau(text: &str) -> Result<Temperature, Failure> {
    let (relative, number) = match text.strip_prefix("relative=") {
        Some(number) => (true, number),
        None => (false, text),
    };
    let value: f64 = number
        .parse()
        .map_err(|_| Failure::input(format!("--tau {text}: not a number or `relative=NUMBER`")))?;
    Ok(match relative {
        true => Temperature::relative(value),
        false => value.into(),
    })
}

/// `name,key=value` as `{"type": name, key: value}`.
fn parameters(text: &str) -> Result<Value, Failure> {
    let mut parts = text.split(',');
    let mut object = Map::new();
    let name = parts.next().unwrap_or_default();
    object.insert("type".to_owned(), Value::from(name));
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return Err(Failure::input(format!(
                "--noise {text}: `{part}` is not KEY=VALUE"
            )));
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        object.insert(key.to_owned(), value);
    }
    Ok(Value::Object(object))
}
