//! Studies: an experiment of a paper as a list of trainings and a page that shows them side by side.
//!
//! A study is data (`studies/*.toml`): rows with a preset and what they change of it, columns that measure a finished run,
//! plots, pictures, and what the paper has in the same place. Whoever runs it trains what is not there yet ([`Study::jobs`]
//! says what), then [`write_pages`] makes one HTML page and its Markdown twin.

mod markdown;
mod measure;
mod motion;
mod page;
mod results;

pub use measure::{Cell, Measure};
pub use results::{Done, Results, Status, status};

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Error, config::ConfigError, run::atomic_write};

/// Name and text of every study, in the order in which they are listed.
const TEXTS: &[(&str, &str)] = &[
    ("mutual-information", include_str!("../../studies/mutual-information.toml")),
    ("noisy-input", include_str!("../../studies/noisy-input.toml")),
    ("architectures", include_str!("../../studies/architectures.toml")),
    ("bound", include_str!("../../studies/bound.toml")),
    ("mnist-error", include_str!("../../studies/mnist-error.toml")),
    ("capacity", include_str!("../../studies/capacity.toml")),
];

/// An experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// Its name on the command line; not in its file.
    #[serde(skip)]
    pub name: String,
    /// What it asks, in a line.
    pub title: String,
    /// Paper and section.
    pub source: String,
    /// Paragraphs under the title.
    pub about: String,
    /// Core-minutes of the rows that run unasked, measured on two cores with AVX-512.
    pub minutes: u32,
    /// Preset that rows change.
    pub preset: String,
    /// Settings of all rows, `section.key=value`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Settings of rows that have no data of their own, where no files are named: a set drawn in-process.
    #[serde(default)]
    pub drawn: Vec<String>,
    /// What it is drawn from then, for the title.
    #[serde(default)]
    pub drawn_title: String,
    /// Settings after all others for a look that takes minutes.
    #[serde(default = "narrow")]
    pub quick: Vec<String>,
    /// The trainings.
    pub row: Vec<Row>,
    /// What is measured of each.
    pub column: Vec<Column>,
    /// Curves over each other.
    #[serde(default)]
    pub plot: Vec<PlotOf>,
    /// Pictures of each row.
    #[serde(default)]
    pub pictures: Vec<Pictures>,
    /// Steps of all trainings are timed in turn once they are trained, for the measure `step-time`.
    #[serde(default)]
    pub timed: bool,
    /// Column by which the best and the worst seed of a row are shown.
    #[serde(default)]
    pub rank: Option<String>,
}

/// A training, with several seeds perhaps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name on the command line.
    pub name: String,
    /// Its name on the page.
    pub label: String,
    /// Preset, where it is another than the study's.
    #[serde(default)]
    pub preset: Option<String>,
    /// Settings, over the study's.
    #[serde(default)]
    pub set: Vec<String>,
    /// Settings for a quick look, after the study's: its own networks, narrow.
    #[serde(default)]
    pub quick: Vec<String>,
    /// Its preset draws its pictures, whatever files are named.
    #[serde(default)]
    pub own_data: bool,
    /// Runs only when it is asked for.
    #[serde(default)]
    pub optional: bool,
    /// Seeds 0, 1, … of so many runs.
    #[serde(default = "one")]
    pub seeds: u64,
    /// What is to be known of it.
    #[serde(default)]
    pub note: String,
    /// The paper's figures by the name of the column.
    #[serde(default)]
    pub paper: BTreeMap<String, String>,
}

fn one() -> u64 {
    1
}

/// The mnist preset's networks, narrow: they learn nothing, and show whether a study runs.
fn narrow() -> Vec<String> {
    let settings = [
        "train.steps=60",
        "train.batch=16",
        "train.tick=5",
        "train.snapshot_every=30",
        "data.count=512",
        "evaluate.latents=256",
        "evaluate.matching=256",
        "evaluate.test=256",
        "generator.layers=['fc 32 bn relu','fc 7x7x8 bn relu','upconv 8 k4 s2 bn relu','upconv 1 k4 s2 sigmoid']",
        "critic.layers=['conv 8 k4 s2 lrelu','conv 8 k4 s2 bn lrelu','fc 32 bn lrelu']",
    ];
    settings.map(str::to_owned).to_vec()
}

/// Something measured of every run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// Unit under the heading.
    #[serde(default)]
    pub unit: String,
    /// What it is.
    pub measure: Measure,
    /// Digits after the point.
    #[serde(default = "three")]
    pub digits: usize,
    /// What is shown of several seeds.
    #[serde(default)]
    pub over: Over,
}

fn three() -> usize {
    3
}

/// What is shown of several seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Mean and standard deviation (of the sample, n − 1).
    #[default]
    Mean,
    /// The highest.
    Highest,
    /// The lowest.
    Lowest,
}

/// One quantity of all rows over the steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlotOf {
    /// Heading.
    pub title: String,
    /// Unit.
    #[serde(default)]
    pub unit: String,
    /// What it is: a sum, or a quotient of sums, of numbers of the log (`bounds.c2+bounds.c3`).
    pub of: String,
    /// A level to compare with.
    #[serde(default)]
    pub level: Option<Level>,
}

/// A level in a plot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// What it is.
    pub label: String,
    /// Its height.
    pub value: f64,
}

/// Kinds of pictures that a run leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pictures {
    /// Generated pictures.
    Fakes,
    /// One code after the other through its range.
    Traverse,
    /// Generated pictures of the same latents from the first step to the last, as an animation.
    Motion,
}

/// A training to be done: what `infogan train` is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Number of its row among those of [`Study::chosen`].
    pub row: usize,
    /// Preset.
    pub preset: String,
    /// Root of its random numbers.
    pub seed: u64,
    /// Settings, later over earlier.
    pub set: Vec<String>,
    /// Whether it trains on the files that were named.
    pub on_files: bool,
}

/// What somebody wants of a study.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files to train on; without them a drawn set.
    pub data: Option<PathBuf>,
    /// A look that takes minutes.
    pub quick: bool,
    /// Optional rows that run too; `all` for all.
    pub with: Vec<String>,
    /// Settings after all others.
    pub set: Vec<String>,
}

/// Every study.
///
/// # Errors
/// Never for what comes with the program: a test reads all.
pub fn studies() -> Result<Vec<Study>, ConfigError> {
    TEXTS.iter().map(|(name, text)| parse(name, text)).collect()
}

/// The study of this name.
///
/// # Errors
/// When there is none.
pub fn study(name: &str) -> Result<Study, ConfigError> {
    let names = || TEXTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = TEXTS.iter().find(|(known, _)| *known == name);
    let (name, text) = found.ok_or_else(|| {
        ConfigError::new("study", format!("there is no study '{name}'; studies: {}", names()))
    })?;
    parse(name, text)
}

fn parse(name: &str, text: &str) -> Result<Study, ConfigError> {
    let study: Study =
        toml::from_str(text).map_err(|error| ConfigError::new(format!("study {name}"), error.to_string()))?;
    Ok(Study { name: name.to_owned(), ..study })
}

impl Study {
    /// The rows that are wanted, in order.
    ///
    /// # Errors
    /// When `with` names a row that is not there.
    pub fn chosen(&self, options: &Options) -> Result<Vec<&Row>, ConfigError> {
        for name in &options.with {
            if name != "all" && !self.row.iter().any(|row| row.optional && row.name == *name) {
                let optional = self.row.iter().filter(|row| row.optional).map(|row| row.name.as_str());
                let optional = optional.collect::<Vec<_>>().join(", ");
                let known = if optional.is_empty() { "it has none".to_owned() } else { optional };
                return Err(ConfigError::new(
                    "--with",
                    format!("'{}' has no optional row '{name}'; optional rows: {known}", self.name),
                ));
            }
        }
        let wanted =
            |row: &&Row| !row.optional || options.with.iter().any(|name| name == "all" || *name == row.name);
        Ok(self.row.iter().filter(wanted).collect())
    }

    /// The trainings of the rows that are wanted.
    ///
    /// # Errors
    /// As [`Study::chosen`].
    pub fn jobs(&self, options: &Options) -> Result<Vec<Job>, ConfigError> {
        let mut jobs = Vec::new();
        for (number, row) in self.chosen(options)?.into_iter().enumerate() {
            let on_files = options.data.is_some() && !row.own_data;
            let drawn = if on_files || row.own_data { &[][..] } else { &self.drawn[..] };
            let quick = if options.quick { [&self.quick[..], &row.quick[..]].concat() } else { Vec::new() };
            let set = [&self.set[..], drawn, &row.set[..], &quick, &options.set[..]].concat();
            let seeds = if options.quick { row.seeds.min(2) } else { row.seeds };
            jobs.extend((0..seeds).map(|seed| Job {
                row: number,
                preset: row.preset.clone().unwrap_or_else(|| self.preset.clone()),
                seed,
                set: set.clone(),
                on_files,
            }));
        }
        Ok(jobs)
    }

    /// The title, with what it was trained on where that was drawn.
    pub fn headline(&self, options: &Options) -> String {
        let mut parts = vec![self.title.clone()];
        if options.data.is_none() && !self.drawn_title.is_empty() {
            parts.push(self.drawn_title.clone());
        }
        if options.quick {
            parts.push("quick look".to_owned());
        }
        parts.join(" · ")
    }
}

/// Writes `report.html` and `report.md` of a study's results into a folder, each whole or not at all.
///
/// # Errors
/// When they cannot be written.
pub fn write_pages(results: &Results, folder: &Path) -> Result<[PathBuf; 2], Error> {
    let pages = [("report.html", page::page(results)), ("report.md", markdown::page(results))];
    let write = |(name, text): (&str, String)| {
        let path = folder.join(name);
        match atomic_write(&path, text.as_bytes()) {
            Ok(()) => Ok(path),
            Err(error) => Err(Error::Io { path, error }),
        }
    };
    let [html, markdown] = pages.map(write);
    Ok([html?, markdown?])
}
