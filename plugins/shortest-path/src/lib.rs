//! The cheapest path from a source to a target, on a grid or on any graph.
//!
//! States are the 0/1 indicators of the simple paths from source to target: of their edges, or of their
//! vertices with both ends included. An oracle maximises, so theta holds *rewards* and `-theta` holds
//! costs. Two configurations, the benchmark grids of the field:
//!
//! ```json
//! {"grid": {"height": 5, "width": 5, "moves": "right_down"}, "costs": "edges"}
//! {"grid": {"height": 12, "width": 12, "moves": "eight"}, "costs": "vertices", "negative_costs": "clamp"}
//! ```
//!
//! and one of a list of edges:
//!
//! ```json
//! {"graph": {"vertices": 4, "edges": [[0, 1], [1, 3], [0, 2], [2, 3]], "directed": true}, "costs": "edges"}
//! ```
//!
//! [`Config::edges`] lists the edges in the order of their coordinates. If no path leads from source to
//! target, the instance is not built: [`ErrorKind::Infeasible`].
//!
//! # Negative costs
//!
//! A perturbed theta has positive entries, that is, negative costs, sooner or later. If no directed cycle
//! lies between source and target (every `right_down` grid; any edge list without such a cycle), the best
//! path is found whatever the signs, and `negative_costs` has no effect. Otherwise the best simple path
//! is NP-hard to find in general, and `negative_costs` says what to give up:
//!
//! | policy | a row with a negative cost | what that means for the gradient |
//! |---|---|---|
//! | `reject` (default) | is an [`ErrorKind::InvalidTheta`] with its column | States that are returned are exact. But dropping the rows that fail keeps only the noise that did not fail, which biases the marginals: keep perturbed costs positive, with a floor under the costs or with noise that is bounded above. |
//! | `clamp` | is solved with `max(cost, 0)` | Every row yields a state, exact for the clamped theta only. A coordinate below zero is merely free: however negative it becomes, the state stays, and a target step that moves it there has no further effect. The clamp itself is not differentiated: its gradient passes as if it were not there. |
//! | `bellman_ford` | is solved if no cycle has a negative cost, else an [`ErrorKind::InvalidTheta`] with a vertex of the cycle | Exact like `reject`, with the same bias, but fewer rows are lost. |
//!
//! An edge that can be walked both ways is a cycle of two: with edge costs on an undirected graph,
//! `bellman_ford` fails as soon as an edge that touches neither source nor target is negative. With vertex
//! costs it is worth having: a negative vertex among dearer neighbours makes no negative cycle. A cycle
//! that costs nothing only because costs of both signs cancel may count as negative by rounding.
//!
//! The declared domain of theta is [`ThetaDomain::Any`] without cycles and [`ThetaDomain::NonPositive`]
//! with them, for every policy: it is the largest one in which no row fails and every state is exact.
//!
//! # Ties
//!
//! Of the cheapest paths the one with the fewest edges, and of those the one that comes first when the
//! edges (with vertex costs: the vertices) are compared by index, one by one from the source. Costs are
//! summed in `f64` from the target to the source and tie when the sums are equal; `-0.0` equals `0.0`.
//! The rule is the same for every algorithm inside.
//!
//! # Time
//!
//! Without cycles one pass over the edges; with cycles a search by buckets of distances, or Dijkstra's algorithm where
//! most costs are tiny beside the largest; for a row with negative
//! costs under `bellman_ford` usually a few passes over the edges, at worst one for each vertex.
//!
//! # Exact marginals
//!
//! Without cycles (the same test as for negative costs) the probability of every edge or vertex and the
//! log-partition over all paths take three passes over the edges. With cycles a row is
//! [`ErrorKind::Unsupported`]: to count simple paths is #P-hard.

#![forbid(unsafe_code)]

mod buckets;
mod config;
mod marginals;
mod network;
mod search;
#[cfg(test)]
mod tests;

use imle_api::{
    Error, ErrorKind, Facts, Limits, MarginalsFn, Proof, Solver, ThetaDomain, export_plugin,
};

pub use config::{Config, Costs, EdgeList, Grid, Moves, NegativeCosts};
pub use search::Workspace;

use config::Problem;
use network::Network;

/// The simple paths from a source to a target.
#[derive(Debug)]
pub struct ShortestPath {
    dim: usize,
    negative_costs: NegativeCosts,
    network: Network,
}

impl Solver for ShortestPath {
    const NAME: &'static str = "shortest-path";
    const SUMMARY: &'static str = "the cheapest path of a grid or a graph, over edges or vertices";
    const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let (costs, negative_costs) = (config.costs, config.negative_costs);
        let problem = Problem::new(config)?;
        Ok(Self {
            dim: problem.dim(costs),
            negative_costs,
            network: Network::new(&problem, costs)?,
        })
    }

    fn facts(&self) -> Facts {
        let facts = Facts::binary(self.dim);
        if !self.network.is_acyclic() {
            return facts.with_theta_domain(ThetaDomain::NonPositive);
        }
        match self.network.ones() {
            Some(ones) => facts.with_ones(ones),
            None => facts,
        }
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        workspace.start(theta, self.network.len());
        if self.network.is_acyclic() {
            workspace.in_order(&self.network);
        } else {
            self.measure(workspace, theta, limits)?;
        }
        workspace.write_path(&self.network, z);
        Ok(Proof::NONE)
    }
}

impl ShortestPath {
    /// Finds the distances to the target on a graph with cycles.
    fn measure(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        if let Some(column) = theta.iter().position(|&theta| theta > 0.0) {
            match self.negative_costs {
                NegativeCosts::Reject => return Err(negative(column, theta[column])),
                NegativeCosts::Clamp => workspace.clamp(),
                NegativeCosts::BellmanFord => return workspace.bellman_ford(&self.network, limits),
            }
        }
        workspace.search(&self.network, limits)
    }
}

fn negative(column: usize, theta: f64) -> Error {
    let message = format!(
        "theta is {theta} at column {column}, a negative cost on a graph with cycles, which \
         `negative_costs = reject` does not solve"
    );
    Error::new(ErrorKind::InvalidTheta, message)
}

export_plugin!(ShortestPath);
