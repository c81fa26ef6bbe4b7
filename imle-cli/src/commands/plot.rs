//! A picture of marginals: bars, or a heat map.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::failure::Failure;
use crate::files::write_whole;
use crate::instance::Instance;

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const BLUE: RGBColor = RGBColor(0, 114, 178);
/// Height of a bar chart.
const HEIGHT: u32 = 360;
/// Room for words around a picture.
const MARGIN: i32 = 50;
/// From one name of a coordinate to the next.
const LABELS: usize = 20;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn parse_shape(text: &str) -> Result<(usize, usize), String> {
    let parsed = text
        .split_once('x')
        .and_then(|(height, width)| Some((height.parse().ok()?, width.parse().ok()?)));
    parsed.ok_or_else(|| "not HEIGHTxWIDTH, such as 12x12".to_owned())
}

/// Height and width of an instance whose configuration has a `grid` with one coordinate for each cell.
pub(crate) fn grid_of(instance: &Instance) -> Option<(usize, usize)> {
    let grid = instance.config.get("grid")?;
    let length = |key: &str| grid.get(key)?.as_u64().map(|length| length as usize);
    let (height, width) = (length("height")?, length("width")?);
    (height.checked_mul(width)? == instance.dim).then_some((height, width))
}

/// Draws the marginals of a row.
pub(crate) fn draw(
    path: &Path,
    mu: &[f64],
    dim: usize,
    row: usize,
    grid: Option<(usize, usize)>,
) -> Result<(), Failure> {
    let Some(mu) = mu.chunks_exact(dim).nth(row) else {
        let rows = mu.len() / dim;
        return Err(Failure::input(format!(
            "--row {row}: there are {rows} rows, from 0 on"
        )));
    };
    let mut svg = String::new();
    let drawn = match grid {
        Some((height, width)) if height * width == dim => heat_map(&mut svg, mu, height, width),
        Some((height, width)) => {
            let message = format!("--shape {height}x{width} has not dim = {dim} cells");
            return Err(Failure::input(message));
        }
        None => bars(&mut svg, mu),
    };
    drawn
        .and_then(|()| Ok(write_whole(path, svg.as_bytes())?))
        .map_err(|why| Failure::file(path.display(), why))
}

fn bars(svg: &mut String, mu: &[f64]) -> Result<(), Box<dyn Error>> {
    let width = 2 * MARGIN + (mu.len() as i32 * 24).clamp(320, 1600);
    let root = SVGBackend::with_string(svg, (width as u32, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let floor = HEIGHT as i32 - MARGIN;
    let finite = mu.iter().copied().filter(|mu| mu.is_finite());
    let (least, most) = finite.fold((0.0_f64, 1.0_f64), |(least, most), mu| {
        (least.min(mu), most.max(mu))
    });
    let height_of =
        |mu: f64| floor - ((mu - least) / (most - least) * f64::from(floor - MARGIN)) as i32;
    for tick in 0..=4 {
        let value = least + (most - least) * f64::from(tick) / 4.0;
        let y = height_of(value);
        let line = [(MARGIN, y), (width - MARGIN, y)];
        root.draw(&PathElement::new(line, INK.mix(0.15)))?;
        text(&root, &format!("{value:.2}"), (MARGIN - 6, y), HPos::Right)?;
    }
    let step = f64::from(width - 2 * MARGIN) / mu.len() as f64;
    let every = mu.len().div_ceil(LABELS).max(1);
    for (at, &mu) in mu.iter().enumerate() {
        let left = f64::from(MARGIN) + at as f64 * step;
        let (from, to) = (
            (left + 0.1 * step) as i32,
            (left + 0.9 * step).ceil() as i32,
        );
        if mu.is_finite() {
            let bar = [(from, height_of(mu)), (to, height_of(0.0))];
            root.draw(&Rectangle::new(bar, BLUE.filled()))?;
        }
        if at % every == 0 {
            text(
                &root,
                &at.to_string(),
                ((from + to) / 2, floor + 14),
                HPos::Center,
            )?;
        }
    }
    text(
        &root,
        "marginals by coordinate",
        (width / 2, 22),
        HPos::Center,
    )?;
    root.present()?;
    Ok(())
}

fn heat_map(
    svg: &mut String,
    mu: &[f64],
    height: usize,
    width: usize,
) -> Result<(), Box<dyn Error>> {
    let cell = (640 / height.max(width) as i32).clamp(4, 48);
    let size = |cells: usize| (cells as i32 * cell + 2 * MARGIN) as u32;
    let size_of_all = (size(width).max(240), size(height));
    let root = SVGBackend::with_string(svg, size_of_all).into_drawing_area();
    root.fill(&WHITE)?;
    let most = mu
        .iter()
        .copied()
        .filter(|mu| mu.is_finite())
        .fold(1.0_f64, f64::max);
    for (at, &mu) in mu.iter().enumerate() {
        let (x, y) = ((at % width) as i32, (at / width) as i32);
        let corner = (MARGIN + x * cell, MARGIN + y * cell);
        let area = [corner, (corner.0 + cell, corner.1 + cell)];
        if mu.is_finite() {
            root.draw(&Rectangle::new(area, shade(mu / most).filled()))?;
        }
        root.draw(&Rectangle::new(area, INK.mix(0.1)))?;
        if cell >= 30 {
            let middle = (corner.0 + cell / 2, corner.1 + cell / 2);
            text(&root, &format!("{mu:.2}"), middle, HPos::Center)?;
        }
    }
    let title = format!("marginals: white 0, blue {most:.2}");
    text(
        &root,
        &title,
        (size(width).max(240) as i32 / 2, 24),
        HPos::Center,
    )?;
    root.present()?;
    Ok(())
}

/// From white to blue.
fn shade(part: f64) -> RGBColor {
    let part = part.clamp(0.0, 1.0);
    let mix = |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))) as u8;
    RGBColor(mix(255, BLUE.0), mix(255, BLUE.1), mix(255, BLUE.2))
}

fn text(area: &Area<'_>, words: &str, at: (i32, i32), side: HPos) -> Result<(), Box<dyn Error>> {
    let style = TextStyle::from((FONT, 13).into_font()).color(&INK);
    let style = style.pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(words.to_owned(), at, style))?;
    Ok(())
}
