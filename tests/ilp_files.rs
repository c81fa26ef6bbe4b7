//! The same model as an LP file, as an MPS file and written out has the same states, over every back end.

#[path = "common/ilp.rs"]
mod ilp;

use ilp::backends;
use serde_json::{Value, json};

fn file(extension: &str) -> Value {
    json!({"file": format!("{}/plugins/ilp-model/tests/models/crew.{extension}", env!("CARGO_MANIFEST_DIR"))})
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
    for backend in backends() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut told_apart = 0;
        for _ in 0..100 {
            let theta: Vec<f64> = (0..4).map(|_| (random.f64() - 0.5) * 10.0).collect();
            let [without, with] = forms.each_ref().map(|forms| {
                let [lp, mps, inline] = forms.each_ref().map(|form| backend.state(form, &theta));
                assert_eq!(lp, mps, "{backend}");
                assert_eq!(lp, inline, "{backend}");
                lp
            });
            told_apart += usize::from(without != with);
        }
        assert!(
            told_apart > 10,
            "{backend}: the objective of the file has a say only where it is kept"
        );
    }
}
