//! Random programs: every back end agrees with enumeration, and with the others where enumeration ends.
//!
//! Six objectives on one resident instance each. `IMLE_FUZZ_MODELS` says how many models a test looks at, and
//! `IMLE_FUZZ_FIRST` at which seed it begins; `IMLE_FUZZ_TRACE` names each seed on stderr before its model, for
//! an engine may end the process.

#[path = "common/ilp.rs"]
mod ilp;
#[path = "common/random_programs/mod.rs"]
mod random_programs;

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use fastrand::Rng;
use ilp::{Backend, backends};
use imle_runtime::{Error, ErrorKind, Oracle, solve_one};
use random_programs::{Program, theta};
use serde_json::{Value, json};

const OBJECTIVES: usize = 6;

/// How often each thing happened.
#[derive(Debug, Default)]
struct Seen {
    models: usize,
    optimal: usize,
    infeasible: usize,
    unbounded: usize,
}

impl Seen {
    fn count(&mut self, answer: Result<f64, ErrorKind>) {
        *match answer {
            Ok(_) => &mut self.optimal,
            Err(ErrorKind::Infeasible) => &mut self.infeasible,
            Err(_) => &mut self.unbounded,
        } += 1;
    }
}

/// A program and an instance of it in each back end.
struct Case {
    seed: u64,
    program: Program,
    /// In words that another run can open.
    config: Value,
    instances: Vec<(Backend, Arc<dyn Oracle>)>,
    /// The last bits of the seed's numbers make the objectives.
    rng: Rng,
}

impl Case {
    /// Every fourth program has rows with two ends, and comes from an MPS file.
    fn new(seed: u64, random: fn(&mut Rng) -> Program) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut program = random(&mut rng);
        let mut opened = program.config();
        let file = tempfile::Builder::new().suffix(".mps").tempfile();
        let file = file.expect("a file can be made");
        if seed.is_multiple_of(4) {
            program = program.with_ranges(&mut Rng::with_seed(!seed));
            std::fs::write(&file, program.mps()).expect("the file can be written");
            opened["file"] = json!(file.path());
            opened["model"] = Value::Null;
        }
        let open = |backend: Backend| (backend, backend.opened(&opened));
        Self {
            seed,
            config: program.config(),
            instances: backends().into_iter().map(open).collect(),
            program,
            rng,
        }
    }

    fn describe(&self, theta: &[f64], why: &str) -> String {
        let (seed, config) = (self.seed, &self.config);
        format!("seed {seed}: {why}\ntheta {theta:?}\n{config}")
    }

    /// By how much an objective may be below the best: what the engine takes for a tie. The best point may also be
    /// feasible only up to rounding, where there are continuous variables, and as much better.
    fn tolerance(&self, backend: &Backend, theta: &[f64], best: f64) -> f64 {
        let coefficients = theta.iter().chain(&self.program.known);
        let scale: f64 = coefficients.map(|c| c.abs()).sum();
        let rounding = if self.program.continuous.is_empty() {
            0.0
        } else {
            1e-6
        };
        rounding * scale + backend.precision * best.abs().max(scale)
    }

    /// Compares every back end with enumeration.
    fn with_enumeration(&mut self, seen: &mut Seen) -> Result<(), String> {
        let lattice = self.program.lattice();
        for _ in 0..OBJECTIVES {
            let theta = theta(&mut self.rng, self.program.addressed);
            let values = lattice.iter().map(|z| self.program.best_with(z, &theta));
            let best = match values.flatten().reduce(f64::max) {
                None => Err(ErrorKind::Infeasible),
                Some(f64::INFINITY) => Err(ErrorKind::Unbounded),
                Some(best) => Ok(best),
            };
            seen.count(best);
            for (backend, oracle) in &self.instances {
                let solved = solve_one(&**oracle, &theta);
                let value = match &solved {
                    Err(why) => Err(why.kind()),
                    Ok((z, _)) => Ok(self.program.best_with(z, &theta)),
                };
                let is_right = match (best, value) {
                    (Ok(best), Ok(Some(value))) => {
                        value >= best - self.tolerance(backend, &theta, best)
                    }
                    (Err(best), Err(value)) => best == value,
                    _ => false,
                };
                if !is_right {
                    let why = format!("{backend} says {solved:?}, worth {value:?}, not {best:?}");
                    return Err(self.describe(&theta, &why));
                }
            }
        }
        Ok(())
    }

    /// Compares the back ends with each other; states are looked at here.
    fn with_each_other(&mut self, seen: &mut Seen) -> Result<(), String> {
        for _ in 0..OBJECTIVES {
            let theta = theta(&mut self.rng, self.program.addressed);
            let answer = |oracle: &dyn Oracle| -> Result<f64, Error> {
                let (z, _) = solve_one(oracle, &theta)?;
                Ok(self.program.value(&z, &theta).unwrap_or(f64::NAN))
            };
            let answers = self.instances.iter();
            let answers: Vec<_> = answers.map(|(_, oracle)| answer(&**oracle)).collect();
            let values = answers.iter().flatten().copied();
            let best = match (values.reduce(f64::max), &answers[0]) {
                (Some(best), _) => Ok(best),
                (None, Err(why)) => Err(why.kind()),
                (None, Ok(_)) => unreachable!("a value has a maximum"),
            };
            // Written so that the NaN of a point that is not feasible is wrong.
            let agrees =
                |(answer, (backend, _)): (&Result<f64, Error>, &(Backend, _))| match (best, answer)
                {
                    (Ok(best), Ok(value)) => *value >= best - self.tolerance(backend, &theta, best),
                    (Err(kind), Err(why)) => why.kind() == kind,
                    _ => false,
                };
            if !answers.iter().zip(&self.instances).all(agrees) {
                let named = self.instances.iter().zip(&answers);
                let named: Vec<String> = named
                    .map(|((backend, _), answer)| format!("{backend} {answer:?}"))
                    .collect();
                return Err(self.describe(&theta, &named.join(", ")));
            }
            seen.count(best);
        }
        Ok(())
    }
}

fn compare_all(
    seeds: impl IntoIterator<Item = u64>,
    random: fn(&mut Rng) -> Program,
    compare: fn(&mut Case, &mut Seen) -> Result<(), String>,
) -> Seen {
    let mut seen = Seen::default();
    let mut wrong = Vec::new();
    let is_traced = std::env::var_os("IMLE_FUZZ_TRACE").is_some();
    for seed in seeds {
        if is_traced {
            // Not through `eprintln`, which the harness keeps to itself until the test ends.
            writeln!(std::io::stderr(), "seed {seed}").expect("stderr is open");
        }
        seen.models += 1;
        wrong.extend(compare(&mut Case::new(seed, random), &mut seen).err());
    }
    println!("{seen:?}, {} wrong", wrong.len());
    let shown = wrong.iter().take(20).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "{} wrong:\n{shown}", wrong.len());
    seen
}

/// The seeds of the models to look at.
fn seeds(usual: u64) -> Range<u64> {
    let first = number("IMLE_FUZZ_FIRST").unwrap_or(0);
    first..first + number("IMLE_FUZZ_MODELS").unwrap_or(usual)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

#[test]
fn all_agree_with_enumeration() {
    let seen = compare_all(seeds(300), Program::small, Case::with_enumeration);
    let each = seen.models / 20;
    assert!(seen.optimal > each && seen.infeasible > each && seen.unbounded > each);
}

#[test]
fn all_agree_with_each_other() {
    let seen = compare_all(seeds(200), Program::larger, Case::with_each_other);
    let each = seen.models / 20;
    assert!(seen.optimal > each && seen.infeasible > each && seen.unbounded > each);
}

/// In these a child without a point left columns at the wrong bound for its sibling.
#[test]
fn models_that_were_once_wrong_agree_with_enumeration() {
    let seeds = [1681, 26426, 53047, 56047, 57939, 137_439];
    compare_all(seeds, Program::small, Case::with_enumeration);
}
