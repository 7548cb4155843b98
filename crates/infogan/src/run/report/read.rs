//! What a run directory holds, as far as a report shows it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::ReportError;

/// A run directory. Whatever is missing is empty.
pub(crate) struct Run {
    /// Name of the directory, without where it lies.
    pub name: String,
    /// Text of `config.toml`; empty when there is none.
    pub config_text: String,
    pub config: toml::Table,
    pub ticks: Vec<Tick>,
    pub scores: Vec<Scores>,
    pub reals: Option<Image>,
    /// By step.
    pub fakes: Vec<(u64, Image)>,
    /// By step.
    pub traverses: Vec<(u64, Image)>,
    /// Names, by step.
    pub checkpoints: Vec<String>,
}

/// One line of `log.jsonl`. Numbers that were not finite are `null` there.
#[derive(Deserialize)]
pub(crate) struct Tick {
    pub step: u64,
    #[serde(default)]
    pub images: Option<f64>,
    #[serde(default)]
    pub images_per_second: Option<f64>,
    #[serde(default)]
    pub rss_bytes: Option<f64>,
    #[serde(default)]
    pub eta_seconds: Option<f64>,
    #[serde(default)]
    pub losses: Map<String, Value>,
    #[serde(default)]
    pub bounds: Map<String, Value>,
    #[serde(default)]
    pub entropies: Map<String, Value>,
    /// What the bounds can reach in training, where that is not the entropy.
    #[serde(default)]
    pub ceilings: Map<String, Value>,
    #[serde(default)]
    pub monitors: Map<String, Value>,
    /// Why the training ended here for good.
    #[serde(default)]
    pub diverged: Option<String>,
}

/// One line of `scores.jsonl`.
#[derive(Deserialize)]
pub(crate) struct Scores {
    #[serde(default)]
    pub step: Option<u64>,
    #[serde(default)]
    pub codes: Vec<Code>,
    #[serde(default)]
    pub factors: Vec<Factor>,
    #[serde(default)]
    pub mig_mean: Option<f64>,
    #[serde(default)]
    pub factor_vae: Option<f64>,
    #[serde(default)]
    pub checkerboard: Vec<Checkerboard>,
    #[serde(default)]
    pub protocol: Map<String, Value>,
}

/// What a category holds.
#[derive(Deserialize)]
pub(crate) struct Category {
    #[serde(default)]
    pub pictures: u64,
    #[serde(default)]
    pub class: Option<String>,
    #[serde(default)]
    pub share: Option<f64>,
}

/// Power at a period of pixels, generated pictures over real ones.
#[derive(Deserialize)]
pub(crate) struct Checkerboard {
    pub period: usize,
    #[serde(default)]
    pub ratio: Option<f64>,
}

/// What was measured of one code. Errors are shares of 1.
#[derive(Deserialize)]
pub(crate) struct Code {
    pub name: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub entropy_nats: Option<f64>,
    #[serde(default)]
    pub bound_nats: Option<f64>,
    #[serde(default)]
    pub error_hungarian: Option<f64>,
    #[serde(default)]
    pub error_majority: Option<f64>,
    #[serde(default)]
    pub nmi: Option<f64>,
    #[serde(default)]
    pub ari: Option<f64>,
    #[serde(default)]
    pub categories: Vec<Category>,
    #[serde(default)]
    pub without_category: Vec<String>,
}

/// How the codes follow one known factor of the pictures.
#[derive(Deserialize)]
pub(crate) struct Factor {
    pub factor: String,
    #[serde(default)]
    pub best_code: Option<String>,
    #[serde(default)]
    pub mig: Option<f64>,
    #[serde(default)]
    pub by_code: Vec<ByCode>,
}

/// One cell of the table of factors and codes.
#[derive(Deserialize)]
pub(crate) struct ByCode {
    pub code: String,
    #[serde(default)]
    pub association: Option<f64>,
}

/// A PNG file, ready to stand in a page.
pub(crate) struct Image {
    /// `data:image/png;base64,…`
    pub uri: String,
    pub width: u32,
    pub height: u32,
}

impl Run {
    /// Reads what there is.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let images = path.join("images");
        let run = Self {
            reals: image(&images.join("reals.png"))?,
            fakes: snapshots(&images, "fakes-", 9)?,
            traverses: snapshots(&images, "traverse-", 1)?,
            ..Self::read_words(path)?
        };
        if run.is_empty() {
            return Err(ReportError::NotARun {
                path: path.to_path_buf(),
                reason: "holds no config.toml, log.jsonl, scores.jsonl, images or checkpoints".into(),
            });
        }
        Ok(run)
    }

    /// Reads all but the pictures.
    pub fn read_words(path: &Path) -> Result<Self, ReportError> {
        if !path.is_dir() {
            return Err(ReportError::NotARun {
                path: path.to_path_buf(),
                reason: "is not a directory".into(),
            });
        }
        let config_path = path.join("config.toml");
        let config_text = match bytes(&config_path)? {
            Some(text) => String::from_utf8(text)
                .map_err(|error| ReportError::broken(&config_path, error.to_string()))?,
            None => String::new(),
        };
        let config: toml::Table = config_text
            .parse()
            .map_err(|error: toml::de::Error| ReportError::broken(&config_path, error.to_string()))?;
        let scores = own_scores(&config, lines(&path.join("scores.jsonl"))?);
        let mut run = Self {
            name: directory_name(path),
            config,
            config_text,
            ticks: lines(&path.join("log.jsonl"))?,
            scores,
            reals: None,
            fakes: Vec::new(),
            traverses: Vec::new(),
            checkpoints: names(&path.join("checkpoints"))?,
        };
        run.checkpoints.retain(|name| name.starts_with("step-"));
        Ok(run)
    }

    fn is_empty(&self) -> bool {
        self.config_text.is_empty()
            && self.ticks.is_empty()
            && self.scores.is_empty()
            && self.checkpoints.is_empty()
            && self.reals.is_none()
            && self.fakes.is_empty()
            && self.traverses.is_empty()
    }

    /// The value of a key such as `train.steps` in the config.
    pub fn key(&self, dotted: &str) -> Option<&toml::Value> {
        let (table, last) = match dotted.rsplit_once('.') {
            Some((tables, last)) => {
                let mut table = &self.config;
                for name in tables.split('.') {
                    table = table.get(name)?.as_table()?;
                }
                (table, last)
            }
            None => (&self.config, dotted),
        };
        table.get(last)
    }

    /// A key that holds a count.
    pub fn count(&self, dotted: &str) -> Option<u64> {
        self.key(dotted)?.as_integer().and_then(|value| u64::try_from(value).ok())
    }

    /// A key that holds text.
    pub fn text(&self, dotted: &str) -> Option<&str> {
        self.key(dotted)?.as_str()
    }
}

/// The evaluations on the run's own test pictures. Those on other pictures are in `scores.jsonl`; they are not what the
/// run is. All of them where the config does not say which pictures are its own.
fn own_scores(config: &toml::Table, all: Vec<Scores>) -> Vec<Scores> {
    let about = config.get("about").and_then(|about| about.get("test_sha256")).and_then(|hash| hash.as_str());
    let Some(own) = about else { return all };
    let is_own = |scores: &Scores| {
        scores.protocol.get("test_sha256").and_then(|hash| hash.as_str()).is_none_or(|hash| hash == own)
    };
    all.into_iter().filter(is_own).collect()
}

/// The last part of the path, also when it is written as `.` or ends in `..`.
fn directory_name(path: &Path) -> String {
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    last(path)
        .or_else(|| fs::canonicalize(path).ok().as_deref().and_then(last))
        .unwrap_or_else(|| "RUN".into())
}

/// The whole file, or nothing when there is none.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>, ReportError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReportError::Read { path: path.to_path_buf(), source }),
    }
}

/// One value per line. The last line may be torn: the run may be writing it right now.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    let text = bytes(path)?.unwrap_or_default();
    let mut values = Vec::new();
    let mut broken: Option<(usize, serde_json::Error)> = None;
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some((line, error)) = broken {
            return Err(ReportError::broken(path, format!("line {line}: {error}")));
        }
        match serde_json::from_slice(line) {
            Ok(value) => values.push(value),
            Err(error) => broken = Some((index + 1, error)),
        }
    }
    Ok(values)
}

/// Names in a folder that are not hidden, sorted; none when there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, ReportError> {
    let fail = |source| ReportError::Read { path: folder.to_path_buf(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(fail(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Pictures named `PREFIX` + step + `.png`: at most `most` of them, evenly chosen by order, always the last.
fn snapshots(folder: &Path, prefix: &str, most: usize) -> Result<Vec<(u64, Image)>, ReportError> {
    let mut found: Vec<(u64, PathBuf)> = names(folder)?
        .into_iter()
        .filter_map(|name| {
            let step = name.strip_prefix(prefix)?.strip_suffix(".png")?.parse().ok()?;
            Some((step, folder.join(name)))
        })
        .collect();
    found.sort();
    let mut chosen = Vec::new();
    for index in evenly(found.len(), most) {
        let (step, path) = &found[index];
        if let Some(image) = image(path)? {
            chosen.push((*step, image));
        }
    }
    Ok(chosen)
}

/// At most `most` of the numbers `0..count`, evenly spread; the last is always among them, the first when
/// `most` is more than one.
pub(crate) fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    match most {
        0 => Vec::new(),
        1 => vec![count - 1],
        _ => (0..most).map(|place| place * (count - 1) / (most - 1)).collect(),
    }
}

/// A PNG file; nothing when it is missing or not a PNG.
fn image(path: &Path) -> Result<Option<Image>, ReportError> {
    let Some(bytes) = bytes(path)? else { return Ok(None) };
    let Ok(reader) = png::Decoder::new(io::Cursor::new(&bytes)).read_info() else {
        return Ok(None);
    };
    let (width, height) = reader.info().size();
    Ok(Some(Image { uri: format!("data:image/png;base64,{}", STANDARD.encode(&bytes)), width, height }))
}
