//! The loop that trains every task, and what it keeps: state, checkpoints, log.

pub mod checkpoint;
pub mod state;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use checkpoint::Snapshot;
use serde_json::json;
use state::State;

use crate::{
    Error,
    config::TrainConfig,
    game::{StepError, StepReport},
    run::{self, EventFile, EventLog, RunDir, cut_pictures},
    tasks::Task,
};

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done and saved.
    Finished,
    /// Asked to stop: the step reached is saved.
    Interrupted,
}

/// What the loop tells whoever watches, once per tick.
#[derive(Clone, Debug)]
pub struct Tick<'a> {
    /// Steps done.
    pub step: u64,
    /// Steps wanted.
    pub steps: u64,
    /// Real pictures shown.
    pub images: u64,
    /// Real pictures per second of stepping since the last tick.
    pub images_per_second: f64,
    /// Memory the process holds.
    pub rss_bytes: u64,
    /// Time left at this speed.
    pub eta: Duration,
    /// Losses, bounds and monitors of the last step.
    pub report: &'a StepReport,
    /// Highest values of the bounds.
    pub ceilings: &'a BTreeMap<String, f64>,
}

/// What a training goes by, apart from the task.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Length and cadence.
    pub train: TrainConfig,
    /// Identity of the training configuration, written into checkpoints.
    pub config_hash: String,
    /// Versions, written into checkpoints.
    pub versions: BTreeMap<String, String>,
    /// Save the state before the first step: what it began from may not be there later.
    pub save_start: bool,
    /// Write event files for TensorBoard beside the log. A run that has them goes on with them in any case.
    pub tensorboard: bool,
}

/// The state a run stands at: that of its newest checkpoint, or the task's first.
///
/// # Errors
/// When the newest checkpoint is damaged or belongs to another configuration.
pub fn stand(task: &dyn Task, run: &RunDir, config_hash: &str) -> Result<(State, Option<PathBuf>), Error> {
    let mut state = task.init();
    let Some((_, newest)) = checkpoint::latest(run.path())? else { return Ok((state, None)) };
    let snapshot = checkpoint::load(&newest)?;
    let other = |reason: String| {
        Error::Usage(format!(
            "{}: {reason}: it was written by another configuration or version of the program; take back what was \
             changed in config.toml, or begin a new run",
            newest.display()
        ))
    };
    if snapshot.config_hash != config_hash {
        return Err(other("belongs to another training".to_owned()));
    }
    state.restore(&snapshot, task.device()).map_err(other)?;
    Ok((state, Some(newest)))
}

/// Trains until all steps are done or `stop` is set, from where the run stands.
///
/// The log, the pictures and the scores are cut back to the checkpoint first, so that an interrupted training leaves
/// the same files as one in a single go.
///
/// # Errors
/// [`Error::Diverged`] when a loss or gradient stops being finite; others when files cannot be written.
pub fn train(
    task: &dyn Task,
    run: &RunDir,
    plan: &Plan,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(&Tick<'_>),
) -> Result<(Outcome, State), Error> {
    let TrainConfig { steps, tick, checkpoint_every, snapshot_every, keep, .. } = plan.train;
    let images = run.images();
    std::fs::create_dir_all(&images).map_err(|error| Error::Io { path: images.clone(), error })?;
    checkpoint::clean(run.path())?;
    run.remove_leftovers()?;
    let (mut state, mut saved) = stand(task, run, &plan.config_hash)?;
    let mut log = cut_back(run, &state, &plan.train)?;
    let board = run.tensorboard();
    let mut board =
        (plan.tensorboard || board.exists()).then(|| EventFile::of_log(&run.log(), &board)).transpose()?;
    let ceilings = task.ceilings();
    if state.step() == 0 {
        task.draw(&state, &images)?;
        if plan.save_start && saved.is_none() {
            saved = Some(save(task, run, plan, &state, keep)?);
        }
    }

    let mut stepping = Duration::ZERO;
    let mut since_tick = state.step();
    let mut unsaved = false;
    while state.step() < steps {
        if stop.load(Ordering::Relaxed) {
            if unsaved {
                log.sync()?;
                save(task, run, plan, &state, keep)?;
            }
            return Ok((Outcome::Interrupted, state));
        }
        let begun = Instant::now();
        let report = match task.step(&mut state) {
            Ok(report) => report,
            Err(StepError::Data(error)) => return Err(Error::Data(error)),
            Err(error) => {
                // That it diverged is a result: whoever reads the run finds it in the log.
                log.append(&json!({ "step": state.step() + 1, "diverged": error.to_string() }))?;
                log.sync()?;
                return Err(Error::Diverged { error, saved: what_is_left(&saved) });
            }
        };
        stepping += begun.elapsed();
        unsaved = true;
        let step = state.step();
        if step % tick == 0 || step == steps {
            let shown = task.images(step);
            let seconds = stepping.as_secs_f64().max(1e-9);
            let done = step - since_tick;
            let tick = Tick {
                step,
                steps,
                images: shown,
                images_per_second: (shown - task.images(since_tick)) as f64 / seconds,
                rss_bytes: memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem as u64),
                eta: Duration::from_secs_f64(seconds / done.max(1) as f64 * (steps - step) as f64),
                report: &report,
                ceilings: &ceilings,
            };
            let event = event(&tick);
            log.append(&event)?;
            if let Some(board) = &mut board {
                board.append(&event)?;
            }
            observe(&tick);
            (stepping, since_tick) = (Duration::ZERO, step);
        }
        if step % snapshot_every == 0 || step == steps {
            task.draw(&state, &images)?;
        }
        if step % checkpoint_every == 0 || step == steps {
            log.sync()?;
            saved = Some(save(task, run, plan, &state, keep)?);
            unsaved = false;
        }
    }
    Ok((Outcome::Finished, state))
}

/// Saves the state before the first step, with its pictures, and takes none.
///
/// # Errors
/// When files cannot be written.
pub fn begin(task: &dyn Task, run: &RunDir, plan: &Plan) -> Result<PathBuf, Error> {
    let images = run.images();
    std::fs::create_dir_all(&images).map_err(|error| Error::Io { path: images.clone(), error })?;
    let (state, saved) = stand(task, run, &plan.config_hash)?;
    match saved {
        Some(saved) => Ok(saved),
        None => {
            task.draw(&state, &images)?;
            save(task, run, plan, &state, plan.train.keep)
        }
    }
}

/// Cuts log, scores and pictures back to where the state stands.
fn cut_back(run: &RunDir, state: &State, train: &TrainConfig) -> Result<EventLog, Error> {
    let step = state.step();
    let mut log = EventLog::open(&run.log())?;
    // The last step of a shorter training has a line and pictures out of turn: a longer one has none there.
    let keep = |every: u64| if step.is_multiple_of(every) || step == train.steps { step } else { step - 1 };
    log.cut_back(keep(train.tick))?;
    run::cut_back(&run.scores(), step)?;
    cut_pictures(&run.images(), keep(train.snapshot_every))?;
    Ok(log)
}

fn save(task: &dyn Task, run: &RunDir, plan: &Plan, state: &State, keep: usize) -> Result<PathBuf, Error> {
    let snapshot = Snapshot {
        step: state.step(),
        counters: state.counters.clone(),
        sections: state.sections_to_host(),
        derived: task.derive(state)?,
        config_hash: plan.config_hash.clone(),
        versions: plan.versions.clone(),
    };
    Ok(checkpoint::save(run.path(), &snapshot, keep)?)
}

fn what_is_left(saved: &Option<PathBuf>) -> String {
    match saved {
        Some(path) => format!("The last good checkpoint is intact: {}", path.display()),
        None => "No checkpoint had been written yet".to_owned(),
    }
}

/// A tick as a line of `log.jsonl`.
fn event(tick: &Tick<'_>) -> serde_json::Value {
    json!({
        "step": tick.step,
        "images": tick.images,
        "images_per_second": round(tick.images_per_second, 1),
        "rss_bytes": tick.rss_bytes,
        "eta_seconds": round(tick.eta.as_secs_f64(), 1),
        "losses": tick.report.losses,
        "bounds": tick.report.bounds,
        "ceilings": tick.ceilings,
        "monitors": tick.report.monitors,
    })
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
