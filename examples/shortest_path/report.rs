//! The table of regrets, beside those that others found.

use comfy_table::{CellAlignment, Table, presets};
use imle_example_support::Spread;

use crate::Options;
use crate::train::{Method, Run};

/// Normalized and mean relative regret, in percent, of PyEPO 2.2.5 with an exact solver: seeds 0 to 9, the
/// same data, model and optimiser, 20 epochs, 3 samples of Sum-of-Gamma noise. Its lambda is absolute: 10
/// for the regret loss, 0.8 for the path loss (1000, as that loss is a mean over the batch).
const REFERENCE: [(Method, u32, &str, &str); 8] = [
    (Method::TwoStage, 1, "15.65 ± 0.64", "15.82"),
    (Method::TwoStage, 2, "10.70 ± 0.79", "10.69"),
    (Method::TwoStage, 4, "8.88 ± 0.80", "9.69"),
    (Method::TwoStage, 6, "13.22 ± 1.85", "18.45"),
    (Method::PathLoss, 4, "7.72 ± 1.11", ""),
    (Method::PathLoss, 6, "8.06 ± 1.72", ""),
    (Method::RegretLoss, 4, "7.65 ± 1.09", ""),
    (Method::RegretLoss, 6, "7.76 ± 1.76", ""),
];

/// Normalized regret in percent of two-stage and SPO+ as printed in the slides of CaVE (Tang and Khalil,
/// CPAIOR 2024), ten runs.
const CAVE: [(u32, &str, &str); 2] = [
    (4, "8.82 ± 1.15", "7.79 ± 1.00"),
    (6, "12.58 ± 2.14", "7.72 ± 1.11"),
];

const HEADER: [&str; 8] = [
    "",
    "normalized\nregret, %",
    "\nPyEPO ¹",
    "mean relative\nregret, %",
    "\nPyEPO ¹",
    "seconds\na seed",
    "solves\na second ²",
    "cache\nhits",
];

/// Draws a line for each method.
pub(crate) fn table(runs: &[Run], options: &Options) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(HEADER);
    for method in Method::ALL {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.method == method).collect();
        table.add_row(line(method, &runs, options.degree));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn line(method: Method, runs: &[&Run], degree: u32) -> [String; 8] {
    let (_, _, normalized, relative) = REFERENCE
        .into_iter()
        .find(|&(of, at, ..)| (of, at) == (method, degree))
        .unwrap_or((method, degree, "", ""));
    let percent = |of: fn(&Run) -> f64| {
        let values: Vec<f64> = runs.iter().map(|run| 100.0 * of(run)).collect();
        Spread::of(&values).to_string()
    };
    let sum = |of: fn(&Run) -> f64| runs.iter().map(|run| of(run)).sum::<f64>();
    let seconds = sum(|run| run.time.as_secs_f64()) / runs.len() as f64;
    let solves = sum(|run| run.effort.solves as f64);
    let solving = sum(|run| run.effort.time.as_secs_f64());
    [
        method.name().to_owned(),
        percent(|run| run.normalized_regret),
        normalized.to_owned(),
        percent(|run| run.mean_relative_regret),
        relative.to_owned(),
        format!("{seconds:.1}"),
        thousands(solves / solving),
        thousands(sum(|run| run.effort.hits as f64)),
    ]
}

/// Explains the table.
pub(crate) fn notes(options: &Options) -> String {
    let degree = options.degree;
    let mut notes = format!(
        "  Degree {degree}; seeds: {}, epochs: {}, samples: {}; 1000 test problems for each seed.\n\
         ¹ PyEPO 2.2.5 with an exact solver; seeds: 10, epochs: 20, samples: 3.\n\
         ² Rows asked for, cache hits among them, over the time spent in the estimator, which draws the \
         noise, too.\n",
        options.seeds, options.epochs, options.samples
    );
    if let Some((_, two_stage, spo)) = CAVE.iter().find(|(of, ..)| of == &degree) {
        notes += &format!(
            "  Tang and Khalil (CaVE, 2024) print {two_stage} for two-stage and {spo} for SPO+.\n"
        );
    }
    notes
}

/// Compares each mean of normalized regrets with the reference.
///
/// # Errors
///
/// The figures that are more than `points` off, or an I-MLE that is not below two-stage.
pub(crate) fn check(runs: &[Run], options: &Options, points: f64) -> Result<(), String> {
    let mean = |method: Method| {
        let of_method: Vec<&Run> = runs.iter().filter(|run| run.method == method).collect();
        let sum: f64 = of_method.iter().map(|run| run.normalized_regret).sum();
        100.0 * sum / of_method.len() as f64
    };
    for (method, degree, normalized, _) in REFERENCE {
        if degree != options.degree {
            continue;
        }
        let reference = normalized
            .split(' ')
            .next()
            .and_then(|mean| mean.parse::<f64>().ok());
        let reference =
            reference.ok_or_else(|| format!("`{normalized}` does not begin with a mean"))?;
        let (name, own) = (method.name(), mean(method));
        if (own - reference).abs() > points {
            return Err(format!(
                "{name}: {own:.2} % is more than {points} points from {reference} %"
            ));
        }
        if method != Method::TwoStage && own >= mean(Method::TwoStage) {
            return Err(format!("{name}: {own:.2} % is not below two-stage"));
        }
    }
    Ok(())
}

/// Writes a whole number with a gap before each group of three digits.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups = digits.as_bytes().rchunks(3).rev();
    groups
        .map(|group| String::from_utf8_lossy(group))
        .collect::<Vec<_>>()
        .join(" ")
}
