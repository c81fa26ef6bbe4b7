//! The names that configurations can use.

use serde::de::DeserializeOwned;

/// The names of an open set: what reading an unknown one says was expected.
pub(crate) fn names<T: DeserializeOwned>() -> Vec<String> {
    let unknown = serde_json::json!({"type": "no such name"});
    let Err(why) = serde_json::from_value::<T>(unknown) else {
        panic!("`no such name` is a name");
    };
    let why = why.to_string();
    let (_, expected) = why
        .split_once("expected ")
        .unwrap_or_else(|| panic!("no list of names in: {why}"));
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
