//! The solution pool: who answers is decided by address, what is known is exact, counted and bounded.

#[path = "common/losses.rs"]
mod losses;
#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    Call, Imle, Labels, Layer, LayerConfig, LossLayer, Oracle, Perceptron, Pid, Pool, PoolConfig,
    PoolRule, Sampling, SpoPlus,
};
use losses::{Problem, problem};
use oracles::{Counting, brute_force, enumeration, numbers, subsets};

fn pool(solve_ratio: f64) -> Pool {
    let config = PoolConfig {
        solve_ratio,
        seed: 3,
        ..PoolConfig::default()
    };
    Pool::new(config).expect("the settings are right")
}

fn perceptron(oracle: Arc<dyn Oracle>, pool: &Pool, threads: usize) -> LossLayer {
    let sampling = Sampling {
        threads,
        ..Sampling::default()
    };
    let layer = LossLayer::new(oracle, Perceptron, sampling);
    layer
        .expect("the settings are right")
        .with_pool(pool.clone())
}

fn evaluate(layer: &LossLayer, problem: &Problem, call: u64) -> Vec<f64> {
    let value = layer.evaluate(&problem.theta, &problem.labels(), call);
    let value = value.and_then(imle_runtime::LossValue::all_solved);
    value.expect("every row is solved").theta
}

#[test]
fn a_pool_that_knows_every_state_is_exact_and_solves_nothing() {
    let problem = problem(50, 1);
    let oracle = Counting::new(problem.oracle());
    let pool = pool(0.0);
    pool.insert(&*oracle, &problem.states.concat()).unwrap();
    let sampling = Sampling::default();
    let exact = LossLayer::new(oracle.clone(), SpoPlus, sampling.clone()).unwrap();
    let pooled = LossLayer::new(oracle.clone(), SpoPlus, sampling)
        .unwrap()
        .with_pool(pool.clone());
    let exact = exact
        .evaluate(&problem.theta, &problem.labels(), 0)
        .unwrap();
    assert_eq!(oracle.take(), 50);
    let pooled = pooled
        .evaluate(&problem.theta, &problem.labels(), 0)
        .unwrap();
    assert_eq!(oracle.take(), 0);
    assert_eq!((exact.losses, exact.theta), (pooled.losses, pooled.theta));
    let statistics = pool.statistics();
    assert_eq!((statistics.solves, statistics.look_ups), (0, 50));
    assert_eq!((statistics.states, statistics.inserted), (15, 15));
}

#[test]
fn a_look_up_is_the_best_state_that_is_known() {
    let problem = problem(200, 2);
    let known: Vec<Vec<f64>> = problem.states.iter().step_by(3).cloned().collect();
    let (oracle, pool) = (problem.oracle(), pool(0.0));
    pool.insert(&*oracle, &known.concat()).unwrap();
    let gradient = evaluate(&perceptron(oracle, &pool, 0), &problem, 0);
    let best = problem
        .theta
        .chunks_exact(6)
        .flat_map(|theta| brute_force(&known, theta));
    let expected: Vec<f64> = best.zip(&problem.right).map(|(z, y)| z - y).collect();
    assert_eq!(gradient, expected);
}

/// The share of solved rows is that of a fair coin: within four standard errors.
#[test]
fn each_row_has_a_coin_of_its_own_and_each_batch_has_one() {
    let (rows, calls, ratio) = (100, 60, 0.3);
    let problem = problem(rows, 3);
    for rule in [PoolRule::Row, PoolRule::Batch] {
        let pool = Pool::new(PoolConfig {
            solve_ratio: ratio,
            rule,
            ..PoolConfig::default()
        })
        .unwrap();
        let oracle = Counting::new(problem.oracle());
        pool.insert(&*oracle, &problem.states.concat()).unwrap();
        let layer = perceptron(oracle.clone(), &pool, 0);
        let solved: Vec<usize> = (0..calls)
            .map(|call| {
                evaluate(&layer, &problem, call);
                oracle.take()
            })
            .collect();
        let all_or_nothing = solved.iter().all(|&solved| solved == 0 || solved == rows);
        assert_eq!(all_or_nothing, rule == PoolRule::Batch, "{solved:?}");
        let coins = match rule {
            PoolRule::Row => calls as f64 * rows as f64,
            PoolRule::Batch => calls as f64,
        };
        let share = solved.iter().sum::<usize>() as f64 / (calls as usize * rows) as f64;
        let four_errors = 4.0 * (ratio * (1.0 - ratio) / coins).sqrt();
        assert!((share - ratio).abs() < four_errors, "{rule:?}: {share}");
        let statistics = pool.statistics();
        assert_eq!(statistics.solves as usize, solved.iter().sum::<usize>());
        assert_eq!(statistics.solves + statistics.look_ups, calls * rows as u64);
    }
}

/// If the solver answers with states of another set than the pool, each side shows who answered it.
#[test]
fn both_sides_of_a_finite_difference_have_the_same_source() {
    let (dim, rows, samples) = (6, 80, 3);
    let solver = enumeration(subsets(dim, 2));
    for solve_ratio in [0.0, 0.5, 1.0] {
        let pool = pool(solve_ratio);
        // The only states known have coordinate 5; theta is so that the solver never chooses it.
        pool.insert(
            &*solver,
            &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        )
        .unwrap();
        let mut theta = numbers(rows * dim, 4);
        theta
            .chunks_exact_mut(dim)
            .for_each(|theta| theta[5] = -1e3);
        let imle = Imle {
            target: Arc::new(Pid::new(3.0)),
            ..Imle::default()
        };
        let sampling = Sampling {
            samples,
            ..Sampling::default()
        };
        let layer = Layer::new(solver.clone(), imle, sampling)
            .unwrap()
            .with_pool(pool.clone());
        let mut sources = [0, 0];
        for call in 0..5 {
            let saved = layer.forward(&theta, call).unwrap();
            let looked_up: Vec<bool> = saved.z().chunks_exact(dim).map(|z| z[5] == 1.0).collect();
            for row in looked_up.chunks_exact(samples) {
                assert!(
                    row.iter().all(|source| *source == row[0]),
                    "a row has one source"
                );
                sources[usize::from(row[0])] += 1;
            }
            let gradient = layer
                .backward(saved, &numbers(rows * samples * dim, 5))
                .unwrap();
            // Were the sides from two sources, exactly one would have coordinate 5.
            assert!(gradient.theta.chunks_exact(dim).all(|grad| grad[5] == 0.0));
            assert!(gradient.theta.iter().any(|&grad| grad != 0.0));
        }
        assert_eq!(sources[0] == 0, solve_ratio == 0.0);
        assert_eq!(sources[1] == 0, solve_ratio == 1.0);
    }
}

#[test]
fn what_a_call_solves_is_seen_by_the_next_and_threads_and_splits_do_not_matter() {
    let problem = problem(60, 6);
    let run = |threads, splits: &[usize]| {
        let (oracle, pool) = (problem.oracle(), pool(0.3));
        pool.insert(&*oracle, &problem.states[0]).unwrap();
        let layer = perceptron(oracle.clone(), &pool, threads);
        let mut gradients = Vec::new();
        for call in 0..8 {
            let mut first = 0;
            for &size in splits {
                let part = first * 6..(first + size) * 6;
                let labels = Labels::states(&problem.right[part.clone()]);
                let at = Call::from(call).from_row(first as u64);
                let value = layer.evaluate(&problem.theta[part], &labels, at).unwrap();
                gradients.extend(value.theta);
                first += size;
            }
        }
        (gradients, pool.known(&*oracle), pool.statistics())
    };
    let alone = run(1, &[60]);
    assert!(alone.2.states > 2, "{:?}", alone.2);
    for threads in [0, 2, 5] {
        assert_eq!(run(threads, &[60]), alone);
    }
    assert_eq!(run(2, &[1, 20, 39]), alone);

    let (oracle, pool) = (problem.oracle(), pool(1.0));
    let layer = perceptron(oracle.clone(), &pool, 0);
    evaluate(&layer, &problem, 0);
    assert!(pool.known(&*oracle).is_empty());
    evaluate(&layer, &problem, 1);
    assert!(!pool.known(&*oracle).is_empty());
}

#[test]
fn states_are_kept_once_and_within_the_bytes_the_least_used_go_first() {
    let problem = problem(1, 7);
    let oracle = problem.oracle();
    let size = 2 * 6 * 8 + 64;
    let pool = Pool::new(PoolConfig {
        solve_ratio: 0.0,
        most_bytes: 8 * size,
        ..PoolConfig::default()
    })
    .unwrap();
    for _ in 0..3 {
        pool.insert(&*oracle, &problem.states[..7].concat())
            .unwrap();
        let negative_zeros: Vec<f64> = problem.states[0]
            .iter()
            .map(|z| if *z == 0.0 { -0.0 } else { *z })
            .collect();
        pool.insert(&*oracle, &negative_zeros).unwrap();
    }
    let statistics = pool.statistics();
    assert_eq!(
        (statistics.states, statistics.inserted, statistics.bytes),
        (7, 7, 7 * size)
    );
    // A look-up uses state 0; then there is no room for two more.
    let layer = perceptron(oracle.clone(), &pool, 1);
    layer
        .evaluate(&problem.states[0], &Labels::states(&problem.states[0]), 1)
        .unwrap();
    pool.insert(&*oracle, &problem.states[7..9].concat())
        .unwrap();
    let statistics = pool.statistics();
    assert!(statistics.bytes <= 8 * size, "{statistics:?}");
    assert_eq!(
        statistics.inserted - statistics.evicted,
        statistics.states as u64
    );
    let known = pool.known(&*oracle);
    let known: Vec<&[f64]> = known.chunks_exact(6).collect();
    assert!(known.contains(&&problem.states[0][..]) && known.contains(&&problem.states[8][..]));
    assert!(!known.contains(&&problem.states[1][..]));
}

/// Calls that all have one number add states that none of them sees.
#[test]
fn what_waits_stays_within_the_bytes_whoever_comes_first() {
    let problem = problem(60, 11);
    let (oracle, size) = (problem.oracle(), 2 * 6 * 8 + 64);
    let known_after = |order: &mut dyn Iterator<Item = usize>| {
        let pool = Pool::new(PoolConfig {
            solve_ratio: 1.0,
            most_bytes: 5 * size,
            ..PoolConfig::default()
        })
        .unwrap();
        let layer = perceptron(oracle.clone(), &pool, 1);
        for row in order {
            let (theta, right) = (
                &problem.theta[row * 6..][..6],
                &problem.right[row * 6..][..6],
            );
            layer.evaluate(theta, &Labels::states(right), 0).unwrap();
            assert!(pool.statistics().inserted <= 5, "{:?}", pool.statistics());
        }
        let right = Labels::states(&problem.right[..6]);
        layer.evaluate(&problem.theta[..6], &right, 1).unwrap();
        pool.known(&*oracle)
    };
    let forwards = known_after(&mut (0..60));
    assert_eq!(forwards.len(), 5 * 6);
    assert_eq!(known_after(&mut (0..60).rev()), forwards);
}

#[test]
fn instances_do_not_see_each_other_and_an_unknown_one_is_solved() {
    let problem = problem(2, 8);
    let (one, other) = (problem.oracle(), Counting::new(enumeration(subsets(6, 3))));
    let pool = pool(0.0);
    pool.insert(&*one, &problem.states[0]).unwrap();
    let layer = perceptron(one.clone(), &pool, 0);
    let each: [Arc<dyn Oracle>; 2] = [one, other.clone()];
    let value = layer
        .evaluate_each(&each, &problem.theta, &problem.labels(), 0)
        .unwrap();
    assert_eq!(other.take(), 1);
    let step: f64 = value.theta[6..].iter().sum();
    assert_eq!(step, 1.0, "three of six against two of six");
    assert!(pool.known(&*other).is_empty());
}

#[test]
fn evaluation_without_noise_stays_exact() {
    let problem = problem(10, 9);
    let (oracle, pool) = (problem.oracle(), pool(0.0));
    pool.insert(&*oracle, &problem.states[0]).unwrap();
    let layer = Layer::new(oracle, Imle::default(), Sampling::default())
        .unwrap()
        .with_pool(pool);
    let best: Vec<f64> = problem
        .theta
        .chunks_exact(6)
        .flat_map(|theta| brute_force(&problem.states, theta))
        .collect();
    assert_eq!(layer.map(&problem.theta).unwrap().z(), best);
}

#[test]
fn a_file_names_the_loss_and_the_pool() {
    let text = r#"
        [oracle]
        solver = "k-subset"
        config = { dim = 6, k = 2 }

        [loss]
        type = "contrastive_map"
        margin = "regret"

        [pool]
        solve_ratio = 0.5
        rule = "batch"
    "#;
    let config = LayerConfig::from_toml(text).unwrap();
    assert_eq!(
        LayerConfig::from_toml(&config.to_toml().unwrap())
            .unwrap()
            .to_json()
            .unwrap(),
        config.to_json().unwrap()
    );
    let opened = config.open(&oracles::registry()).unwrap();
    let (loss, pool) = (opened.loss.unwrap(), opened.pool.unwrap());
    let problem = problem(10, 10);
    // Nothing is known in the first call, whose rows are solved; the second compares what they gave.
    let first = loss.evaluate(&problem.theta, &problem.labels(), 0).unwrap();
    assert!(
        first
            .all_solved()
            .unwrap_err()
            .message()
            .contains("insert some first")
    );
    let second = loss.evaluate(&problem.theta, &problem.labels(), 1).unwrap();
    assert_eq!(second.all_solved().unwrap().losses.len(), 10);
    assert!(pool.statistics().states > 0 && pool.statistics().solves >= 10);
    let wrong = LayerConfig::from_toml(&text.replace("0.5", "2.0")).unwrap_err();
    assert_eq!(
        wrong.message(),
        "pool: solve_ratio = 2 is not within [0, 1]"
    );
}

#[test]
fn wrong_settings_and_states_are_named() {
    let wrong = |solve_ratio| {
        let config = PoolConfig {
            solve_ratio,
            ..PoolConfig::default()
        };
        Pool::new(config).unwrap_err().to_string()
    };
    assert_eq!(
        wrong(1.5),
        "invalid configuration: solve_ratio = 1.5 is not within [0, 1]"
    );
    assert!(wrong(f64::NAN).contains("NaN"));
    let (oracle, pool) = (problem(1, 1).oracle(), pool(0.0));
    let refused = |z: &[f64]| pool.insert(&*oracle, z).unwrap_err().to_string();
    assert_eq!(
        refused(&[1.0]),
        "invalid input: 1 values are not states of dim = 6"
    );
    assert_eq!(
        refused(&[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0]),
        "invalid input: state 1: z[0] = 0.5 is not an integer"
    );
    assert_eq!(pool.statistics().states, 0);
}
