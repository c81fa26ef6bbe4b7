//! What the runtime adds to the solver, the cache, and how cost grows.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use imle_api::unset;
use imle_k_subset::KSubset;
use imle_runtime::{Cache, Facts, FnOracle, Layer, Limits, NoNoise, Oracle, Outcome};
use serde_json::json;

use crate::inputs::{KAPPA, centred, layer, linked, loaded, numbers, sum_of_gamma};
use crate::peers::Peers;
use crate::table::{Row, Target, print, time};
use crate::timing::{Contender, measure};

const DIM: usize = 20;
const ROWS: usize = 1000;

fn forward<'a>(layer: Layer, theta: &'a [f64]) -> impl FnMut() + 'a {
    move || {
        let saved = layer.forward(theta, 0).expect("theta is finite");
        std::hint::black_box(saved.z());
    }
}

fn solve<'a>(oracle: Arc<dyn Oracle>, theta: &'a [f64]) -> impl FnMut() + 'a {
    let rows = theta.len() / oracle.facts().dim;
    let (mut z, mut outcomes): (_, Vec<Outcome>) = (vec![0.0; theta.len()], vec![unset(); rows]);
    move || oracle.solve(theta, &mut z, &mut outcomes, &Limits::none())
}

/// What the runtime adds to a loop over the solver.
pub(crate) fn overheads(_: Option<&Peers>) {
    let theta = centred(ROWS * DIM, 1);
    let (here, there) = (
        linked(DIM, KAPPA),
        loaded("k-subset", &json!({"dim": DIM, "k": KAPPA})),
    );
    let grad = centred(ROWS * DIM, 2);
    let step = |oracle: &Arc<dyn Oracle>| {
        let layer = layer(oracle.clone(), sum_of_gamma(None), 1, 1);
        let (theta, grad, mut call) = (&theta, &grad, 0);
        Contender::new(ROWS, move || {
            call += 1;
            let saved = layer.forward(theta, call).expect("theta is finite");
            layer.backward(saved, grad).expect("grad_z is finite")
        })
    };
    let map = layer(here.clone(), NoNoise, 1, 1);
    let config = imle_k_subset::Config { dim: DIM, k: KAPPA };
    let solver: KSubset = imle_api::Solver::new(config).expect("the configuration is right");
    let (mut workspace, mut z) = (Default::default(), vec![0.0; ROWS * DIM]);
    let bare = Contender::new(ROWS, || {
        for (theta, z) in theta.chunks_exact(DIM).zip(z.chunks_exact_mut(DIM)) {
            let solved =
                imle_api::Solver::solve(&solver, &mut workspace, theta, z, &Limits::none());
            std::hint::black_box(solved.expect("k-subsets can be solved"));
        }
    });
    let [bare, mapped, linked, loaded, linked_step, loaded_step] = measure([
        bare,
        Contender::new(ROWS, || map.map(&theta)),
        Contender::new(ROWS, solve(here.clone(), &theta)),
        Contender::new(ROWS, solve(there.clone(), &theta)),
        step(&here),
        step(&there),
    ]);
    let above = mapped.over(&bare);
    let rows = [
        Row::new("a loaded plugin, a solve", &loaded, Target::None).against("linked in", &linked),
        Row::new(
            "a loaded plugin, a step",
            &loaded_step,
            Target::NotSlower(1.02),
        )
        .against("linked in", &linked_step),
        Row::new(
            "the runtime above a bare loop",
            &above,
            Target::Within(40.0),
        )
        .limit("the loop", &bare),
    ];
    print("Overheads: a row of dim 20, on one core", &rows);
}

pub(crate) fn cache(_: Option<&Peers>) {
    let theta = centred(ROWS * DIM, 1);
    let oracle = linked(DIM, KAPPA);
    let hits = Cache::new(1 << 26).wrap(oracle.clone());
    let few = &theta[..64 * DIM];
    let full = Cache::new(1 << 22).wrap(oracle.clone());
    let others = centred(40 * ROWS * DIM, 3);
    let mut others = others.chunks_exact(ROWS * DIM).cycle();
    let [hit, miss, evicting, bare, alone, eight] = measure([
        Contender::new(ROWS, solve(hits.clone(), &theta)),
        Contender::new(ROWS, || {
            solve(Cache::new(1 << 26).wrap(oracle.clone()), &theta)();
        }),
        Contender::new(ROWS, || {
            solve(full.clone(), others.next().expect("there is no last one"))();
        }),
        Contender::new(ROWS, solve(oracle.clone(), &theta)),
        Contender::timed(64 * 1000, |runs| together(&hits, few, 1, runs)),
        Contender::timed(64 * 1000, |runs| together(&hits, few, 8, runs)),
    ]);
    let rows = [
        Row::new("a hit", &hit, Target::Within(120.0)).limit("the solve", &bare),
        Row::new(
            "a miss in a new cache, beside its solve",
            &miss.over(&bare),
            Target::Within(300.0),
        )
        .limit("the solve", &bare),
        Row::new(
            "a miss that puts another one out",
            &evicting.over(&bare),
            Target::Within(300.0),
        )
        .limit("the solve", &bare),
        Row::new(
            "a hit of 64 keys, 8 threads, a core's time",
            &eight,
            Target::NotSlower(2.0),
        )
        .against("1 thread", &alone),
    ];
    print("Cache: a row of dim 20", &rows);
}

/// Asks for the same rows from several threads; returns the time of a core for what one thread asks.
fn together(oracle: &Arc<dyn Oracle>, theta: &[f64], threads: usize, runs: u32) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut solve = solve(oracle.clone(), theta);
                (0..1000 * runs).for_each(|_| solve());
            });
        }
    });
    let cores = thread::available_parallelism().map_or(1, usize::from);
    start.elapsed() * threads.min(cores) as u32 / threads as u32
}

pub(crate) fn scaling(_: Option<&Peers>) {
    let small = centred(64_000 * DIM, 1);
    let of = |rows: usize| {
        let layer = layer(linked(DIM, KAPPA), sum_of_gamma(None), 1, 1);
        Contender::new(rows, forward(layer, &small[..rows * DIM]))
    };
    let (dim, many) = (1000, 4000);
    let theta = centred(many * dim, 1);
    let subsets = |rows: usize, threads| {
        let layer = layer(linked(dim, KAPPA), sum_of_gamma(None), 1, threads);
        Contender::by_clock(rows, forward(layer, &theta[..rows * dim]))
    };
    let grid = json!({"grid": {"height": 12, "width": 12, "moves": "eight"}, "costs": "vertices"});
    let path = loaded("shortest-path", &grid);
    let costs: Vec<f64> = numbers(many * 144, 1).iter().map(|cost| -cost).collect();
    let paths = |threads| {
        let layer = layer(path.clone(), NoNoise, 1, threads);
        Contender::by_clock(many, forward(layer, &costs))
    };
    let one_slow = |threads| {
        let layer = layer(Arc::new(one_slow_row()), NoNoise, 1, threads);
        Contender::by_clock(1, forward(layer, &small[..2000]))
    };
    let sums = || arithmetic(20_000_000);
    let [
        many_rows,
        few_rows,
        subsets_2,
        subsets_1,
        fewer_2,
        fewer_1,
        paths_2,
        paths_1,
        slow_2,
        slow_1,
        sums_2,
        sums_1,
    ] = measure([
        of(64_000),
        of(64),
        subsets(many, 2),
        subsets(many, 1),
        subsets(many / 10, 2),
        subsets(many / 10, 1),
        paths(2),
        paths(1),
        one_slow(2),
        one_slow(1),
        Contender::by_clock(1, || {
            thread::scope(|scope| {
                scope.spawn(sums);
                sums()
            })
        }),
        Contender::by_clock(1, || (sums(), sums())),
    ]);
    let two = |what, two, one| Row::new(what, two, Target::Faster(1.9)).against("1 thread", one);
    let rows = [
        Row::new(
            "64 000 rows of 20 coordinates",
            &many_rows,
            Target::NotSlower(1.05),
        )
        .against("64 rows", &few_rows),
        two("2 threads, 4000 rows, 10 of 1000", &subsets_2, &subsets_1),
        two("2 threads, 400 rows, 10 of 1000", &fewer_2, &fewer_1),
        two(
            "2 threads, 4000 rows, paths through 12x12",
            &paths_2,
            &paths_1,
        ),
        two(
            "2 threads, the first row takes as long as the other 999",
            &slow_2,
            &slow_1,
        ),
        Row::new(
            "2 threads, sums in registers, with a start of a thread",
            &sums_2,
            Target::None,
        )
        .against("1 thread", &sums_1),
    ];
    print(
        "Scaling: a row, by the clock where there are threads",
        &rows,
    );
}

/// Rows that take 10 microseconds, and the first one of a thousand that takes as long as all others.
fn one_slow_row() -> impl Oracle {
    let first = centred(1, 1)[0];
    FnOracle::new(Facts::binary(2), move |theta, z| {
        let rows = if theta[0] == first { 1000 } else { 1 };
        arithmetic(rows * 20_000);
        z.fill(0.0);
        Ok(())
    })
}

/// Work of some 0.5 ns a round that waits for no memory.
fn arithmetic(rounds: u64) -> u64 {
    (0..rounds).fold(1, |x: u64, _| std::hint::black_box(x ^ x << 7))
}

/// The most memory that a step through means needs.
pub(crate) fn memory(_: Option<&Peers>) {
    let (rows, samples, dim) = (1000, 1000, 1000);
    let theta = centred(rows * dim, 1);
    let layer = layer(linked(dim, KAPPA), sum_of_gamma(None), samples, 2);
    let Some(before) = reset_peak() else {
        println!("\nMemory: needs /proc, which is not here");
        return;
    };
    let start = Instant::now();
    let saved = layer.forward_mean(&theta, 0).expect("theta is finite");
    let grad: Vec<f64> = saved.mu().iter().map(|mu| mu - 0.5).collect();
    let gradient = layer
        .backward_mean(saved, &grad)
        .expect("the gradient is finite");
    let took = start.elapsed().as_nanos() as f64;
    let peak = peak().expect("there is /proc") - before;
    assert!(gradient.errors.is_empty());
    println!(
        "\nMemory of a step through means, {rows} rows, S = {samples}, dim {dim}, 2 threads: {:.1} MB; theta has {:.1} MB, \
         the states would have 8000 MB; {}, {:.2} ns a coordinate",
        peak as f64 / 1e6,
        (rows * dim * 8) as f64 / 1e6,
        time(took),
        took / (rows * samples * dim) as f64
    );
}

/// Sets the peak to what is in use now, and returns that in bytes.
fn reset_peak() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    peak()
}

fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}
