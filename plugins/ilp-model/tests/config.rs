//! What a configuration may say, and the sentence for each that it may not.

use imle_api::{ErrorKind, read_config};
use imle_ilp_model::{Config, Kind, Problem};
use serde_json::{Value, json};

fn open(config: &Value) -> Result<Problem, imle_api::Error> {
    Problem::new(read_config(&config.to_string())?)
}

/// A model of one row over `variables`.
fn model(variables: Value, row: Value) -> Value {
    json!({"model": {"variables": variables, "rows": [row]}})
}

fn x_and_y() -> Value {
    json!([{"name": "x", "kind": "binary"}, {"name": "y", "kind": "integer", "upper": 3}])
}

fn row() -> Value {
    json!({"name": "r", "terms": {"x": 1, "y": 2}, "sense": "<=", "rhs": 3})
}

fn with(mut config: Value, key: &str, value: Value) -> Value {
    config[key] = value;
    config
}

#[test]
fn each_mistake_has_its_sentence() {
    let one = |variable: Value| {
        model(
            json!([variable]),
            json!({"terms": {}, "sense": "<=", "rhs": 0}),
        )
    };
    let good = || model(x_and_y(), row());
    let cases = [
        (
            json!({}),
            "exactly one of `model` and `file` describes the problem",
        ),
        (
            with(good(), "file", json!("m.lp")),
            "exactly one of `model` and `file` describes the problem",
        ),
        (
            with(good(), "keep_objective", json!(true)),
            "keep_objective needs `file`: an inline model has no objective",
        ),
        (
            model(
                x_and_y(),
                json!({"terms": {"z": 1}, "sense": "=", "rhs": 1}),
            ),
            "row `row 1` names unknown variable `z`",
        ),
        (
            one(json!({"name": "", "kind": "binary"})),
            "a variable has an empty name",
        ),
        (
            json!({"model": {"binaries": 2, "variables": [{"name": "x1", "kind": "binary"}]}}),
            "two variables are named `x1`",
        ),
        (
            json!({"model": {"binaries": 2, "rows": [row_named("a"), row_named("a")]}}),
            "two rows are named `a`",
        ),
        (
            // Found by fuzzing: they would take all memory, and then the process with them.
            json!({"model": {"binaries": 1_000_000_000_000_u64}}),
            "binaries = 1000000000000 is more than 1048576",
        ),
        (
            one(json!({"name": "n", "kind": "integer", "lower": 2, "upper": 1})),
            "the bounds 2 and 1 of variable `n` are crossed",
        ),
        (
            one(json!({"name": "n", "kind": "integer", "lower": "inf"})),
            "the bounds inf and inf of variable `n` are crossed",
        ),
        (
            one(json!({"name": "n", "kind": "integer", "lower": 0.2, "upper": 0.8})),
            "the bounds 0.2 and 0.8 of variable `n` have no integer between them",
        ),
        (
            one(json!({"name": "b", "kind": "binary", "upper": 2})),
            "the bounds 0 and 2 of variable `b`, which is binary, leave 0 to 1",
        ),
        (
            one(json!({"name": "b", "kind": "binary", "lower": -1})),
            "the bounds -1 and 1 of variable `b`, which is binary, leave 0 to 1",
        ),
        (
            model(
                x_and_y(),
                json!({"terms": {"x": 0}, "sense": "=", "rhs": 1}),
            ),
            "row `row 1` has no terms, and 0 is not from 1 to 1",
        ),
        (
            model(
                x_and_y(),
                json!({"terms": {"x": 1}, "sense": ">=", "rhs": 1e30}),
            ),
            "row `row 1` asks for a value from inf to inf",
        ),
        (
            with(good(), "theta", json!(["x", "z"])),
            "theta names unknown variable `z`",
        ),
        (
            with(good(), "theta", json!(["x", "x"])),
            "theta names variable `x` twice",
        ),
        (with(good(), "theta", json!([])), "theta names no variable"),
        (
            one(json!({"name": "c", "kind": "continuous"})),
            "no variable is binary or integer: say with `theta` which form the state",
        ),
        (
            with(good(), "objective", json!({"z": 1})),
            "objective names unknown variable `z`",
        ),
        (
            with(good(), "integrality_tolerance", json!(0.5)),
            "integrality_tolerance = 0.5 is not at least 0 and below 0.5",
        ),
        (
            with(good(), "integrality_tolerance", json!(-1e-9)),
            "integrality_tolerance = -0.000000001 is not at least 0 and below 0.5",
        ),
    ];
    for (config, expected) in cases {
        let error = open(&config).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::InvalidConfig, expected),
            "{config}"
        );
    }
}

fn row_named(name: &str) -> Value {
    json!({"name": name, "terms": {"x0": 1}, "sense": "<=", "rhs": 3})
}

#[test]
fn the_reader_finds_the_key() {
    for (text, expected) in [
        (r#"{"modle": {}}"#, "unknown field `modle`"),
        (
            r#"{"model": {"rows": [{"terms": {"x": 1, "x": 2}, "sense": "=", "rhs": 1}]}}"#,
            "variable `x` appears twice",
        ),
        (
            r#"{"model": {"rows": [{"terms": {}, "sense": "<", "rhs": 1}]}}"#,
            "unknown variant `<`",
        ),
        (
            r#"{"model": {"variables": [{"name": "x", "kind": "bool"}]}}"#,
            "unknown variant `bool`",
        ),
        (
            r#"{"model": {"variables": [{"name": "x", "kind": "integer", "lower": "none"}]}}"#,
            "expected a number, \"inf\" or \"-inf\"",
        ),
        (
            r#"{"model": {"rows": [{"terms": {"x": 1e999}, "sense": "=", "rhs": 1}]}}"#,
            "number out of range",
        ),
    ] {
        let error = read_config::<Config>(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.message().contains(expected), "{error}");
    }
}

#[test]
fn numbers_that_json_cannot_say_are_refused_too() {
    let bad = |change: fn(&mut imle_ilp_model::RowConfig)| {
        let mut config: Config = read_config(&model(x_and_y(), row()).to_string()).unwrap();
        change(&mut config.model.as_mut().unwrap().rows[0]);
        Problem::new(config).unwrap_err().message().to_owned()
    };
    assert_eq!(
        bad(|row| row.rhs = f64::NAN),
        "row `r` has a right-hand side that is not a number"
    );
    assert_eq!(
        bad(|row| row.terms.0[0].1 = f64::NAN),
        "row `r` has the coefficient NaN"
    );
    assert_eq!(
        bad(|row| row.terms.0[1].1 = f64::INFINITY),
        "row `r` has the coefficient inf"
    );
    assert_eq!(
        bad(|row| row.terms.0[1].0 = "x".to_owned()),
        "row `r` names a variable twice"
    );
    let config = Config {
        integrality_tolerance: f64::NAN,
        ..Config::default()
    };
    assert!(Problem::new(config).unwrap_err().message().contains("NaN"));
}

#[test]
fn the_defaults_are_the_usual_ones() {
    let problem = open(&json!({"model": {"binaries": 1, "variables": [
        {"name": "c", "kind": "continuous"},
        {"name": "n", "kind": "integer", "lower": -0.5, "upper": 2.5},
        {"name": "free", "kind": "continuous", "lower": "-inf", "upper": 1e20}
    ]}}))
    .unwrap();
    let variables = problem.model().variables();
    let described: Vec<_> = variables
        .iter()
        .map(|v| (v.name.as_str(), v.kind, v.lower, v.upper))
        .collect();
    let expected = [
        ("x0", Kind::Binary, 0.0, 1.0),
        ("c", Kind::Continuous, 0.0, f64::INFINITY),
        ("n", Kind::Integer, 0.0, 2.0),
        ("free", Kind::Continuous, f64::NEG_INFINITY, f64::INFINITY),
    ];
    assert_eq!(described, expected);
    assert_eq!(
        problem.theta(),
        [0, 2],
        "binary and integer variables, as declared"
    );
}

#[test]
fn files_are_named_in_errors() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let write = |name: &str, bytes: &[u8]| {
        let path = format!("{folder}/{name}");
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let broken = write("broken.LP", b"max x\nst\n x + <= 1\nend");
    let binary = write("binary.mps", b"NAME \xff\xfe");
    let compressed = write("model.lp.gz", b"");
    let missing = format!("{folder}/missing.mps");
    for (path, kind, expected) in [
        (
            &broken,
            ErrorKind::InvalidConfig,
            "line 3, column 6: expected a number or a variable, found `<=`",
        ),
        (&binary, ErrorKind::InvalidConfig, "not UTF-8 text"),
        (
            &compressed,
            ErrorKind::InvalidConfig,
            "the name must end in .lp or .mps",
        ),
        (&missing, ErrorKind::Io, "os error"),
    ] {
        let error = open(&json!({"file": path})).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().starts_with(&format!("file {path}: ")),
            "{error}"
        );
        assert!(error.message().contains(expected), "{error}");
    }
}

#[test]
fn the_objective_of_a_file_counts_only_when_kept_and_with_its_sense() {
    let path = format!("{}/sense.lp", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, "min 3 x - 2 y\nst\n x + y <= 1\nbinaries\n x y\nend").unwrap();
    let objective = |config: Value| {
        let mut objective = Vec::new();
        open(&config)
            .unwrap()
            .objective_for(&[0.0, 32.0], &mut objective)
            .unwrap();
        objective
    };
    assert_eq!(objective(json!({"file": path})), [0.0, 32.0]);
    assert_eq!(
        objective(json!({"file": path, "keep_objective": true})),
        [-3.0, 34.0]
    );
    let both = json!({"file": path, "keep_objective": true, "objective": {"x": 1}});
    assert_eq!(objective(both), [-2.0, 34.0]);
}

#[test]
fn the_schema_documents_the_keys() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let keys = schema["properties"].as_object().unwrap();
    for key in [
        "model",
        "file",
        "theta",
        "objective",
        "keep_objective",
        "integrality_tolerance",
    ] {
        assert!(keys[key]["description"].is_string(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], json!(false));
}
