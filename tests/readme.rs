//! The README shows what is there.

#[path = "common/oracles.rs"]
mod oracles;

const README: &str = include_str!("../README.md");

/// The blocks of a README in a language, without their fences.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let opened = README.split(opening.as_str()).skip(1);
    opened.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn its_first_program_is_the_quickstart() {
    let quickstart = include_str!("../examples/quickstart.rs");
    let (_, program) = quickstart
        .split_once("\n\n")
        .expect("a doc comment, then the program");
    assert_eq!(blocks("rust,no_run"), [program]);
}

#[test]
fn its_layer_can_be_opened() {
    let layer =
        imle_runtime::LayerConfig::from_toml(blocks("toml")[0]).expect("the layer is right");
    layer
        .open(&oracles::registry())
        .expect("the plugin is there");
}

#[test]
fn its_table_lists_every_plugin() {
    for listing in oracles::registry().list() {
        assert!(
            README.contains(&format!("\n| `{}` |", listing.name)),
            "{}",
            listing.name
        );
    }
}
