//! The grid of cells: which are missing, and who trains them.

use std::sync::{Mutex, PoisonError};
use std::thread;

use imle_runtime::Registry;
use indicatif::{ProgressBar, ProgressStyle};

use crate::benchmark::{Benchmark, Task};
use crate::cells::{Cell, Cells, Place};
use crate::method::Method;
use crate::summary::Summary;
use crate::training::train;

/// The cells that were asked for.
pub(crate) struct Grid {
    pub(crate) benchmark: Benchmark,
    pub(crate) methods: Vec<Method>,
    pub(crate) degrees: Vec<u32>,
    pub(crate) seeds: u32,
}

/// The missing cells of one seed and degree: they share their problems.
struct Work {
    degree: u32,
    seed: u32,
    methods: Vec<Method>,
}

impl Grid {
    /// Trains what is missing, on `threads` threads, and returns how many models that were.
    pub(crate) fn fill(
        &self,
        cells: &mut Cells,
        registry: &Registry,
        threads: usize,
    ) -> Result<usize, String> {
        let work = self.missing(cells)?;
        let models = work.iter().map(|work| work.methods.len()).sum();
        let progress = progress_bar(models);
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let (queue, cells) = (Mutex::new(work.into_iter()), Mutex::new(cells));
        let worker = || -> Result<(), String> {
            while let Some(work) = lock(&queue).next() {
                self.train(&work, registry, &cells, &progress)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            let results = workers.into_iter().map(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            results.collect::<Result<(), String>>()
        })?;
        progress.finish_and_clear();
        Ok(models)
    }

    fn missing(&self, cells: &Cells) -> Result<Vec<Work>, String> {
        let mut missing = Vec::new();
        for seed in 0..self.seeds {
            for &degree in &self.degrees {
                let mut methods = Vec::new();
                for method in &self.methods {
                    let place = Place::new(self.benchmark, method, degree, seed);
                    if cells.find(&place, method)?.is_none() {
                        methods.push(method.clone());
                    }
                }
                if !methods.is_empty() {
                    missing.push(Work {
                        degree,
                        seed,
                        methods,
                    });
                }
            }
        }
        Ok(missing)
    }

    fn train(
        &self,
        work: &Work,
        registry: &Registry,
        cells: &Mutex<&mut Cells>,
        progress: &ProgressBar,
    ) -> Result<(), String> {
        let &Work { degree, seed, .. } = work;
        let failed = |why| format!("degree {degree}, seed {seed}: {why}");
        let task = Task::new(self.benchmark, seed, degree, registry).map_err(failed)?;
        for method in &work.methods {
            progress.set_message(format!("degree {degree}, seed {seed}, {}", method.name));
            let failed = |why| format!("{}, degree {degree}, seed {seed}: {why}", method.name);
            let outcome = train(method, &task).map_err(failed)?;
            let place = Place::new(self.benchmark, method, degree, seed);
            lock(cells).add(place, method, outcome)?;
            progress.inc(1);
        }
        Ok(())
    }

    /// Summarises over seeds: for each method every degree.
    pub(crate) fn summaries(&self, cells: &Cells) -> Result<Vec<Summary>, String> {
        let mut summaries = Vec::new();
        for method in &self.methods {
            for &degree in &self.degrees {
                let seeds = (0..self.seeds).map(|seed| {
                    let place = Place::new(self.benchmark, method, degree, seed);
                    cells.find(&place, method)
                });
                let found: Vec<Option<&Cell>> = seeds.collect::<Result<_, _>>()?;
                let found: Vec<&Cell> = found.into_iter().flatten().collect();
                summaries.extend(Summary::of(self.benchmark, method, degree, &found));
            }
        }
        Ok(summaries)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn progress_bar(models: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:36} [{bar:40}] {pos} of {len}  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(models as u64).with_style(style)
}
