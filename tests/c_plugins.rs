//! A plugin in C, written against the header alone, is as good as one in Rust.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use imle_api::{ErrorKind, Facts, Limits, Linked, Oracle, Outcome, StopFlag, solve_one, unset};
use imle_k_subset::KSubset;
use imle_runtime::Plugin;
use serde_json::{Value, json};

mod common;

#[test]
fn c_and_rust_agree_on_every_bit_of_z_and_of_the_radius() {
    let Some(plugin) = k_subset() else { return };
    for (dim, k) in [
        (1, 1),
        (2, 1),
        (3, 3),
        (5, 2),
        (8, 7),
        (20, 5),
        (64, 10),
        (333, 100),
    ] {
        let config = json!({"dim": dim, "k": k});
        let c = plugin.open("c-k-subset", &config).unwrap();
        let rust = Linked::<KSubset>::open(&config.to_string()).unwrap();
        assert_eq!(c.facts(), rust.facts());
        for levels in [2, 5, 1 << 20] {
            let theta = random_theta(200 * dim, levels);
            assert_eq!(solve(&*c, &theta), solve(&rust, &theta), "dim {dim}, k {k}");
        }
    }
}

#[test]
fn extreme_values_are_no_exception() {
    let Some(plugin) = k_subset() else { return };
    let config = json!({"dim": 6, "k": 3});
    let c = plugin.open("c-k-subset", &config).unwrap();
    let rust = Linked::<KSubset>::open(&config.to_string()).unwrap();
    let (max, least, tiny) = (f64::MAX, 5e-324, f64::MIN_POSITIVE);
    for theta in [
        [0.0, -0.0, 0.0, -0.0, 0.0, -0.0],
        [-0.0, -0.0, -0.0, 0.0, 0.0, 0.0],
        [max, -max, max, -max, max, -max],
        [max, max, max, max, max, max],
        [least, 0.0, -least, least, 0.0, least],
        [tiny, least, -tiny, -least, 1.0, -1.0],
    ] {
        assert_eq!(solve(&*c, &theta), solve(&rust, &theta), "{theta:?}");
    }
}

#[test]
fn one_instance_in_c_serves_many_threads() {
    let Some(plugin) = k_subset() else { return };
    let oracle = plugin
        .open("c-k-subset", &json!({"dim": 50, "k": 7}))
        .unwrap();
    let theta = random_theta(100 * 50, 9);
    let alone = solve(&*oracle, &theta);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(solve(&*oracle, &theta), alone));
        }
    });
}

#[test]
fn the_stop_flag_reaches_c() {
    let Some(plugin) = k_subset() else { return };
    let oracle = plugin
        .open("c-k-subset", &json!({"dim": 2, "k": 1}))
        .unwrap();
    let stop = StopFlag::default();
    stop.raise();
    let mut outcomes = [unset(), unset()];
    let limits = Limits::none().with_stop(&stop);
    oracle.solve(&[1.0, 2.0, 3.0, 4.0], &mut [0.0; 4], &mut outcomes, &limits);
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Stopped, "the stop word was raised")
        );
    }
}

#[test]
fn a_configuration_is_refused_with_the_key_and_the_value() {
    let Some(plugin) = k_subset() else { return };
    for (config, sentence) in [
        (
            json!({"dim": 3, "k": 0}),
            "k = 0 is not between 1 and dim = 3",
        ),
        (
            json!({"dim": 3, "k": 4}),
            "k = 4 is not between 1 and dim = 3",
        ),
        (json!({"dim": 3}), "missing key `k`"),
        (json!({"k": 3}), "missing key `dim`"),
        (json!({}), "missing key `dim`"),
        (
            json!({"dim": 3, "k": 2, "kk": 1}),
            "unknown key `kk`; the keys are `dim` and `k`",
        ),
        (
            json!({"dim": 3, "k": -2}),
            "at `k`: `-2` is not a non-negative integer that fits 64 bits",
        ),
        (json!({"dim": 3.0, "k": 2}), "at `dim`: `3.0` is not"),
        (json!({"dim": "3", "k": 2}), "at `dim`: `\"3\"` is not"),
        (json!({"dim": null, "k": 2}), "at `dim`: `null` is not"),
        (json!([3, 2]), "expected an object"),
        (
            json!({"dim": u64::MAX, "k": 1}),
            "dim = 18446744073709551615",
        ),
    ] {
        let error = plugin
            .open("c-k-subset", &config)
            .err()
            .expect("it is wrong");
        assert!(error.message().contains(sentence), "{config}: {error}");
    }
}

#[test]
fn a_configuration_ends_where_its_length_says_and_is_read_strictly() {
    let program = common::scratch("k_subset_config");
    let Some(mut compiler) = common::compiler("c11") else {
        return;
    };
    compiler
        .arg(common::c_file("k_subset_config.c"))
        .arg("-o")
        .arg(&program)
        .arg("-lm");
    common::succeed(compiler);
    let output = Command::new(&program).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_library_in_c_describes_itself() {
    let Some(plugin) = k_subset() else { return };
    assert_eq!((plugin.name(), plugin.version()), ("c-k-subset", "1.0.0"));
    assert_eq!(plugin.license(), Some("MIT OR Apache-2.0"));
    let solver = plugin.solvers().next().unwrap();
    assert_eq!(solver.name, "c-k-subset");
    assert_eq!(solver.serial_group, None);
    let schema: Value = plugin.schema("c-k-subset").unwrap();
    assert_eq!(schema["required"], json!(["dim", "k"]));
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn a_plugin_in_cpp_loads_and_solves() {
    let Some(path) = common::compile_c("one_hot.cpp", "c_plugins_one_hot", &[]) else {
        return;
    };
    // SAFETY: the library is ours and follows the header.
    let plugin = unsafe { Plugin::load(path) }.unwrap();
    let oracle = plugin.open("cpp-one-hot", &json!(3)).unwrap();
    assert_eq!(oracle.facts(), Facts::binary(3).with_ones(1));
    assert_eq!(
        solve_one(&*oracle, &[0.0, 2.0, 2.0]).unwrap().0,
        [0.0, 1.0, 0.0]
    );
    let softmax = Linked::<KSubset>::open(r#"{"dim": 3, "k": 1}"#).unwrap();
    let theta = [0.0, 2.0, 2.0, -700.0, 800.0, 801.0];
    let ((mu, found), (expected, exact)) =
        (marginals(&*oracle, &theta), marginals(&softmax, &theta));
    for (value, expected) in mu.iter().chain(&found).zip(expected.iter().chain(&exact)) {
        assert!((value - expected).abs() < 1e-12, "{mu:?}, {found:?}");
    }
    let error = plugin
        .open("cpp-one-hot", &json!(-1))
        .err()
        .expect("it is wrong");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(
        error
            .message()
            .contains("expected an integer of at least 1"),
        "{error}"
    );
}

#[test]
fn valgrind_sees_nothing_wrong() {
    common::repeat_under_valgrind();
}

/// The plugin of `k_subset.c`, compiled and loaded once for all tests.
fn k_subset() -> Option<&'static Plugin> {
    static PLUGIN: OnceLock<Option<Plugin>> = OnceLock::new();
    let load = |path: PathBuf| {
        // SAFETY: the library is ours and follows the header.
        unsafe { Plugin::load(path) }.expect("it follows the header")
    };
    let plugin =
        PLUGIN.get_or_init(|| common::compile_c("k_subset.c", "c_plugins_k_subset", &[]).map(load));
    plugin.as_ref()
}

/// States as bits, and what was proven about them.
fn solve(oracle: &dyn Oracle, theta: &[f64]) -> (Vec<u64>, Vec<Outcome>) {
    let rows = theta.len() / oracle.facts().dim;
    let (mut z, mut outcomes) = (vec![f64::NAN; theta.len()], vec![unset(); rows]);
    oracle.solve(theta, &mut z, &mut outcomes, &Limits::none());
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    (z.into_iter().map(f64::to_bits).collect(), outcomes)
}

/// Marginals and log-partitions of rows that have them.
fn marginals(oracle: &dyn Oracle, theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let rows = theta.len() / oracle.facts().dim;
    let (mut mu, mut found) = (vec![f64::NAN; theta.len()], vec![unset(); rows]);
    oracle.marginals(theta, &mut mu, &mut found, &Limits::none());
    let found = found
        .into_iter()
        .map(|found| found.expect("every row has some"));
    (mu, found.collect())
}

/// Values from -1 to 1 on so many levels, zeros with either sign: the fewer levels, the more ties.
fn random_theta(count: usize, levels: u64) -> Vec<f64> {
    let mut state = levels;
    let mut draw = || {
        // The multiplier and increment of Knuth's MMIX; the high bits are good.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let value = |draw: u64| 2.0 * (draw % (levels + 1)) as f64 / levels as f64 - 1.0;
    (0..count)
        .map(|_| {
            if draw() % 2 == 0 {
                value(draw())
            } else {
                -value(draw())
            }
        })
        .collect()
}
