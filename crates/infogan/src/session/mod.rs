//! From a configuration to a run, and from a run back to pictures, codes and scores.

mod begin;
mod data;
mod open;
mod place;

pub use place::BURN;
use place::{find, identity, note_data_path, place, versions, write_config};

pub use begin::Begin;
pub use data::{Sets, load_sets, read_sets};
pub use open::OpenRun;
pub use place::{config_of, run_name};

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use infogan_data::{ImageSet, Report, random::Streams};
use infogan_ops::device;

use crate::{
    Error,
    config::{Config, ConfigError, adapt},
    evaluate::{Scores, score},
    interop::matching::Matching,
    run::{EventLog, RunDir, write_report},
    tasks::{GameTask, Task},
    train::{Outcome, Plan, Tick, checkpoint, stand},
};

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
    /// Write event files for TensorBoard.
    pub tensorboard: bool,
    /// Bring the networks to the size of the pictures, where the tables are a preset's.
    pub adapt: bool,
    /// Refuse picture folders in which anything is passed over.
    pub strict: bool,
    /// Weights to begin with.
    pub init_from: Option<Begin>,
}

impl Request {
    /// Trains this configuration on the CPU, below `runs`.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: None,
            root: PathBuf::from("runs"),
            new: false,
            device: "cpu".to_owned(),
            tensorboard: false,
            adapt: false,
            strict: false,
            init_from: None,
        }
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
    test: ImageSet,
    run: RunDir,
    config: Config,
    data_hash: String,
    resumed_at: u64,
    tensorboard: bool,
    report: Option<Report>,
    adapted: bool,
    began: Option<Matching>,
}

/// What [`Session::train`] tells whoever watches.
#[derive(Clone, Debug)]
pub enum News<'a> {
    /// Steps were done.
    Tick(&'a Tick<'a>),
    /// All steps are done and saved; scoring begins.
    Scoring {
        /// Test pictures to be scored.
        pictures: usize,
    },
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
    /// Loads the pictures, checks that everything fits, and finds or makes the run directory. `watch` is told how many
    /// picture files of how many are read.
    ///
    /// # Errors
    /// Everything that can be wrong before the first step; nothing is written before all of it is checked.
    pub fn open(request: &Request, watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Self, Error> {
        Prepared::new(request, watch)?.open(request)
    }

    /// The configuration, its networks brought to the pictures where that was asked for.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Shape of the pictures, `[channels, height, width]`.
    pub fn picture(&self) -> [usize; 3] {
        self.task.game().picture()
    }

    /// Whether the networks were brought to another size than their preset's.
    pub fn is_adapted(&self) -> bool {
        self.adapted
    }

    /// What of other weights it begins with, without the weights themselves.
    pub fn began_with(&self) -> Option<&Matching> {
        self.began.as_ref()
    }

    /// Saves the state before the first step and takes none. Gives the checkpoint.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn begin(&self) -> Result<PathBuf, Error> {
        let saved = crate::train::begin(&self.task, &self.run, &self.plan())?;
        write_report(self.run.path())?;
        Ok(saved)
    }

    fn plan(&self) -> Plan {
        Plan {
            train: self.config.train.clone(),
            config_hash: identity(&self.config, &self.data_hash),
            versions: versions(),
            tensorboard: self.tensorboard,
            save_start: self.config.init_from.is_some(),
        }
    }

    /// What was found among picture files, where they are trained on.
    pub fn data_report(&self) -> Option<&Report> {
        self.report.as_ref()
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
    pub fn train(&self, stop: &AtomicBool, observe: &mut dyn FnMut(&News<'_>)) -> Result<Done, Error> {
        let state = if self.is_finished() {
            // A process that died after the last save left what the loop would have tidied up.
            checkpoint::clean(self.run.path())?;
            checkpoint::prune(self.run.path(), self.config.train.keep)?;
            self.run.remove_leftovers()?;
            stand(&self.task, &self.run, &self.plan().config_hash)?.0
        } else {
            let plan = self.plan();
            let mut tell = |tick: &Tick<'_>| observe(&News::Tick(tick));
            let trained = crate::train::train(&self.task, &self.run, &plan, stop, &mut tell);
            if let Err(Error::Diverged { .. }) = trained {
                write_report(self.run.path())?;
            }
            match trained? {
                (Outcome::Finished, state) => state,
                (Outcome::Interrupted, state) => {
                    write_report(self.run.path())?;
                    return Ok(Done::Interrupted { step: state.step() });
                }
            }
        };
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            // Everything is saved; the same command scores it.
            return Ok(Done::Interrupted { step: state.step() });
        }
        if let Some(scores) = self.last_scores(state.step())? {
            write_report(self.run.path())?;
            return Ok(Done::Finished(Box::new(scores)));
        }
        observe(&News::Scoring { pictures: self.test.len() });
        let mut trained = self.task.trained(&state);
        let streams = Streams::new(self.config.seed);
        let scores = score(&mut trained, &state, &streams, self.task.set(), &self.test)?;
        record(&self.run, &scores)?;
        Ok(Done::Finished(Box::new(scores)))
    }

    /// The last scores of this step on the run's own pictures under its own protocol, if there are any.
    fn last_scores(&self, step: u64) -> Result<Option<Scores>, Error> {
        let path = self.run.scores();
        if !path.exists() {
            return Ok(None);
        }
        let is_ours = |scores: &Scores| {
            let says = |key: &str, value: serde_json::Value| scores.protocol.get(key) == Some(&value);
            let scored_alike = says("bound_latents", self.config.evaluate.latents.into())
                && says("matching_wanted", self.config.evaluate.matching.into());
            scores.step == step
                && says("test_sha256", self.test.content_hash().into())
                && (scores.codes.is_empty() || scored_alike)
        };
        let read = crate::run::read_log(&path)?.into_iter().rev();
        Ok(read.filter_map(|value| serde_json::from_value::<Scores>(value).ok()).find(is_ours))
    }
}

/// A request with its pictures and networks, before it has a run directory: nothing is written yet.
pub struct Prepared {
    config: Config,
    task: GameTask,
    test: ImageSet,
    report: Option<Report>,
    adapted: bool,
    began: Option<Matching>,
}

impl Prepared {
    /// Loads the pictures, and the weights to begin with. `watch` as for [`Session::open`].
    ///
    /// # Errors
    /// When they cannot be read, or the networks do not fit them.
    pub fn new(request: &Request, watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Self, Error> {
        let mut prepared = Self::without_weights(request, watch)?;
        if let Some(begin) = &request.init_from {
            let (mut matching, from) = begin.read(&prepared.task.game().sections())?;
            let sections = std::mem::take(&mut matching.sections);
            prepared.task = prepared.task.start_from(sections, matching.statistics.clone());
            prepared.config.init_from = Some(from);
            prepared.began = Some(matching);
        }
        Ok(prepared)
    }

    /// The pictures, and the networks brought to them where that is wanted.
    fn without_weights(request: &Request, watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Self, Error> {
        let device = device::resolve(&request.device)?;
        let mut config = request.config.clone();
        let Sets { train, test, report } = load_sets(&config, watch)?;
        if let Some(report) = report.as_ref().filter(|report| request.strict && !report.rejected.is_empty()) {
            return Err(Error::Usage(rejection(report)));
        }
        let adapted = request.adapt && adapt(&mut config, train.shape())?;
        let task = GameTask::new(&config, Arc::new(train), device)?;
        Ok(Self { config, task, test, report, adapted, began: None })
    }

    /// What of other weights it begins with, without the weights themselves.
    pub fn began_with(&self) -> Option<&Matching> {
        self.began.as_ref()
    }

    /// Finds or makes the run directory of the request that this was prepared for.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open(self, request: &Request) -> Result<Session, Error> {
        let Self { config, task, test, report, adapted, began } = self;
        let test = fitting(test, task.game().picture())?;
        let data_hash = task.set().content_hash().to_owned();
        let mut run = match &request.out {
            Some(out) => place(out, &config, &data_hash, request.new)?,
            None => find(&request.root, &config, &data_hash, request.new)?,
        };
        run.lock()?;
        let latest = checkpoint::latest(run.path())?;
        if let (None, None, Some(from)) = (&latest, &request.init_from, &config.init_from) {
            return Err(Error::Usage(format!(
                "{}: began with the weights of {}, and was stopped before they were saved; name them again with \
                 --init-from",
                run.path().display(),
                from.name
            )));
        }
        let resumed_at = latest.map_or(0, |(step, _)| step);
        if resumed_at >= config.train.steps {
            note_data_path(&run, &config)?;
        } else {
            write_config(&run, &config, &data_hash, test.content_hash(), &request.device)?;
            if let Some(report) = &report {
                run.write_data_report(report)?;
            }
        }
        Ok(Session {
            task,
            test,
            run,
            config,
            data_hash,
            resumed_at,
            tensorboard: request.tensorboard,
            report,
            adapted,
            began,
        })
    }
}

/// Names what `--strict` does not let pass, the first few.
fn rejection(report: &Report) -> String {
    let mut lines: Vec<String> =
        (report.rejected.iter().take(10)).map(|rejected| format!("  {rejected}")).collect();
    let more = report.rejected.len() - lines.len();
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    format!(
        "{} files cannot be used; mend or remove them ('infogan data check' lists all), or train without --strict:\n{}",
        report.rejected.len(),
        lines.join("\n")
    )
}

/// A set whose pictures have the shape that the networks take.
fn fitting(set: ImageSet, picture: [usize; 3]) -> Result<ImageSet, Error> {
    if set.shape() == picture {
        return Ok(set);
    }
    let show = |[channels, height, width]: [usize; 3]| format!("{channels}×{height}×{width}");
    Err(ConfigError::new(
        "data.path",
        format!(
            "the pictures of '{}' are {}, but the networks take {}",
            set.name(),
            show(set.shape()),
            show(picture)
        ),
    )
    .into())
}

/// Appends scores to a run and makes its report anew.
fn record(run: &RunDir, scores: &Scores) -> Result<(), Error> {
    let value = serde_json::to_value(scores).map_err(|error| Error::Usage(format!("scores: {error}")))?;
    let mut log = EventLog::open(&run.scores())?;
    log.append(&value)?;
    log.sync()?;
    write_report(run.path())?;
    Ok(())
}

/// Measures a few steps without a run directory: what `--dry-run` tells of time and memory. `watch` as for
/// [`Session::open`].
///
/// # Errors
/// As [`Session::open`].
pub fn probe(request: &Request, steps: u64, watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Probe, Error> {
    // Held to the end, as a training holds them: the test pictures count as memory too.
    let prepared = Prepared::without_weights(request, watch)?;
    let task = &prepared.task;
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
        pictures: task.set().len(),
        networks,
        seconds_per_step: times[times.len() / 2],
        memory_bytes: memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem as u64),
        config: prepared.config,
        report: prepared.report,
    })
}

/// What a few steps showed.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The configuration that was measured.
    pub config: Config,
    /// What was found among picture files.
    pub report: Option<Report>,
    /// Training pictures.
    pub pictures: usize,
    /// Parameters by network.
    pub networks: Vec<(String, usize)>,
    /// Median time of a step.
    pub seconds_per_step: f64,
    /// Memory held after them.
    pub memory_bytes: u64,
}
