//! What is printed: a row for each thing that was measured.

use comfy_table::{Table, presets};

use crate::timing::Measured;

/// What a row should reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// So many nanoseconds, or less.
    Within(f64),
    /// So many times as fast as the other one, or more.
    Faster(f64),
    /// At most so many times the time of the other one.
    NotSlower(f64),
    /// Nothing: the row is there to compare with.
    None,
}

/// One row: what was measured, of ours and of another one.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: Measured,
    /// What it is compared with.
    pub(crate) other: Option<(&'static str, Measured)>,
    pub(crate) target: Target,
    /// What no program could do without, and what that takes.
    pub(crate) limit: Option<(&'static str, Measured)>,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, ours: &Measured, target: Target) -> Self {
        Self {
            what: what.into(),
            ours: ours.clone(),
            other: None,
            target,
            limit: None,
        }
    }

    pub(crate) fn against(self, name: &'static str, other: &Measured) -> Self {
        let other = Some((name, other.clone()));
        Self { other, ..self }
    }

    pub(crate) fn limit(self, name: &'static str, limit: &Measured) -> Self {
        let limit = Some((name, limit.clone()));
        Self { limit, ..self }
    }

    fn ratio(&self) -> Option<f64> {
        let (_, other) = self.other.as_ref()?;
        Some(self.ours.ratio(other))
    }

    fn cells(&self) -> [String; 7] {
        let ratio = self.ratio();
        let missed = "no ratio";
        let verdict = |reached: bool| if reached { "yes" } else { "no" };
        let target = match (self.target, ratio) {
            (Target::None, _) => String::new(),
            (Target::Within(most), _) => {
                let reached = self.ours.median() <= most;
                format!("<= {}: {}", time(most), verdict(reached))
            }
            (Target::Faster(least), Some(ratio)) => {
                format!(">= {least} x: {}", verdict(ratio >= least))
            }
            (Target::NotSlower(most), Some(ratio)) => {
                format!("<= {most} x the time: {}", verdict(1.0 / ratio <= most))
            }
            (Target::Faster(_) | Target::NotSlower(_), None) => missed.to_owned(),
        };
        let name_and_time = |(name, measured): &(&'static str, Measured)| {
            format!("{name}: {}", time(measured.median()))
        };
        [
            self.what.clone(),
            time(self.ours.median()),
            format!("{:.1} %", 100.0 * self.ours.spread()),
            self.other.as_ref().map(name_and_time).unwrap_or_default(),
            ratio.map(|ratio| format!("{ratio:.3}")).unwrap_or_default(),
            target,
            self.limit.as_ref().map(name_and_time).unwrap_or_default(),
        ]
    }
}

/// Prints the rows of one part.
pub(crate) fn print(title: &str, rows: &[Row]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "what",
        "ours",
        "+-",
        "other",
        "times as fast",
        "target",
        "limit",
    ]);
    for row in rows {
        table.add_row(row.cells());
    }
    println!("\n{title}\n{table}");
}

/// A time with three digits and its unit.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds.abs() {
        ns if ns < 1e3 => (nanoseconds, "ns"),
        ns if ns < 1e6 => (nanoseconds / 1e3, "us"),
        ns if ns < 1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    let digits = if value.abs() < 10.0 { 2 } else { 1 };
    format!("{value:.digits$} {unit}")
}
