//! Measurements side by side: contenders take turns, and medians count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// One turn of a contender takes so long, or one run.
const TURN: Duration = Duration::from_millis(4);
const TURNS: usize = 25;

/// One thing to measure: so many runs of it, and how long they took.
pub(crate) struct Contender<'a> {
    /// How many things one run does: the time is that of one of them.
    things: usize,
    run: Box<dyn FnMut(u32) -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// Work of this thread, by the time that it had the processor.
    pub(crate) fn new<T>(things: usize, mut work: impl FnMut() -> T + 'a) -> Self {
        Self::timed(things, move |runs| {
            let start = ThreadTime::now();
            (0..runs).for_each(|_| {
                black_box(work());
            });
            start.elapsed()
        })
    }

    /// Work of several threads, by the clock.
    pub(crate) fn by_clock<T>(things: usize, mut work: impl FnMut() -> T + 'a) -> Self {
        Self::timed(things, move |runs| {
            let start = Instant::now();
            (0..runs).for_each(|_| {
                black_box(work());
            });
            start.elapsed()
        })
    }

    /// Work that takes its own time.
    pub(crate) fn timed(things: usize, run: impl FnMut(u32) -> Duration + 'a) -> Self {
        Self {
            things,
            run: Box::new(run),
        }
    }

    fn runs_a_turn(&mut self) -> u32 {
        let mut runs = 1;
        while (self.run)(runs) < TURN && runs < 1 << 24 {
            runs *= 2;
        }
        runs
    }
}

/// What was measured, in nanoseconds a thing, turn by turn.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    turns: Vec<f64>,
}

impl Measured {
    pub(crate) fn median(&self) -> f64 {
        quantile(&self.turns, 0.5)
    }

    /// Half of what the quartiles lie apart, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        (quantile(&self.turns, 0.75) - quantile(&self.turns, 0.25)) / (2.0 * self.median())
    }

    /// The median of how often this one goes into the other one, turn by turn: what slows both down cancels.
    pub(crate) fn ratio(&self, of: &Self) -> f64 {
        let ratios: Vec<f64> = of
            .turns
            .iter()
            .zip(&self.turns)
            .map(|(a, b)| a / b)
            .collect();
        quantile(&ratios, 0.5)
    }

    /// The difference to another one, turn by turn.
    pub(crate) fn over(&self, other: &Self) -> Self {
        let pairs = self.turns.iter().zip(&other.turns);
        Self {
            turns: pairs.map(|(a, b)| a - b).collect(),
        }
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Measures contenders that take turns.
pub(crate) fn measure<const N: usize>(contenders: [Contender<'_>; N]) -> [Measured; N] {
    let measured = measure_all(contenders.into());
    measured.try_into().expect("one for each contender")
}

/// As [`measure`], for a number that is not known beforehand.
pub(crate) fn measure_all(mut contenders: Vec<Contender<'_>>) -> Vec<Measured> {
    let runs: Vec<u32> = contenders.iter_mut().map(Contender::runs_a_turn).collect();
    let mut measured = vec![Measured { turns: Vec::new() }; contenders.len()];
    for _ in 0..TURNS {
        for ((contender, &runs), measured) in contenders.iter_mut().zip(&runs).zip(&mut measured) {
            let took = (contender.run)(runs).as_secs_f64() * 1e9;
            measured
                .turns
                .push(took / f64::from(runs) / contender.things as f64);
        }
    }
    measured
}
