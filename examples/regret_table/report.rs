//! The report: one file that needs no other.

use std::error::Error;
use std::fmt::Write;

use crate::benchmark::Benchmark;
use crate::plots;
use crate::published::Published;
use crate::summary::Summary;
use crate::table::{self, figure, lines};

const STYLE: &str = "body{font-family:sans-serif;color:#282828;max-width:70em;margin:2em auto;padding:0 1em;line-height:1.45}\
    table{border-collapse:collapse;font-size:.88em;margin:1em 0}\
    th,td{padding:.3em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}\
    th:first-child,td:first-child{text-align:left}\
    .outside{background:#fbe3d0}.theirs{color:#777}svg{max-width:100%;height:auto;margin:1em 0}";

/// Writes the report as HTML.
pub(crate) fn html(
    benchmark: Benchmark,
    summaries: &[Summary],
    degrees: &[u32],
    notes: &str,
) -> Result<String, Box<dyn Error>> {
    let mut page = String::new();
    let title = format!("Regret table: {}", benchmark.title());
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1><p>{}</p>",
        escape(notes.trim()).replace('\n', "<br>")
    )?;
    rows(&mut page, summaries, degrees)?;
    remarks(&mut page, summaries)?;
    for &degree in degrees {
        let of_degree: Vec<&Summary> = summaries
            .iter()
            .filter(|summary| summary.degree == degree)
            .collect();
        if !of_degree.is_empty() {
            page += &plots::degree(degree, &of_degree)?;
        }
    }
    page += "</body></html>\n";
    Ok(page)
}

fn rows(page: &mut String, summaries: &[Summary], degrees: &[u32]) -> std::fmt::Result {
    page.push_str("<table><tr><th></th>");
    for degree in degrees {
        write!(page, "<th colspan=\"2\">degree {degree}</th>")?;
    }
    page.push_str("<th>solves</th><th>seconds</th></tr>");
    for line in lines(summaries) {
        write!(page, "<tr><td>{}</td>", escape(line[0].method.title))?;
        for degree in degrees {
            match line.iter().find(|summary| summary.degree == *degree) {
                Some(summary) => cell(page, summary)?,
                None => page.push_str("<td></td><td></td>"),
            }
        }
        let mean = |of: fn(&Summary) -> f64| line.iter().map(of).sum::<f64>() / line.len() as f64;
        let (solves, seconds) = (
            mean(|summary| summary.solves),
            mean(|summary| summary.seconds),
        );
        write!(page, "<td>{solves:.0}</td><td>{seconds:.2}</td></tr>")?;
    }
    page.push_str(
        "</table><p>Solves and seconds: to train one model and, for seconds, to test it.</p>",
    );
    Ok(())
}

fn cell(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let class = if summary.is_outside() {
        " class=\"outside\""
    } else {
        ""
    };
    let of = |published: Option<Published>| published.map(figure).unwrap_or_default();
    let cave = summary
        .cave
        .map(|cave| format!("<br>CaVE {}", figure(cave)))
        .unwrap_or_default();
    write!(
        page,
        "<td{class} title=\"mean relative regret {} %\">{}</td><td class=\"theirs\">{}{cave}</td>",
        summary.relative,
        summary.normalized,
        of(summary.published),
    )
}

fn remarks(page: &mut String, summaries: &[Summary]) -> std::fmt::Result {
    let mut remarks = table::remarks(summaries).peekable();
    if remarks.peek().is_none() {
        return Ok(());
    }
    page.push_str("<ul>");
    for (title, remark) in remarks {
        write!(
            page,
            "<li><b>{}</b>: {}</li>",
            escape(title),
            escape(remark)
        )?;
    }
    page.push_str("</ul>");
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
