//! Figure 3, top: how the expected loss falls.

use std::error::Error;
use std::path::Path;

use imle_example_support::drawing::{Area, COLORS, FONT, INK, PALE};
use plotters::prelude::*;

use crate::table::Line;

/// The highest gap that is shown: that of the start, and some air.
const HIGHEST: f64 = 5.0;

/// Draws the mean gap at each step in a band of one deviation: on the left the methods that make 50 steps, on the
/// right those that make more.
pub(crate) fn draw(file: &Path, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1060, 470)).into_drawing_area();
    area.fill(&WHITE)?;
    let colored: Vec<(&Line, RGBColor)> = lines.iter().zip(COLORS).collect();
    let (short, long): (Vec<_>, Vec<_>) = colored
        .into_iter()
        .partition(|(line, _)| line.curve.len() <= 50);
    let (left, right) = area.split_horizontally(640);
    panel(
        &left,
        "Gap to the least expected loss, mean ± deviation",
        &short,
    )?;
    panel(&right, "The same, ten times as many steps", &long)?;
    area.present()?;
    Ok(())
}

fn panel(area: &Area<'_>, title: &str, lines: &[(&Line, RGBColor)]) -> Result<(), Box<dyn Error>> {
    let steps = lines
        .iter()
        .map(|(line, _)| line.curve.len())
        .max()
        .unwrap_or(1);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 17, &INK))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(48)
        .build_cartesian_2d(0..steps, 0.0..HIGHEST)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(PALE.mix(0.6))
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .x_desc("step")
        .y_desc("gap")
        .y_labels(6)
        .y_label_formatter(&|gap| format!("{gap:.0}"))
        .label_style((FONT, 13, &INK))
        .axis_desc_style((FONT, 14, &INK))
        .draw()?;
    for (line, color) in lines {
        let above = line
            .curve
            .iter()
            .map(|gap| gap.high().min(HIGHEST))
            .enumerate();
        let below = line.curve.iter().map(|gap| gap.low().max(0.0)).enumerate();
        let outline: Vec<_> = above
            .chain(below.collect::<Vec<_>>().into_iter().rev())
            .collect();
        chart.draw_series([Polygon::new(outline, color.mix(0.15))])?;
    }
    for (line, color) in lines {
        let style = color.stroke_width(2);
        let means = line.curve.iter().map(|gap| gap.mean).enumerate();
        chart
            .draw_series(LineSeries::new(means, style))?
            .label(line.method.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(10)
        .legend_area_size(30)
        .background_style(WHITE)
        .border_style(PALE)
        .label_font((FONT, 14, &INK))
        .draw()?;
    Ok(())
}
