//! `imle run`: a layer in a file, forward and backward, is the layer of a program.

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use common::{imle, text};
use imle_api::Linked;
use imle_cli::arrays::Array;
use imle_k_subset::KSubset;
use imle_runtime::{
    Feedback, Imle, Labels, Layer, LossLayer, Oracle, Pid, Sampling, ScoreFunction, Sense, SpoPlus,
};
use tempfile::TempDir;

const INSTANCE: &str = r#"{"dim": 4, "k": 2}"#;
const THETA: [f64; 8] = [0.3, -0.1, 0.8, 0.2, 0.5, -2.0, 1.0, 0.0];
const LAYER: &str = r#"
[oracle]
solver = "k-subset"
config = { dim = 4, k = 2 }

[sampling]
samples = 3
seed = 5

[estimator]
type = "imle"
target = { type = "pid", lambda = 2.0 }
"#;

/// A folder with theta and a file of a layer.
fn folder(layer: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let config = folder.path().join("layer.toml");
    fs::write(&config, layer).expect("it is written");
    Array::new([2, 4], THETA.to_vec())
        .write(&folder.path().join("theta.npy"), None)
        .expect("it is written");
    (folder, config)
}

fn oracle() -> Arc<dyn Oracle> {
    Arc::new(Linked::<KSubset>::open(INSTANCE).expect("k fits dim"))
}

fn sampling(sense: Sense) -> Sampling {
    Sampling {
        samples: 3,
        seed: 5,
        sense,
        ..Sampling::default()
    }
}

fn imle_layer() -> Layer {
    let estimator = Imle {
        target: Arc::new(Pid::new(2.0)),
        ..Imle::default()
    };
    Layer::new(oracle(), estimator, sampling(Sense::Maximize)).expect("the settings are right")
}

#[test]
fn forward_and_backward_are_those_of_the_layer() {
    let run = "\n[run]\ntheta = \"theta.npy\"\ngrad_z = \"grad_z.npy\"\nz = \"z.npy\"\nmarginals = \"mu.csv\"\n\
               grad_theta = \"grad_theta.npy\"\ncall = 9\n";
    let (folder, config) = folder(&format!("{LAYER}{run}"));
    let grad_z: Vec<f64> = (0..24).map(|i| f64::from(i % 5) - 2.0).collect();
    let file = |name: &str| folder.path().join(name);
    Array::new([2, 3, 4], grad_z.clone())
        .write(&file("grad_z.npy"), None)
        .unwrap();
    let ran = imle(&["run", text(&config)]).succeeded();
    assert!(ran.stdout.contains("gradient [2, 4]: "), "{}", ran.stdout);
    let layer = imle_layer();
    let saved = layer.forward(&THETA, 9).unwrap();
    let z = Array::read(&file("z.npy")).unwrap();
    assert_eq!((z.shape, &z.values[..]), (vec![2, 3, 4], saved.z()));
    assert_eq!(
        Array::read(&file("mu.csv")).unwrap().values,
        saved.states().marginals()
    );
    let grad = layer.backward(saved, &grad_z).unwrap().theta;
    assert_eq!(Array::read(&file("grad_theta.npy")).unwrap().values, grad);
    assert!(grad.iter().any(|value| *value != 0.0));
}

#[test]
fn other_feedback_and_options_take_the_place_of_the_file() {
    let run = "\n[run]\ntheta = \"theta.npy\"\ngrad_z = \"no_such.npy\"\ngrad_theta = \"g.npy\"\n";
    let (folder, config) = folder(&format!("{LAYER}{run}"));
    let file = |name: &str| folder.path().join(name);
    let grad_mean = [1.0, 0.0, -1.0, 0.5, 0.0, 0.0, 2.0, 1.0];
    Array::new([2, 4], grad_mean.to_vec())
        .write(&file("mean.csv"), None)
        .unwrap();
    imle(&[
        "run",
        text(&config),
        "--grad-mean",
        text(&file("mean.csv")),
        "--call",
        "4",
    ])
    .succeeded();
    let layer = imle_layer();
    let saved = layer.forward(&THETA, 4).unwrap();
    let grad = layer
        .backward(saved, Feedback::GradMean(&grad_mean))
        .unwrap()
        .theta;
    assert_eq!(Array::read(&file("g.npy")).unwrap().values, grad);
}

#[test]
fn losses_reach_an_estimator_that_needs_no_derivative() {
    let layer = LAYER.split("[estimator]").next().unwrap().to_owned()
        + "[estimator]\ntype = \"score_function\"\nscore = \"noise\"\n";
    let (folder, config) = folder(&layer);
    let file = |name: &str| folder.path().join(name);
    let losses = [0.5, 1.0, 2.0, 0.0, -1.0, 3.0];
    Array::new([2, 3], losses.to_vec())
        .write(&file("losses.npy"), None)
        .unwrap();
    let arguments = [
        "run",
        text(&config),
        "--theta",
        text(&file("theta.npy")),
        "--losses",
        text(&file("losses.npy")),
        "--grad-theta",
        text(&file("g.npy")),
        "--json",
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let json = imle(&arguments).succeeded().json();
    assert_eq!(json["samples"], 3);
    let layer = Layer::new(
        oracle(),
        ScoreFunction::default(),
        sampling(Sense::Maximize),
    )
    .unwrap();
    let saved = layer.forward(&THETA, 0).unwrap();
    let grad = layer
        .backward(saved, Feedback::Losses(&losses))
        .unwrap()
        .theta;
    assert_eq!(Array::read(&file("g.npy")).unwrap().values, grad);
}

#[test]
fn a_layer_with_a_loss_gives_its_value_and_gradient() {
    let layer = "[oracle]\nsolver = \"k-subset\"\nconfig = { dim = 4, k = 2 }\n[sampling]\nsamples = 3\nseed = 5\n\
                 sense = \"minimize\"\n[loss]\ntype = \"spo_plus\"\n[run]\ntheta = \"theta.npy\"\n\
                 true_theta = \"true.csv\"\nstates = \"states.csv\"\nloss_values = \"losses.csv\"\ngrad_theta = \"g.csv\"\n";
    let (folder, config) = folder(layer);
    let file = |name: &str| folder.path().join(name);
    let costs = [1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0];
    let best = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    Array::new([2, 4], costs.to_vec())
        .write(&file("true.csv"), None)
        .unwrap();
    Array::new([2, 4], best.to_vec())
        .write(&file("states.csv"), None)
        .unwrap();
    imle(&["run", text(&config)]).succeeded();
    let loss = LossLayer::new(oracle(), SpoPlus, sampling(Sense::Minimize)).unwrap();
    let labels = Labels::theta(&costs).with_states(&best);
    let value = loss.evaluate(&THETA, &labels, 0).unwrap();
    assert_eq!(
        Array::read(&file("losses.csv")).unwrap().values,
        value.losses
    );
    assert_eq!(Array::read(&file("g.csv")).unwrap().values, value.theta);
}

#[test]
fn feedback_that_is_turned_is_refused_and_lines_are_not() {
    let run = "[run]\ntheta = \"theta.npy\"\ngrad_theta = \"g.npy\"\ngrad_z = ";
    let (folder, config) = folder(&format!("{LAYER}{run}\"grad_z.npy\"\n"));
    let write = |shape: &[usize]| {
        let array = Array::new(shape, vec![0.5; 24]);
        array
            .write(&folder.path().join("grad_z.npy"), None)
            .unwrap();
    };
    write(&[4, 3, 2]);
    let says = ["grad_z.npy: the shape is [4, 3, 2], and should be [2, 3, 4]"];
    imle(&["run", text(&config)]).failed(3, &says);
    write(&[6, 4]);
    imle(&["run", text(&config)]).succeeded();
}

#[test]
fn what_is_wrong_is_named() {
    let refused = |layer: &str, code: i32, says: &[&str]| {
        let (_folder, config) = folder(layer);
        imle(&["run", text(&config)]).failed(code, says);
    };
    let theta = "theta = \"theta.npy\"\n";
    // The line is that of the file, also behind the table of the run.
    let wrong = format!("[run]\n{theta}\n{LAYER}").replace("samples = 3", "sample = 3");
    refused(
        &wrong,
        3,
        &["layer.toml", "unknown field `sample`", "line 10"],
    );
    refused(
        &format!("{LAYER}[run]\nthetas = \"x\"\n"),
        3,
        &["[run]", "unknown field `thetas`"],
    );
    refused(LAYER, 3, &["no file of theta"]);
    refused(
        &format!("{LAYER}[run]\ntheta = \"absent.npy\"\n"),
        6,
        &["absent.npy"],
    );
    refused(
        &format!("{LAYER}[run]\n{theta}grad_z = \"theta.npy\"\ngrad_theta = \"g.npy\"\n"),
        3,
        &["theta.npy: the shape is [2, 4], and should be [2, 3, 4]"],
    );
    refused(
        &format!("{LAYER}[run]\n{theta}grad_mean = \"theta.npy\"\n"),
        3,
        &["no file for the gradient"],
    );
    refused(
        &format!("{LAYER}[run]\n{theta}grad_mean = \"theta.npy\"\nlosses = \"theta.npy\"\n"),
        3,
        &["more than one of grad_z, grad_mean and losses"],
    );
    refused(
        &LAYER.replace("k-subset", "k_subset"),
        5,
        &["no solver `k_subset`", "searched in"],
    );
    imle(&["run", "/no/such.toml"]).failed(6, &["/no/such.toml"]);
}

/// A pass forward alone, with a file that names a gradient, is not silent about it.
#[test]
fn what_is_not_written_is_said() {
    let run = "[run]\ntheta = \"theta.npy\"\n";
    let (_folder, config) = folder(&format!("{LAYER}{run}"));
    let ran = imle(&["run", text(&config)]).succeeded();
    assert!(ran.stderr.contains("nothing is written"), "{}", ran.stderr);
    let (folder, config) = self::folder(&format!("{LAYER}{run}grad_theta = \"g.npy\"\n"));
    let ran = imle(&["run", text(&config)]).succeeded();
    assert!(
        ran.stderr.contains("no gradient is written"),
        "{}",
        ran.stderr
    );
    assert!(!folder.path().join("g.npy").exists());
}
