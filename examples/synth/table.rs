//! Final gaps beside those of the authors' program.

use comfy_table::{CellAlignment, Table, presets};
use imle_example_support::Spread;

use crate::descent::{Estimate, Gaps, Method, gumbel, sum_of_gamma};

/// The mean of the last gap over runs, as the authors' program prints it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    mean: f64,
    deviation: f64,
    runs: usize,
}

/// Lists what the paper compares, with the settings of the authors' program.
pub(crate) fn methods() -> Vec<(Method, Published)> {
    let imle = |noise| Estimate::Imle { lambda: 2.0, noise };
    let through = |noise| Estimate::StraightThrough { noise };
    let method = |name, estimate, learning_rate, steps, (mean, deviation, runs)| {
        let method = Method {
            name,
            estimate,
            learning_rate,
            steps,
        };
        (
            method,
            Published {
                mean,
                deviation,
                runs,
            },
        )
    };
    vec![
        method(
            "I-MLE, Sum-of-Gamma",
            imle(sum_of_gamma()),
            0.75,
            50,
            (0.181, 0.188, 100),
        ),
        method(
            "I-MLE, Gumbel",
            imle(gumbel()),
            0.75,
            50,
            (0.301, 0.360, 100),
        ),
        method(
            "straight-through, Gumbel",
            through(gumbel()),
            0.019,
            50,
            (0.754, 0.110, 100),
        ),
        method(
            "straight-through, Sum-of-Gamma",
            through(sum_of_gamma()),
            0.019,
            50,
            (1.253, 0.087, 100),
        ),
        method(
            "score function",
            Estimate::ScoreFunction,
            0.0046,
            500,
            (0.388, 0.252, 20),
        ),
    ]
}

/// A method, and its gaps over runs at each step.
pub(crate) struct Line {
    pub(crate) method: Method,
    pub(crate) curve: Vec<Spread>,
    published: Published,
    runs: usize,
}

impl Line {
    pub(crate) fn new(method: Method, published: Published, gaps: &Gaps) -> Self {
        Self {
            method,
            curve: gaps.iter().map(|gaps| Spread::of(gaps)).collect(),
            published,
            runs: gaps.first().map_or(0, Vec::len),
        }
    }

    fn last(&self) -> Spread {
        *self.curve.last().expect("a curve has a start")
    }

    /// How far our last gap is from the published one, in standard errors of their difference.
    fn standard_errors(&self) -> f64 {
        let of = |deviation: f64, runs: usize| deviation.powi(2) / runs as f64;
        let ours = of(self.last().deviation.unwrap_or(0.0), self.runs);
        let theirs = of(self.published.deviation, self.published.runs);
        (self.last().mean - self.published.mean) / (ours + theirs).sqrt()
    }
}

pub(crate) fn draw(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "",
        "losses",
        "rate",
        "final gap",
        "published",
        "standard errors\nbetween them",
    ]);
    for line in lines {
        let last = line.last();
        let deviation = last.deviation.unwrap_or(0.0);
        table.add_row([
            line.method.name.to_owned(),
            line.method.steps.to_string(),
            line.method.learning_rate.to_string(),
            format!("{:.3} ± {deviation:.3}", last.mean),
            format!(
                "{:.3} ± {:.3}",
                line.published.mean, line.published.deviation
            ),
            format!("{:+.1}", line.standard_errors()),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub(crate) fn notes(runs: usize) -> String {
    format!(
        "  E[L] less its minimum before the last step, mean ± standard deviation over {runs} runs.\n  \
         Published: printed by the authors' program with its own noise, 100 runs (score function: 20).\n"
    )
}

/// Writes a line for each method and step.
pub(crate) fn csv(lines: &[Line]) -> String {
    let mut text = "method,step,mean_gap,sd\n".to_owned();
    for line in lines {
        for (step, gap) in line.curve.iter().enumerate() {
            let deviation = gap.deviation.unwrap_or(0.0);
            text += &format!(
                "\"{}\",{step},{:.6},{deviation:.6}\n",
                line.method.name, gap.mean
            );
        }
    }
    text
}

/// Fails with what is more than three standard errors from its published figure.
pub(crate) fn check(lines: &[Line]) -> Result<(), String> {
    let far = lines
        .iter()
        .filter(|line| line.standard_errors().abs() > 3.0);
    let names: Vec<&str> = far.map(|line| line.method.name).collect();
    match names.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "more than three standard errors from the published gap: {}",
            names.join("; ")
        )),
    }
}
