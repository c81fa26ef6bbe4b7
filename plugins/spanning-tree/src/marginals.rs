//! The matrix-tree theorem without a difference: the exponential family over trees.
//!
//! In an arborescence every vertex but the root has one parent. With `w[a][b]` the weight of the edges from
//! parent `b` into `a`, the weights of all arborescences sum to the determinant of the Laplacian of `w`
//! without the root (Tutte); an undirected tree is the arborescence from any root along its edges, taken in
//! the direction that fits. Gaussian elimination of a vertex `v` of such a matrix is again one,
//!
//! ```text
//! total   = sum over b of w[v][b]               a factor of the determinant
//! w[a][b] = w[a][b] + w[a][v] w[v][b] / total   whoever had v as its parent now has one of v's
//! ```
//!
//! and subtracts nothing (Grassmann, Taksar and Heyman, 1985), so it can be done in logarithms. Marginals are the
//! derivatives of the logarithm of the determinant in the logarithms of the weights: the same elimination run
//! backward. Their error is absolute, of the order of the number of vertices times 1e-16, and grows with the
//! logarithms that are added: undirected trees are taken apart at wide gaps of theta (`levels.rs`), and rows that
//! need large ones all the same are refused.

use imle_api::{Error, ErrorKind, Limits};

use crate::{Graph, levels};

/// Three matrices of this size take 400 MB a thread.
const MOST_VERTICES: usize = 4096;

/// Logarithms below the negative of this have lost the digits that tell parents apart to 1e-9.
const LARGEST_DIFFERENCE: f64 = (1 << 22) as f64;

/// Buffers that survive from row to row: matrices `[vertices, vertices]` of logarithms of weights, by child
/// and parent, where the root is the last vertex.
#[derive(Debug, Default)]
pub(crate) struct Elimination {
    vertices: usize,
    /// What the edges say.
    given: Vec<f64>,
    /// At work; what belongs to an eliminated vertex stays as it was then.
    weights: Vec<f64>,
    /// Of the log-partition, in the logarithms of the weights.
    gradient: Vec<f64>,
    /// The largest theta of the edges into each vertex, which its weights leave out.
    largest: Vec<f64>,
    totals: Vec<f64>,
}

pub(crate) fn write(
    graph: &Graph,
    elimination: &mut Elimination,
    theta: &[f64],
    mu: &mut [f64],
    limits: &Limits<'_>,
) -> Result<f64, Error> {
    if graph.vertices > MOST_VERTICES {
        let message = format!(
            "exact marginals need matrices of vertices = {}; the most are {MOST_VERTICES}",
            graph.vertices
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    match graph.root {
        None => levels::write(graph, elimination, theta, mu, limits),
        Some(_) => elimination.write(graph, theta, mu, limits),
    }
}

/// An edge in a direction that trees can take.
struct Arc {
    edge: usize,
    child: usize,
    parent: usize,
}

/// The root, 0 if there is none, and the last vertex trade places.
fn arcs(graph: &Graph) -> impl Iterator<Item = Arc> {
    let (root, last) = (graph.root.unwrap_or(0), graph.vertices - 1);
    let place = move |vertex: usize| match vertex {
        _ if vertex == root => last,
        _ if vertex == last => root,
        _ => vertex,
    };
    let directions = if graph.root.is_some() { 1 } else { 2 };
    let arcs = graph.edges.iter().enumerate();
    arcs.flat_map(move |(edge, &[from, to])| {
        let both = [(to, from), (from, to)].into_iter().take(directions);
        both.map(move |(child, parent)| Arc {
            edge,
            child: place(child),
            parent: place(parent),
        })
    })
    .filter(move |arc| arc.child != arc.parent && arc.child != last)
}

impl Elimination {
    /// Writes the marginals of the edges; returns the log-partition.
    pub(crate) fn write(
        &mut self,
        graph: &Graph,
        theta: &[f64],
        mu: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<f64, Error> {
        self.start(graph, theta);
        let log_partition = self.forward(limits)?;
        self.backward(limits)?;
        mu.fill(0.0);
        for Arc {
            edge,
            child,
            parent,
        } in arcs(graph)
        {
            mu[edge] += self.probability(child, parent, theta[edge]);
        }
        // Absolute rounding, which must not make a probability negative.
        mu.iter_mut().for_each(|mu| *mu = mu.clamp(0.0, 1.0));
        Ok(log_partition)
    }

    fn start(&mut self, graph: &Graph, theta: &[f64]) {
        let vertices = graph.vertices;
        self.vertices = vertices;
        for (buffer, length, value) in [
            (&mut self.largest, vertices, f64::NEG_INFINITY),
            (&mut self.totals, vertices, 0.0),
            (&mut self.given, vertices * vertices, f64::NEG_INFINITY),
            (&mut self.gradient, vertices * vertices, 0.0),
        ] {
            buffer.clear();
            buffer.resize(length, value);
        }
        for arc in arcs(graph) {
            let largest = &mut self.largest[arc.child];
            *largest = largest.max(theta[arc.edge]);
        }
        for arc in arcs(graph) {
            let weight = &mut self.given[arc.child * vertices + arc.parent];
            *weight = log_sum(*weight, theta[arc.edge] - self.largest[arc.child]);
        }
        self.weights.clone_from(&self.given);
    }

    /// Eliminates every vertex but the root; returns the log-partition.
    fn forward(&mut self, limits: &Limits<'_>) -> Result<f64, Error> {
        let n = self.vertices;
        let mut log_partition = 0.0;
        for v in 0..n - 1 {
            limits.check()?;
            let (above, below) = self.weights.split_at_mut((v + 1) * n);
            let parents = &above[v * n..];
            let total = (v + 1..n).fold(f64::NEG_INFINITY, |sum, b| log_sum(sum, parents[b]));
            if total < -LARGEST_DIFFERENCE {
                let message = format!(
                    "a part of the graph can be entered only along edges whose theta is {:e} below that of others \
                     into the same vertices; exact marginals resolve differences up to {LARGEST_DIFFERENCE}",
                    -total
                );
                return Err(Error::new(ErrorKind::InvalidTheta, message));
            }
            self.totals[v] = total;
            log_partition += total + self.largest[v];
            // The last row is the root's, which has no parent.
            for (a, children) in (v + 1..n - 1).zip(below.chunks_exact_mut(n)) {
                let via = children[v] - total;
                if via == f64::NEG_INFINITY {
                    continue;
                }
                for b in (v + 1..n).filter(|&b| b != a) {
                    children[b] = log_sum(children[b], via + parents[b]);
                }
            }
        }
        Ok(log_partition)
    }

    /// Carries the gradient back through every elimination, and takes what each added to the weights away.
    fn backward(&mut self, limits: &Limits<'_>) -> Result<(), Error> {
        let n = self.vertices;
        for v in (0..n - 1).rev() {
            limits.check()?;
            let (above, below) = self.weights.split_at_mut((v + 1) * n);
            let (gradient_above, gradient_below) = self.gradient.split_at_mut((v + 1) * n);
            let (parents, of_parents) = (&above[v * n..], &mut gradient_above[v * n..]);
            let total = self.totals[v];
            let mut detours = 0.0;
            let rows = below
                .chunks_exact_mut(n)
                .zip(gradient_below.chunks_exact_mut(n));
            for (a, (children, of_children)) in (v + 1..n - 1).zip(rows) {
                let via = children[v] - total;
                if via == f64::NEG_INFINITY {
                    continue;
                }
                for b in (v + 1..n).filter(|&b| b != a) {
                    let detour = via + parents[b];
                    if detour == f64::NEG_INFINITY {
                        continue;
                    }
                    // A share above one is rounding of a weight that matters no more.
                    let share = (detour - children[b]).exp().min(1.0);
                    let used = of_children[b] * share;
                    of_children[v] += used;
                    of_parents[b] += used;
                    detours += used;
                    of_children[b] *= 1.0 - share;
                    children[b] += (-share).ln_1p();
                }
            }
            for b in v + 1..n {
                of_parents[b] += (1.0 - detours) * (parents[b] - total).exp();
            }
        }
        Ok(())
    }

    /// The probability that `parent` is the parent of `child` along an edge of this theta.
    fn probability(&self, child: usize, parent: usize, theta: f64) -> f64 {
        let at = child * self.vertices + parent;
        self.gradient[at] * (theta - self.largest[child] - self.given[at]).exp()
    }
}

/// `log(exp(a) + exp(b))`.
fn log_sum(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY {
        return large;
    }
    large + (small - large).exp().ln_1p()
}
