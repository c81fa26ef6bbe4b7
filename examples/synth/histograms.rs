//! Figure 2: the noise of a state is the sum of the noise of its ones. Of Sum-of-Gamma that is nearly a Gumbel
//! draw, which is what perturb-and-MAP needs to sample the distribution of theta; of Gumbel it is not.

use std::error::Error as AnyError;
use std::path::Path;
use std::sync::Arc;

use imle_example_support::Spread;
use imle_example_support::drawing::{COLORS, FONT, INK, PALE};
use imle_runtime::{Address, Error, Noise};
use plotters::prelude::*;

use crate::descent::{gumbel, sum_of_gamma};
use crate::problem::K;

const SAMPLES: u64 = 10_000;
const BINS: usize = 60;
const RANGE: (f64, f64) = (-5.0, 15.0);

/// Sums of five draws of one noise.
pub(crate) struct Sums {
    name: &'static str,
    values: Vec<f64>,
}

pub(crate) fn sums(seed: u64) -> Result<[Sums; 2], Error> {
    let of = |name, noise: Arc<dyn Noise>| {
        let mut eps = [0.0; K];
        let sum = |sample| {
            let address = Address {
                seed,
                call: 0,
                row: 0,
                sample,
            };
            noise.fill(&address, &mut eps)?;
            Ok(eps.iter().sum())
        };
        let values = (0..SAMPLES).map(sum).collect::<Result<_, Error>>()?;
        Ok::<_, Error>(Sums { name, values })
    };
    Ok([
        of("Gumbel(0, 1)", gumbel())?,
        of("SoG(5, 1, 10)", sum_of_gamma())?,
    ])
}

/// Says how near the sums are to one Gumbel draw.
pub(crate) fn sentence(sums: &[Sums; 2]) -> String {
    let of = |sums: &Sums| format!("{} of five {}", Spread::of(&sums.values), sums.name);
    format!(
        "Sums over {SAMPLES} samples: {}, {}; one Gumbel draw has 0.58 ± 1.28.",
        of(&sums[0]),
        of(&sums[1])
    )
}

/// Draws both histograms under the density of one Gumbel draw.
pub(crate) fn draw(file: &Path, sums: &[Sums; 2]) -> Result<(), Box<dyn AnyError>> {
    let area = SVGBackend::new(file, (1000, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let colors = [COLORS[1], COLORS[0]]; // as in the curves
    for ((panel, sums), color) in area.split_evenly((1, 2)).iter().zip(sums).zip(colors) {
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("Sums of five {}", sums.name), (FONT, 18, &INK))
            .margin(14)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(RANGE.0..RANGE.1, 0.0..0.42)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(PALE.mix(0.6))
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_desc("sum")
            .y_desc("density")
            .y_labels(5)
            .x_label_formatter(&|sum| format!("{sum:.0}"))
            .label_style((FONT, 13, &INK))
            .axis_desc_style((FONT, 14, &INK))
            .draw()?;
        let bars = densities(&sums.values).into_iter();
        chart.draw_series(bars.map(|(low, high, density)| {
            Rectangle::new([(low, 0.0), (high, density)], color.mix(0.55).filled())
        }))?;
        let points = (0..=400).map(|at| RANGE.0 + (RANGE.1 - RANGE.0) * f64::from(at) / 400.0);
        let density = points.map(|x| (x, (-x - (-x).exp()).exp()));
        chart
            .draw_series(LineSeries::new(density, INK.stroke_width(2)))?
            .label("density of one Gumbel(0, 1)")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE)
            .border_style(PALE)
            .label_font((FONT, 13, &INK))
            .draw()?;
    }
    area.present()?;
    Ok(())
}

/// Counts values in bins: `(low, high, density)` of each.
fn densities(values: &[f64]) -> Vec<(f64, f64, f64)> {
    let width = (RANGE.1 - RANGE.0) / BINS as f64;
    let bin = |at: usize| {
        let (low, high) = (
            RANGE.0 + width * at as f64,
            RANGE.0 + width * (at + 1) as f64,
        );
        let inside = values
            .iter()
            .filter(|value| (low..high).contains(*value))
            .count();
        (low, high, inside as f64 / values.len() as f64 / width)
    };
    (0..BINS).map(bin).collect()
}
