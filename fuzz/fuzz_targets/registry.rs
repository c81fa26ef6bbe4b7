//! All solvers, linked.

use std::sync::LazyLock;

use imle_runtime::{Error, Registry};

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| registry().expect("every name is there once"));

fn registry() -> Result<Registry, Error> {
    let registry = Registry::new();
    registry.link::<imle_assignment::Assignment>()?;
    registry.link::<imle_categorical::Categorical>()?;
    registry.link::<imle_ilp_model::IlpSolver<imle_ilp_microlp::Microlp>>()?;
    registry.link::<imle_ilp_native::IlpNative>()?;
    registry.link::<imle_k_subset::KSubset>()?;
    registry.link::<imle_knapsack::Knapsack>()?;
    registry.link::<imle_matching::Matching>()?;
    registry.link::<imle_ranking::Ranking>()?;
    registry.link::<imle_shortest_path::ShortestPath>()?;
    registry.link::<imle_spanning_tree::SpanningTree>()?;
    registry.link::<imle_top_k::TopK>()?;
    registry.link::<imle_tsp::Tsp>()?;
    Ok(registry)
}
