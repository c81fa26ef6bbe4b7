//! Integers without bounds. What all back ends share is tested in `tests/ilp_*.rs` of the workspace.

use imle_api::{ErrorKind, Linked, solve_one};
use imle_ilp_native::IlpNative;
use serde_json::json;

#[test]
fn integers_without_bounds_are_solved_where_the_objective_bounds_them() {
    let config = json!({"model": {"variables": [
        {"name": "n", "kind": "integer", "lower": "-inf", "upper": 2_147_483_648_u32}
    ]}});
    let oracle = Linked::<IlpNative>::open(&config.to_string()).unwrap();
    assert_eq!(solve_one(&oracle, &[1.0]).unwrap().0, [2_147_483_648.0]);
    let error = solve_one(&oracle, &[-1.0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unbounded);
}
