//! `imle solve`, `sample` and `marginals`: rows in, the right rows out, and errors that say where.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{imle, imle_with, text};
use imle_api::Linked;
use imle_cli::arrays::{Array, Format};
use imle_k_subset::KSubset;
use imle_runtime::{Call, Imle, Layer, Sampling, SumOfGamma};
use tempfile::TempDir;

const THREE: &str = r#"{"dim": 3, "k": 1}"#;

/// A folder with a file of theta in it.
fn theta_file(name: &str, array: &Array) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join(name);
    array.write(&path, None).expect("it is written");
    (folder, path)
}

#[test]
fn solve_reads_standard_input_and_writes_standard_output() {
    let solved = imle_with(
        &["solve", "k-subset", "--config", THREE],
        "0.5,2,1\n3,2,1\n",
    );
    assert_eq!(solved.succeeded().stdout, "x0,x1,x2\n0,1,0\n1,0,0\n");
    // Headers, remarks, blank lines and spaces do not matter; a cost is minimised.
    let input = "# costs\na, b, c\n\n0.5, 2, 1\n";
    let minimised = imle_with(
        &["solve", "k-subset", "-c", THREE, "--sense", "minimize"],
        input,
    );
    assert_eq!(minimised.succeeded().rows(), [[1.0, 0.0, 0.0]]);
}

#[test]
fn solve_goes_from_npy_to_npy_and_says_objectives() {
    let theta: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 61) - 30.0).collect();
    let (folder, path) = theta_file("theta.npy", &Array::new([10, 6], theta.clone()));
    let (out, objectives) = (folder.path().join("z.npy"), folder.path().join("o.csv"));
    let config = r#"{"dim": 6, "k": 2}"#;
    let arguments = [
        "solve",
        "k-subset",
        text(&path),
        "-c",
        config,
        "-o",
        text(&out),
        "--objectives",
        text(&objectives),
    ];
    imle(&arguments).succeeded();
    let (z, objectives) = (
        Array::read(&out).unwrap(),
        Array::read(&objectives).unwrap(),
    );
    assert_eq!(
        (&z.shape[..], &objectives.shape[..]),
        (&[10, 6][..], &[10, 1][..])
    );
    for (row, theta) in theta.chunks(6).enumerate() {
        let mut sorted = theta.to_vec();
        sorted.sort_by(f64::total_cmp);
        let chosen = theta
            .iter()
            .zip(&z.values[row * 6..])
            .map(|(theta, z)| theta * z);
        assert_eq!(chosen.sum::<f64>(), sorted[4] + sorted[5]);
        assert_eq!(objectives.values[row], sorted[4] + sorted[5]);
    }
}

#[test]
fn a_configuration_can_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("k.json", THREE), ("k.toml", "dim = 3\nk = 1\n")] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let solved = imle_with(&["solve", "k-subset", "-c", text(&path)], "0,0,1\n");
        assert_eq!(solved.succeeded().rows(), [[0.0, 0.0, 1.0]]);
    }
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, "{").unwrap();
    imle(&["solve", "k-subset", "-c", text(&wrong)]).failed(3, &["wrong.json", "not JSON"]);
}

#[test]
fn json_has_states_objectives_and_errors() {
    let solved = imle_with(&["solve", "k-subset", "-c", THREE, "--json"], "0.5,2,1\n");
    let json = solved.succeeded().json();
    assert_eq!(json["states"], serde_json::json!([[0.0, 1.0, 0.0]]));
    assert_eq!(json["objectives"], serde_json::json!([2.0]));
    assert_eq!(json["errors"], serde_json::json!([]));
    let sampled = imle_with(
        &[
            "sample",
            "k-subset",
            "-c",
            THREE,
            "--json",
            "--samples",
            "4",
        ],
        "0,0,0\n",
    );
    let json = sampled.succeeded().json();
    assert_eq!(json["states"][0].as_array().unwrap().len(), 4);
    let failed = imle_with(&["solve", "no-such", "--json"], "0\n");
    let json = failed.failed(5, &[]).json();
    assert_eq!(json["error"]["exit_code"], 5);
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no solver `no-such`")
    );
}

/// A negative cost where paths could go in circles: that row fails, and the others do not.
#[test]
fn a_row_that_cannot_be_solved_is_nan_and_the_others_are_written() {
    let config = r#"{"grid": {"height": 3, "width": 2, "moves": "four"}, "costs": "vertices"}"#;
    let arguments = ["solve", "shortest-path", "-c", config];
    let input = "-1,-1,-1,-9,-1,-1\n1,1,1,1,1,1\n-1,-1,-9,-1,-9,-1\n";
    let solved = imle_with(&arguments, input);
    let solved = solved.failed(4, &["row 1, sample 0", "1 of 3 could not be solved"]);
    let rows = solved.rows();
    assert_eq!(rows[0], [1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(rows[2], [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    assert!(rows[1].iter().all(|z| z.is_nan()));
    let json = imle_with(&[&arguments[..], &["--json"]].concat(), "1,1,1,1,1,1\n");
    let json = json.failed(4, &[]).json();
    assert_eq!(json["errors"][0]["kind"], "invalid theta");
    assert_eq!(
        json["states"][0],
        serde_json::json!([null, null, null, null, null, null])
    );
    assert_eq!(json["objectives"], serde_json::json!([null]));
}

#[test]
fn errors_name_the_file_the_line_the_column_and_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let solve = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        imle(&["solve", "k-subset", text(&path), "-c", THREE])
    };
    solve("a.csv", b"1,2,3\n4,x,6\n")
        .failed(3, &["a.csv", "line 2, column 2: `x` is not a number"]);
    solve("b.csv", b"cost,time,fee\n1,2,\n")
        .failed(3, &["line 2, column 3 (`fee`): `` is not a number"]);
    solve("c.csv", b"1,2,3\n4,5\n").failed(3, &["line 2 has 2 values, and the first row has 3"]);
    solve("d.csv", b"1,2\n").failed(
        3,
        &["d.csv: the shape is [1, 2], and rows must have 3 values"],
    );
    solve("e.csv", b"1,2,3\n1,nan,3\n").failed(
        3,
        &["row 1, column 1, counted from 0: NaN is not a finite number"],
    );
    solve("f.csv", b"1 2 3\n").failed(3, &["put commas or tabs between numbers"]);
    solve("i.csv", b"1;2;3\n").failed(3, &["put commas or tabs between numbers"]);
    let index = "line 1: the first column has no name";
    solve("j.csv", b",a,b,c\n0,1,2,3\n").failed(3, &[index, "index=False"]);
    solve("k.csv", b"\"\",0,1,2\n0,1,2,3\n").failed(3, &[index]);
    solve("g.csv", b"").failed(3, &["there are no rows"]);
    solve("h.npy", b"\x93NUMPY\x01\x00").failed(3, &["h.npy: not a .npy file"]);
    let missing = imle(&["solve", "k-subset", "/no/such.npy", "-c", THREE]);
    missing.failed(6, &["/no/such.npy"]);
    let unknown = imle_with(
        &["solve", "k-subset", "-c", THREE, "-o", "z.parquet"],
        "1,2,3\n",
    );
    unknown.failed(3, &["z.parquet: the extension is not .npy or .csv"]);
    imle(&["solve", "k-subset", "--configuration"]).failed(2, &["unexpected argument"]);
    let wrong = imle_with(&["solve", "k-subset", "-c", r#"{"dim": 3}"#], "1,2,3\n");
    wrong.failed(
        3,
        &[
            "missing field `k`",
            "`imle plugins show k-subset` lists the keys",
        ],
    );
    let no_file = imle(&["solve", "k-subset", "-c", "dim=3"]);
    no_file.failed(6, &["`dim=3` is neither JSON", "nor a file that is there"]);
    imle(&["solve", "k_subset"]).failed(5, &["no solver `k_subset`", "searched in"]);
    let noise = imle(&["sample", "k-subset", "-c", THREE, "--noise", "gumble"]);
    noise.failed(3, &["gumble", "gumbel"]);
    let noise = imle(&["sample", "k-subset", "-c", THREE, "--noise", "gumbel,x=1"]);
    assert!(!noise.stderr.contains("at line"), "{}", noise.stderr);
    noise.failed(3, &["unknown field `x`"]);
    imle(&["sample", "k-subset", "-c", THREE, "--tau", "-1"]).failed(3, &["tau = -1"]);
}

#[test]
fn samples_are_those_of_a_layer_with_the_same_settings() {
    let theta = vec![0.3, -0.1, 0.8, 0.2, 0.5, -2.0, 1.0, 0.0];
    let (folder, path) = theta_file("theta.npy", &Array::new([2, 4], theta.clone()));
    let out = folder.path().join("z.npy");
    let config = r#"{"dim": 4, "k": 2}"#;
    let arguments = [
        "sample",
        "k-subset",
        text(&path),
        "-c",
        config,
        "--samples",
        "5",
        "--seed",
        "7",
        "--call",
        "3",
        "--noise",
        "sum_of_gamma,kappa=2,terms=10",
        "--tau",
        "0.5",
        "-o",
        text(&out),
    ];
    imle(&arguments).succeeded();
    let oracle = Arc::new(Linked::<KSubset>::open(config).unwrap());
    let sampling = Sampling {
        samples: 5,
        seed: 7,
        tau: 0.5.into(),
        noise: Arc::new(SumOfGamma {
            kappa: 2.0,
            terms: Some(10),
        }),
        ..Sampling::default()
    };
    let layer = Layer::new(oracle, Imle::default(), sampling).unwrap();
    let saved = layer.forward(&theta, Call::from(3)).unwrap();
    let sampled = Array::read(&out).unwrap();
    assert_eq!(sampled.shape, [2, 5, 4]);
    assert_eq!(sampled.values, saved.z());
}

/// More rows than one step of the progress bar.
#[test]
fn the_steps_of_a_long_run_do_not_show() {
    let theta: Vec<f64> = (0..3000).map(|i| f64::from(i % 7)).collect();
    let (folder, path) = theta_file("theta.npy", &Array::new([1500, 2], theta.clone()));
    let out = folder.path().join("z.npy");
    let config = r#"{"dim": 2, "k": 1}"#;
    let arguments = [
        "sample",
        "k-subset",
        text(&path),
        "-c",
        config,
        "--samples",
        "2",
        "-o",
        text(&out),
    ];
    imle(&arguments).succeeded();
    let oracle = Arc::new(Linked::<KSubset>::open(config).unwrap());
    let sampling = Sampling {
        samples: 2,
        ..Sampling::default()
    };
    let layer = Layer::new(oracle, Imle::default(), sampling).unwrap();
    assert_eq!(
        Array::read(&out).unwrap().values,
        layer.forward(&theta, 0).unwrap().z()
    );
}

/// The softmax of theta / tau, by Eq. 4 of the I-MLE paper.
fn softmax(theta: &[f64], tau: f64) -> Vec<f64> {
    let weights: Vec<f64> = theta.iter().map(|theta| (theta / tau).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

#[test]
fn marginals_are_exact_or_close() {
    let expected = softmax(&[0.5, 2.0, 1.0], 2.0);
    let arguments = [
        "marginals",
        "k-subset",
        "-c",
        THREE,
        "--tau",
        "2",
        "--seed",
        "1",
    ];
    let exact = imle_with(&[&arguments[..], &["--exact"]].concat(), "0.5,2,1\n").succeeded();
    let sampled = imle_with(
        &[&arguments[..], &["--samples", "20000"]].concat(),
        "0.5,2,1\n",
    )
    .succeeded();
    for (column, &expected) in expected.iter().enumerate() {
        assert!((exact.rows()[0][column] - expected).abs() < 1e-12);
        // Five standard deviations of a share of 20 000 samples are at most 0.018.
        assert!((sampled.rows()[0][column] - expected).abs() < 0.018);
    }
    let none = imle_with(
        &[
            "marginals",
            "knapsack",
            "-c",
            r#"{"weights": [[1, 1]], "capacities": [1]}"#,
            "--exact",
        ],
        "1,1\n",
    );
    none.failed(3, &["unsupported"]);
}

#[test]
fn marginals_are_drawn_as_bars_or_as_a_heat_map() {
    let folder = tempfile::tempdir().unwrap();
    let picture = |name: &str, arguments: &[&str], input: &str| {
        let path = folder.path().join(name);
        let all = [
            &["marginals"],
            arguments,
            &["--samples", "50", "--plot", text(&path)],
        ]
        .concat();
        imle_with(&all, input).succeeded();
        fs::read_to_string(path).unwrap()
    };
    let bars = picture("bars.svg", &["k-subset", "-c", THREE], "1,2,3\n");
    assert!(
        bars.starts_with("<svg") && bars.contains("marginals by coordinate"),
        "{bars}"
    );
    let grid = r#"{"grid": {"height": 3, "width": 4, "moves": "right_down"}, "costs": "vertices"}"#;
    let theta = "-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1\n";
    let map = picture("map.svg", &["shortest-path", "-c", grid], theta);
    // Every cell has a frame, the first and the last, which are on every path, the full colour.
    assert!(map.matches("<rect").count() >= 12, "{map}");
    assert!(
        map.matches(">1.00<").count() >= 2 || map.contains("#0072B2"),
        "{map}"
    );
    let shaped = picture(
        "shaped.svg",
        &["k-subset", "-c", r#"{"dim": 6, "k": 2}"#, "--shape", "2x3"],
        "1,2,3,4,5,6\n",
    );
    assert!(!shaped.contains("by coordinate"));
    let arguments = ["marginals", "k-subset", "-c", THREE, "--plot", "x.png"];
    imle_with(&arguments, "1,2,3\n").failed(3, &["x.png: pictures are .svg"]);
    let arguments = [
        "marginals",
        "k-subset",
        "-c",
        THREE,
        "--plot",
        "x.svg",
        "--row",
        "1",
    ];
    imle_with(&arguments, "1,2,3\n").failed(3, &["--row 1: there are 1 rows"]);
    let arguments = [
        "marginals",
        "k-subset",
        "-c",
        THREE,
        "--plot",
        "x.svg",
        "--shape",
        "2x2",
    ];
    imle_with(&arguments, "1,2,3\n").failed(3, &["--shape 2x2 has not dim = 3 cells"]);
}

#[test]
fn explain_goes_from_the_map_state_to_noise() {
    let arguments = [
        "marginals",
        "k-subset",
        "-c",
        THREE,
        "--explain",
        "--json",
        "--samples",
        "2000",
    ];
    let json = imle_with(&arguments, "0.5,2,1\n1,0,0.2\n")
        .succeeded()
        .json();
    let lines = json["explain"].as_array().unwrap();
    let of = |key: &str| -> Vec<f64> {
        lines
            .iter()
            .map(|line| line[key].as_f64().unwrap())
            .collect()
    };
    assert_eq!(of("tau"), [0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0]);
    let (entropy, share) = (of("entropy"), of("map_share"));
    assert!(
        entropy.is_sorted() && share.is_sorted_by(|a, b| a >= b),
        "{json}"
    );
    assert_eq!(
        (entropy[0], share[0], of("distinct_states")[0]),
        (0.0, 1.0, 1.0)
    );
    // At tau = 100 the three states are nearly alike; 2000 samples tell a share to 0.05.
    assert!((entropy[6] - 3.0_f64.ln()).abs() < 0.05 && (share[6] - 1.0 / 3.0).abs() < 0.05);
    let table = imle_with(&arguments[..5], "0.5,2,1\n").succeeded();
    assert!(table.stdout.contains("share of the MAP state") && table.stdout.contains("1.0000 <-"));
}

#[test]
fn what_is_read_does_not_depend_on_the_format() {
    let theta = Array::new([1, 3], vec![0.25, -1.5, 3.0]);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, format| {
        let path = folder.path().join(name);
        theta.write(&path, Some(format)).unwrap();
        path
    };
    let solve = |path: &Path| {
        imle(&["solve", "k-subset", text(path), "-c", THREE])
            .succeeded()
            .stdout
    };
    // Without an extension, the first bytes say what it is.
    let files = [
        write("a.npy", Format::Npy),
        write("a.csv", Format::Csv),
        write("b", Format::Npy),
        write("c", Format::Csv),
    ];
    assert!(files.iter().all(|path| solve(path) == "x0,x1,x2\n0,0,1\n"));
}

/// As an engine does that somebody else wrote.
#[test]
fn what_a_plugin_prints_does_not_spoil_the_output() {
    let library = common::bad_plugin();
    let arguments = [
        "solve",
        "prints",
        "--library",
        text(&library),
        "-c",
        r#"{"dim": 2}"#,
    ];
    let solved = imle_with(&arguments, "1,2\n").succeeded();
    assert_eq!(solved.stdout, "x0,x1\n0,1\n");
    assert!(solved.stderr.contains("solving 1"), "{}", solved.stderr);
    let json = imle_with(&[&arguments[..], &["--json"]].concat(), "1,2\n");
    assert_eq!(json.succeeded().json()["rows"], 1);
}
