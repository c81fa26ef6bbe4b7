//! The same model as an LP file, as an MPS file and written out.

use imle_api::{Linked, Oracle, solve_one};
use imle_ilp_microlp::IlpMicrolp;
use imle_ilp_model::Problem;
use serde_json::{Value, json};

fn file(extension: &str) -> Value {
    json!({"file": format!("{}/tests/models/crew.{extension}", env!("CARGO_MANIFEST_DIR"))})
}

fn inline() -> Value {
    let binary = |name: &str| json!({"name": name, "kind": "binary"});
    json!({"model": {
        "variables": [
            binary("early"), binary("late"),
            {"name": "crew", "kind": "integer", "lower": -2, "upper": 3},
            {"name": "hired", "kind": "continuous", "upper": 2.5},
            binary("none")
        ],
        "rows": [
            {"name": "work", "terms": {"early": 2, "late": 3, "crew": -1, "hired": -1}, "sense": "<=", "rhs": 1},
            {"name": "one", "terms": {"early": 1, "late": 1, "none": 1}, "sense": "=", "rhs": 1},
            {"name": "hours", "terms": {"crew": 2, "hired": -1}, "sense": "<=", "rhs": 5},
            {"name": "hours, from below", "terms": {"crew": 2, "hired": -1}, "sense": ">=", "rhs": -4}
        ]
    }})
}

fn with(mut config: Value, key: &str, value: Value) -> Value {
    config[key] = value;
    config
}

#[test]
fn the_two_files_are_one_model() {
    let problem =
        |config: Value| Problem::new(imle_api::read_config(&config.to_string()).unwrap()).unwrap();
    let (lp, mps) = (problem(file("lp")), problem(file("mps")));
    assert_eq!(lp.model(), mps.model());
    assert_eq!(
        lp.model().variables(),
        problem(inline()).model().variables()
    );
}

#[test]
fn all_three_forms_have_the_same_states() {
    let known = json!({"early": 4, "late": 3, "crew": 2, "hired": -0.5});
    let forms = [
        [file("lp"), file("mps"), inline()],
        [
            with(file("lp"), "keep_objective", json!(true)),
            with(file("mps"), "keep_objective", json!(true)),
            with(inline(), "objective", known),
        ],
    ];
    let mut random = fastrand::Rng::with_seed(1);
    let mut told_apart = 0;
    for _ in 0..100 {
        let theta: Vec<f64> = (0..4).map(|_| (random.f64() - 0.5) * 10.0).collect();
        let states: Vec<Vec<Vec<f64>>> = forms
            .iter()
            .map(|forms| {
                let solve = |config: &Value| {
                    let oracle = Linked::<IlpMicrolp>::open(&config.to_string()).unwrap();
                    assert_eq!(oracle.facts().dim, 4);
                    solve_one(&oracle, &theta).unwrap().0
                };
                forms.iter().map(solve).collect()
            })
            .collect();
        for states in &states {
            assert_eq!(states[0], states[1]);
            assert_eq!(states[0], states[2]);
        }
        told_apart += usize::from(states[0][0] != states[1][0]);
    }
    assert!(
        told_apart > 10,
        "the objective of the file has a say only where it is kept"
    );
}
