//! What the seam tests share: a toy configuration, pictures drawn from noise, and checkpoints as bytes.

// Every test binary uses a part of this.
#![allow(dead_code)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use infogan::{
    config::{Config, Resolver, TrainConfig},
    game::{Game, terms::Term},
    run::RunDir,
    tasks::{GameTask, Task},
    train::{
        Outcome, Plan,
        checkpoint::{self, Snapshot},
        state::State,
        train,
    },
};
use infogan_data::{ImageSet, random::Streams};
use infogan_ops::device;
use serde_json::Value;

/// InfoGAN of width 8 on pictures of 8×8: every kind of layer, seconds a test.
pub const TOY: &str = r#"
extends = "mnist"
name = "toy"
latent = [
  { name = "z", prior = "uniform", width = 4 },
  { name = "c1", prior = "categorical", width = 3 },
  { name = "c2", prior = "uniform", width = 2 },
]
[data]
set = "glyphs"
count = 24
size = 8
[train]
steps = 6
batch = 8
tick = 2
checkpoint_every = 100
snapshot_every = 100
[generator]
layers = ["fc 8 bn relu", "fc 2x2x8 bn relu", "upconv 8 k4 s2 bn relu", "upconv 1 k4 s2 sigmoid"]
[critic]
layers = ["conv 8 k4 s2 lrelu", "conv 8 k4 s2 bn lrelu", "fc 8 bn lrelu"]
[terms.codes]
recover = ["c1", "c2"]
head = ["fc 8 bn lrelu"]
"#;

/// A configuration from TOML text, checked. The text usually `extends` a preset.
pub fn resolve(text: &str) -> Result<Config, infogan::config::ConfigError> {
    resolve_with(text, &[])
}

/// The same with further settings, each `section.key=value`.
pub fn resolve_with(text: &str, settings: &[&str]) -> Result<Config, infogan::config::ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, text).unwrap();
    let mut resolver = Resolver::file(&file)?;
    for setting in settings {
        resolver.set(setting)?;
    }
    resolver.finish()
}

/// The toy with further settings.
pub fn toy(settings: &[&str]) -> Config {
    resolve_with(TOY, settings).unwrap()
}

/// Pictures of noise: their content is not what these tests are about.
pub fn pictures(shape: [usize; 3], count: usize) -> Arc<ImageSet> {
    let mut stream = Streams::new(11).root("test/pictures");
    let bytes = (0..count * shape.iter().product::<usize>()).map(|_| stream.below(256) as u8).collect();
    Arc::new(ImageSet::new("noise", shape, bytes, None, Vec::new()).unwrap())
}

/// A task of this configuration on 8×8 pictures of noise.
pub fn task(config: &Config) -> GameTask {
    task_with(config, Vec::new())
}

/// The same with terms that no configuration names.
pub fn task_with(config: &Config, terms: Vec<Box<dyn Term>>) -> GameTask {
    let set = pictures([1, 8, 8], 24);
    let game = Game::with_terms(config, set.shape(), device::resolve("cpu").unwrap(), terms).unwrap();
    GameTask::from_game(game, set).unwrap()
}

/// The loop's plan for this configuration.
pub fn plan(config: &Config) -> Plan {
    Plan {
        train: config.train.clone(),
        config_hash: "toy".to_owned(),
        versions: BTreeMap::new(),
        tensorboard: false,
        save_start: false,
    }
}

/// Trains until `config.train.steps` from where the run stands.
pub fn train_on(task: &dyn Task, config: &Config, run: &Path) -> State {
    let run = RunDir::create(run).unwrap();
    let (outcome, state) = train(task, &run, &plan(config), &AtomicBool::new(false), &mut |_| ()).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    state
}

/// A configuration that trains so many steps.
pub fn with_steps(config: &Config, steps: u64) -> Config {
    Config { train: TrainConfig { steps, ..config.train.clone() }, ..config.clone() }
}

/// Takes steps without a run directory.
pub fn steps(task: &GameTask, state: &mut State, count: u64) {
    for _ in 0..count {
        task.step(state).unwrap();
    }
}

/// What a checkpoint of this state holds, without what is derived.
pub fn snapshot(state: &State) -> Snapshot {
    Snapshot {
        step: state.step(),
        counters: state.counters.clone(),
        sections: state.sections_to_host(),
        config_hash: "toy".to_owned(),
        ..Snapshot::default()
    }
}

/// A fresh state of the task, filled from a snapshot.
pub fn restored(task: &GameTask, snapshot: &Snapshot) -> State {
    let mut state = task.game().init_shapes();
    state.restore(snapshot, task.device()).unwrap();
    state
}

/// Saves, loads and restores: what a restart does to a state.
pub fn through_disk(task: &GameTask, state: &State) -> State {
    let folder = tempfile::tempdir().unwrap();
    let place = checkpoint::save(folder.path(), &snapshot(state), 1).unwrap();
    restored(task, &checkpoint::load(&place).unwrap())
}

/// Bits of every tensor of a state by `section/path`.
pub fn bits(state: &State) -> BTreeMap<String, Vec<u32>> {
    let mut all = BTreeMap::new();
    for (name, section) in state.sections_to_host() {
        for (path, tensor) in section {
            all.insert(format!("{name}/{path}"), tensor.values.iter().map(|value| value.to_bits()).collect());
        }
    }
    all
}

/// Names of the tensors that differ between two states or are in one of them only.
pub fn differing(left: &State, right: &State) -> Vec<String> {
    let (left, right) = (bits(left), bits(right));
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names.into_iter().filter(|&name| left.get(name) != right.get(name)).cloned().collect()
}

/// Content of every file below a directory, by relative path. Hidden files (locks) are left out.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, at: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, all);
            } else {
                all.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(folder, folder, &mut all);
    all
}

/// The lines of a run's log without what depends on the clock and the machine.
pub fn log_lines(run: &Path) -> Vec<Value> {
    let mut events = infogan::run::read_log(&run.join("log.jsonl")).unwrap();
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        for key in ["images_per_second", "rss_bytes", "eta_seconds"] {
            assert!(event.remove(key).is_some(), "a line of the log lacks {key}");
        }
    }
    events
}
