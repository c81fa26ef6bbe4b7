//! Everything is compared with the enumeration of all simple paths, which shares no code with the
//! solver except the list of edges.

mod golden;
mod law;
mod policies;
mod random;
mod ties;

use imle_api::{Error, Linked, read_config, solve_one};
use serde_json::Value;

use crate::{Config, Costs, Moves, ShortestPath};

/// A simple path: the edges that it takes and the vertices that it visits.
#[derive(Clone, Debug, Default)]
struct Path {
    edges: Vec<usize>,
    vertices: Vec<usize>,
}

impl Path {
    fn priced(&self, costs: Costs) -> &[usize] {
        match costs {
            Costs::Edges => &self.edges,
            Costs::Vertices => &self.vertices,
        }
    }
}

/// All simple paths of a configuration.
struct Paths {
    edges: Vec<[usize; 2]>,
    directed: bool,
    target: usize,
    costs: Costs,
    dim: usize,
    all: Vec<Path>,
}

impl Paths {
    fn of(config: &Value) -> Self {
        let config: Config = read_config(&config.to_string()).unwrap();
        let edges = config.edges().unwrap();
        let (vertices, directed) = match (&config.grid, &config.graph) {
            (Some(grid), _) => (grid.height * grid.width, grid.moves == Moves::RightDown),
            (_, graph) => graph
                .as_ref()
                .map(|graph| (graph.vertices, graph.directed))
                .unwrap(),
        };
        let mut paths = Self {
            dim: match config.costs {
                Costs::Edges => edges.len(),
                Costs::Vertices => vertices,
            },
            edges,
            directed,
            target: config.target.unwrap_or(vertices - 1),
            costs: config.costs,
            all: Vec::new(),
        };
        let start = config.source.unwrap_or(0);
        paths.extend(&mut Path {
            edges: Vec::new(),
            vertices: vec![start],
        });
        paths
    }

    fn extend(&mut self, path: &mut Path) {
        let here = *path.vertices.last().unwrap();
        if here == self.target {
            return self.all.push(path.clone());
        }
        for edge in 0..self.edges.len() {
            let [a, b] = self.edges[edge];
            let there = match here {
                _ if here == a => b,
                _ if here == b && !self.directed => a,
                _ => continue,
            };
            if !path.vertices.contains(&there) {
                path.edges.push(edge);
                path.vertices.push(there);
                self.extend(path);
                path.edges.pop();
                path.vertices.pop();
            }
        }
    }

    fn state(&self, path: &Path) -> Vec<f64> {
        let mut z = vec![0.0; self.dim];
        path.priced(self.costs).iter().for_each(|&i| z[i] = 1.0);
        z
    }

    fn states(&self) -> Vec<Vec<f64>> {
        let mut states: Vec<_> = self.all.iter().map(|path| self.state(path)).collect();
        states.sort_by(|a, b| a.partial_cmp(b).unwrap());
        states.dedup();
        states
    }

    fn cost(&self, path: &Path, costs: &[f64]) -> f64 {
        path.priced(self.costs).iter().map(|&i| costs[i]).sum()
    }

    /// The state of the documented tie rule; sums of `costs` must be exact.
    fn best(&self, costs: &[f64]) -> Vec<f64> {
        let rank = |path: &Path| (path.edges.len(), path.priced(self.costs).to_vec());
        let cheaper = |a: &&Path, b: &&Path| {
            let by_cost = self
                .cost(a, costs)
                .partial_cmp(&self.cost(b, costs))
                .unwrap();
            by_cost.then_with(|| rank(a).cmp(&rank(b)))
        };
        self.state(self.all.iter().min_by(cheaper).unwrap())
    }
}

fn open(config: &Value) -> Result<Linked<ShortestPath>, Error> {
    Linked::open(&config.to_string())
}

/// The state for costs.
fn cheapest(oracle: &Linked<ShortestPath>, costs: &[f64]) -> Result<Vec<f64>, Error> {
    let theta: Vec<f64> = costs.iter().map(|cost| -cost).collect();
    solve_one(oracle, &theta).map(|(z, _)| z)
}
