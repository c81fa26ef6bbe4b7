//! The public vectors hold, and the runner notices when one does not.

#[path = "../examples/golden/cases.rs"]
mod cases;
#[path = "common/oracles.rs"]
mod oracles;

use cases::Verdict;
use serde_json::Value;

fn all_cases() -> Vec<Value> {
    let files = [
        include_str!("vectors/imle_vectors.json"),
        include_str!("vectors/own_vectors.json"),
    ];
    let cases = |text: &str| {
        let file: Value = serde_json::from_str(text).expect("the file is JSON");
        file["cases"].as_array().expect("a list of cases").clone()
    };
    files.into_iter().flat_map(cases).collect()
}

#[test]
fn every_supported_case_holds() {
    let registry = oracles::registry();
    let mut held = 0;
    for case in all_cases() {
        match cases::run(&case, &registry) {
            Verdict::Ok => held += 1,
            Verdict::Fail(what) => panic!("{}: {what}", case["id"]),
            Verdict::Unsupported(what) => panic!("{}: {what}", case["id"]),
        }
    }
    assert_eq!(
        held,
        all_cases().len(),
        "a case that was supported no longer is"
    );
}

#[test]
fn a_wrong_number_anywhere_in_the_expectation_is_noticed() {
    let registry = oracles::registry();
    for case in all_cases() {
        if cases::run(&case, &registry) != Verdict::Ok {
            continue;
        }
        for key in [
            "z",
            "grad",
            "z_prime",
            "theta_prime",
            "grad_per_sample",
            "eps",
            "lower_bound",
            "consistent",
            "c_prime",
            "expected_loss",
            "fd",
            "grad_cost",
            "grad_expected_loss",
            "grad_gumbel",
            "grad_normal",
            "log_partition",
            "loss",
            "losses",
            "marginals",
            "mu_prime",
            "y_mean",
        ] {
            let mut wrong = case.clone();
            if let Some(number) = wrong["expect"].get_mut(key).map(first_number) {
                *number = serde_json::json!(number.as_f64().expect("a number") + 0.5);
                let verdict = cases::run(&wrong, &registry);
                assert!(
                    matches!(verdict, Verdict::Fail(_)),
                    "{} {key}: {verdict:?}",
                    case["id"]
                );
            }
        }
    }
}

fn first_number(value: &mut Value) -> &mut Value {
    match value {
        Value::Array(values) => first_number(&mut values[0]),
        Value::Object(step) => first_number(&mut step["grad_norm"]),
        number => number,
    }
}
