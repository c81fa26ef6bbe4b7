//! Layers in files.

use imle_api::ErrorKind;
use imle_runtime::{Error, Labels, LayerConfig, Opened, Registry};

use super::configuration::{is_bug, is_large};

/// Reads a layer from JSON if the text begins like that, else from TOML. It is the same when it is written and read
/// again, in both forms. A small one is opened and goes forward and backward.
pub fn layer(registry: &Registry, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = match text.starts_with('{') {
        true => LayerConfig::from_json(text),
        false => LayerConfig::from_toml(text),
    };
    let Ok(layer) = read else {
        return;
    };
    assert_same_when_written(&layer);
    if is_small(&layer) {
        match layer.open(registry) {
            Ok(opened) => use_layer(&opened),
            Err(why) => assert!(!is_bug(why.kind()), "{text}\n{why}"),
        }
    }
}

fn assert_same_when_written(layer: &LayerConfig) {
    let text = layer.to_json().expect("a layer that was read is valid");
    let again = LayerConfig::from_json(&text).unwrap_or_else(|why| panic!("{text}\n{why}"));
    assert_eq!(again.to_json().expect("likewise"), text);
    // What TOML has no way to say is an error; what it says is the layer.
    let Ok(toml) = layer.to_toml() else {
        return;
    };
    let again = LayerConfig::from_toml(&toml).unwrap_or_else(|why| panic!("{toml}\n{why}"));
    assert_eq!(again.to_json().expect("likewise"), text, "{toml}");
}

fn is_small(layer: &LayerConfig) -> bool {
    let (oracle, sampling) = (&layer.oracle, &layer.sampling);
    sampling.samples <= 4
        && sampling.threads <= 1
        && oracle.isolation.is_none()
        && oracle.fallback.len() <= 2
        && !is_large(&oracle.config)
}

fn use_layer(opened: &Opened) {
    const MOST_COORDINATES: usize = 8;
    let dim = opened.layer.dim();
    if dim > MOST_COORDINATES {
        return;
    }
    let theta: Vec<f64> = (0..2 * dim).map(|i| (i as f64 - 3.0) / 2.0).collect();
    let states = opened.layer.map(&theta).expect("theta is finite");
    let z = states.z().to_vec();
    check(forward_and_backward(opened, &theta));
    check(opened.layer.marginals(&theta, 1));
    if let Some(loss) = &opened.loss {
        let labels = Labels::states(&z).with_theta(&theta);
        check(loss.evaluate(&theta, &labels, 2).map(|_| ()));
    }
}

fn forward_and_backward(opened: &Opened, theta: &[f64]) -> Result<(), Error> {
    let layer = &opened.layer;
    let saved = layer.forward(theta, 0)?;
    let grad_z: Vec<f64> = saved.z().iter().map(|z| z - 0.5).collect();
    let gradient = layer.backward(saved, &grad_z)?.all_solved()?;
    assert_eq!(gradient.len(), theta.len());
    Ok(())
}

fn check<T>(result: Result<T, Error>) {
    if let Err(why) = result {
        let expected = why.kind() != ErrorKind::NotFound && !is_bug(why.kind());
        assert!(expected, "{why}");
    }
}
