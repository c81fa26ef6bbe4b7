//! The same model as an LP file and as an MPS file. `tests/ilp_files.rs` of the workspace solves it.

use imle_api::read_config;
use imle_ilp_model::Problem;
use serde_json::json;

#[test]
fn the_two_files_are_one_model() {
    let [lp, mps] = ["lp", "mps"].map(|extension| {
        let folder = env!("CARGO_MANIFEST_DIR");
        let config = json!({"file": format!("{folder}/tests/models/crew.{extension}")});
        Problem::new(read_config(&config.to_string()).unwrap()).unwrap()
    });
    assert_eq!(lp.model().variables().len(), 5);
    assert_eq!(lp.model(), mps.model());
    assert_eq!(lp.theta(), mps.theta());
}
