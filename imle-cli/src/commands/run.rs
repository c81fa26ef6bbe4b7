//! `imle run`: a layer that a file describes, forward and backward.

use std::path::PathBuf;

use clap::Args;
use imle_runtime::{
    Call, ErrorKind, Feedback, Labels, LayerConfig, LossLayer, Opened, RowError, Saved,
};
use serde_json::json;

use super::rows;
use super::run_files::Files;
use crate::arguments::Common;
use crate::arrays::Array;
use crate::failure::{Exit, Failure};
use crate::files::read_text;
use crate::instance::read_theta;
use crate::loading;
use crate::output::{print_json, print_line};

/// Run a layer that a file describes, forward and backward
///
/// The file is a layer's file as `LayerConfig` reads it, with a table `[run]` beside: the files that are read (theta;
/// grad_z, grad_mean or losses for a backward pass; true_theta and states for the loss of the layer) and written
/// (z, marginals, grad_theta, loss_values), relative to the folder of the file, and `call`. Options take their place.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The file that describes the layer, in TOML
    config: PathBuf,
    #[command(flatten)]
    files: Files,
}

impl Run {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let (layer, files) = self.read()?;
        let paths = files
            .paths()?
            .reads("the layer's file", Some(&self.config))
            .reads("the lock", common.lock.as_deref());
        paths.check()?;
        if let (true, Some(name)) = (common.json, paths.streams()) {
            let message =
                format!("with --json, standard output is the JSON's; name a file for {name}");
            return Err(Failure::new(Exit::Usage, message));
        }
        let registry = loading::registry(common)?;
        let opened = layer.open(&registry).map_err(|why| match why.kind() {
            ErrorKind::NotFound if why.message().starts_with("no solver") => {
                loading::not_found(why.message(), common)
            }
            _ => why.into(),
        })?;
        let theta = read_theta(files.theta()?, opened.layer.dim())?;
        let mut report = Ran::default();
        match &opened.loss {
            Some(loss) => report.evaluate(loss, &theta, &files, opened.layer.dim())?,
            None => report.learn(&opened, &theta, &files)?,
        }
        let cache = opened.cache.map(|cache| cache.statistics());
        match common.json {
            true => print_json(&json!({
                "rows": theta.len() / opened.layer.dim(), "dim": opened.layer.dim(),
                "samples": opened.layer.sampling().samples,
                "written": report.written, "solves": report.solves,
                "cache": cache.map(|cache| json!({"hits": cache.hits, "misses": cache.misses})),
                "errors": rows::json_errors(&report.errors),
            }))?,
            false => report.written.iter().try_for_each(print_line)?,
        }
        rows::end(&report.errors, report.asked)
    }

    /// The layer and the files, of which options take the place.
    fn read(&self) -> Result<(LayerConfig, Files), Failure> {
        let path = self.config.display();
        let text = read_text(&self.config)?;
        let wrong = |why: String| Failure::input(format!("{path}: {}", why.trim_end()));
        let mut whole: toml::Table = toml::from_str(&text).map_err(|why| wrong(why.to_string()))?;
        let run = whole
            .remove("run")
            .unwrap_or_else(|| toml::Table::new().into());
        let run: Files = run
            .try_into()
            .map_err(|why: toml::de::Error| wrong(format!("[run]: {why}")))?;
        let layer = LayerConfig::from_toml(&without_run(&text, &whole)?);
        let layer = layer.map_err(|why| wrong(why.to_string()))?;
        let folder = self.config.parent().unwrap_or_else(|| "".as_ref());
        Ok((layer, self.files.clone().or(run.within(folder))))
    }
}

/// The text with an empty line for each of its table `[run]`, so that errors in the rest name its lines; written anew if the
/// table is not of that form.
fn without_run(text: &str, rest: &toml::Table) -> Result<String, Failure> {
    let mut within = false;
    let lines = text.lines().map(|line| {
        if line.trim_start().starts_with('[') {
            within = line.trim_start().starts_with("[run]");
        }
        if within { "" } else { line }
    });
    let blanked: String = lines.flat_map(|line| [line, "\n"]).collect();
    match toml::from_str::<toml::Table>(&blanked) {
        Ok(same) if same == *rest => Ok(blanked),
        _ => toml::to_string(rest).map_err(Failure::input),
    }
}

/// What a run did.
#[derive(Default)]
struct Ran {
    written: Vec<String>,
    errors: Vec<RowError>,
    /// How many samples were asked for, in both passes.
    asked: usize,
    solves: usize,
}

impl Ran {
    fn learn(&mut self, opened: &Opened, theta: &[f64], files: &Files) -> Result<(), Failure> {
        let layer = &opened.layer;
        let (dim, samples) = (layer.dim(), layer.sampling().samples);
        let rows = theta.len() / dim;
        let saved = layer.forward(theta, Call::from(files.call()))?;
        self.asked = rows * samples;
        self.errors.extend(saved.states().errors());
        if let Some(path) = &files.z {
            // An estimator may return other than the samples of the settings.
            let samples = saved.states().samples();
            let states = Array::new([rows, samples, dim], saved.z().to_vec());
            self.write(path, &states, "states")?;
        }
        if let Some(path) = &files.marginals {
            let mu = Array::new([rows, dim], saved.states().marginals());
            self.write(path, &mu, "marginals")?;
        }
        let Some((path, values, feedback)) = files.feedback()? else {
            files.remark_on_no_feedback();
            return Ok(());
        };
        check_feedback(&saved, &values, feedback).map_err(|why| why.within(path.display()))?;
        let gradient = layer.backward(saved, feedback(&values.values));
        let gradient = gradient.map_err(|why| Failure::from(why).within(path.display()))?;
        self.solves = gradient.solves;
        for error in gradient.errors {
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        let path = files.grad_theta()?;
        self.write(path, &Array::new([rows, dim], gradient.theta), "gradient")
    }

    fn evaluate(
        &mut self,
        loss: &LossLayer,
        theta: &[f64],
        files: &Files,
        dim: usize,
    ) -> Result<(), Failure> {
        let read = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(|path| read_theta(path, dim))
                .transpose()
        };
        let (true_theta, states) = (read(&files.true_theta)?, read(&files.states)?);
        let mut labels = Labels::default();
        if let Some(true_theta) = &true_theta {
            labels = labels.with_theta(true_theta);
        }
        if let Some(states) = &states {
            labels = labels.with_states(states);
        }
        let value = loss.evaluate(theta, &labels, Call::from(files.call()))?;
        let rows = theta.len() / dim;
        self.asked = rows;
        self.solves = value.solves;
        self.errors = value.errors;
        if let Some(path) = &files.loss_values {
            self.write(path, &Array::new([rows, 1], value.losses), "losses")?;
        }
        self.write(
            files.grad_theta()?,
            &Array::new([rows, dim], value.theta),
            "gradient",
        )
    }

    fn write(&mut self, path: &std::path::Path, array: &Array, what: &str) -> Result<(), Failure> {
        array.write(path, None)?;
        if !crate::files::is_stream(path) {
            let shape = &array.shape;
            self.written
                .push(format!("{what} {shape:?}: {}", path.display()));
        }
        Ok(())
    }
}

/// Refuses feedback of another shape with the shape that it should have.
fn check_feedback(saved: &Saved, values: &Array, feedback: Wrap) -> Result<(), Failure> {
    let states = saved.states();
    let (rows, samples, dim) = (states.rows(), states.samples(), states.dim());
    let expected = match feedback(&[]) {
        Feedback::GradZ(_) => vec![rows, samples, dim],
        Feedback::GradMean(_) => vec![rows, dim],
        Feedback::Losses(_) => vec![rows, samples],
    };
    // As in a CSV file: a line for each step of all axes but the last.
    let last = expected[expected.len() - 1];
    let lines = [
        expected[..expected.len() - 1].iter().product::<usize>(),
        last,
    ];
    // Not only as many values: those of an array that is turned are as many.
    let found = &values.shape;
    if *found == lines || without_ones(found) == without_ones(&expected) {
        return Ok(());
    }
    Err(Failure::input(format!(
        "the shape is {found:?}, and should be {expected:?}"
    )))
}

/// A shape without the axes that say nothing.
fn without_ones(shape: &[usize]) -> Vec<usize> {
    let lengths = shape.iter().copied();
    lengths.filter(|&length| length != 1).collect()
}

/// One of the ways to say what the loss says of the states.
pub(super) type Wrap = fn(&[f64]) -> Feedback<'_>;
