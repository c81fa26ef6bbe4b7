//! The structures that are recognised, and their kernels against the general engine.

use fastrand::Rng;
use imle_api::{Limits, Solver, solve_one};
use imle_example_support::ilp_families::{
    Family, assignment, grid, k_subset, knapsack, set_packing, tsp_dfj, tsp_mtz,
};
use imle_ilp_native::{Config, IlpNative, Workspace};

fn families() -> Vec<Family> {
    vec![
        k_subset("k-subset", 12, 4),
        assignment("assignment", 5),
        tsp_dfj("tsp dfj", 6),
        tsp_mtz("tsp mtz", 5),
        grid("grid lp", 5, "continuous"),
        grid("grid ilp", 5, "binary"),
        grid("grid as a product", 10, "continuous"),
        set_packing("set packing", 30, 12),
        knapsack("knapsack", 25, 1, 30),
        knapsack("knapsacks", 20, 3, 30),
    ]
}

fn config(family: &Family, structure: bool) -> Config {
    let mut config: Config =
        serde_json::from_value(family.config.clone()).expect("a configuration");
    config.structure = structure;
    config
}

/// Smooth thetas, and whole ones that tie.
fn thetas(family: &Family, rows: usize) -> Vec<Vec<f64>> {
    let rng = &mut Rng::with_seed(5);
    let theta = |row: usize| {
        let noisy = family
            .theta
            .base
            .iter()
            .map(|base| base + 2.0 * rng.f64() - 1.0);
        let most = family.theta.most;
        noisy
            .map(|t| if row.is_multiple_of(2) { t } else { t.round() }.min(most))
            .collect()
    };
    (0..rows).map(theta).collect()
}

fn solve(solver: &IlpNative, workspace: &mut Workspace, theta: &[f64]) -> Vec<f64> {
    let mut z = vec![f64::NAN; theta.len()];
    solver
        .solve(workspace, theta, &mut z, &Limits::none())
        .expect("a state");
    z
}

#[test]
fn kernels_agree_with_the_general_engine() {
    for family in &families() {
        let [general, special] = [false, true].map(|s| IlpNative::new(config(family, s)).unwrap());
        for theta in thetas(family, 100) {
            let value = |solver: &IlpNative| -> f64 {
                let z = solve(solver, &mut Workspace::default(), &theta);
                z.iter().zip(&theta).map(|(z, t)| z * t).sum()
            };
            let (a, b) = (value(&general), value(&special));
            assert!(
                (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
                "{}: {a} is not {b}",
                family.name
            );
        }
    }
}

#[test]
fn the_structures_are_recognised() {
    let names: Vec<_> = families()
        .iter()
        .map(|f| IlpNative::new(config(f, true)).unwrap().structure())
        .collect();
    let path = Some("shortest path");
    let expected = [
        Some("cardinality"),
        Some("assignment"),
        None,
        None,
        path,
        path,
        path,
        None,
        Some("knapsack"),
        None,
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_path_with_gains_on_cycles_is_left_to_the_general_engine() {
    let family = grid("grid", 3, "binary");
    let oracle = imle_api::Linked::new(IlpNative::new(config(&family, true)).unwrap());
    let theta = vec![1.0; family.theta.base.len()];
    let (z, _) = solve_one(&oracle, &theta).unwrap();
    // All arcs but those of one path back.
    assert_eq!(z.iter().sum::<f64>(), 40.0 - 2.0);
}
