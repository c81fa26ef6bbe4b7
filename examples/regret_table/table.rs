//! The table, for people and for programs.

use std::io;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};

use crate::published::Published;
use crate::summary::Summary;

/// Draws a line for each method and two columns for each degree.
pub(crate) fn draw(summaries: &[Summary], degrees: &[u32]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let titles = degrees
        .iter()
        .flat_map(|degree| [format!("degree {degree}\nours"), "\nreference".to_owned()]);
    table.set_header(std::iter::once(String::new()).chain(titles));
    for line in lines(summaries) {
        let mut row = vec![line[0].method.title.to_owned()];
        for degree in degrees {
            let [ours, published] = match line.iter().find(|summary| summary.degree == *degree) {
                Some(summary) => pair(summary),
                None => [String::new(), String::new()],
            };
            row.extend([ours, published]);
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Groups summaries by method: they come sorted so.
pub(crate) fn lines(summaries: &[Summary]) -> impl Iterator<Item = &[Summary]> {
    summaries.chunk_by(|a, b| a.method.name == b.method.name)
}

/// What there is to know about some methods.
pub(crate) fn remarks(summaries: &[Summary]) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(summaries).filter_map(|line| Some((line[0].method.title, line[0].method.remark?)))
}

fn pair(summary: &Summary) -> [String; 2] {
    let mark = if summary.is_outside() { "* " } else { "" };
    let published = summary.published.map(figure).unwrap_or_default();
    [format!("{mark}{}", summary.normalized), published]
}

pub(crate) fn figure(figure: Published) -> String {
    format!("{:.2} ± {:.2}", figure.mean, figure.deviation)
}

/// Writes a line for each method and degree.
pub(crate) fn write_csv(path: &Path, benchmark: &str, summaries: &[Summary]) -> io::Result<()> {
    let mut text = "benchmark,method,degree,seeds,normalized_regret_percent,sd,mean_relative_regret_percent,\
                    relative_sd,published_percent,published_sd,band,outside,cave_percent,cave_sd,solves,seconds\n"
        .to_owned();
    for summary in summaries {
        let optional =
            |value: Option<f64>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
        let of = |figure: Option<Published>| {
            let (mean, deviation) = (figure.map(|f| f.mean), figure.map(|f| f.deviation));
            format!("{},{}", optional(mean), optional(deviation))
        };
        let fields = [
            benchmark.to_owned(),
            summary.method.name.to_owned(),
            summary.degree.to_string(),
            summary.seeds.to_string(),
            format!("{:.4}", summary.normalized.mean),
            optional(summary.normalized.deviation),
            format!("{:.4}", summary.relative.mean),
            optional(summary.relative.deviation),
            of(summary.published),
            optional(summary.band()),
            summary.is_outside().to_string(),
            of(summary.cave),
            format!("{:.0}", summary.solves),
            format!("{:.3}", summary.seconds),
        ];
        text += &fields.join(",");
        text.push('\n');
    }
    std::fs::write(path, text)
}
