//! Which directory a training belongs to, and the configuration it keeps there.

use std::{collections::BTreeMap, path::Path};

use toml::{Table, Value};

use crate::{
    Error,
    config::{Config, ConfigError, differences, from_toml, validate},
    run::{RunDir, list_runs},
    train::checkpoint,
};

/// Keys that change how long, how often or on whom a run is trained, shown or scored, but not what is trained.
const CADENCE: [&str; 5] =
    ["train.steps", "train.tick", "train.checkpoint_every", "train.snapshot_every", "train.keep"];

/// Keys that say where something lies or what it is called: the content counts.
const WHEREABOUTS: [&str; 3] = ["data.path", "data.labels", "init_from.name"];

/// A run in this very directory: new, or the one that is there if it is the same training.
pub(super) fn place(out: &Path, config: &Config, data_hash: &str, new: bool) -> Result<RunDir, Error> {
    if !is_occupied(out) {
        return Ok(RunDir::create(out)?);
    }
    if new {
        return Err(Error::Usage(format!(
            "{}: is not empty, and --new wants an empty directory; name another with --out",
            out.display()
        )));
    }
    let run = RunDir::open(out)?;
    let (there, about) = read_config(&run)?;
    let mut changed: Vec<String> = (differences(&there, config).into_iter())
        .filter(|(key, ..)| !is_cadence(key))
        .map(|(key, old, new)| format!("{key}: {old} there, {new} asked for"))
        .collect();
    if about.data_sha256 != data_hash {
        let name = |hash: &str| hash.chars().take(8).collect::<String>();
        let (there, given) = (name(&about.data_sha256), name(data_hash));
        changed.push(format!(
            "pictures: the run trained on others than those given (SHA-256 of all: {there}… there, {given}… given); a \
             changed file, size or label is enough"
        ));
    }
    if changed.is_empty() {
        return Ok(run);
    }
    Err(Error::Usage(format!(
        "{}: holds a run of another training; take back these changes, or name another directory with --out:\n  {}",
        out.display(),
        changed.join("\n  ")
    )))
}

/// Whether a directory holds more than a run that was stopped before it had its configuration.
fn is_occupied(out: &Path) -> bool {
    let is_beginning = |name: &str| name == ".lock" || name.starts_with(".config.toml.tmp-");
    let mut entries = std::fs::read_dir(out).into_iter().flatten().flatten();
    out.is_file() || entries.any(|entry| !is_beginning(&entry.file_name().to_string_lossy()))
}

/// The newest unfinished run of the same training below `root`, else the newest finished one, else a new one.
pub(super) fn find(root: &Path, config: &Config, data_hash: &str, new: bool) -> Result<RunDir, Error> {
    if !new {
        let mut finished = None;
        for (_, path) in list_runs(root)?.into_iter().rev() {
            let Ok(run) = RunDir::open(&path) else { continue };
            let Ok((there, about)) = read_config(&run) else { continue };
            let same = about.data_sha256 == data_hash
                && differences(&there, config)
                    .iter()
                    .all(|(key, ..)| key == "train.steps" || WHEREABOUTS.contains(&key.as_str()));
            if !same {
                continue;
            }
            let step = checkpoint::latest(run.path())?.map_or(0, |(step, _)| step);
            if step < config.train.steps {
                return Ok(run);
            }
            finished.get_or_insert(run);
        }
        if let Some(run) = finished {
            return Ok(run);
        }
    }
    Ok(RunDir::create_numbered(root, &format!("{}-seed{}", config.name, config.seed))?)
}

fn is_cadence(key: &str) -> bool {
    CADENCE.contains(&key) || WHEREABOUTS.contains(&key) || key.starts_with("evaluate.")
}

/// What `config.toml` says beside the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    data_sha256: String,
}

/// Writes the configuration with what made it. Kept when the run is resumed, apart from steps and cadence.
pub(super) fn write_config(
    run: &RunDir,
    config: &Config,
    data_hash: &str,
    test_hash: &str,
    device: &str,
) -> Result<(), Error> {
    let mut config = config.clone();
    // An absolute path finds the pictures again from wherever the next command is given.
    config.data.path = config.data.path.map(|path| path.canonicalize().unwrap_or(path));
    config.data.labels = config.data.labels.map(|path| path.canonicalize().unwrap_or(path));
    let as_toml = |error: toml::ser::Error| Error::Usage(format!("config.toml: {error}"));
    let mut table = Table::try_from(&config).map_err(as_toml)?;
    let mut about: Table = versions().into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    about.insert("data_sha256".to_owned(), Value::String(data_hash.to_owned()));
    about.insert("test_sha256".to_owned(), Value::String(test_hash.to_owned()));
    about.insert("device".to_owned(), Value::String(device.to_owned()));
    table.insert("about".to_owned(), Value::Table(about));
    write_table(run, &table)
}

/// Notes where the pictures of a run lie now, and leaves everything else that its configuration says.
pub(super) fn note_data_path(run: &RunDir, config: &Config) -> Result<(), Error> {
    let path = config.data.path.as_ref().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
    let (there, _) = read_config(run)?;
    let Some(path) = path.filter(|path| there.data.path.as_ref() != Some(path)) else { return Ok(()) };
    let file = run.config();
    let not_toml = |error: toml::de::Error| Error::Usage(format!("{}: is not TOML: {error}", file.display()));
    let mut table: Table = run.read_config()?.parse().map_err(not_toml)?;
    if let Some(Value::Table(data)) = table.get_mut("data") {
        data.insert("path".to_owned(), Value::String(path.display().to_string()));
    }
    write_table(run, &table)
}

fn write_table(run: &RunDir, table: &Table) -> Result<(), Error> {
    let text = toml::to_string(table).map_err(|error| Error::Usage(format!("config.toml: {error}")))?;
    let head = "# Everything that was resolved for this run. 'infogan train --out <this directory>' goes on with it.";
    Ok(run.write_config(&format!("{head}\n\n{text}"))?)
}

/// Reads the configuration of a run.
pub(super) fn read_config(run: &RunDir) -> Result<(Config, About), Error> {
    let file = run.path().join("config.toml");
    let text = run.read_config()?;
    let mut table: Table =
        text.parse().map_err(|error| Error::Usage(format!("{}: is not TOML: {error}", file.display())))?;
    let about = match table.remove("about") {
        Some(Value::Table(about)) => about,
        _ => Table::new(),
    };
    let data_sha256 = about.get("data_sha256").and_then(Value::as_str).unwrap_or_default().to_owned();
    let config = from_toml(table)
        .and_then(|config| validate(&config).map(|()| config))
        .map_err(|error| ConfigError::new(format!("{}: {}", file.display(), error.key), error.reason))?;
    Ok((config, About { data_sha256 }))
}

/// The configuration of a run directory, for `infogan train --out RUN` without a preset.
///
/// # Errors
/// When the directory holds no readable configuration.
pub fn config_of(path: &Path) -> Result<Config, Error> {
    Ok(read_config(&RunDir::open(path)?)?.0)
}

/// A name that no other training has: of everything that is resolved, length and protocol included, and of the pictures'
/// content where they are files (`ImageSet::content_hash`), wherever those lie.
pub fn run_name(config: &Config, pictures: Option<&str>) -> String {
    let mut config = config.clone();
    (config.data.path, config.data.labels) = (None, None);
    let text = serde_json::to_string(&config).unwrap_or_default() + pictures.unwrap_or_default();
    let hash: String = checkpoint::sha256(text.as_bytes()).chars().take(8).collect();
    format!("{}-seed{}-{hash}", config.name, config.seed)
}

/// Hash of everything that determines the trained numbers.
pub(super) fn identity(config: &Config, data_hash: &str) -> String {
    let mut config = config.clone();
    (config.data.path, config.data.labels) = (None, None);
    if let Some(from) = &mut config.init_from {
        from.name.clear();
    }
    config.evaluate = Default::default();
    config.train = crate::config::TrainConfig {
        steps: 0,
        batch: config.train.batch,
        tick: 0,
        checkpoint_every: 0,
        snapshot_every: 0,
        keep: 0,
    };
    let text = format!("{}\n{data_hash}", serde_json::to_string(&config).unwrap_or_default());
    checkpoint::sha256(text.as_bytes())
}

/// The version of Burn that `Cargo.lock` holds.
pub const BURN: &str = "0.22.1";

/// Versions of what computes.
pub(super) fn versions() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("infogan".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("burn".to_owned(), BURN.to_owned()),
        ("target".to_owned(), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
    ])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_named_version_of_burn_is_the_locked_one() {
        let lock = include_str!("../../../../Cargo.lock");
        let burn = lock.split("[[package]]").find(|package| package.contains("name = \"burn\"\n"));
        assert!(burn.is_some_and(|package| package.contains(&format!("version = \"{}\"", super::BURN))));
    }
}
