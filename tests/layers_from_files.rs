//! Every estimator and every loss can be had from a TOML file, with every option, and is then what a program makes.

#[path = "common/oracles.rs"]
mod oracles;
#[path = "common/registered.rs"]
mod registered;

use std::collections::BTreeSet;
use std::sync::Arc;

use imle_runtime::{
    Aimle, Baseline, BlackBox, Combinatorial, ContrastiveMap, Difference, DirectionalRegret,
    Estimator, Exact, Examples, Feedback, FenchelYoung, FenchelYoungMultiplicative, GumbelSoftmax,
    Imitation, Imle, ImplicitDifferentiation, Labels, Layer, LayerConfig, ListwiseRanking,
    Logistic, Loss, LossLayer, Margin, MaximumLikelihood, NegativeIdentity, NoNoise,
    NoiseContrastive, Opened, PairwiseRanking, Perceptron, Perturbation, Perturbed,
    PointwiseRanking, Pool, PoolConfig, Projection, Regret, Sampling, Scope, Score, ScoreFunction,
    Sense, SoftSub, SparseMap, SpoPlus, StraightThrough, StructuredSvm, Temperature,
};
use oracles::{brute_force, k_subset, numbers, registry, subsets};
use serde::Serialize;
use serde_json::{Value, json};

const DIM: usize = 4;
const ROWS: usize = 2;

fn toml(ones: usize, sampling: &str, rest: &str) -> String {
    format!(
        "[oracle]\nsolver = \"k-subset\"\nconfig = {{ dim = {DIM}, k = {ones} }}\n\n\
         [sampling]\nsense = \"minimize\"\n{sampling}\n\n{rest}"
    )
}

/// Many samples, as most methods take them.
const SAMPLED: &str = r#"
    samples = 6
    seed = 11
    tau = 0.5
    noise = { type = "logistic" }
    antithetic = true
    threads = 1"#;

fn sampled() -> Sampling {
    Sampling {
        sense: Sense::Minimize,
        samples: 6,
        seed: 11,
        tau: 0.5.into(),
        noise: Arc::new(Logistic),
        antithetic: true,
        threads: 1,
    }
}

/// One sample without noise, as the others take it.
const PLAIN: &str = r#"
    seed = 3
    tau = { relative = 0.7, floor = 0.25 }
    noise = { type = "none" }"#;

fn plain() -> Sampling {
    let tau = json!({"relative": 0.7, "floor": 0.25});
    Sampling {
        sense: Sense::Minimize,
        seed: 3,
        tau: serde_json::from_value::<Temperature>(tau).expect("it is a temperature"),
        noise: Arc::new(NoNoise),
        ..Sampling::default()
    }
}

struct EstimatorCase {
    ones: usize,
    sampling: (&'static str, Sampling),
    toml: &'static str,
    estimator: Arc<dyn Estimator>,
}

fn estimator(toml: &'static str, estimator: impl Estimator + 'static) -> EstimatorCase {
    EstimatorCase {
        ones: 2,
        sampling: (SAMPLED, sampled()),
        toml,
        estimator: Arc::new(estimator),
    }
}

fn without_noise(case: EstimatorCase) -> EstimatorCase {
    let sampling = (PLAIN, plain());
    EstimatorCase { sampling, ..case }
}

fn estimators() -> Vec<EstimatorCase> {
    vec![
        estimator(
            r#"type = "imle"
            target = { type = "combinatorial" }
            tau_target = 0.25
            difference = "central"
            divide_by_lambda = true"#,
            Imle {
                target: Arc::new(Combinatorial),
                tau_target: Some(0.25.into()),
                difference: Difference::Central,
                divide_by_lambda: true,
            },
        ),
        estimator(
            r#"type = "aimle"
            difference = "central"
            tau_target = 0.25
            scope = "row"
            initial_beta = 0.5
            step = 0.125
            momentum = 0.5
            target_norm = 2.0
            initial_norm = 0.0
            decay = 0.75
            floor = 0.5"#,
            Aimle {
                difference: Difference::Central,
                tau_target: Some(0.25.into()),
                scope: Scope::Row,
                initial_beta: 0.5,
                step: 0.125,
                momentum: 0.5,
                target_norm: 2.0,
                initial_norm: 0.0,
                decay: 0.75,
                floor: 0.5,
            },
        ),
        without_noise(estimator(
            r#"type = "black_box"
            lambda = 3.0"#,
            BlackBox { lambda: 3.0 },
        )),
        estimator(
            r#"type = "implicit_differentiation"
            lambda = 2.0
            difference = "central""#,
            ImplicitDifferentiation {
                lambda: 2.0,
                difference: Difference::Central,
            },
        ),
        estimator(r#"type = "straight_through""#, StraightThrough),
        estimator(
            r#"type = "negative_identity"
            projection = "std""#,
            NegativeIdentity {
                projection: Projection::Std,
            },
        ),
        estimator(
            r#"type = "perturbed"
            perturbation = "multiplicative"
            baseline = "map""#,
            Perturbed {
                perturbation: Perturbation::Multiplicative,
                baseline: Baseline::Map,
            },
        ),
        estimator(
            r#"type = "score_function"
            score = "marginals"
            baseline = { moving_average = { decay = 0.75 } }"#,
            ScoreFunction {
                score: Score::Marginals,
                baseline: Baseline::MovingAverage { decay: 0.75 },
            },
        ),
        estimator(
            r#"type = "score_function"
            score = { exact = {} }
            baseline = "none""#,
            ScoreFunction {
                score: Score::Exact { states: None },
                baseline: Baseline::None,
            },
        ),
        EstimatorCase {
            ones: 1,
            ..estimator(
                r#"type = "gumbel_softmax"
                temperature = 0.25
                straight_through = true"#,
                GumbelSoftmax {
                    temperature: 0.25,
                    straight_through: true,
                },
            )
        },
        estimator(
            r#"type = "soft_sub"
            temperature = 0.25
            straight_through = true"#,
            SoftSub {
                temperature: 0.25,
                straight_through: true,
            },
        ),
        without_noise(EstimatorCase {
            ones: 1,
            ..estimator(
                r#"type = "exact"
                states = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
                lambda = 0.5
                difference = "central""#,
                Exact {
                    states: Some(subsets(DIM, 1).into_iter().take(3).collect()),
                    lambda: Some(0.5),
                    difference: Difference::Central,
                },
            )
        }),
    ]
}

struct LossCase {
    toml: &'static str,
    loss: Arc<dyn Loss>,
}

fn loss(toml: &'static str, loss: impl Loss + 'static) -> LossCase {
    let loss = Arc::new(loss);
    LossCase { toml, loss }
}

fn losses() -> Vec<LossCase> {
    let regret = || DirectionalRegret {
        step: 0.5,
        difference: Difference::Central,
    };
    vec![
        loss(r#"type = "perceptron""#, Perceptron),
        loss(r#"type = "structured_svm""#, StructuredSvm),
        loss(r#"type = "fenchel_young""#, FenchelYoung),
        loss(
            r#"type = "fenchel_young_multiplicative""#,
            FenchelYoungMultiplicative,
        ),
        loss(
            r#"type = "sparse_map"
            weight = 0.5
            tolerance = 1e-6
            most_solves = 50"#,
            SparseMap {
                weight: 0.5,
                tolerance: 1e-6,
                most_solves: 50,
            },
        ),
        loss(
            r#"type = "maximum_likelihood"
            examples = "theta""#,
            MaximumLikelihood {
                examples: Examples::Theta,
            },
        ),
        loss(
            r#"type = "imitation"
            margin = "regret"
            alpha = 3.0
            perturbed = true"#,
            Imitation {
                margin: Margin::Regret,
                alpha: 3.0,
                perturbed: true,
            },
        ),
        loss(r#"type = "spo_plus""#, SpoPlus),
        loss(
            r#"type = "directional_regret"
            step = 0.5
            difference = "central""#,
            regret(),
        ),
        loss(
            r#"type = "regret"
            step = 0.5
            difference = "central""#,
            Regret(regret()),
        ),
        loss(r#"type = "noise_contrastive""#, NoiseContrastive),
        loss(
            r#"type = "contrastive_map"
            margin = "regret""#,
            ContrastiveMap {
                margin: Margin::Regret,
            },
        ),
        loss(r#"type = "pointwise_ranking""#, PointwiseRanking),
        loss(
            r#"type = "pairwise_ranking"
            margin = 0.5"#,
            PairwiseRanking { margin: 0.5 },
        ),
        loss(
            r#"type = "listwise_ranking"
            temperature = 0.5"#,
            ListwiseRanking { temperature: 0.5 },
        ),
    ]
}

const POOL: &str = r#"
[pool]
solve_ratio = 0.25
rule = "batch"
seed = 9
most_bytes = 100_000"#;

fn pool() -> PoolConfig {
    PoolConfig {
        solve_ratio: 0.25,
        rule: imle_runtime::PoolRule::Batch,
        seed: 9,
        most_bytes: 100_000,
    }
}

fn open(text: &str) -> Opened {
    let config = LayerConfig::from_toml(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    config
        .open(&registry())
        .unwrap_or_else(|why| panic!("{why}\n{text}"))
}

fn name(method: &Value) -> String {
    method["type"]
        .as_str()
        .expect("typetag writes it")
        .to_owned()
}

/// Every option that a method has, and that a file may leave out, must have another value than it then gets.
fn assert_no_option_is_left_out(method: &Value, default: Option<Value>) {
    let Some(default) = default else {
        return; // it has options that a file must name
    };
    let options = method.as_object().expect("it is a table");
    for (option, value) in options.iter().filter(|(option, _)| *option != "type") {
        assert_ne!(Some(value), default.get(option), "{option} of {method}");
    }
    let left_out: Vec<&String> = default
        .as_object()
        .expect("it is a table")
        .keys()
        .filter(|option| !options.contains_key(*option))
        .collect();
    assert!(left_out.is_empty(), "{left_out:?} of {method}");
}

fn json<T: Serialize + ?Sized>(method: &T) -> Value {
    serde_json::to_value(method).expect("it is plain data")
}

#[test]
fn every_estimator_has_a_case_with_every_option() {
    let mut names = BTreeSet::new();
    for case in estimators() {
        let method = json(&*case.estimator);
        let bare = json!({"type": name(&method)});
        let default = serde_json::from_value::<Box<dyn Estimator>>(bare).ok();
        if !matches!(name(&method).as_str(), "exact") {
            assert_no_option_is_left_out(&method, default.map(|default| json(&*default)));
        }
        names.insert(name(&method));
    }
    let registered = registered::names::<Box<dyn Estimator>>();
    assert_eq!(names, registered.into_iter().collect());
}

#[test]
fn every_loss_has_a_case_with_every_option() {
    let mut names = BTreeSet::new();
    for case in losses() {
        let method = json(&*case.loss);
        let bare = json!({"type": name(&method)});
        let default = serde_json::from_value::<Box<dyn Loss>>(bare).ok();
        assert_no_option_is_left_out(&method, default.map(|default| json(&*default)));
        names.insert(name(&method));
    }
    let registered = registered::names::<Box<dyn Loss>>();
    assert_eq!(names, registered.into_iter().collect());
}

/// Two steps, so that what is remembered shows; returns states and gradients.
fn two_steps(layer: &Layer, needs_losses: bool) -> Vec<Vec<f64>> {
    let theta: Vec<f64> = numbers(ROWS * DIM, 1).iter().map(|t| t - 3.0).collect(); // never zero
    let mut found = Vec::new();
    for step in 0..2 {
        let saved = layer.forward(&theta, step).expect("theta is finite");
        found.push(saved.z().to_vec());
        let (grad_z, samples) = (numbers(saved.z().len(), 2), saved.states().outcomes().len());
        let losses = numbers(samples, 3);
        let feedback = match needs_losses {
            true => Feedback::Losses(&losses),
            false => Feedback::GradZ(&grad_z),
        };
        let gradient = layer.backward(saved, feedback).expect("it fits");
        found.push(gradient.all_solved().expect("all are solved"));
    }
    found
}

#[test]
fn an_estimator_of_a_file_is_that_of_a_program() {
    for case in estimators() {
        let (text, sampling) = &case.sampling;
        let opened = open(&toml(
            case.ones,
            text,
            &format!("[estimator]\n{}", case.toml),
        ));
        let oracle = k_subset(DIM, case.ones);
        let built = Layer::with_shared(oracle, case.estimator.clone(), sampling.clone());
        let built = built.expect("the settings are right");
        assert_eq!(
            format!("{:?}", opened.layer.estimator()),
            format!("{:?}", case.estimator)
        );
        let needs_losses = name(&json(&*case.estimator)) == "score_function";
        let found = two_steps(&opened.layer, needs_losses);
        assert_eq!(found, two_steps(&built, needs_losses), "{}", case.toml);
        assert!(found[1].iter().any(|&grad| grad != 0.0), "{}", case.toml);
        assert_eq!(opened.layer.memory(), built.memory());
    }
}

#[test]
fn a_loss_of_a_file_is_that_of_a_program() {
    let states = subsets(DIM, 2);
    let theta: Vec<f64> = numbers(ROWS * DIM, 1).iter().map(|t| t - 3.0).collect();
    let truth = numbers(ROWS * DIM, 2);
    let cheapest = |costs: &[f64]| {
        brute_force(
            &states,
            &costs.iter().map(|cost| -cost).collect::<Vec<f64>>(),
        )
    };
    let right: Vec<f64> = truth.chunks_exact(DIM).flat_map(cheapest).collect();
    let labels = Labels::theta(&truth).with_states(&right);
    for case in losses() {
        for with_pool in [false, true] {
            let is_pooled = ["contrastive", "ranking"].map(|kind| case.toml.contains(kind));
            if !with_pool && is_pooled.contains(&true) {
                continue;
            }
            let rest = format!(
                "[loss]\n{}\n{}",
                case.toml,
                if with_pool { POOL } else { "" }
            );
            let opened = open(&toml(2, SAMPLED, &rest));
            let from_file = opened.loss.expect("the file has a loss");
            let oracle = k_subset(DIM, 2);
            let mut built = LossLayer::with_shared(oracle.clone(), case.loss.clone(), sampled())
                .expect("the settings are right");
            if with_pool {
                let pool = Pool::new(pool()).expect("the settings are right");
                pool.insert(&*oracle, &states.concat())
                    .expect("they are states");
                built = built.with_pool(pool);
                let pool = opened.pool.expect("the file has a pool");
                pool.insert(&*opened.oracle, &states.concat())
                    .expect("they are states");
            }
            let evaluate = |loss: &LossLayer| {
                let value = loss.evaluate(&theta, &labels, 5).expect("the labels fit");
                let value = value.all_solved().expect("all are solved");
                (value.losses, value.theta)
            };
            let found = evaluate(&from_file);
            assert_eq!(found, evaluate(&built), "{}", case.toml);
            assert!(found.1.iter().any(|&grad| grad != 0.0), "{}", case.toml);
        }
    }
}
