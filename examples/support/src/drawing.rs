//! What the pictures of the examples have in common.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A piece of a picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The typeface of every word.
pub const FONT: &str = "sans-serif";
/// The colour of words and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
/// The colour of what should stay in the background.
pub const PALE: RGBColor = RGBColor(205, 205, 205);

/// Colours that are told apart without seeing all colours (Okabe and Ito, 2008).
pub const COLORS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// Writes words, in the middle of their height, with this side of them `at` that place.
///
/// # Errors
///
/// If they cannot be drawn.
pub fn text(
    area: &Area<'_>,
    words: &str,
    at: (i32, i32),
    size: u32,
    side: HPos,
) -> Result<(), Box<dyn Error>> {
    let style = TextStyle::from((FONT, size).into_font()).color(&INK);
    let style = style.pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(words, at, style))?;
    Ok(())
}
