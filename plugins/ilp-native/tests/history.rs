//! A solve depends on theta alone: not on what the workspace solved before, nor on the thread.

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
        grid("grid as a product", 9, "continuous"),
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
fn one_resident_instance_equals_as_many_fresh_ones() {
    for (family, structure) in families().iter().flat_map(|f| [(f, false), (f, true)]) {
        let thetas = thetas(family, 200);
        let resident = IlpNative::new(config(family, structure)).unwrap();
        let mut workspace = Workspace::default();
        let mut order: Vec<usize> = (0..thetas.len()).collect();
        Rng::with_seed(6).shuffle(&mut order);
        for at in order {
            let fresh = IlpNative::new(config(family, structure)).unwrap();
            let expected = solve(&fresh, &mut Workspace::default(), &thetas[at]);
            let got = solve(&resident, &mut workspace, &thetas[at]);
            assert_eq!(
                got, expected,
                "{}, structure: {structure}, row {at}",
                family.name
            );
        }
    }
}

#[test]
fn eight_threads_agree_with_one() {
    for family in &families() {
        let thetas = thetas(family, 40);
        let solver = IlpNative::new(config(family, false)).unwrap();
        let all = || {
            let mut workspace = Workspace::default();
            thetas
                .iter()
                .map(|theta| solve(&solver, &mut workspace, theta))
                .collect::<Vec<_>>()
        };
        let expected = all();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(all)).collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), expected, "{}", family.name);
            }
        });
    }
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
        path,
        path,
        path,
        Some("knapsack"),
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

#[test]
fn memory_stays_flat_over_20000_solves() {
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").ok()?;
        text.split(' ').nth(1)?.parse::<usize>().ok()
    };
    let family = knapsack("knapsacks", 12, 3, 30);
    let solver = IlpNative::new(config(&family, false)).unwrap();
    let mut workspace = Workspace::default();
    let thetas = thetas(&family, 100);
    let mut rounds = |rounds: usize| {
        for _ in 0..rounds {
            for theta in &thetas {
                solve(&solver, &mut workspace, theta);
            }
        }
    };
    rounds(2);
    let before = resident();
    rounds(198);
    if let (Some(before), Some(after)) = (before, resident()) {
        // Other tests of this program run beside this one: a page a solve would be 20 000.
        assert!(after < before + 4000, "{before} pages, then {after}");
    }
}
