//! From a configuration to a run, and from a run back to pictures, codes and scores.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use infogan_data::{GlyphOptions, ImageSet, Split, glyphs, load_idx_dir, random::Streams};
use infogan_ops::device;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::{
    Error,
    config::{Config, ConfigError, DataSet, differences, from_toml, validate},
    evaluate::{Scores, Trained, score},
    game::{CRITIC, GENERATOR, Game, ReaderStates},
    latent::Draw,
    networks::dcgan::Generator,
    nn::{NetState, Shape},
    run::{EventLog, RunDir, list_runs, write_report},
    tasks::{GameTask, Task},
    train::{Outcome, Plan, Tick, checkpoint, stand, state::State},
};

/// Keys that change how long, how often or on whom a run is trained, shown or scored, but not what is trained.
const CADENCE: [&str; 5] =
    ["train.steps", "train.tick", "train.checkpoint_every", "train.snapshot_every", "train.keep"];

/// What to train and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// The resolved configuration.
    pub config: Config,
    /// The run directory; without it one is found or made below `root`.
    pub out: Option<PathBuf>,
    /// Where numbered runs live.
    pub root: PathBuf,
    /// Begin a new run even if one could be resumed.
    pub new: bool,
    /// Name of the device.
    pub device: String,
}

impl Request {
    /// Trains this configuration on the CPU, below `runs`.
    pub fn new(config: Config) -> Self {
        Self { config, out: None, root: PathBuf::from("runs"), new: false, device: "cpu".to_owned() }
    }

    /// In this very directory.
    #[must_use]
    pub fn out(mut self, out: &Path) -> Self {
        self.out = Some(out.to_owned());
        self
    }
}

/// A run that is ready to train.
pub struct Session {
    task: GameTask,
    run: RunDir,
    config: Config,
    data_hash: String,
    resumed_at: u64,
}

/// What [`Session::train`] came to.
#[derive(Clone, Debug)]
pub enum Done {
    /// All steps done, scored and reported.
    Finished(Box<Scores>),
    /// Asked to stop; saved.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

impl Session {
    /// Loads the pictures, checks that everything fits, and finds or makes the run directory.
    ///
    /// # Errors
    /// Everything that can be wrong before the first step; nothing is written before all of it is checked.
    pub fn open(request: &Request) -> Result<Self, Error> {
        let config = &request.config;
        let device = device::resolve(&request.device)?;
        let set = Arc::new(load_set(config, Split::Train)?);
        let data_hash = set.content_hash().to_owned();
        let task = GameTask::new(config, set, device)?;
        let mut run = match &request.out {
            Some(out) => place(out, config, &data_hash, request.new)?,
            None => find(&request.root, config, &data_hash, request.new)?,
        };
        run.lock()?;
        let resumed_at = checkpoint::latest(run.path())?.map_or(0, |(step, _)| step);
        write_config(&run, config, &data_hash, &request.device)?;
        Ok(Self { task, run, config: config.clone(), data_hash, resumed_at })
    }

    /// The run directory.
    pub fn path(&self) -> &Path {
        self.run.path()
    }

    /// Steps that were done before this session.
    pub fn resumed_at(&self) -> u64 {
        self.resumed_at
    }

    /// Whether all wanted steps were done before this session.
    pub fn is_finished(&self) -> bool {
        self.resumed_at >= self.config.train.steps
    }

    /// Trains to the end or until `stop` is set; then scores the run and writes its report.
    ///
    /// # Errors
    /// [`Error::Diverged`], or what writing files fails with.
    pub fn train(&self, stop: &AtomicBool, observe: &mut dyn FnMut(&Tick<'_>)) -> Result<Done, Error> {
        let state = if self.is_finished() {
            // A process that died after the last save left what the loop would have tidied up.
            checkpoint::clean(self.run.path())?;
            checkpoint::prune(self.run.path(), self.config.train.keep)?;
            self.run.remove_leftovers()?;
            stand(&self.task, &self.run)?.0
        } else {
            let plan = Plan {
                train: self.config.train.clone(),
                config_hash: identity(&self.config, &self.data_hash),
                versions: versions(),
            };
            match crate::train::train(&self.task, &self.run, &plan, stop, observe)? {
                (Outcome::Finished, state) => state,
                (Outcome::Interrupted, state) => {
                    write_report(self.run.path())?;
                    return Ok(Done::Interrupted { step: state.step() });
                }
            }
        };
        if let Some(scores) = last_scores(&self.run, state.step())? {
            write_report(self.run.path())?;
            return Ok(Done::Finished(Box::new(scores)));
        }
        let mut trained = self.task.trained(&state);
        let scores = self.score(&mut trained, &state)?;
        record(&self.run, &scores)?;
        write_report(self.run.path())?;
        Ok(Done::Finished(Box::new(scores)))
    }

    /// Scores a state of this run on its own pictures.
    fn score(&self, trained: &mut Trained, state: &State) -> Result<Scores, Error> {
        let test = load_set(&self.config, Split::Test)?.take(self.config.evaluate.test);
        score(trained, state, &Streams::new(self.config.seed), self.task.set(), &test)
    }
}

/// A run opened for use.
pub struct OpenRun {
    run: RunDir,
    config: Config,
    state: State,
    trained: Trained,
}

impl OpenRun {
    /// Opens the newest checkpoint of a run.
    ///
    /// # Errors
    /// When the directory is no run, has no checkpoint yet, or its newest checkpoint is damaged.
    pub fn open(path: &Path, device: &str) -> Result<Self, Error> {
        let run = RunDir::open(path)?;
        let (config, _) = read_config(&run)?;
        let device = device::resolve(device)?;
        let (_, newest) = checkpoint::latest(path)?.ok_or_else(|| {
            Error::Usage(format!(
                "{}: has no checkpoint yet; train it further with 'infogan train --out {}'",
                path.display(),
                path.display()
            ))
        })?;
        let snapshot = checkpoint::load(&newest)?;
        let game = Arc::new(Game::new(&config, picture_shape(&config)?, device.clone())?);
        let mut state = game.init_shapes();
        state.restore(&snapshot, &device).map_err(|reason| Error::Usage(format!("{}: {reason}", newest.display())))?;
        let derived = |name: &str| {
            snapshot.derived.get(name).map_or_else(NetState::default, |host| NetState::from_host(host, &device))
        };
        let head = game.codes().map_or_else(NetState::default, |codes| derived(codes.network()));
        let readers = ReaderStates { critic: derived(CRITIC), head };
        let trained = Trained::new(game, &state, derived(GENERATOR), readers);
        Ok(Self { run, config, state, trained })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The run directory.
    pub fn path(&self) -> &Path {
        self.run.path()
    }

    /// Draws latents from the run's priors, with a seed of one's own.
    pub fn draw(&self, seed: u64, count: usize) -> Draw {
        self.trained.game().latent().draw(&Streams::new(seed), "sample", [0; 3], count)
    }

    /// The model.
    pub fn trained(&mut self) -> &mut Trained {
        &mut self.trained
    }

    /// Scores the run on its own data, or on that of a folder, and appends the scores to the run.
    ///
    /// # Errors
    /// When the pictures cannot be read.
    pub fn evaluate(&mut self, data: Option<&Path>) -> Result<Scores, Error> {
        let mut config = self.config.clone();
        point_at(&mut config, data);
        let train = load_set(&config, Split::Train)?;
        let test = load_set(&config, Split::Test)?.take(config.evaluate.test);
        let streams = Streams::new(config.seed);
        let scores = score(&mut self.trained, &self.state, &streams, &train, &test)?;
        record(&self.run, &scores)?;
        write_report(self.run.path())?;
        Ok(scores)
    }
}

/// Points a configuration at a folder of files.
pub fn point_at(config: &mut Config, data: Option<&Path>) {
    if let Some(path) = data {
        config.data.set = DataSet::Idx;
        config.data.path = Some(path.to_owned());
    }
}

/// Pictures of a split.
///
/// # Errors
/// When files are missing or broken.
pub fn load_set(config: &Config, split: Split) -> Result<ImageSet, Error> {
    let data = &config.data;
    match data.set {
        DataSet::Glyphs => {
            let count = match split {
                Split::Train => data.count,
                Split::Test => config.evaluate.test,
            };
            Ok(glyphs(&GlyphOptions { count, size: data.size, seed: data.seed }, split)?)
        }
        DataSet::Idx => {
            let path = data.path.as_deref().ok_or_else(|| {
                ConfigError::new(
                    "data.path",
                    format!(
                        "preset '{}' trains on files: name their folder with --data DIR \
                         (scripts/fetch-mnist.sh DIR gets the MNIST files)",
                        config.name
                    ),
                )
            })?;
            Ok(load_idx_dir(path, split)?)
        }
    }
}

/// Shape of the pictures that a configuration's generator makes.
fn picture_shape(config: &Config) -> Result<[usize; 3], Error> {
    let generator = Generator::new(&config.generator.layers, config.generator.slope, config.latent().width(), false)
        .map_err(|error| ConfigError::new("generator.layers", error.to_string()))?;
    match generator.stack().output() {
        Shape::Map(shape) => Ok(shape),
        Shape::Flat(_) => Err(ConfigError::new("generator.layers", "does not end in maps").into()),
    }
}

/// A run in this very directory: new, or the one that is there if it is the same training.
fn place(out: &Path, config: &Config, data_hash: &str, new: bool) -> Result<RunDir, Error> {
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
        changed.push(format!("pictures: content {} there, {data_hash} given", about.data_sha256));
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
fn find(root: &Path, config: &Config, data_hash: &str, new: bool) -> Result<RunDir, Error> {
    if !new {
        let mut finished = None;
        for (_, path) in list_runs(root)?.into_iter().rev() {
            let Ok(run) = RunDir::open(&path) else { continue };
            let Ok((there, about)) = read_config(&run) else { continue };
            let same = about.data_sha256 == data_hash
                && differences(&there, config)
                    .iter()
                    .all(|(key, ..)| key == "train.steps" || key == "data.path");
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
    CADENCE.contains(&key) || key == "data.path" || key.starts_with("evaluate.")
}

/// What `config.toml` says beside the configuration.
#[derive(Clone, Debug, Default)]
struct About {
    data_sha256: String,
}

/// Writes the configuration with what made it. Kept when the run is resumed, apart from steps and cadence.
fn write_config(run: &RunDir, config: &Config, data_hash: &str, device: &str) -> Result<(), Error> {
    let mut config = config.clone();
    // An absolute path finds the pictures again from wherever the next command is given.
    config.data.path = config.data.path.map(|path| path.canonicalize().unwrap_or(path));
    let as_toml = |error: toml::ser::Error| Error::Usage(format!("config.toml: {error}"));
    let mut table = Table::try_from(&config).map_err(as_toml)?;
    let mut about: Table = versions().into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    about.insert("data_sha256".to_owned(), Value::String(data_hash.to_owned()));
    about.insert("device".to_owned(), Value::String(device.to_owned()));
    table.insert("about".to_owned(), Value::Table(about));
    let text = format!(
        "# Everything that was resolved for this run. 'infogan train --out <this directory>' goes on with it.\n\n{}",
        toml::to_string(&table).map_err(as_toml)?
    );
    Ok(run.write_config(&text)?)
}

/// Reads the configuration of a run.
fn read_config(run: &RunDir) -> Result<(Config, About), Error> {
    let file = run.path().join("config.toml");
    let text = run.read_config()?;
    let mut table: Table = text
        .parse()
        .map_err(|error| Error::Usage(format!("{}: is not TOML: {error}", file.display())))?;
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

/// Hash of everything that determines the trained numbers.
fn identity(config: &Config, data_hash: &str) -> String {
    let mut config = config.clone();
    config.data.path = None;
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
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Versions of what computes.
fn versions() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("infogan".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("burn".to_owned(), "0.22.1".to_owned()),
        ("target".to_owned(), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
    ])
}

/// The last scores of a step, if it was scored.
fn last_scores(run: &RunDir, step: u64) -> Result<Option<Scores>, Error> {
    if !run.scores().exists() {
        return Ok(None);
    }
    let all = crate::run::read_log(&run.scores())?;
    let of_step = |value: serde_json::Value| {
        serde_json::from_value::<Scores>(value).ok().filter(|scores| scores.step == step)
    };
    Ok(all.into_iter().rev().find_map(of_step))
}

/// Appends scores to a run.
fn record(run: &RunDir, scores: &Scores) -> Result<(), Error> {
    let value = serde_json::to_value(scores).map_err(|error| Error::Usage(format!("scores: {error}")))?;
    let mut log = EventLog::open(&run.scores())?;
    log.append(&value)?;
    log.sync()?;
    Ok(())
}

/// Measures a few steps without a run directory: what `--dry-run` tells of time and memory.
///
/// # Errors
/// As [`Session::open`].
pub fn probe(config: &Config, device: &str, steps: u64) -> Result<Probe, Error> {
    let set = Arc::new(load_set(config, Split::Train)?);
    let pictures = set.len();
    let task = GameTask::new(config, set, device::resolve(device)?)?;
    let networks = (task.game().networks().into_iter())
        .map(|(name, specs)| (name, specs.iter().map(crate::nn::ParameterSpec::count).sum()))
        .collect();
    let mut state = task.init();
    let mut times = Vec::new();
    let not_taken = |error| Error::Diverged { error, saved: "Nothing was written".to_owned() };
    // The first step touches all memory for the first time: it says nothing about the others.
    task.step(&mut state).map_err(not_taken)?;
    for _ in 0..steps.max(1) {
        let begun = std::time::Instant::now();
        task.step(&mut state).map_err(not_taken)?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(Probe {
        pictures,
        networks,
        seconds_per_step: times[times.len() / 2],
        memory_bytes: memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem as u64),
    })
}

/// What a few steps showed.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Training pictures.
    pub pictures: usize,
    /// Parameters by network.
    pub networks: Vec<(String, usize)>,
    /// Median time of a step.
    pub seconds_per_step: f64,
    /// Memory held after them.
    pub memory_bytes: u64,
}
