//! What every back end promises, of CBC.

#[path = "../../ilp-model/tests/common/engine.rs"]
mod engine;

use std::time::Duration;

use imle_ilp_cbc::IlpCbc;

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
