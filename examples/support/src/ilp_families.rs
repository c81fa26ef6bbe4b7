//! Families of integer programs whose objective changes from solve to solve: public formulas, seeds fixed.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// A feasible set as every ILP plugin reads it, and how theta is drawn for it.
#[derive(Clone, Debug)]
pub struct Family {
    /// What tables call it.
    pub name: &'static str,
    /// The configuration.
    pub config: Value,
    /// Where theta comes from.
    pub theta: Theta,
}

/// Theta is a fixed base plus Gumbel noise.
#[derive(Clone, Debug)]
pub struct Theta {
    /// What the noise is added to.
    pub base: Vec<f64>,
    /// No coordinate is above this: costs of paths stay positive.
    pub most: f64,
}

impl Family {
    /// Draws so many thetas; the same ones every time.
    #[must_use]
    pub fn thetas(&self, sigma: f64, count: usize) -> Vec<Vec<f64>> {
        let rng = &mut Rng::with_seed(1);
        (0..count).map(|_| self.theta.draw(sigma, rng)).collect()
    }
}

impl Theta {
    /// Draws a theta with noise of scale `sigma`.
    #[must_use]
    pub fn draw(&self, sigma: f64, rng: &mut Rng) -> Vec<f64> {
        let gumbel = |rng: &mut Rng| -(-(1.0 - rng.f64()).ln()).ln();
        let noisy = |base: &f64| (base + sigma * gumbel(rng)).min(self.most);
        self.base.iter().map(noisy).collect()
    }
}

fn row(terms: impl IntoIterator<Item = (String, f64)>, sense: &str, rhs: f64) -> Value {
    let terms: Map<String, Value> = terms.into_iter().map(|(v, c)| (v, json!(c))).collect();
    json!({"terms": terms, "sense": sense, "rhs": rhs})
}

fn x(at: usize) -> String {
    format!("x{at}")
}

fn ones(of: impl IntoIterator<Item = usize>) -> Vec<(String, f64)> {
    of.into_iter().map(|at| (x(at), 1.0)).collect()
}

fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

fn family(name: &'static str, dim: usize, rows: Vec<Value>) -> Family {
    let rng = &mut Rng::with_seed(17);
    let base = (0..dim).map(|_| normal(rng)).collect();
    let config = json!({"model": {"binaries": dim, "rows": rows}});
    Family {
        name,
        config,
        theta: Theta {
            base,
            most: f64::INFINITY,
        },
    }
}

/// Chooses `k` of `n`: one row.
#[must_use]
pub fn k_subset(name: &'static str, n: usize, k: usize) -> Family {
    family(name, n, vec![row(ones(0..n), "=", k as f64)])
}

/// Assigns `n` to `n`.
#[must_use]
pub fn assignment(name: &'static str, n: usize) -> Family {
    let lines = (0..n).flat_map(|i| {
        [ones(n * i..n * (i + 1)), ones((0..n).map(|j| n * j + i))].map(|line| row(line, "=", 1.0))
    });
    family(name, n * n, lines.collect())
}

/// Symmetric tours with the subtour rows of Dantzig, Fulkerson and Johnson, all of them.
#[must_use]
pub fn tsp_dfj(name: &'static str, n: usize) -> Family {
    let edges: Vec<(usize, usize)> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
        .collect();
    let among = |keep: &dyn Fn(usize, usize) -> bool| {
        ones((0..edges.len()).filter(|&e| keep(edges[e].0, edges[e].1)))
    };
    let mut rows: Vec<Value> = (0..n)
        .map(|v| row(among(&|i, j| i == v || j == v), "=", 2.0))
        .collect();
    for set in 0u32..1 << n {
        let size = set.count_ones() as usize;
        // Of a set and its complement, one will do.
        if size < 3 || 2 * size > n || (2 * size == n && set & 1 == 0) {
            continue;
        }
        let inside = |v: usize| set >> v & 1 == 1;
        rows.push(row(
            among(&|i, j| inside(i) && inside(j)),
            "<=",
            size as f64 - 1.0,
        ));
    }
    family(name, edges.len(), rows)
}

/// Directed tours with the order variables of Miller, Tucker and Zemlin.
#[must_use]
pub fn tsp_mtz(name: &'static str, n: usize) -> Family {
    let arc = |i: usize, j: usize| x(i * (n - 1) + j - usize::from(j > i));
    let mut rows = Vec::new();
    for v in 0..n {
        let others = || (0..n).filter(|&w| w != v);
        rows.push(row(others().map(|w| (arc(v, w), 1.0)), "=", 1.0));
        rows.push(row(others().map(|w| (arc(w, v), 1.0)), "=", 1.0));
    }
    let size = n as f64;
    for (i, j) in (1..n)
        .flat_map(|i| (1..n).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
    {
        let order = [
            (format!("u{i}"), 1.0),
            (format!("u{j}"), -1.0),
            (arc(i, j), size),
        ];
        rows.push(row(order, "<=", size - 1.0));
    }
    let mut family = family(name, n * (n - 1), rows);
    let order =
        |i| json!({"name": format!("u{i}"), "kind": "continuous", "lower": 1, "upper": n - 1});
    family.config["model"]["variables"] = (1..n).map(order).collect();
    family
}

/// Paths from corner to corner of a grid, to all 8 neighbours.
#[must_use]
pub fn grid(name: &'static str, n: usize, kind: &str) -> Family {
    let node = |i: i64, j: i64| {
        let inside = |k: i64| (0..n as i64).contains(&k);
        (inside(i) && inside(j)).then_some((i * n as i64 + j) as usize)
    };
    let mut arcs = Vec::new();
    for (i, j) in (0..n as i64).flat_map(|i| (0..n as i64).map(move |j| (i, j))) {
        for (di, dj) in (-1..=1).flat_map(|di| (-1..=1).map(move |dj| (di, dj))) {
            if let (Some(from), Some(to), true) =
                (node(i, j), node(i + di, j + dj), (di, dj) != (0, 0))
            {
                arcs.push((from, to));
            }
        }
    }
    let rows = (0..n * n).map(|v| {
        let terms = arcs
            .iter()
            .enumerate()
            .filter(|(_, a)| a.0 == v || a.1 == v);
        let terms = terms.map(|(e, a)| (x(e), if a.0 == v { 1.0 } else { -1.0 }));
        row(terms, "=", f64::from(v == 0) - f64::from(v == n * n - 1))
    });
    let rng = &mut Rng::with_seed(18);
    let theta = Theta {
        base: arcs.iter().map(|_| -0.8 - 8.4 * rng.f64()).collect(),
        most: -0.05,
    };
    let names: Vec<String> = (0..arcs.len()).map(x).collect();
    let variables: Vec<Value> = names
        .iter()
        .map(|v| json!({"name": v, "kind": kind, "lower": 0, "upper": 1}))
        .collect();
    let rows: Vec<Value> = rows.collect();
    let config = json!({"model": {"variables": variables, "rows": rows}, "theta": names});
    Family {
        name,
        config,
        theta,
    }
}

/// Each set takes 4 of the items, and no item is taken twice.
#[must_use]
pub fn set_packing(name: &'static str, sets: usize, items: usize) -> Family {
    let rng = &mut Rng::with_seed(19);
    let mut takers = vec![Vec::new(); items];
    for set in 0..sets {
        let all = rng.choose_multiple(0..items, 4);
        all.into_iter().for_each(|item| takers[item].push(set));
    }
    let rows = takers
        .into_iter()
        .map(|sets| row(ones(sets), "<=", 1.0))
        .collect();
    family(name, sets, rows)
}

/// Each capacity is a quarter of the weights.
#[must_use]
pub fn knapsack(name: &'static str, n: usize, m: usize, heaviest: u32) -> Family {
    let rng = &mut Rng::with_seed(20);
    let rows = (0..m).map(|_| {
        let weights: Vec<f64> = (0..n).map(|_| f64::from(rng.u32(1..=heaviest))).collect();
        let capacity = (weights.iter().sum::<f64>() / 4.0).floor();
        row((0..n).map(x).zip(weights), "<=", capacity)
    });
    family(name, n, rows.collect())
}
