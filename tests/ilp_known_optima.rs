//! Instances whose optimum a formula knows, over every back end.

#[path = "common/ilp.rs"]
mod ilp;

use std::collections::BTreeSet;
use std::f64::consts::PI;

use ilp::{backends, binaries, row, sum};
use imle_example_support::ilp_families::{assignment, grid, k_subset, tsp_dfj, tsp_mtz};
use serde_json::Value;

struct Instance {
    name: &'static str,
    config: Value,
    theta: Vec<f64>,
    optimum: f64,
}

fn check(instances: &[Instance]) {
    for backend in backends() {
        for instance in instances {
            let (name, best) = (instance.name, instance.optimum);
            let z = backend.state(&instance.config, &instance.theta);
            let value: f64 = z.iter().zip(&instance.theta).map(|(z, t)| z * t).sum();
            assert!(
                (value - best).abs() <= 1e-9 * (1.0 + best.abs()),
                "{backend}, {name}: {value}, not {best}"
            );
        }
    }
}

/// With the values `i j`, alike goes with alike (the rearrangement inequality): a sum of squares at best, and at
/// worst the sum of `i (n + 1 - i)`.
#[test]
fn assignment_of_products() {
    const N: usize = 7;
    let products =
        |sign: f64| (0..N * N).map(move |at| sign * ((at / N + 1) * (at % N + 1)) as f64);
    let n = N as f64;
    let instance = |name, sign, optimum| Instance {
        name,
        config: assignment("", N).config,
        theta: products(sign).collect(),
        optimum,
    };
    check(&[
        instance("most", 1.0, n * (n + 1.0) * (2.0 * n + 1.0) / 6.0),
        instance("least", -1.0, -n * (n + 1.0) * (n + 2.0) / 6.0),
    ]);
}

/// The values are 1 to 12 in another order.
#[test]
fn the_five_largest_of_twelve() {
    check(&[Instance {
        name: "k-subset",
        config: k_subset("", 12, 5).config,
        theta: (1..=12).map(|i| f64::from(7 * i % 13)).collect(),
        optimum: f64::from(8 + 9 + 10 + 11 + 12),
    }]);
}

/// The weights 1 to n fill every capacity to the brim, so with values equal to weights the capacity is the
/// optimum. With the odd numbers as values of the weights 1 to n, the lightest give the least, and dynamic
/// programming says what the best is.
#[test]
fn knapsacks() {
    const N: usize = 14;
    let weights = || (0..N).map(|i| (i, (i + 1) as f64));
    let instance = |capacity: usize, value: fn(usize) -> usize| {
        let mut best = vec![0; capacity + 1];
        for item in 0..N {
            for room in (item + 1..=capacity).rev() {
                best[room] = best[room].max(best[room - item - 1] + value(item));
            }
        }
        Instance {
            name: "knapsack",
            config: binaries(N, [row(weights(), "<=", capacity as f64)]),
            theta: (0..N).map(|item| value(item) as f64).collect(),
            optimum: best[capacity] as f64,
        }
    };
    let mut instances = Vec::new();
    for capacity in [1, 17, 50, 104, 105] {
        let full = instance(capacity, |item| item + 1);
        assert_eq!(full.optimum, capacity as f64);
        instances.push(full);
        instances.push(instance(capacity, |item| 3 + 5 * item % 11));
    }
    check(&instances);
}

/// The lines of the projective space over two elements with `points` = 2^d - 1 points: three points that
/// are zero together by exclusive or.
fn projective_lines(points: usize) -> Vec<[usize; 3]> {
    let lines = (1..=points).flat_map(|a| (a + 1..=points).map(move |b| [a, b, a ^ b]));
    let once = lines.filter(|[_, b, c]| b < c);
    once.map(|line| line.map(|point| point - 1)).collect()
}

/// The lines of the plane over three elements: three points that are zero together.
fn affine_lines() -> Vec<[usize; 3]> {
    let third = |a: usize, b: usize| 3 * ((6 - a / 3 - b / 3) % 3) + (6 - a % 3 - b % 3) % 3;
    let pairs = (0..9).flat_map(|a| (a + 1..9).map(move |b| (a, b)));
    let lines = pairs.map(|(a, b)| [a, b, third(a, b)]);
    lines.filter(|[_, b, c]| b < c).collect()
}

/// One variable a point, one row a line.
fn points(name: &'static str, lines: &[[usize; 3]], sense: &str, rhs: i32, best: i32) -> Instance {
    let count = 1 + lines.iter().flatten().max().expect("there are points");
    let rows: Vec<Value> = lines.iter().map(|&l| row(sum(l), sense, rhs)).collect();
    Instance {
        name,
        config: binaries(count, rows),
        theta: vec![f64::from(best.signum()); count],
        optimum: f64::from(best),
    }
}

/// One variable a line, one row a point, which at most one of the chosen lines meets.
fn disjoint(name: &'static str, lines: &[[usize; 3]], best: i32) -> Instance {
    let met: BTreeSet<usize> = lines.iter().flatten().copied().collect();
    let through = |point| (0..lines.len()).filter(move |&line| lines[line].contains(&point));
    let rows: Vec<Value> = met
        .into_iter()
        .map(|point| row(sum(through(point)), "<=", 1))
        .collect();
    Instance {
        name,
        config: binaries(lines.len(), rows),
        theta: vec![1.0; lines.len()],
        optimum: f64::from(best),
    }
}

/// Steiner triple systems: every two points are on one line.
#[test]
fn packing_and_covering_of_triple_systems() {
    let (fano, plane, space) = (projective_lines(7), affine_lines(), projective_lines(15));
    assert_eq!((fano.len(), plane.len(), space.len()), (7, 12, 35));
    check(&[
        // Any two points are on a line.
        points("one point of the Fano plane", &fano, "<=", 1, 1),
        // The points off a line; a line itself (Bose and Burton).
        points("no line of the Fano plane", &fano, "<=", 2, 4),
        points("every line of the Fano plane", &fano, ">=", 1, -3),
        disjoint("lines of the Fano plane", &fano, 1),
        // The largest cap of the plane over three elements has 4 points; the lines of a direction are 3.
        points("a cap", &plane, "<=", 2, 4),
        points("every line of the affine plane", &plane, ">=", 1, -5),
        disjoint("parallels", &plane, 3),
        // The points off a plane; a plane itself; a spread.
        points("no line of the space", &space, "<=", 2, 8),
        points("every line of the space", &space, ">=", 1, -7),
        disjoint("a spread", &space, 5),
    ]);
}

/// Corners of a regular polygon on the unit circle.
fn polygon(n: usize) -> Vec<(f64, f64)> {
    let angle = |i: usize| 2.0 * PI * ((3 * i) % n) as f64 / n as f64; // not in the order of the tour
    (0..n).map(|i| (angle(i).cos(), angle(i).sin())).collect()
}

/// Points of a grid with two rows.
fn two_rows(n: usize) -> Vec<(f64, f64)> {
    (0..n).map(|i| ((i / 2) as f64, (i % 2) as f64)).collect()
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// The shortest tour of a convex polygon is its perimeter, `2 n sin(pi / n)`; that of a grid with two rows visits
/// every point at a step of one.
#[test]
fn tours() {
    let edges = |p: &[(f64, f64)]| -> Vec<f64> {
        let pairs = (0..p.len()).flat_map(|i| (i + 1..p.len()).map(move |j| (i, j)));
        pairs.map(|(i, j)| -distance(p[i], p[j])).collect()
    };
    let arcs = |p: &[(f64, f64)]| -> Vec<f64> {
        let pairs = (0..p.len()).flat_map(|i| (0..p.len()).map(move |j| (i, j)));
        let pairs = pairs.filter(|(i, j)| i != j);
        pairs.map(|(i, j)| -distance(p[i], p[j])).collect()
    };
    let perimeter = |n: usize| 2.0 * n as f64 * (PI / n as f64).sin();
    let subtours = |name, points: &[(f64, f64)], length: f64| Instance {
        name,
        config: tsp_dfj("", points.len()).config,
        theta: edges(points),
        optimum: -length,
    };
    let ordered = |name, points: &[(f64, f64)], length: f64| Instance {
        name,
        config: tsp_mtz("", points.len()).config,
        theta: arcs(points),
        optimum: -length,
    };
    check(&[
        subtours("heptagon, subtour rows", &polygon(7), perimeter(7)),
        subtours("octagon, subtour rows", &polygon(8), perimeter(8)),
        subtours("grid, subtour rows", &two_rows(8), 8.0),
        ordered("pentagon, order variables", &polygon(5), perimeter(5)),
        ordered("heptagon, order variables", &polygon(7), perimeter(7)),
        ordered("grid, order variables", &two_rows(6), 6.0),
    ]);
}

/// From corner to corner of a grid to eight neighbours takes as many steps as it is wide. On a line with steps of
/// one and jumps of three at twice the price, jumps pay.
#[test]
fn shortest_paths() {
    let king = |kind| {
        let family = grid("", 5, kind);
        Instance {
            name: "king's walk",
            theta: vec![-1.0; family.theta.base.len()],
            config: family.config,
            optimum: -4.0,
        }
    };
    let jumps = |end: usize| {
        let mut arcs: Vec<(usize, usize)> = (0..end).map(|at| (at, at + 1)).collect();
        arcs.extend((0..=end.saturating_sub(3)).map(|at| (at, at + 3)));
        arcs.retain(|&(_, to)| to <= end);
        let flow = |node: usize| {
            let ends = arcs
                .iter()
                .enumerate()
                .filter_map(move |(at, &(from, to))| {
                    let sign = f64::from(from == node) - f64::from(to == node);
                    (sign != 0.0).then_some((at, sign))
                });
            row(ends, "=", f64::from(node == 0) - f64::from(node == end))
        };
        let rows: Vec<Value> = (0..=end).map(flow).collect();
        Instance {
            name: "jumps",
            theta: arcs
                .iter()
                .map(|(from, to)| if to - from == 1 { -1.0 } else { -2.0 })
                .collect(),
            config: binaries(arcs.len(), rows),
            optimum: -((2 * (end / 3) + end % 3) as f64),
        }
    };
    check(&[
        king("continuous"),
        king("binary"),
        jumps(1),
        jumps(9),
        jumps(11),
    ]);
}
