//! Our means and the published ones, side by side.

use std::error::Error;
use std::ops::Range;

use imle_example_support::drawing::{Area, COLORS, FONT, INK, PALE, text};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::summary::Summary;

const OURS: RGBColor = COLORS[1];
const THEIRS: RGBColor = COLORS[0];
/// The height of a line, and the width for the names, in pixels.
const LINE: u32 = 26;
const NAMES: i32 = 250;

/// Draws the methods of one degree, as the text of an SVG picture.
pub(crate) fn degree(degree: u32, summaries: &[&Summary]) -> Result<String, Box<dyn Error>> {
    let mut picture = String::new();
    let height = LINE * summaries.len() as u32 + 110;
    {
        let area = SVGBackend::with_string(&mut picture, (900, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let title =
            format!("Degree {degree}: normalized regret in percent, mean ± two standard errors");
        text(&area, &title, (450, 20), 17, HPos::Center)?;
        legend(&area, height as i32 - 14)?;
        draw(&area, height, summaries)?;
        area.present()?;
    }
    Ok(picture)
}

fn draw(area: &Area<'_>, height: u32, summaries: &[&Summary]) -> Result<(), Box<dyn Error>> {
    let lines = summaries.len() as f64;
    let (_, below) = area.split_vertically(36);
    let (panel, _) = below.split_vertically(height as i32 - 36 - 30);
    let mut chart = ChartBuilder::on(&panel)
        .margin_right(24)
        .x_label_area_size(30)
        .y_label_area_size(NAMES)
        .build_cartesian_2d(range(summaries), lines..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .bold_line_style(PALE.mix(0.7))
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .x_label_formatter(&|percent| format!("{}", (percent * 100.0).round() / 100.0))
        .label_style((FONT, 13, &INK))
        .draw()?;
    for (line, summary) in summaries.iter().enumerate() {
        let y = line as f64 + 0.5;
        let (_, at) = chart.backend_coord(&(0.0, y));
        text(
            area,
            summary.method.title,
            (NAMES - 10, at),
            14,
            HPos::Right,
        )?;
        if let Some((mean, error)) = summary.published_interval() {
            let y = y + 0.17;
            chart.draw_series([PathElement::new(
                [(mean - error, y), (mean + error, y)],
                THEIRS.stroke_width(2),
            )])?;
            chart.draw_series([Circle::new((mean, y), 4, THEIRS.stroke_width(2))])?;
        }
        let (mean, error) = summary.interval();
        let y = y - 0.17;
        chart.draw_series([PathElement::new(
            [(mean - error, y), (mean + error, y)],
            OURS.stroke_width(2),
        )])?;
        chart.draw_series([Circle::new((mean, y), 4, OURS.filled())])?;
    }
    Ok(())
}

/// What the axis shows: every interval, and some air.
fn range(summaries: &[&Summary]) -> Range<f64> {
    let published = summaries
        .iter()
        .filter_map(|summary| summary.published_interval());
    let intervals = summaries
        .iter()
        .map(|summary| summary.interval())
        .chain(published);
    let (low, high) = intervals.fold((f64::INFINITY, 0.0_f64), |(low, high), (mean, error)| {
        (low.min(mean - error), high.max(mean + error))
    });
    low.min(high) - 0.5..high + 0.5
}

fn legend(area: &Area<'_>, y: i32) -> Result<(), Box<dyn Error>> {
    area.draw(&Circle::new((320, y), 4, OURS.filled()))?;
    text(area, "ours", (332, y), 14, HPos::Left)?;
    area.draw(&Circle::new((420, y), 4, THEIRS.stroke_width(2)))?;
    text(area, "reference", (432, y), 14, HPos::Left)
}
