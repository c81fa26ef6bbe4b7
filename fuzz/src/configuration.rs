//! Configurations of solvers.

use imle_api::{ErrorKind, Limits, Oracle, check_theta, unset};
use imle_runtime::Registry;
use serde_json::Value;
use std::time::Duration;

use super::bytes::Bytes;

/// The solvers, by the first byte; those of C++ engines have the configuration of the other ILP solvers.
const SOLVERS: [&str; 12] = [
    "assignment",
    "categorical",
    "ilp-microlp",
    "ilp-native",
    "k-subset",
    "knapsack",
    "matching",
    "ranking",
    "shortest-path",
    "spanning-tree",
    "top-k",
    "tsp",
];

/// Opens the solver that the first byte names with the JSON text that follows. Behind a zero byte is theta.
pub fn configuration(registry: &Registry, data: &[u8]) {
    let Some((&solver, rest)) = data.split_first() else {
        return;
    };
    let solver = SOLVERS[usize::from(solver) % SOLVERS.len()];
    let mut parts = rest.splitn(2, |&byte| byte == 0);
    let (text, theta) = (parts.next(), parts.next());
    let Ok(config) = serde_json::from_slice::<Value>(text.unwrap_or_default()) else {
        return;
    };
    if is_large(&config) {
        return;
    }
    match registry.open(solver, &config) {
        Ok(oracle) => solve(
            &*oracle,
            &mut Bytes::new(theta.unwrap_or_default().to_vec()),
        ),
        Err(why) => assert!(!is_bug(why.kind()), "{solver}, {config}: {why}"),
    }
}

/// The keys whose numbers say how large a problem is.
const SIZES: [&str; 9] = [
    "binaries", "blocks", "columns", "dim", "height", "nodes", "rows", "vertices", "width",
];

/// Whether a size is beyond what is quickly built and within what somebody may mean. A solver must refuse what nobody
/// can mean before it takes memory for it.
pub(crate) fn is_large(config: &Value) -> bool {
    const QUICK: u64 = 200;
    const MEANT: u64 = 1 << 31;
    let size = |value: &Value| value.as_u64().is_some_and(|n| n > QUICK && n <= MEANT);
    match config {
        Value::Object(entries) => entries.iter().any(|(key, value)| {
            let is_size = SIZES.contains(&key.as_str());
            let sizes = value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice);
            is_size && sizes.iter().any(size) || is_large(value)
        }),
        Value::Array(values) => values.iter().any(is_large),
        _ => false,
    }
}

/// What no configuration and no theta may lead to.
pub(crate) fn is_bug(kind: ErrorKind) -> bool {
    use ErrorKind::{AbiMismatch, ContractBroken, Panic, Poisoned};
    matches!(kind, AbiMismatch | ContractBroken | Panic | Poisoned)
}

/// Solves two rows if that takes little.
fn solve(oracle: &dyn Oracle, bytes: &mut Bytes) {
    const MOST_COORDINATES: usize = 24;
    let facts = oracle.facts();
    if facts.dim > MOST_COORDINATES {
        return;
    }
    let theta = bytes.theta(2 * facts.dim);
    check_theta(&theta, facts.dim).expect("two finite rows");
    let mut z = vec![0.0; theta.len()];
    let mut outcomes = [unset(), unset()];
    let limits = Limits::none().with_time(Duration::from_millis(200));
    oracle.solve(&theta, &mut z, &mut outcomes, &limits);
    for (outcome, z) in outcomes.iter().zip(z.chunks_exact(facts.dim)) {
        match outcome {
            Ok(_) => facts.check_state(z).expect("a state obeys the facts"),
            Err(why) => assert!(!is_bug(why.kind()), "{theta:?}: {why}"),
        }
    }
    if !theta
        .iter()
        .map(|theta| theta.abs())
        .sum::<f64>()
        .is_finite()
    {
        return; // nobody may ask for its marginals
    }
    let mut log_partitions = [unset(), unset()];
    oracle.marginals(&theta, &mut z, &mut log_partitions, &limits);
    for log_partition in &log_partitions {
        if let Err(why) = log_partition {
            assert!(!is_bug(why.kind()), "{theta:?}: {why}");
        }
    }
}
