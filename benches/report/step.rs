//! A whole step of I-MLE, and what it is made of.

use std::cell::Cell;
use std::sync::Arc;

use imle_api::unset;
use imle_example_support::{Adam, Linear, RandomState, ShortestPathSettings};
use imle_runtime::{
    Address, Imle, Layer, Limits, Noise, Outcome, Pid, Sampling, Sense, SumOfGamma,
};
use serde_json::{Value, json};

use crate::inputs::{KAPPA, centred, layer, linked, loaded, sum_of_gamma};
use crate::peers::Peers;
use crate::table::{Row, Target, print};
use crate::timing::{Contender, measure_all};

/// Rows, samples and dim, as `peers/serve.py` has them.
const STEPS: [(usize, usize, usize); 6] = [
    (200, 1, 20),
    (40, 1, 350),
    (40, 1, 1000),
    (200, 10, 20),
    (40, 10, 350),
    (40, 10, 1000),
];

pub(crate) fn step(peers: Option<&Peers>) {
    let (mut rows, mut beside) = (Vec::new(), Vec::new());
    for (count, samples, dim) in STEPS.into_iter().chain([(1000, 1, 20), (1000, 1, 350)]) {
        let (theta, grad) = (centred(count * dim, 1), centred(count * samples * dim, 2));
        let (theta, grad, items) = (&theta, &grad, count * samples);
        let step = |terms| {
            let layer = layer(linked(dim, KAPPA), sum_of_gamma(terms), samples, 1);
            let mut call = 0; // another one each time, or a processor learns its noise
            Contender::new(items * dim, move || {
                call += 1;
                let saved = layer.forward(theta, call).expect("theta is finite");
                layer.backward(saved, grad).expect("grad_z is finite")
            })
        };
        let oracle = linked(dim, KAPPA);
        let (noise, mut eps) = (sum_of_gamma(None), vec![0.0; dim]);
        let together = (2048 / dim).clamp(1, 64); // as many rows as a layer hands over at a time
        let mut perturbed = vec![0.0; together * dim];
        let mut z = perturbed.clone();
        let mut outcomes: Vec<Outcome> = vec![unset(); together];
        let mut call = 0;
        let parts = Contender::new(items * dim, || {
            call += 1;
            // Noise is drawn twice and two states are found, of theta as it is.
            for first in (0..2 * items).step_by(together) {
                let count = together.min(2 * items - first);
                let rows = perturbed.chunks_exact_mut(dim).take(count);
                for (item, row) in (first..).zip(rows) {
                    let address = Address {
                        seed: 0,
                        call,
                        row: item as u64,
                        sample: 0,
                    };
                    noise.fill(&address, &mut eps).expect("kappa is positive");
                    let theta = &grad[item / 2 * dim..][..dim];
                    let sums = eps.iter().zip(theta).map(|(eps, theta)| eps + theta);
                    row.iter_mut().zip(sums).for_each(|(row, sum)| *row = sum);
                }
                let values = count * dim;
                let (theta, z) = (&perturbed[..values], &mut z[..values]);
                oracle.solve(theta, z, &mut outcomes[..count], &Limits::none());
            }
        });
        let (numpy, torch) = (
            format!("numpy {count} {samples} {dim}"),
            format!("torch {count} {samples} {dim}"),
        );
        let named = [(&numpy, "NumPy", 15.0), (&torch, "PyTorch", 30.0)];
        let theirs: Vec<_> = named
            .iter()
            .filter_map(|named| Some((named, peers?.contender(named.0, items * dim)?)))
            .collect();
        let (theirs, more): (Vec<_>, Vec<_>) = theirs.into_iter().unzip();
        let mut contenders = vec![step(None), step(Some(10)), parts];
        contenders.extend(more);
        let measured = measure_all(contenders);
        let what = format!("{count} rows, S = {samples}, dim {dim}");
        let row = Row::new(&what, &measured[0], Target::Within(18.0));
        rows.push(row.limit("its noise and solves", &measured[2]));
        for (&(name, title, least), theirs) in theirs.into_iter().zip(&measured[3..]) {
            let row = Row::new(&what, &measured[1], Target::Faster(least));
            beside.push(row.against(title, theirs));
            if dim == 20 && samples == 1 {
                check(
                    name,
                    peers.and_then(|peers| peers.check(name)),
                    theta,
                    grad,
                    dim,
                );
            }
        }
    }
    print(
        "I-MLE, forward and backward, Sum-of-Gamma limit: a coordinate on one core",
        &rows,
    );
    if !beside.is_empty() {
        print("The same with 10 terms, as the others have it", &beside);
    }
}

/// Checks that the peer samples the same distributions: mean states at theta and at the target, over 400 calls each.
fn check(name: &str, theirs: Option<Value>, theta: &[f64], grad: &[f64], dim: usize) {
    const CALLS: usize = 400;
    let layer = layer(linked(dim, KAPPA), sum_of_gamma(Some(10)), 1, 1);
    let mut ours = [vec![0.0; theta.len()], vec![0.0; theta.len()]];
    for call in 0..CALLS as u64 {
        let saved = layer.forward(theta, call).expect("theta is finite");
        ours[0]
            .iter_mut()
            .zip(saved.z())
            .for_each(|(sum, z)| *sum += z / CALLS as f64);
        let gradient = layer.backward(saved, grad).expect("grad_z is finite");
        ours[1]
            .iter_mut()
            .zip(&gradient.theta)
            .for_each(|(sum, g)| *sum += g / CALLS as f64);
    }
    let theirs: [Vec<Vec<f64>>; 2] =
        serde_json::from_value(theirs.expect("it is there")).expect("means");
    let theirs = theirs.map(|rows| rows.concat());
    // The gradient is the difference of two mean states: the second one is compared.
    let target = |[mu, g]: &[Vec<f64>; 2]| mu.iter().zip(g).map(|(mu, g)| mu - g).collect();
    let pairs: [(&Vec<f64>, &Vec<f64>); 2] =
        [(&ours[0], &theirs[0]), (&target(&ours), &target(&theirs))];
    let mut farthest: f64 = 0.0;
    for (a, b) in pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b)) {
        let share = 0.5 * (a + b);
        let variance = (share * (1.0 - share)).max(1.0 / CALLS as f64) * 2.0 / CALLS as f64;
        farthest = farthest.max((a - b).abs() / variance.sqrt());
    }
    println!(
        "{name}: {} mean states, the farthest {farthest:.1} standard errors away",
        2 * theta.len()
    );
    assert!(farthest < 6.0, "{name} samples something else");
}

/// How many solves a run of gradient descent needs while it converges.
pub(crate) fn skips(_: Option<&Peers>) {
    const DIM: usize = 20;
    const ROWS: usize = 100;
    let layer = layer(linked(DIM, KAPPA), sum_of_gamma(None), 1, 1);
    let wanted = linked(DIM, KAPPA);
    let (mut z, mut outcomes) = (vec![0.0; ROWS * DIM], vec![unset(); ROWS]);
    wanted.solve(
        &centred(ROWS * DIM, 5),
        &mut z,
        &mut outcomes,
        &Limits::none(),
    );
    let mut theta = vec![0.0; ROWS * DIM];
    println!(
        "\nSolves that the backward pass did without, fitting states with squared errors (rate 1)"
    );
    for step in 0..=200_u64 {
        let saved = layer.forward(&theta, step).expect("theta is finite");
        let wrong: Vec<f64> = saved
            .z()
            .iter()
            .zip(&z)
            .map(|(z, wanted)| z - wanted)
            .collect();
        let gradient = layer
            .backward(saved, &wrong)
            .expect("the gradient is finite");
        theta
            .iter_mut()
            .zip(&gradient.theta)
            .for_each(|(theta, g)| *theta -= g);
        if [0, 1, 2, 5, 10, 20, 50, 100, 200].contains(&step) {
            let share = gradient.skipped as f64 / (gradient.skipped + gradient.solves) as f64;
            println!("  step {step:3}: {:5.1} %", 100.0 * share);
        }
    }
}

/// A training step on 5x5 paths: a linear model, the layer, Adam.
/// Of the first steps of a model, again and again.
pub(crate) fn training(peers: Option<&Peers>) {
    let grid = json!({"height": 5, "width": 5, "moves": "right_down"});
    let oracle = loaded("shortest-path", &json!({"grid": grid, "costs": "edges"}));
    let data = ShortestPathSettings {
        rows: 32,
        ..Default::default()
    }
    .generate();
    let mut z = vec![0.0; data.theta.len()];
    let theta: Vec<f64> = data.theta.iter().map(|cost| -cost).collect();
    let mut outcomes: Vec<Outcome> = vec![unset(); 32];
    oracle.solve(&theta, &mut z, &mut outcomes, &Limits::none());
    let sampling = Sampling {
        sense: Sense::Minimize,
        samples: 3,
        threads: 1,
        noise: Arc::new(SumOfGamma {
            kappa: 5.0,
            terms: Some(10),
        }),
        ..Sampling::default()
    };
    let imle = Imle {
        target: Arc::new(Pid::new(10.0)),
        divide_by_lambda: true,
        ..Imle::default()
    };
    let layer = Layer::new(oracle, imle, sampling).expect("the settings are right");
    let (features, dim) = (data.features(), data.dim());
    let untrained = move || {
        let model = Linear::new(features, dim, &mut RandomState::new(1));
        (model, Adam::new(1e-2))
    };
    let ((mut model, mut adam), mut call) = (untrained(), 0);
    let (skipped, solved) = (Cell::new(0), Cell::new(0));
    let counters = (&skipped, &solved);
    let ours = Contender::new(1, move || {
        if call % 100 == 0 {
            (model, adam) = untrained(); // what is learnt has no gradient, and costs no solves
        }
        call += 1;
        let costs = model.forward(&data.x);
        let saved = layer
            .forward_mean(&costs, call)
            .expect("the costs are finite");
        let share = 1.0 / z.len() as f64;
        let sign = saved
            .mu()
            .iter()
            .zip(&z)
            .map(|(mu, z)| share * (mu - z).signum() * f64::from(u8::from(mu != z)));
        let sign: Vec<f64> = sign.collect();
        let gradient = layer
            .backward_mean(saved, &sign)
            .expect("the gradient is finite");
        counters.0.set(counters.0.get() + gradient.skipped);
        counters.1.set(counters.1.get() + gradient.solves);
        let gradient = model.backward(&data.x, &gradient.theta);
        adam.step(model.parameters_mut(), &gradient);
    });
    let theirs = peers.and_then(|peers| peers.contender("pyepo step", 1));
    let mut contenders = vec![ours];
    contenders.extend(theirs);
    let measured = measure_all(contenders);
    const WHAT: &str = "SP5, 32 rows, S = 3, the first 100";
    let mut row = Row::new(WHAT, &measured[0], Target::None);
    if let Some(theirs) = measured.get(1) {
        row = Row::new(WHAT, &measured[0], Target::Faster(40.0));
        row = row.against("PyEPO, one process", theirs);
    }
    print("A training step of I-MLE on one core", &[row]);
    let share = skipped.get() as f64 / (skipped.get() + solved.get()) as f64;
    println!(
        "The backward pass did without {:.0} % of its solves",
        100.0 * share
    );
}
