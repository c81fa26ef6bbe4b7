//! How large an integer may be. What all back ends share is tested in `tests/ilp_*.rs` of the workspace.

use imle_api::{ErrorKind, Linked, solve_one};
use imle_ilp_microlp::IlpMicrolp;
use serde_json::{Value, json};

#[test]
fn integers_beyond_the_engine_are_refused_and_those_at_its_edge_are_exact() {
    let open = |lower: Value, upper: Value| {
        let config = json!({"model": {"variables": [
            {"name": "n", "kind": "integer", "lower": lower, "upper": upper}
        ]}});
        Linked::<IlpMicrolp>::open(&config.to_string())
    };
    for (lower, upper) in [
        (json!(0), json!("inf")),
        (json!("-inf"), json!(0)),
        (json!(0), json!(2_147_483_648_u32)),
        (json!(-2_147_483_648_i64), json!(0)),
        (json!(0), json!(1e20)),
    ] {
        let error = open(lower.clone(), upper.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{lower}, {upper}");
        assert!(error.message().contains("`n` goes from"), "{error}");
    }
    let edge = open(json!(-2_147_483_647), json!(2_147_483_647)).unwrap();
    assert_eq!(solve_one(&edge, &[1.0]).unwrap().0, [2_147_483_647.0]);
    assert_eq!(solve_one(&edge, &[-1.0]).unwrap().0, [-2_147_483_647.0]);
}
