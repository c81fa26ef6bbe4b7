//! Finished cells on disk, so that a run can be taken up where it stopped.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::benchmark::{Benchmark, ROWS};
use crate::method::Method;
use crate::training::{BATCH, Outcome, Recipe};

/// Where a cell is in the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) benchmark: Benchmark,
    pub(crate) method: String,
    pub(crate) degree: u32,
    pub(crate) seed: u32,
}

/// A finished cell: one line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Everything that decides the outcome and is not in the place.
    setup: Value,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

impl Place {
    pub(crate) fn new(benchmark: Benchmark, method: &Method, degree: u32, seed: u32) -> Self {
        Self {
            benchmark,
            method: method.name.to_owned(),
            degree,
            seed,
        }
    }
}

/// The finished cells, in memory and in a file of one JSON object a line.
pub(crate) struct Cells {
    path: PathBuf,
    file: File,
    pub(crate) finished: Vec<Cell>,
}

impl Cells {
    /// Reads what is finished in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let path = folder.join("cells.jsonl");
        let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let mut text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(why) => return Err(wrong(&why)),
        };
        // A run that was killed may leave part of a line.
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        let mut finished = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let cell = serde_json::from_str(line);
            finished.push(cell.map_err(|why| wrong(&format!("line {number}: {why}")))?);
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|why| wrong(&why))?;
        file.set_len(text.len() as u64).map_err(|why| wrong(&why))?;
        Ok(Self {
            path,
            file,
            finished,
        })
    }

    /// Returns the cell of that place if it is finished.
    ///
    /// # Errors
    ///
    /// If it was made with other settings than this program has.
    pub(crate) fn find(&self, place: &Place, method: &Method) -> Result<Option<&Cell>, String> {
        let Some(at) = self.finished.iter().position(|cell| cell.place == *place) else {
            return Ok(None);
        };
        let (cell, setup) = (&self.finished[at], setup(place.benchmark, method)?);
        if cell.setup != setup {
            return Err(format!(
                "{}, line {}: this cell was made with other settings, {}, than this program has, {setup}; \
                 choose another --out folder or delete the file",
                self.path.display(),
                at + 1,
                cell.setup,
            ));
        }
        Ok(Some(cell))
    }

    /// Adds a finished cell and writes it down at once.
    pub(crate) fn add(
        &mut self,
        place: Place,
        method: &Method,
        outcome: Outcome,
    ) -> Result<(), String> {
        let setup = setup(place.benchmark, method)?;
        let cell = Cell {
            place,
            setup,
            outcome,
        };
        let mut line = serde_json::to_string(&cell).map_err(|why| why.to_string())?;
        line.push('\n');
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|why| format!("cannot write {}: {why}", self.path.display()))?;
        self.finished.push(cell);
        Ok(())
    }
}

fn setup(benchmark: Benchmark, method: &Method) -> Result<Value, String> {
    let recipe = Recipe::new(benchmark, &method.learner);
    let learner = method.learner.setup().map_err(|why| why.to_string())?;
    Ok(json!({
        "learner": learner,
        "output": format!("{:?}", method.output),
        "epochs": recipe.epochs,
        "batch": BATCH,
        "learning_rate": recipe.learning_rate,
        "samples": recipe.samples,
        "train_rows": ROWS,
        "test_rows": ROWS,
    }))
}
