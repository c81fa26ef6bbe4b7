//! What every back end promises, of CBC.

#[path = "../../ilp-model/tests/common/engine.rs"]
mod engine;

use std::time::Duration;

use imle_api::{Linked, solve_one};
use imle_ilp_cbc::IlpCbc;
use serde_json::json;

#[test]
fn it_obeys_the_contract() {
    engine::obeys_the_contract::<IlpCbc>();
}

#[test]
fn it_is_the_same_resident_and_fresh() {
    engine::is_the_same_resident_and_fresh::<IlpCbc>();
}

#[test]
fn it_tells_infeasible_from_unbounded() {
    engine::tells_infeasible_from_unbounded::<IlpCbc>();
}

#[test]
fn it_ends_in_time() {
    engine::ends_in_time::<IlpCbc>(Duration::from_millis(500), Duration::from_secs(20));
}

/// Where Clp had at most two rows and two columns, an assertion of it ended the process.
#[test]
fn models_of_two_rows_and_two_columns_agree_with_enumeration() {
    const LARGEST: i32 = 40;
    let mut random = fastrand::Rng::with_seed(288);
    let mut coefficient = || f64::from(random.i32(-90..=90)) / 10.0;
    for model in 0..1000 {
        let rows = [193.4, 102.2].map(|rhs| ([coefficient(), coefficient()], rhs));
        let theta = [coefficient(), coefficient()];
        let found = solve_one(&two_by_two(&rows, LARGEST), &theta);
        let (z, _) = found.unwrap_or_else(|why| panic!("model {model}: {why}"));
        let worth = |c: &[f64; 2], z: &[f64]| c[0] * z[0] + c[1] * z[1];
        let best = (0..=LARGEST)
            .flat_map(|a| (0..=LARGEST).map(move |b| [f64::from(a), f64::from(b)]))
            .filter(|z| rows.iter().all(|(c, rhs)| worth(c, z) <= rhs + 1e-9))
            .map(|z| worth(&theta, &z))
            .fold(f64::NEG_INFINITY, f64::max);
        let value = worth(&theta, &z);
        assert!(
            value >= best - 1e-6,
            "model {model}: {z:?} is worth {value}, not {best}"
        );
    }
}

fn two_by_two(rows: &[([f64; 2], f64); 2], largest: i32) -> Linked<IlpCbc> {
    let integer =
        |name: &str| json!({"name": name, "kind": "integer", "lower": 0, "upper": largest});
    let rows =
        rows.map(|([a, b], rhs)| json!({"terms": {"a": a, "b": b}, "sense": "<=", "rhs": rhs}));
    let config = json!({"model": {"variables": [integer("a"), integer("b")], "rows": rows}});
    Linked::<IlpCbc>::open(&config.to_string()).expect("the model is sound")
}
