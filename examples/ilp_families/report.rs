//! The tables.

use comfy_table::{CellAlignment, Table, presets};

use crate::measure::{Measured, NATIVE, Series};

/// How many times as fast as good_lp with CBC `ilp-native` has to be at least, without its kernels and with
/// them, where that is asked of a family.
const FLOORS: [(&str, f64, Option<f64>); 8] = [
    ("k-subset 20/5", 200.0, Some(2000.0)),
    ("assignment 10", 40.0, Some(500.0)),
    ("TSP 8, subtour rows", 60.0, None),
    ("TSP 8, order variables", 60.0, None),
    ("grid 12x12, linear", 2.5, Some(150.0)),
    ("grid 12x12, binary", 12.0, Some(150.0)),
    ("set packing 200x60", 12.0, None),
    ("knapsacks 100x5", 25.0, None),
];
/// The same for the geometric mean over these families.
const MEAN_FLOORS: [f64; 2] = [30.0, 100.0];

fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    table
}

fn align(table: &mut Table) {
    let columns = table.column_iter_mut().skip(1);
    columns.for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

/// A line for each family: median and mean in microseconds of every engine, and its ratio.
pub(crate) fn times(measured: &[Measured]) -> Table {
    let Some(first) = measured.first() else {
        return Table::new();
    };
    let baseline = first.baseline().map_or("nothing", |series| series.engine);
    let title = format!("CPU us a solve, median / mean (x over {baseline})");
    let engines = first.series.iter().map(|series| series.engine.to_owned());
    let mut table = table(std::iter::once(title).chain(engines).collect());
    for family in measured {
        let cells = family.series.iter().map(|series| cell(family, series));
        table.add_row(std::iter::once(family.family.to_owned()).chain(cells));
    }
    let means = first.series.iter().map(|series| {
        let mean = geometric_mean(measured.iter().map(|family| ratio(family, series.engine)));
        mean.map_or(String::new(), times_as_fast)
    });
    table.add_row(std::iter::once("geometric mean".to_owned()).chain(means));
    align(&mut table);
    table
}

fn cell(family: &Measured, series: &Series) -> String {
    let [median, mean] = [series.median(), series.mean()].map(short);
    let ratio = family.ratio(series).map_or(String::new(), times_as_fast);
    format!("{median} / {mean} ({ratio})")
}

/// Three digits.
fn short(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

fn times_as_fast(ratio: f64) -> String {
    short(ratio) + "x"
}

fn ratio(family: &Measured, engine: &str) -> Option<f64> {
    family.ratio(family.of(engine)?)
}

fn geometric_mean(ratios: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let logs: Option<Vec<f64>> = ratios.map(|ratio| Some(ratio?.ln())).collect();
    let logs = logs.filter(|logs| !logs.is_empty())?;
    Some((logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// What is asked of `ilp-native`, and what it does.
pub(crate) struct Floors {
    pub(crate) table: Table,
    /// Whether anything is below its floor.
    pub(crate) missed: bool,
}

/// Compares the ratios of `ilp-native` with the floors.
pub(crate) fn floors(measured: &[Measured]) -> Floors {
    let header = [
        "x over CBC",
        "general",
        "floor",
        "",
        "structure",
        "floor",
        "",
    ];
    let mut floors = Floors {
        table: table(header.map(str::to_owned).to_vec()),
        missed: false,
    };
    let asked: Vec<_> = FLOORS
        .iter()
        .filter_map(|floor| Some((floor, measured.iter().find(|m| m.family == floor.0)?)))
        .collect();
    for ((name, general, structure), family) in &asked {
        let ratios = NATIVE.map(|engine| ratio(family, engine));
        floors.add(name, ratios, [Some(*general), *structure]);
    }
    if asked.len() == FLOORS.len() {
        let mean = |engine| geometric_mean(asked.iter().map(|(_, family)| ratio(family, engine)));
        floors.add("geometric mean", NATIVE.map(mean), MEAN_FLOORS.map(Some));
    }
    align(&mut floors.table);
    floors
}

impl Floors {
    fn add(&mut self, name: &str, ratios: [Option<f64>; 2], floors: [Option<f64>; 2]) {
        let mut row = vec![name.to_owned()];
        for (ratio, floor) in ratios.into_iter().zip(floors) {
            let is_below = ratio.zip(floor).is_some_and(|(ratio, floor)| ratio < floor);
            self.missed |= is_below;
            row.push(ratio.map_or(String::new(), times_as_fast));
            row.push(floor.map_or(String::new(), |floor| format!("{floor}x")));
            row.push(if is_below { "MISSED" } else { "" }.to_owned());
        }
        self.table.add_row(row);
    }
}
