//! Resuming is exact: N steps are k steps and N − k more, in every byte of state, log and pictures, wherever and
//! however the training was cut, and on any number of threads.

mod common;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use burn::tensor::Device;
use common::{files, log_lines, plan, task, toy, train_on, with_steps};
use infogan::{
    Error,
    config::Config,
    game::{StepError, StepReport},
    run::RunDir,
    tasks::{GameTask, Task},
    train::{Outcome, checkpoint::HostSection, state::State, train},
};

/// What ends a training after so many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// Asked to stop, as by Ctrl-C.
    Stop(u64),
    /// A step that fails: whatever came after the last checkpoint is lost.
    Fail(u64),
    /// `train.steps` was that small and is raised.
    Raise(u64),
}

/// A task that is cut short.
struct Cutting {
    task: GameTask,
    cut: Cut,
    stop: Arc<AtomicBool>,
    taken: AtomicU64,
}

impl Task for Cutting {
    fn init(&self) -> State {
        self.task.init()
    }

    fn device(&self) -> &Device {
        self.task.device()
    }

    fn step(&self, state: &mut State) -> Result<StepReport, StepError> {
        if self.cut == Cut::Fail(state.step()) {
            let text = |text: &str| text.to_owned();
            let (what, phase, players) = (text("the loss of power"), text("test"), text("nobody"));
            return Err(StepError::NotFinite { step: state.step() + 1, what, phase, players });
        }
        let report = self.task.step(state)?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        if self.cut == Cut::Stop(state.step()) {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(report)
    }

    fn images(&self, steps: u64) -> u64 {
        self.task.images(steps)
    }

    fn ceilings(&self) -> BTreeMap<String, f64> {
        self.task.ceilings()
    }

    fn derive(&self, state: &State) -> Result<BTreeMap<String, HostSection>, Error> {
        self.task.derive(state)
    }

    fn draw(&self, state: &State, folder: &Path) -> Result<(), Error> {
        self.task.draw(state, folder)
    }
}

/// Trains in pieces, each cut as told, then to the end. Gives the steps that were taken in all.
fn train_in_pieces(config: &Config, folder: &Path, cuts: &[Cut]) -> u64 {
    let mut taken = 0;
    for &cut in cuts {
        let stop = Arc::new(AtomicBool::new(false));
        let task = Cutting { task: task(config), cut, stop: Arc::clone(&stop), taken: AtomicU64::new(0) };
        let short = match cut {
            Cut::Raise(steps) => with_steps(config, steps),
            _ => config.clone(),
        };
        let run = RunDir::create(folder).unwrap();
        let outcome = train(&task, &run, &plan(&short), &stop, &mut |_| ());
        match (cut, outcome) {
            (Cut::Stop(k), Ok((Outcome::Interrupted, state))) => assert_eq!(state.step(), k),
            (Cut::Raise(k), Ok((Outcome::Finished, state))) => assert_eq!(state.step(), k),
            (Cut::Fail(_), Err(Error::Diverged { .. })) => {}
            (_, outcome) => panic!("{cut:?} ended as {:?}", outcome.map(|(outcome, _)| outcome)),
        }
        taken += task.taken.load(Ordering::Relaxed);
    }
    let before = infogan::train::checkpoint::latest(folder).unwrap().map_or(0, |(step, _)| step);
    train_on(&task(config), config, folder);
    taken + config.train.steps - before
}

/// Files of the last checkpoint, lines of the log, pictures: what two trainings must have in common.
#[derive(Debug, PartialEq)]
struct Trace {
    checkpoint: BTreeMap<std::path::PathBuf, Vec<u8>>,
    log: Vec<serde_json::Value>,
    pictures: BTreeMap<std::path::PathBuf, Vec<u8>>,
}

fn trace(config: &Config, folder: &Path) -> Trace {
    let name = format!("checkpoints/step-{:08}", config.train.steps);
    Trace {
        checkpoint: files(&folder.join(name)),
        log: log_lines(folder),
        pictures: files(&folder.join("images")),
    }
}

fn assert_same(whole: &Trace, pieces: &Trace, how: &str) {
    let names = |files: &BTreeMap<std::path::PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&whole.checkpoint), names(&pieces.checkpoint), "{how}: files of the checkpoint");
    for (path, bytes) in &whole.checkpoint {
        assert!(pieces.checkpoint[path] == *bytes, "{how}: {} differs", path.display());
    }
    assert_eq!(whole.log, pieces.log, "{how}: lines of the log");
    assert_eq!(names(&whole.pictures), names(&pieces.pictures), "{how}: names of pictures");
    for (path, bytes) in &whole.pictures {
        assert!(pieces.pictures[path] == *bytes, "{how}: {} differs", path.display());
    }
}

fn straight(config: &Config) -> Trace {
    let folder = tempfile::tempdir().unwrap();
    train_on(&task(config), config, folder.path());
    trace(config, folder.path())
}

fn check(config: &Config, cuts: &[&[Cut]]) {
    let whole = straight(config);
    assert!(!whole.log.is_empty() && whole.pictures.len() > 2 && whole.checkpoint.len() >= 6);
    for cuts in cuts {
        let folder = tempfile::tempdir().unwrap();
        train_in_pieces(config, folder.path(), cuts);
        assert_same(&whole, &trace(config, folder.path()), &format!("{cuts:?}"));
    }
}

/// Ticks of 3, checkpoints every 4, pictures every 5 and 11 steps in all: nothing falls on anything else.
fn uneven(settings: &[&str]) -> Config {
    let cadence = [
        "train.steps=11",
        "train.tick=3",
        "train.checkpoint_every=4",
        "train.snapshot_every=5",
        "train.batch=64",
    ];
    toy(&[&cadence[..], settings].concat())
}

#[test]
fn stopped_anywhere() {
    check(
        &uneven(&[]),
        &[
            &[Cut::Stop(1)],
            &[Cut::Stop(3)],
            &[Cut::Stop(4)],
            &[Cut::Stop(5)],
            &[Cut::Stop(10)],
            &[Cut::Stop(2), Cut::Stop(6), Cut::Stop(7)],
        ],
    );
}

#[test]
fn failed_anywhere() {
    check(
        &uneven(&[]),
        &[
            &[Cut::Fail(0)],
            &[Cut::Fail(3)],
            &[Cut::Fail(4)],
            &[Cut::Fail(6)],
            &[Cut::Fail(10)],
            &[Cut::Fail(7), Cut::Stop(9), Cut::Fail(10)],
        ],
    );
}

#[test]
fn raised_later() {
    check(
        &uneven(&[]),
        &[
            &[Cut::Raise(1)],
            &[Cut::Raise(5)],
            &[Cut::Raise(8)],
            &[Cut::Raise(9)],
            &[Cut::Raise(2), Cut::Raise(7), Cut::Fail(10)],
        ],
    );
}

#[test]
fn no_step_is_taken_twice_beyond_the_last_checkpoint() {
    let config = uneven(&[]);
    for (cuts, extra) in
        [(vec![Cut::Stop(6)], 0), (vec![Cut::Fail(7)], 3), (vec![Cut::Fail(8)], 0), (vec![Cut::Fail(2)], 2)]
    {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(train_in_pieces(&config, folder.path(), &cuts), 11 + extra, "{cuts:?}");
    }
}

/// Schedules that remember more than parameters: reused latents, phases that do not come every step or come more
/// than once, momentum, falling rates, and everything at once.
#[test]
fn every_schedule_resumes() {
    let reused = [
        "phase.1.latents='reused'",
        "terms.codes.optimizer='generator'",
        "terms.codes.gradient.critic=false",
    ];
    let ports = [&reused[..], &["terms.codes.gradient.generator=['generator','head']"]].concat();
    let rare = ["phase.0.repeat=3", "phase.1.every=2"];
    let momentum = [
        "optimizers.critic.kind='sgd'",
        "optimizers.critic.rate=0.05",
        "optimizers.critic.momentum=0.9",
        "optimizers.critic.decay_steps=20",
        "optimizers.generator.decay_steps=11",
    ];
    let all = [&rare[..], &momentum, &["critic.shared_pass=false", "adversarial.loss='saturating'"]].concat();
    for settings in [&ports[..], &rare, &momentum, &all] {
        check(&uneven(settings), &[&[Cut::Stop(5)], &[Cut::Fail(7)]]);
    }
}

/// Threads take blocks of work cut by shape only: their number never shows.
#[test]
fn any_number_of_threads() {
    let config = uneven(&[]);
    let whole = straight(&config);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for threads in [1, 2, 3] {
        let found = pool(threads).install(|| straight(&config));
        assert_same(&whole, &found, &format!("{threads} threads"));
    }
    let folder = tempfile::tempdir().unwrap();
    for (threads, steps) in [(3, 2), (1, 7), (2, 11)] {
        pool(threads).install(|| train_on(&task(&config), &with_steps(&config, steps), folder.path()));
    }
    assert_same(&whole, &trace(&config, folder.path()), "3, then 1, then 2 threads");
}

/// The same for a net wide enough that every operation is cut into several blocks.
#[test]
fn any_number_of_threads_on_a_wide_net() {
    let batch_norm = [
        "generator.layers=['fc 256 bn relu','fc 2x2x64 bn relu','upconv 64 k4 s2 bn relu','upconv 1 k4 s2 sigmoid']",
        "critic.layers=['conv 64 k4 s2 lrelu','conv 64 k4 s2 bn lrelu','fc 256 bn lrelu']",
        "train.batch=64",
    ];
    let spectral_norm = [
        "generator.layers=['fc 256 bn relu','fc 2x2x64 bn relu','up','conv 64 k3 bn relu','up','conv 1 k3 sigmoid']",
        "critic.layers=['conv 64 k4 s2 sn lrelu','conv 64 k4 s2 sn lrelu','fc 256 sn lrelu']",
        "critic.shared_pass=false",
        "train.batch=64",
    ];
    let run = |config: &Config, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let task = task(config);
            let mut state = task.init();
            common::steps(&task, &mut state, 3);
            state
        })
    };
    for settings in [&batch_norm[..], &spectral_norm] {
        let config = toy(settings);
        let one = run(&config, 1);
        for threads in [2, 3] {
            let found = run(&config, threads);
            assert_eq!(common::differing(&one, &found), Vec::<String>::new(), "{threads} threads");
        }
    }
}

/// Another seed is another training: the comparisons above can fail.
#[test]
fn seeds_show() {
    let [first, second] = [&["seed=0"], &["seed=1"]].map(|seed| straight(&uneven(seed)));
    assert_ne!(first.checkpoint, second.checkpoint);
    assert_ne!(first.log, second.log);
    assert_ne!(first.pictures, second.pictures);
}
