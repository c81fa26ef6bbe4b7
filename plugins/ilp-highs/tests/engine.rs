//! What every back end promises, of HiGHS.

#[path = "../../ilp-model/tests/common/engine.rs"]
mod engine;

use std::time::Duration;

use imle_ilp_highs::IlpHighs;

#[test]
fn it_obeys_the_contract() {
    engine::obeys_the_contract::<IlpHighs>();
}

#[test]
fn it_is_the_same_resident_and_fresh() {
    engine::is_the_same_resident_and_fresh::<IlpHighs>();
}

#[test]
fn it_tells_infeasible_from_unbounded() {
    engine::tells_infeasible_from_unbounded::<IlpHighs>();
}

#[test]
fn it_ends_in_time() {
    engine::ends_in_time::<IlpHighs>(Duration::from_millis(500), Duration::from_secs(20));
}
