//! What tau does: from the MAP state alone to every state alike.

use std::sync::Arc;

use imle_runtime::{Call, Distribution, Imle, Layer, Oracle, Sampling, Temperature};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{print_line, table};

/// The temperatures that are tried, as multiples of the one that was asked for.
const MULTIPLES: [f64; 7] = [0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0];

/// What a temperature does, as means over the rows.
pub(crate) struct Explained {
    multiple: f64,
    /// The mean over the rows where it is relative to theta.
    tau: f64,
    /// In nats.
    entropy: f64,
    distinct_states: f64,
    /// Of the samples.
    map_share: f64,
    /// How many coordinates of a sample differ from the MAP state, in the mean.
    moved: f64,
}

/// Samples every row at temperatures around the one of `sampling`.
pub(crate) fn explain(
    oracle: &Arc<dyn Oracle>,
    theta: &[f64],
    sampling: &Sampling,
    call: Call<'_>,
) -> Result<Vec<Explained>, Failure> {
    let at = |&multiple: &f64| {
        let tau = match sampling.tau {
            Temperature::Fixed(tau) => (tau * multiple).into(),
            Temperature::Relative(mut tau) => {
                tau.relative *= multiple;
                Temperature::Relative(tau)
            }
        };
        let sampling = Sampling {
            tau,
            ..sampling.clone()
        };
        let layer = Layer::new(oracle.clone(), Imle::default(), sampling)?;
        at_temperature(&layer, theta, multiple, call)
    };
    MULTIPLES.iter().map(at).collect()
}

fn at_temperature(
    layer: &Layer,
    theta: &[f64],
    multiple: f64,
    call: Call<'_>,
) -> Result<Explained, Failure> {
    let dim = layer.dim();
    let map = layer.map(theta)?;
    let mut sum = Explained {
        multiple,
        tau: 0.0,
        entropy: 0.0,
        distinct_states: 0.0,
        map_share: 0.0,
        moved: 0.0,
    };
    let mut solved = 0.0;
    for (row, theta) in theta.chunks_exact(dim).enumerate() {
        let saved = layer.forward(theta, call.from_row(row as u64))?;
        let sampled = Distribution::of_samples(saved.states(), 0);
        let (Some(sampled), Ok(_)) = (sampled, &map.outcomes()[row]) else {
            continue; // the marginals report it
        };
        let map = map.state(row);
        let differ = |z: &[f64]| z.iter().zip(map).filter(|(z, map)| z != map).count() as f64;
        solved += 1.0;
        sum.tau += layer.sampling().tau.of(theta);
        sum.entropy += sampled.entropy();
        sum.distinct_states += sampled.len() as f64;
        sum.map_share += sampled.share(map);
        sum.moved += sampled.expectation(differ);
    }
    Ok(Explained {
        multiple,
        tau: sum.tau / solved,
        entropy: sum.entropy / solved,
        distinct_states: sum.distinct_states / solved,
        map_share: sum.map_share / solved,
        moved: sum.moved / solved,
    })
}

pub(crate) fn to_json(explained: &[Explained]) -> Value {
    let line = |line: &Explained| {
        json!({
            "tau": line.tau, "entropy": line.entropy, "distinct_states": line.distinct_states,
            "map_share": line.map_share, "moved_coordinates": line.moved,
        })
    };
    explained.iter().map(line).collect()
}

pub(crate) fn print(explained: &[Explained]) -> Result<(), Failure> {
    let mut lines = table([
        "tau",
        "entropy (nats)",
        "distinct states",
        "share of the MAP state",
        "coordinates off it",
    ]);
    for line in explained {
        let mark = if line.multiple == 1.0 { " <-" } else { "" };
        lines.add_row([
            format!("{:.4}{mark}", line.tau),
            format!("{:.3}", line.entropy),
            format!("{:.1}", line.distinct_states),
            format!("{:.1} %", 100.0 * line.map_share),
            format!("{:.2}", line.moved),
        ]);
    }
    print_line(lines)?;
    print_line(
        "Means over the rows. A share near 100 % leaves nothing to learn from; an entropy that tau no longer raises is \
         noise alone.\nEntropy and distinct states are those of the samples: more samples, more states.",
    )
}
