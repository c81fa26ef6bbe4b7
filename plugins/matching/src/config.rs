//! What a configuration says, checked: from here on every index is in range.

use imle_api::{Error, ErrorKind};
use schemars::JsonSchema;
use serde::Deserialize;

/// Beyond this it is a typing mistake rather than a problem: cubic time.
const MOST_VERTICES: usize = 1 << 16;
const MOST_EDGES: usize = 1 << 24;

/// Which matchings are feasible.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_matching::Matching;
///
/// let oracle = Linked::<Matching>::open(r#"{"vertices": 4, "edges": [[0, 1], [1, 2], [2, 3]]}"#)?;
/// let (z, _) = solve_one(&oracle, &[2.0, 3.0, 2.0])?;
/// assert_eq!(z, [1.0, 0.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"vertices": 4}, {"vertices": 5, "edges": [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]]}]))]
pub struct Config {
    /// The number of vertices; they are numbered from 0.
    pub vertices: usize,
    /// The two ends of every edge, in the order of the coordinates. If absent, the graph is complete:
    /// 01, 02, ..., 12, ...
    pub edges: Option<Vec<[usize; 2]>>,
    /// How many edges a state has.
    #[serde(default)]
    pub cardinality: Cardinality,
}

/// How many edges a state has; see the crate's documentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// Any number.
    #[default]
    Any,
    /// As many as there can be.
    Maximum,
    /// One at every vertex.
    Perfect,
}

impl Config {
    /// The vertices and the edges.
    pub(crate) fn graph(self) -> Result<(usize, Vec<[usize; 2]>), Error> {
        let vertices = self.vertices;
        if !(1..=MOST_VERTICES).contains(&vertices) {
            return invalid(format!(
                "vertices = {vertices} is not between 1 and {MOST_VERTICES}"
            ));
        }
        let edges = match self.edges {
            Some(edges) => edges,
            None => complete(vertices)?,
        };
        let count = edges.len();
        if !(1..=MOST_EDGES).contains(&count) {
            return invalid(format!(
                "there are {count} edges; it must be 1 to {MOST_EDGES}, as theta has a value for each"
            ));
        }
        let outside = |ends: &[usize; 2]| ends.iter().any(|&end| end >= vertices);
        match edges.iter().position(outside) {
            None => Ok((vertices, edges)),
            Some(at) => invalid(format!(
                "edge {at} is {:?}, but vertices are numbered from 0 to {}",
                edges[at],
                vertices - 1
            )),
        }
    }
}

fn complete(vertices: usize) -> Result<Vec<[usize; 2]>, Error> {
    let pairs = vertices * (vertices - 1) / 2;
    if pairs > MOST_EDGES {
        return invalid(format!(
            "the complete graph of vertices = {vertices} has {pairs} edges; the most are {MOST_EDGES}"
        ));
    }
    let from = |from: usize| (from + 1..vertices).map(move |to| [from, to]);
    Ok((0..vertices).flat_map(from).collect())
}

fn invalid<T>(message: String) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
