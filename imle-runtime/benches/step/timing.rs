//! Measurements side by side: contenders take turns, and medians count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// As long as one turn of a contender takes, at least.
const TURN: Duration = Duration::from_millis(4);
const TURNS: usize = 25;

/// What time is measured.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// That of the processor, of one thread: other programs hardly disturb it.
    Thread,
    /// That on the wall, for several threads.
    Wall,
}

impl Clock {
    fn time(self, work: impl FnOnce()) -> Duration {
        match self {
            Self::Thread => {
                let start = ThreadTime::now();
                work();
                start.elapsed()
            }
            Self::Wall => {
                let start = Instant::now();
                work();
                start.elapsed()
            }
        }
    }
}

/// One thing to measure: a name and work, which is done again and again.
pub(crate) struct Contender<'a> {
    name: String,
    work: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new<T>(name: impl Into<String>, mut work: impl FnMut() -> T + 'a) -> Self {
        Self {
            name: name.into(),
            work: Box::new(move || {
                black_box(work());
            }),
        }
    }
}

/// What was measured of a contender.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Of one run of its work, in nanoseconds.
    pub(crate) median: f64,
    /// Half of how far the quartiles lie apart, as a share of the median.
    pub(crate) spread: f64,
}

/// Measures one run of the work of each contender.
pub(crate) fn measure(clock: Clock, mut contenders: Vec<Contender<'_>>) -> Vec<Measured> {
    let repeats: Vec<u32> = contenders
        .iter_mut()
        .map(|contender| repeats_a_turn(clock, contender))
        .collect();
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..TURNS {
        for ((contender, &repeats), times) in contenders.iter_mut().zip(&repeats).zip(&mut times) {
            let took = clock.time(|| (0..repeats).for_each(|_| (contender.work)()));
            times.push(took.as_secs_f64() * 1e9 / f64::from(repeats));
        }
    }
    let measured = contenders.into_iter().zip(times);
    measured
        .map(|(contender, mut times)| {
            times.sort_by(f64::total_cmp);
            let quantile = |share: f64| times[((TURNS - 1) as f64 * share).round() as usize];
            Measured {
                name: contender.name,
                median: quantile(0.5),
                spread: (quantile(0.75) - quantile(0.25)) / quantile(0.5) / 2.0,
            }
        })
        .collect()
}

fn repeats_a_turn(clock: Clock, contender: &mut Contender<'_>) -> u32 {
    let mut repeats = 1;
    while repeats < 1 << 24 && clock.time(|| (0..repeats).for_each(|_| (contender.work)())) < TURN {
        repeats *= 2;
    }
    repeats
}
