//! A whole layer from a file.

#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::{
    Address, Error, ErrorKind, Facts, Feedback, LayerConfig, Limits, Noise, Proof, Solver,
};
use oracles::{numbers, registry};
use serde::{Deserialize, Serialize};

const LAYER: &str = r#"
[oracle]
solver = "k-subset"
config = { dim = 10, k = 3 }
cache_bytes = 1_000_000

[sampling]
sense = "minimize"
samples = 4
seed = 7
tau = 0.5
noise = { type = "sum_of_gamma", kappa = 3.0 }
threads = 2

[estimator]
type = "imle"
tau_target = 0.25
target = { type = "pid", lambda = 10.0 }
difference = "central"
divide_by_lambda = true
"#;

fn gradient(layer: &LayerConfig) -> Vec<f64> {
    let imle = layer.open(&registry()).expect("the layer is right").layer;
    let saved = imle.forward(&numbers(20, 1), 0).expect("theta is finite");
    let gradient = imle.backward(saved, &numbers(80, 2));
    gradient.expect("grad_z is finite").theta
}

#[test]
fn a_layer_survives_both_formats() {
    let layer = LayerConfig::from_toml(LAYER).unwrap();
    let (toml, json) = (layer.to_toml().unwrap(), layer.to_json().unwrap());
    let (from_toml, from_json) = (
        LayerConfig::from_toml(&toml).unwrap(),
        LayerConfig::from_json(&json).unwrap(),
    );
    assert_eq!(from_toml.to_json().unwrap(), json);
    assert_eq!(from_json.to_toml().unwrap(), toml);
    assert!(gradient(&layer).iter().any(|&value| value != 0.0));
    assert_eq!(gradient(&layer), gradient(&from_toml));
    assert_eq!(gradient(&layer), gradient(&from_json));
}

#[test]
fn every_noise_and_target_can_be_named() {
    for noise in [
        "none",
        "gumbel",
        "normal",
        "sum_of_gamma\", kappa = \"3",
        "replay\", eps = \"x",
    ] {
        let noise = match noise {
            "sum_of_gamma\", kappa = \"3" => {
                r#"{ type = "sum_of_gamma", kappa = 3.0, terms = 5 }"#.to_owned()
            }
            "replay\", eps = \"x" => r#"{ type = "replay", eps = [[[0.5]]] }"#.to_owned(),
            name => format!(r#"{{ type = "{name}" }}"#),
        };
        for target in [
            r#"{ type = "pid", lambda = 1.0 }"#,
            r#"{ type = "pid", lambda = 1.0, alpha = 0.5 }"#,
            r#"{ type = "relative_pid", ratio = 1.0 }"#,
            r#"{ type = "combinatorial" }"#,
        ] {
            let text = format!(
                "[oracle]\nsolver = \"k-subset\"\n[sampling]\nnoise = {noise}\n[estimator]\ntype = \"imle\"\ntarget = {target}"
            );
            let layer = LayerConfig::from_toml(&text).unwrap();
            assert_eq!(
                LayerConfig::from_toml(&layer.to_toml().unwrap())
                    .unwrap()
                    .to_json()
                    .unwrap(),
                layer.to_json().unwrap()
            );
        }
    }
}

#[test]
fn a_wrong_key_names_itself() {
    let cases = [
        ("samples = 4", "sampels = 4", "sampels"),
        ("solver =", "slover =", "slover"),
        ("kappa = 3.0", "kapa = 3.0", "kapa"),
        ("kappa = 3.0", "kappa = 3.0, term = 4", "term"),
        ("lambda = 10.0", "lamda = 10.0", "lamda"),
        (
            "type = \"pid\", lambda = 10.0",
            "type = \"combinatorial\", lambda = 10.0",
            "lambda",
        ),
        ("\"sum_of_gamma\"", "\"sum_of_gama\"", "sum_of_gama"),
        ("[sampling]", "[samplings]", "samplings"),
        ("\"imle\"", "\"imle2\"", "imle2"),
        ("samples = 4", "samples = -4", "-4"),
        ("sense = \"minimize\"", "sense = \"min\"", "min"),
    ];
    for (right, wrong, name) in cases {
        let text = LAYER.replace(right, wrong);
        assert_ne!(text, LAYER);
        let refused = LayerConfig::from_toml(&text).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidConfig);
        assert!(
            refused.message().contains(&format!("`{name}`")),
            "{wrong}: {refused}"
        );
    }
}

#[test]
fn wrong_values_are_refused_when_the_layer_is_opened() {
    let refused = |right: &str, wrong: &str| {
        let layer = LayerConfig::from_toml(&LAYER.replace(right, wrong));
        let opened = layer.and_then(|layer| layer.open(&registry()));
        opened.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refused("samples = 4", "samples = 0"),
        "invalid configuration: samples = 0; use at least 1"
    );
    assert_eq!(
        refused("k = 3", "k = 30"),
        "invalid configuration: solver `k-subset`: k = 30 is not between 1 and dim = 10"
    );
    assert!(refused("\"k-subset\"", "\"k-sub\"").starts_with("not found: no solver `k-sub`"));
}

/// Noise of a user's own crate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Constant {
    value: f64,
}

#[typetag::serde(name = "constant")]
impl Noise for Constant {
    fn fill(&self, _: &Address, eps: &mut [f64]) -> Result<(), Error> {
        eps.fill(self.value);
        Ok(())
    }
}

#[test]
fn a_configuration_can_name_noise_of_another_crate() {
    let text = LAYER.replace(
        r#""sum_of_gamma", kappa = 3.0"#,
        r#""constant", value = 2.5"#,
    );
    let layer = LayerConfig::from_toml(&text).unwrap();
    assert!(layer.to_toml().unwrap().contains("value = 2.5"));
    gradient(&layer);
}

#[test]
fn the_cache_of_a_layer_is_used() {
    let layer = LayerConfig::from_toml(LAYER)
        .unwrap()
        .open(&registry())
        .unwrap();
    for _ in 0..2 {
        layer.layer.forward(&numbers(20, 1), 0).unwrap();
    }
    let statistics = layer.cache.unwrap().statistics();
    assert_eq!((statistics.hits, statistics.misses), (8, 8));
}

#[test]
fn feedback_of_the_wrong_kind_or_size_is_refused_with_a_sentence() {
    let opened = LayerConfig::from_toml(LAYER)
        .unwrap()
        .open(&registry())
        .unwrap();
    let backward = |feedback: Feedback<'_>| {
        let saved = opened.layer.forward(&numbers(20, 1), 0).unwrap();
        opened.layer.backward(saved, feedback)
    };
    // Two rows, four samples, ten coordinates.
    let refused = backward(Feedback::Losses(&[1.0; 8])).unwrap_err();
    assert_eq!(
        refused.message(),
        "this estimator needs grad_z, the derivative of the loss of each sample"
    );
    let refused = backward(Feedback::Losses(&[1.0; 7])).unwrap_err();
    assert_eq!(
        refused.message(),
        "losses has 7 values for states of [2, 4, 10]"
    );
    // The derivative in the mean stands for that of each sample.
    let grad = numbers(20, 2);
    let repeated: Vec<f64> = grad.chunks(10).flat_map(|row| row.repeat(4)).collect();
    let of_mean = backward(Feedback::GradMean(&grad)).unwrap().theta;
    assert_eq!(of_mean, backward(Feedback::from(&repeated)).unwrap().theta);
    assert!(of_mean.iter().any(|&value| value != 0.0));
}

/// A solver that opens what k-subset opens, and fails on every row.
struct Broken {
    facts: Facts,
}

impl Solver for Broken {
    const NAME: &'static str = "broken";
    const SUMMARY: &'static str = "fails";
    type Config = serde_json::Value;
    type Workspace = ();

    fn new(config: serde_json::Value) -> Result<Self, Error> {
        let dim = config["dim"].as_u64().unwrap_or(1);
        Ok(Self {
            facts: Facts::binary(dim as usize),
        })
    }

    fn facts(&self) -> Facts {
        self.facts
    }

    fn solve(&self, _: &mut (), _: &[f64], _: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
        Err(Error::new(ErrorKind::BackendFailed, "planted"))
    }
}

#[test]
fn the_fallback_of_a_layer_is_asked() {
    let registry = registry();
    registry.link::<Broken>().unwrap();
    let open = |solvers: &str| {
        let text = LAYER.replace("solver = \"k-subset\"", solvers);
        let layer = LayerConfig::from_toml(&text).unwrap();
        let again = LayerConfig::from_toml(&layer.to_toml().unwrap()).unwrap();
        assert_eq!(again.oracle.fallback, layer.oracle.fallback);
        layer.open(&registry)
    };
    let alone = open("solver = \"k-subset\"").unwrap();
    let behind = open("solver = \"broken\"\nfallback = [\"k-subset\"]").unwrap();
    let theta = numbers(20, 1);
    let expected = alone.layer.forward(&theta, 0).unwrap();
    let found = behind.layer.forward(&theta, 0).unwrap();
    assert_eq!(found.z(), expected.z());
    let fallback = behind.fallback.unwrap();
    assert_eq!(fallback.failures(), [("broken", 8), ("k-subset", 0)]);
    assert!(alone.fallback.is_none());

    let refused = |solvers| open(solvers).map(|_| ()).unwrap_err().to_string();
    let unknown = refused("solver = \"broken\"\nfallback = [\"no-such\"]");
    assert!(unknown.starts_with("not found: no solver `no-such`"));
    let twice = refused("solver = \"broken\"\nfallback = [\"k-subset\", \"broken\"]");
    assert!(twice.ends_with("two back ends of a fallback are named `broken`"));
}
