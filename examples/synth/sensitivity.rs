//! Figure 3, bottom: which noise ends lower, for every lambda and learning rate.

use std::error::Error as AnyError;
use std::path::Path;
use std::sync::Arc;

use imle_example_support::Spread;
use imle_example_support::drawing::{Area, FONT, INK, text};
use imle_runtime::{Error, Noise, Oracle};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::descent::{Estimate, Method, gumbel, sum_of_gamma};
use crate::problem::Problem;

/// The settings of the authors' program.
const LAMBDAS: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0];
const LEARNING_RATES: [f64; 5] = [0.5, 0.625, 0.75, 0.875, 1.0];

/// The last gap of I-MLE with either noise at one lambda and learning rate.
struct Entry {
    lambda: f64,
    learning_rate: f64,
    sum_of_gamma: Spread,
    gumbel: Spread,
}

impl Entry {
    fn difference(&self) -> f64 {
        self.sum_of_gamma.mean - self.gumbel.mean
    }
}

/// The map of final gaps.
pub(crate) struct Sensitivity {
    entries: Vec<Entry>,
}

impl Sensitivity {
    pub(crate) fn measure(
        problem: &Problem,
        oracle: &Arc<dyn Oracle>,
        runs: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let mut entries = Vec::new();
        for lambda in LAMBDAS {
            for learning_rate in LEARNING_RATES {
                let last = |noise: Arc<dyn Noise>| {
                    let method = Method {
                        name: "I-MLE",
                        estimate: Estimate::Imle { lambda, noise },
                        learning_rate,
                        steps: 50,
                    };
                    let gaps = method.descend(problem, oracle, runs, seed)?;
                    Ok::<_, Error>(Spread::of(&gaps[method.steps - 1]))
                };
                entries.push(Entry {
                    lambda,
                    learning_rate,
                    sum_of_gamma: last(sum_of_gamma())?,
                    gumbel: last(gumbel())?,
                });
            }
        }
        Ok(Self { entries })
    }

    /// Says what the paper says of its map: on average better in more than half, and less spread.
    pub(crate) fn sentence(&self) -> String {
        let count = |is: fn(&Entry) -> bool| self.entries.iter().filter(|entry| is(entry)).count();
        let lower = count(|entry| entry.difference() < 0.0);
        let steadier = count(|entry| entry.sum_of_gamma.deviation < entry.gumbel.deviation);
        let best =
            |of: fn(&Entry) -> f64| self.entries.iter().map(of).fold(f64::INFINITY, f64::min);
        format!(
            "Of {} settings of lambda and learning rate, Sum-of-Gamma ends lower than Gumbel in {lower} (paper: \
             more than half) and varies less in {steadier}; the best gaps are {:.3} and {:.3}.",
            self.entries.len(),
            best(|entry| entry.sum_of_gamma.mean),
            best(|entry| entry.gumbel.mean),
        )
    }

    pub(crate) fn csv(&self) -> String {
        let mut text =
            "lambda,learning_rate,sum_of_gamma,sum_of_gamma_sd,gumbel,gumbel_sd\n".to_owned();
        for entry in &self.entries {
            let deviation = |spread: Spread| spread.deviation.unwrap_or(0.0);
            text += &format!(
                "{},{},{:.6},{:.6},{:.6},{:.6}\n",
                entry.lambda,
                entry.learning_rate,
                entry.sum_of_gamma.mean,
                deviation(entry.sum_of_gamma),
                entry.gumbel.mean,
                deviation(entry.gumbel),
            );
        }
        text
    }

    /// Draws the map: blue where Sum-of-Gamma ends lower, as in the paper.
    pub(crate) fn draw(&self, file: &Path) -> Result<(), Box<dyn AnyError>> {
        let area = SVGBackend::new(file, (720, 470)).into_drawing_area();
        area.fill(&WHITE)?;
        let title = "Final gap of I-MLE: Sum-of-Gamma less Gumbel";
        text(&area, title, (360, 24), 19, HPos::Center)?;
        let largest = self
            .entries
            .iter()
            .map(|entry| entry.difference().abs())
            .fold(0.0, f64::max);
        for (at, entry) in self.entries.iter().enumerate() {
            let (column, row) = (at / LEARNING_RATES.len(), at % LEARNING_RATES.len());
            // The learning rate grows upwards.
            let (x, y) = (
                CORNER.0 + WIDTH * column as i32,
                CORNER.1 + HEIGHT * (LEARNING_RATES.len() - 1 - row) as i32,
            );
            let cell = Rectangle::new(
                [(x, y), (x + WIDTH, y + HEIGHT)],
                shade(entry.difference() / largest).filled(),
            );
            area.draw(&cell)?;
            let middle = (x + WIDTH / 2, y + HEIGHT / 2);
            text(
                &area,
                &format!("{:+.3}", entry.difference()),
                middle,
                14,
                HPos::Center,
            )?;
        }
        axes(&area)?;
        area.present()?;
        Ok(())
    }
}

/// The top left corner of the map, and the size of a cell, in pixels.
const CORNER: (i32, i32) = (90, 52);
const WIDTH: i32 = 96;
const HEIGHT: i32 = 62;

fn axes(area: &Area<'_>) -> Result<(), Box<dyn AnyError>> {
    let bottom = CORNER.1 + HEIGHT * LEARNING_RATES.len() as i32;
    let right = CORNER.0 + WIDTH * LAMBDAS.len() as i32;
    area.draw(&Rectangle::new([CORNER, (right, bottom)], INK))?;
    for (column, lambda) in (0..).zip(LAMBDAS) {
        let x = CORNER.0 + WIDTH * column + WIDTH / 2;
        text(
            area,
            &lambda.to_string(),
            (x, bottom + 18),
            14,
            HPos::Center,
        )?;
    }
    for (row, rate) in (0..).zip(LEARNING_RATES.iter().rev()) {
        let y = CORNER.1 + HEIGHT * row + HEIGHT / 2;
        text(area, &rate.to_string(), (CORNER.0 - 10, y), 14, HPos::Right)?;
    }
    text(
        area,
        "lambda",
        ((CORNER.0 + right) / 2, bottom + 42),
        15,
        HPos::Center,
    )?;
    let turned =
        TextStyle::from((FONT, 15).into_font().transform(FontTransform::Rotate270)).color(&INK);
    area.draw(&Text::new(
        "learning rate",
        (16, (CORNER.1 + bottom) / 2 + 44),
        turned,
    ))?;
    text(
        area,
        "blue: Sum-of-Gamma is better; orange: Gumbel",
        ((CORNER.0 + right) / 2, bottom + 72),
        14,
        HPos::Center,
    )
}

/// From blue (-1) over white (0) to orange (1).
fn shade(share: f64) -> RGBColor {
    let RGBColor(red, green, blue) = match share < 0.0 {
        true => RGBColor(86, 150, 215),
        false => RGBColor(235, 150, 70),
    };
    let mix = |full: u8| 255 - (share.abs().min(1.0) * f64::from(255 - full)) as u8;
    RGBColor(mix(red), mix(green), mix(blue))
}
