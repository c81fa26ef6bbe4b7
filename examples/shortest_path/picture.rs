//! Two pictures: how the regret falls, and what a wrong path looks like.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use imle_example_support::Spread;
use imle_example_support::drawing::{Area, COLORS, FONT, INK, PALE, text};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::problems::GRID;
use crate::train::{Method, Run};

/// Labels of a logarithmic axis of percents.
const TICKS: [f64; 16] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0,
];

/// The regret after each epoch, over seeds.
type Curve = Vec<(u32, Spread)>;

fn color(method: Method) -> RGBColor {
    match method {
        Method::TwoStage => COLORS[0],
        Method::PathLoss => COLORS[1],
        Method::RegretLoss => COLORS[2],
    }
}

/// Draws the test regret after each epoch: the mean over seeds in a band of one standard deviation.
pub(crate) fn learning_curves(file: &Path, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let curves = Method::ALL.map(|method| (method, curve(runs, method)));
    let (epochs, percents) = ranges(&curves);
    let mut ticks = TICKS.to_vec();
    ticks.retain(|tick| percents.contains(tick));
    // Regret falls fast and then hardly: a logarithmic axis shows both. It cannot begin at zero.
    let visible = |percent: f64| percent.max(TICKS[0]);
    let percents = percents.log_scale().with_key_points(ticks);
    let title = match runs.len() / Method::ALL.len() {
        1 => "Regret on test problems".to_owned(),
        seeds => format!("Regret on test problems: mean ± standard deviation over {seeds} seeds"),
    };

    let area = SVGBackend::new(file, (860, 520)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 19, &INK))
        .margin(16)
        .margin_right(28)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(epochs, percents)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(PALE.mix(0.6))
        .axis_style(INK)
        .x_desc("epoch")
        .y_desc("normalized regret, %")
        .x_labels(11)
        .y_label_formatter(&|percent| percent.to_string())
        .label_style((FONT, 14, &INK))
        .axis_desc_style((FONT, 15, &INK))
        .draw()?;
    for (method, curve) in &curves {
        let above = curve.iter().map(|&(epoch, at)| (epoch, visible(at.high())));
        let below = curve
            .iter()
            .rev()
            .map(|&(epoch, at)| (epoch, visible(at.low())));
        let outline: Vec<_> = above.chain(below).collect();
        chart.draw_series([Polygon::new(outline, color(*method).mix(0.13))])?;
    }
    for (method, curve) in &curves {
        let style = color(*method).filled().stroke_width(2);
        let means = curve.iter().map(|&(epoch, at)| (epoch, visible(at.mean)));
        let end = curve.last().map(|(_, at)| format!(": {at}"));
        chart
            .draw_series(LineSeries::new(means, style).point_size(3))?
            .label(format!("{}{}", method.name(), end.unwrap_or_default()))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], style.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(12)
        .legend_area_size(32)
        .background_style(WHITE)
        .border_style(PALE)
        .label_font((FONT, 15, &INK))
        .draw()?;
    area.present()?;
    Ok(())
}

/// What the axes show: from before the first epoch to after the last, and every band.
fn ranges(curves: &[(Method, Curve)]) -> (Range<u32>, Range<f64>) {
    let points = || curves.iter().flat_map(|(_, curve)| curve);
    let last = points().map(|&(epoch, _)| epoch).max().unwrap_or(0);
    let low = points().map(|(_, at)| at.low()).fold(100.0, f64::min);
    let high = points().map(|(_, at)| at.high()).fold(0.0, f64::max);
    let [low, high] = [low, high].map(|percent| percent.max(TICKS[0]));
    (0..last + 1, low / 1.1..high * 1.1)
}

/// Returns the regret in percent after each epoch.
fn curve(runs: &[Run], method: Method) -> Curve {
    let runs: Vec<&Run> = runs.iter().filter(|run| run.method == method).collect();
    let after = |epoch: usize| {
        let regrets: Vec<f64> = runs.iter().map(|run| 100.0 * run.curve[epoch]).collect();
        Spread::of(&regrets)
    };
    let epochs = runs.iter().map(|run| run.curve.len()).min().unwrap_or(0);
    (1..).zip((0..epochs).map(after)).collect()
}

/// The distance between neighbouring nodes of the grid, in pixels.
const STEP: i32 = 66;
/// The place of the first node in its panel.
const ORIGIN: (i32, i32) = (30, 76);

/// Draws the chosen against the best path, for every method on the same problem: the first test problem
/// of seed 0 where the two-stage model does not choose the best path.
pub(crate) fn paths(file: &Path, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let Some(first) = runs.first() else {
        return Ok(());
    };
    let (row, which) = match first_miss(first) {
        Some(row) => (row, ", the first that two-stage misses"),
        None => (0, ""),
    };
    let area = SVGBackend::new(file, (1020, 450)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!("Chosen and best path: test problem {row} of seed 0{which}");
    text(&area, &title, (510, 22), 19, HPos::Center)?;
    let (_, below_title) = area.split_vertically(36);
    let (panels, legend) = below_title.split_vertically(374);
    // The first runs are those of seed 0, one a method.
    for (panel, run) in panels.split_evenly((1, Method::ALL.len())).iter().zip(runs) {
        draw_panel(panel, run, row)?;
    }
    draw_legend(&legend)?;
    area.present()?;
    Ok(())
}

fn first_miss(run: &Run) -> Option<usize> {
    let objectives = run.test.objectives(&run.z);
    let mut pairs = objectives.iter().zip(&run.test.optima);
    pairs.position(|(objective, optimum)| objective > optimum)
}

fn draw_panel(panel: &Area<'_>, run: &Run, row: usize) -> Result<(), Box<dyn Error>> {
    let arcs = run.test.data.dim();
    let of_row = |values: &[f64]| values[row * arcs..][..arcs].to_vec();
    let cost = run.test.objectives(&run.z)[row];
    let regret = 100.0 * (cost / run.test.optima[row] - 1.0);
    let middle = ORIGIN.0 + STEP * (GRID.width as i32 - 1) / 2;
    text(panel, run.method.name(), (middle, 18), 16, HPos::Center)?;
    let outcome = match regret > 0.0 {
        true => format!("costs {cost:.2}, {regret:.1} % above the best"),
        false => format!("costs {cost:.2}: the best"),
    };
    text(panel, &outcome, (middle, 40), 14, HPos::Center)?;

    draw_path(panel, &vec![1.0; arcs], PALE.stroke_width(1))?;
    draw_path(panel, &of_row(&run.test.z_true), PALE.stroke_width(13))?;
    draw_path(panel, &of_row(&run.z), color(run.method).stroke_width(4))?;
    for node in 0..GRID.nodes() {
        panel.draw(&Circle::new(place(node), 5, WHITE.filled()))?;
        panel.draw(&Circle::new(place(node), 5, INK.stroke_width(1)))?;
    }
    for ((from, to), cost) in GRID.arcs().into_iter().zip(of_row(&run.test.data.theta)) {
        let ((x0, y0), (x1, y1)) = (place(from), place(to));
        let beside = if y0 == y1 { (0, -14) } else { (20, 0) };
        let at = ((x0 + x1) / 2 + beside.0, (y0 + y1) / 2 + beside.1);
        text(panel, &format!("{cost:.2}"), at, 12, HPos::Center)?;
    }
    Ok(())
}

/// Draws the arcs that are in `z`.
fn draw_path(area: &Area<'_>, z: &[f64], style: ShapeStyle) -> Result<(), Box<dyn Error>> {
    for ((from, to), _) in GRID.arcs().into_iter().zip(z).filter(|&(_, z)| *z > 0.5) {
        area.draw(&PathElement::new([place(from), place(to)], style))?;
    }
    Ok(())
}

fn draw_legend(area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let lines = [
        (220, PALE.stroke_width(13), "best path under the true costs"),
        (500, INK.stroke_width(4), "path chosen by the model"),
    ];
    for (x, style, label) in lines {
        area.draw(&PathElement::new([(x, 16), (x + 30, 16)], style))?;
        text(area, label, (x + 40, 16), 14, HPos::Left)?;
    }
    text(area, "numbers: true costs", (735, 16), 14, HPos::Left)
}

fn place(node: usize) -> (i32, i32) {
    let (row, column) = ((node / GRID.width) as i32, (node % GRID.width) as i32);
    (ORIGIN.0 + STEP * column, ORIGIN.1 + STEP * row)
}
