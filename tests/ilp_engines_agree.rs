//! The integer-programming back ends give the same answers: one configuration, another word.

#[path = "common/oracles.rs"]
mod oracles;

use imle_runtime::{Error, ErrorKind, Oracle, solve_one};
use oracles::{numbers, registry};
use serde_json::{Map, Value, json};

/// A small random program: mixed kinds, rows of all senses, sometimes infeasible.
fn program(random: &mut fastrand::Rng) -> (Value, usize) {
    let count = random.usize(2..=8);
    let variable = |at: usize, random: &mut fastrand::Rng| match random.usize(0..3) {
        0 => json!({"name": format!("v{at}"), "kind": "integer", "lower": -2, "upper": 3}),
        _ => json!({"name": format!("v{at}"), "kind": "binary"}),
    };
    let mut variables: Vec<Value> = (0..count).map(|at| variable(at, random)).collect();
    variables.push(json!({"name": "slack", "kind": "continuous", "lower": 0, "upper": 2.5}));
    let mut rows = Vec::new();
    for _ in 0..random.usize(1..=4) {
        let mut terms = Map::new();
        for at in 0..count {
            if random.bool() {
                terms.insert(format!("v{at}"), json!(random.i32(-3..=5)));
            }
        }
        terms.insert("slack".to_owned(), json!(random.i32(-1..=1)));
        let sense = ["<=", "<=", ">=", "="][random.usize(0..4)];
        rows.push(json!({"terms": terms, "sense": sense, "rhs": random.i32(-2..=7)}));
    }
    (
        json!({"model": {"variables": variables, "rows": rows}}),
        count,
    )
}

/// The objective, or the kind of the error.
fn answer(oracle: &dyn Oracle, theta: &[f64]) -> Result<f64, ErrorKind> {
    let solved = solve_one(oracle, theta);
    solved
        .map(|(_, solved)| solved.objective)
        .map_err(|why: Error| why.kind())
}

#[test]
fn every_engine_finds_the_same_objectives_and_the_same_errors() {
    let registry = registry();
    let engines: Vec<String> = registry
        .list()
        .into_iter()
        .map(|listing| listing.name)
        .filter(|name| name.starts_with("ilp-"))
        .collect();
    assert!(engines.len() >= 2, "{engines:?}");
    let mut random = fastrand::Rng::with_seed(7);
    let (mut solved, mut infeasible) = (0, 0);
    for model in 0..400 {
        let (config, count) = program(&mut random);
        // One that shows itself to be impossible is refused, by all.
        let open = |engine: &String| registry.open(engine, &config).map_err(|why| why.kind());
        let opened: Vec<_> = engines.iter().map(open).collect();
        let Ok(oracles) = opened.iter().cloned().collect::<Result<Vec<_>, _>>() else {
            assert!(opened.iter().all(Result::is_err), "model {model}: {config}");
            continue;
        };
        for objective in 0..4 {
            let theta: Vec<f64> = match objective {
                0 => vec![0.0; count],
                1 => numbers(count, model)
                    .iter()
                    .map(|theta| (3.0 * theta).round())
                    .collect(),
                _ => numbers(count, model + 1000 * objective),
            };
            let first = answer(&*oracles[0], &theta);
            for (engine, oracle) in engines.iter().zip(&oracles).skip(1) {
                let other = answer(&**oracle, &theta);
                let same = match (first, other) {
                    (Ok(first), Ok(other)) => (first - other).abs() <= 1e-6 * (1.0 + first.abs()),
                    (first, other) => first == other,
                };
                let first_engine = &engines[0];
                assert!(
                    same,
                    "model {model}, {theta:?}: {first_engine} {first:?}, {engine} {other:?}\n{config}"
                );
            }
            match first {
                Ok(_) => solved += 1,
                Err(_) => infeasible += 1,
            }
        }
    }
    assert!(
        solved > 500 && infeasible > 50,
        "{solved} solved, {infeasible} infeasible"
    );
}
