//! Models, objectives and times as files, for programs in other languages.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use imle_example_support::ilp_families::Family;

use crate::measure::Measured;

/// Writes `NAME.json`, the configuration, and `NAME.csv`: a line for each objective, with the microseconds of
/// every engine, the optimal objective and theta.
pub(crate) fn write(
    folder: &Path,
    family: &Family,
    thetas: &[Vec<f64>],
    measured: &Measured,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let name = family.name.replace(", ", " ").replace(['/', ' '], "-");
    let path = |extension: &str| folder.join(format!("{name}.{extension}"));
    fs::write(path("json"), serde_json::to_string(&family.config)?)?;
    let engines = measured.series.iter().map(|series| series.engine);
    // Two of the names hold a comma.
    let mut text = engines.fold(String::new(), |text, name| text + &format!("\"{name}\","));
    text.push_str("optimum");
    (0..family.theta.base.len()).try_for_each(|at| write!(text, ",theta{at}"))?;
    for (row, theta) in thetas.iter().enumerate() {
        text.push('\n');
        for series in &measured.series {
            if let Some(microseconds) = series.microseconds.get(row) {
                write!(text, "{microseconds}")?;
            }
            text.push(',');
        }
        let optimum = measured.series.iter().find_map(|s| s.objectives.get(row));
        write!(text, "{}", optimum.copied().unwrap_or(f64::NAN))?;
        theta.iter().try_for_each(|t| write!(text, ",{t}"))?;
    }
    text.push('\n');
    Ok(fs::write(path("csv"), text)?)
}
