//! METHODS.md has a row for every name that a configuration can use.

#[path = "common/registered.rs"]
mod registered;

use imle_runtime::{Estimator, Noise, Target};

const METHODS: &str = include_str!("../imle-runtime/METHODS.md");

fn assert_listed(names: Vec<String>) {
    assert!(!names.is_empty());
    for name in names {
        let row = format!("\n| `{name}` |");
        assert!(METHODS.contains(&row), "METHODS.md has no row for `{name}`");
    }
}

#[test]
fn every_estimator_target_and_noise_has_a_row() {
    assert_listed(registered::names::<Box<dyn Estimator>>());
    assert_listed(registered::names::<Box<dyn Target>>());
    assert_listed(registered::names::<Box<dyn Noise>>());
}
