//! What a configuration says, checked: from here on every index is in range.

use imle_api::{Error, ErrorKind};
use schemars::JsonSchema;
use serde::Deserialize;

/// Vertices beyond this are a typing mistake rather than a problem: eight neighbours each would take
/// gigabytes. Arcs then fit 32-bit indices with room to spare.
const MOST_VERTICES: usize = 1 << 24;
const MOST_EDGES: usize = 1 << 27;

/// Which paths are feasible and what theta prices.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_shortest_path::ShortestPath;
///
/// let config = r#"{"grid": {"height": 2, "width": 2, "moves": "right_down"}, "costs": "edges"}"#;
/// let oracle = Linked::<ShortestPath>::open(config)?;
/// // The edges are 0-1, 0-2, 1-3 and 2-3; costs are `-theta`.
/// let (z, _) = solve_one(&oracle, &[-1.0, -5.0, -1.0, -5.0])?;
/// assert_eq!(z, [1.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [
    {"grid": {"height": 3, "width": 3, "moves": "right_down"}, "costs": "vertices"},
    {"graph": {"vertices": 4, "edges": [[0, 1], [0, 2], [1, 3], [2, 3], [1, 2]], "directed": true}, "costs": "edges"}
]))]
pub struct Config {
    /// A rectangular grid. Give either this or `graph`.
    pub grid: Option<Grid>,
    /// A list of edges. Give either this or `grid`.
    pub graph: Option<EdgeList>,
    /// Whether theta prices edges or vertices, and states choose them.
    pub costs: Costs,
    /// The vertex where paths begin; the first vertex if absent.
    pub source: Option<usize>,
    /// The vertex where paths end, not the source; the last vertex if absent.
    pub target: Option<usize>,
    /// What to do with a row that has negative costs if the graph has cycles.
    #[serde(default)]
    pub negative_costs: NegativeCosts,
}

/// A rectangle of vertices, numbered row by row from the top left, from 0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
    /// The steps that a path may take.
    pub moves: Moves,
}

/// The steps that a path on a grid may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// One to the right or one down: directed, without cycles.
    RightDown,
    /// To the four neighbours that share a side.
    Four,
    /// To the eight neighbours that share a side or a corner.
    Eight,
}

/// A graph given by its edges.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeList {
    /// The number of vertices; they are numbered from 0.
    pub vertices: usize,
    /// The two ends of every edge. Parallel edges are different edges; a loop is legal and on no path.
    pub edges: Vec<[usize; 2]>,
    /// Whether an edge leads only from its first end to its second.
    pub directed: bool,
}

/// What theta prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Costs {
    /// One coordinate for each edge. An undirected edge has one, whichever way it is walked.
    Edges,
    /// One coordinate for each vertex. A path pays for all its vertices, both ends included.
    Vertices,
}

/// What to do with a row that has negative costs; see the crate's documentation for what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeCosts {
    /// The row is an error that names the column.
    #[default]
    Reject,
    /// Negative costs count as zero.
    Clamp,
    /// The row is solved exactly unless a cycle has a negative cost; then it is an error.
    BellmanFord,
}

impl Config {
    /// Lists the ends of every edge, in the order of the coordinates of theta under edge costs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if the configuration describes no problem.
    pub fn edges(&self) -> Result<Vec<[usize; 2]>, Error> {
        Ok(Problem::new(self.clone())?.edges)
    }
}

impl Grid {
    /// Lists the ends of every edge: for each row its horizontal edges from left to right, then the edges
    /// to the next row, by their upper and then by their lower vertex from left to right.
    ///
    /// ```
    /// use imle_shortest_path::{Grid, Moves};
    ///
    /// let grid = Grid { height: 2, width: 2, moves: Moves::Eight };
    /// assert_eq!(grid.edges(), [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
    /// let grid = Grid { moves: Moves::RightDown, ..grid };
    /// assert_eq!(grid.edges(), [[0, 1], [0, 2], [1, 3], [2, 3]]);
    /// ```
    #[must_use]
    pub fn edges(&self) -> Vec<[usize; 2]> {
        let mut edges = Vec::new();
        for row in 0..self.height {
            let first = row * self.width;
            edges.extend((1..self.width).map(|column| [first + column - 1, first + column]));
            if row + 1 < self.height {
                (0..self.width).for_each(|column| self.edges_down(first, column, &mut edges));
            }
        }
        edges
    }

    fn edges_down(&self, first: usize, column: usize, edges: &mut Vec<[usize; 2]>) {
        let (vertex, below) = (first + column, first + column + self.width);
        let diagonal = self.moves == Moves::Eight;
        if diagonal && column > 0 {
            edges.push([vertex, below - 1]);
        }
        edges.push([vertex, below]);
        if diagonal && column + 1 < self.width {
            edges.push([vertex, below + 1]);
        }
    }
}

/// A graph and two of its vertices.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) vertices: usize,
    pub(crate) edges: Vec<[usize; 2]>,
    pub(crate) directed: bool,
    pub(crate) source: usize,
    pub(crate) target: usize,
}

impl Problem {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let (vertices, edges, directed) = match (config.grid, config.graph) {
            (Some(grid), None) => {
                let vertices = grid_vertices(&grid)?;
                (vertices, grid.edges(), grid.moves == Moves::RightDown)
            }
            (None, Some(graph)) => {
                check_graph(&graph)?;
                (graph.vertices, graph.edges, graph.directed)
            }
            (Some(_), Some(_)) => return invalid("both `grid` and `graph` are given; give one"),
            (None, None) => return invalid("neither `grid` nor `graph` is given; give one"),
        };
        let end = |name: &str, vertex: usize| match vertex < vertices {
            true => Ok(vertex),
            false => invalid(format!(
                "{name} = {vertex} is no vertex: they are numbered from 0 to {}",
                vertices - 1
            )),
        };
        let source = end("source", config.source.unwrap_or(0))?;
        let target = end("target", config.target.unwrap_or(vertices - 1))?;
        if source == target {
            return invalid(format!(
                "source and target are both vertex {source}; a path joins two different vertices"
            ));
        }
        Ok(Self {
            vertices,
            edges,
            directed,
            source,
            target,
        })
    }

    pub(crate) fn dim(&self, costs: Costs) -> usize {
        match costs {
            Costs::Edges => self.edges.len(),
            Costs::Vertices => self.vertices,
        }
    }
}

fn grid_vertices(&Grid { height, width, .. }: &Grid) -> Result<usize, Error> {
    match height.checked_mul(width) {
        Some(0) => invalid(format!(
            "the grid is {height} by {width} vertices; height and width must be at least 1"
        )),
        Some(vertices) if vertices <= MOST_VERTICES => Ok(vertices),
        _ => invalid(format!(
            "the grid is {height} by {width} vertices; the most are {MOST_VERTICES} in all"
        )),
    }
}

fn check_graph(graph: &EdgeList) -> Result<(), Error> {
    let vertices = graph.vertices;
    if !(1..=MOST_VERTICES).contains(&vertices) {
        return invalid(format!(
            "vertices = {vertices} is not between 1 and {MOST_VERTICES}"
        ));
    }
    if graph.edges.len() > MOST_EDGES {
        let edges = graph.edges.len();
        return invalid(format!(
            "there are {edges} edges; the most are {MOST_EDGES}"
        ));
    }
    let outside = |ends: &[usize; 2]| ends.iter().any(|&end| end >= vertices);
    match graph.edges.iter().position(outside) {
        None => Ok(()),
        Some(at) => invalid(format!(
            "edge {at} is {:?}, but vertices are numbered from 0 to {}",
            graph.edges[at],
            vertices - 1
        )),
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidConfig, message.into()))
}
