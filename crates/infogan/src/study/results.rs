//! What became of a study's trainings.

use std::path::{Path, PathBuf};

use super::{Cell, Column, Job, Options, Over, Row, Study};
use crate::{
    Error,
    run::report::read::{Image, Run},
};

/// Where a training stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// All steps are done and scored.
    Finished,
    /// A loss or a gradient stopped being finite.
    Diverged {
        /// In this step, counted from 1.
        step: u64,
        /// Which.
        reason: String,
    },
    /// Neither, so far.
    Unfinished {
        /// What there is of it.
        reason: String,
    },
}

/// Where the run in a directory stands; none there is unfinished.
///
/// # Errors
/// When a file of the run is broken.
pub fn status(run: &Path) -> Result<Status, Error> {
    match run.join("config.toml").is_file() {
        true => Ok(of_run(&Run::read_words(run)?)),
        false => Ok(Status::Unfinished { reason: "not trained".to_owned() }),
    }
}

fn of_run(run: &Run) -> Status {
    let last = run.ticks.last();
    if let Some((step, reason)) = last.and_then(|tick| Some((tick.step, tick.diverged.clone()?))) {
        return Status::Diverged { step, reason };
    }
    let done = last.map_or(0, |tick| tick.step);
    let wanted = run.count("train.steps").unwrap_or(0);
    if done >= wanted && run.scores.last().and_then(|scores| scores.step) == Some(wanted) {
        return Status::Finished;
    }
    Status::Unfinished { reason: format!("stopped at step {done} of {wanted}") }
}

/// A study with everything that is known of its trainings.
pub struct Results {
    pub(super) study: Study,
    pub(super) options: Options,
    pub(super) rows: Vec<RowResult>,
    /// Commands and the machine, for the page.
    pub(super) commands: Vec<String>,
    pub(super) about: Vec<(String, String)>,
}

/// A job with what became of it, for [`Results::read`].
#[derive(Clone, Debug)]
pub struct Done {
    /// What was to be trained.
    pub job: Job,
    /// Its run directory.
    pub run: PathBuf,
    /// Why it could not be trained, if so.
    pub failed: Option<String>,
    /// Median time of a step in milliseconds, where it was measured.
    pub step_time: Option<f64>,
}

/// A row with its runs.
pub(super) struct RowResult {
    pub row: Row,
    pub runs: Vec<RunResult>,
}

/// A training of a row.
pub(super) struct RunResult {
    pub seed: u64,
    /// Its directory, as it stands in commands.
    pub path: PathBuf,
    pub status: Status,
    pub step_time: Option<f64>,
    /// None where nothing was trained.
    pub run: Option<Run>,
}

impl Results {
    /// Reads the runs of a study's jobs, in the order of [`Study::jobs`]. `commands` are those that made them, `about` what
    /// stands beside the numbers: processor, threads, versions.
    ///
    /// # Errors
    /// When `options` name a row that is not there. A broken run is a reason in its row.
    pub fn read(
        study: Study,
        options: Options,
        jobs: &[Done],
        commands: Vec<String>,
        about: Vec<(String, String)>,
    ) -> Result<Self, Error> {
        let mut rows: Vec<RowResult> = (study.chosen(&options)?.into_iter())
            .map(|row| RowResult { row: row.clone(), runs: Vec::new() })
            .collect();
        for Done { job, run: path, failed, step_time } in jobs {
            let read = path.join("config.toml").is_file().then(|| Run::read(path)).transpose();
            let (run, broken) = match read {
                Ok(run) => (run, None),
                Err(error) => (None, Some(error.to_string())),
            };
            let status = match (failed.as_ref().or(broken.as_ref()), &run) {
                (Some(reason), _) => Status::Unfinished { reason: reason.clone() },
                (None, Some(run)) => of_run(run),
                (None, None) => Status::Unfinished { reason: "not trained".to_owned() },
            };
            if let Some(row) = rows.get_mut(job.row) {
                row.runs.push(RunResult {
                    seed: job.seed,
                    path: path.clone(),
                    status,
                    step_time: *step_time,
                    run,
                });
            }
        }
        Ok(Self { study, options, rows, commands, about })
    }

    /// The table as text: headings, then a row each; the first column names it, the last says how it ended.
    pub fn table(&self) -> Vec<Vec<String>> {
        let heads = self.study.column.iter().map(|column| column.name.clone());
        let head = std::iter::once(String::new()).chain(heads).chain(["ended".to_owned()]).collect();
        let row = |row: &RowResult| {
            let cells = self.study.column.iter().map(|column| row.text(column));
            std::iter::once(row.row.label.clone()).chain(cells).chain([row.ended()]).collect()
        };
        std::iter::once(head).chain(self.rows.iter().map(row)).collect()
    }

    /// Whether every training ended, finished or diverged.
    pub fn is_whole(&self) -> bool {
        let ended = |run: &RunResult| !matches!(run.status, Status::Unfinished { .. });
        self.rows.iter().all(|row| row.runs.iter().all(ended))
    }
}

impl RunResult {
    /// What a column says of it. A run that has not ended has no numbers.
    pub fn cell(&self, column: &Column) -> Cell {
        match (&self.status, &self.run) {
            // Why, the last column says.
            (Status::Unfinished { .. }, _) => Cell::Reason("not done".to_owned()),
            (_, Some(run)) => match (&self.status, column.measure.of(run, self.step_time)) {
                (Status::Diverged { .. }, Cell::Reason(reason)) if reason == "not scored" => {
                    Cell::Reason("diverged".to_owned())
                }
                (_, cell) => cell,
            },
            (_, None) => Cell::Reason("not done".to_owned()),
        }
    }

    /// Its last generated pictures.
    pub fn fakes(&self) -> Option<&Image> {
        self.run.as_ref().and_then(|run| run.fakes.last()).map(|(_, image)| image)
    }

    /// Its last traversal.
    pub fn traverse(&self) -> Option<&Image> {
        self.run.as_ref().and_then(|run| run.traverses.last()).map(|(_, image)| image)
    }
}

impl RowResult {
    /// What a column says of the row, as text.
    pub fn text(&self, column: &Column) -> String {
        let cells: Vec<Cell> = self.runs.iter().map(|run| run.cell(column)).collect();
        let numbers: Vec<f64> = cells
            .iter()
            .filter_map(|cell| match cell {
                Cell::Number(number) => Some(*number),
                Cell::Words(_) | Cell::Reason(_) => None,
            })
            .collect();
        let Some(first) = numbers.first() else {
            return match cells.into_iter().next() {
                Some(Cell::Reason(words) | Cell::Words(words)) => words,
                _ => "no runs".to_owned(),
            };
        };
        let shown = |value: f64| format!("{value:.*}", column.digits);
        let text = match (column.over, numbers.len()) {
            (_, 1) => shown(*first),
            (Over::Mean, count) => {
                let mean = numbers.iter().sum::<f64>() / count as f64;
                let square = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
                format!("{} ± {}", shown(mean), shown((square / (count - 1) as f64).sqrt()))
            }
            (Over::Highest, _) => shown(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            (Over::Lowest, _) => shown(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        };
        match cells.len() - numbers.len() {
            0 => text,
            missing => format!("{text} ({missing} of {} without)", cells.len()),
        }
    }

    /// How its runs ended, in words.
    pub fn ended(&self) -> String {
        let words = |run: &RunResult| match &run.status {
            Status::Finished => {
                let steps = run.run.as_ref().and_then(|run| run.count("train.steps")).unwrap_or(0);
                format!("{steps} steps")
            }
            Status::Diverged { step, .. } => format!("▲ diverged at step {step}"),
            Status::Unfinished { reason } => reason.clone(),
        };
        let mut all: Vec<String> = self.runs.iter().map(words).collect();
        all.dedup();
        all.join(", ")
    }

    /// The runs whose pictures are shown, with what is said of each: the only one, or the worst and the best of several.
    pub fn shown(&self, rank: Option<&Column>) -> Vec<(String, &RunResult)> {
        let number = |run: &&RunResult| match rank.map(|column| run.cell(column)) {
            Some(Cell::Number(number)) => number,
            _ => f64::NAN,
        };
        let known = || self.runs.iter().filter(|run| !number(run).is_nan());
        let by = |left: &&RunResult, right: &&RunResult| number(left).total_cmp(&number(right));
        match (known().min_by(by), known().max_by(by)) {
            (Some(low), Some(high)) if self.runs.len() > 1 => {
                let name = rank.map_or("", |column| column.name.as_str());
                let said = |what: &str, run: &RunResult| format!("seed {}, {what} {name}", run.seed);
                vec![(said("lowest", low), low), (said("highest", high), high)]
            }
            _ => self.runs.iter().take(1).map(|run| (String::new(), run)).collect(),
        }
    }
}
