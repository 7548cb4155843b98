//! Explicit state: what is in a checkpoint matters, and nothing else does.
//!
//! Every tensor and every counter of a checkpoint is changed in turn and saved under new checksums. After two more
//! steps, something other than that entry must differ from the unchanged continuation. Biases directly under batch
//! norm are the exception: the norm takes them out again, so their true gradient and their effect are zero. Of the two
//! vectors of a spectral norm, v is made anew from u by every training pass: it must change what drawing and scoring
//! compute, and nothing else. A weight of one row has its norm for its largest singular value, whatever u is.

mod common;

use std::{collections::BTreeMap, fs};

use common::{differing, restored, snapshot, steps, task, toy};
use infogan::{
    config::Config,
    nn::{Bound, Pass, read},
    tasks::{GameTask, Task},
    train::{
        checkpoint::{self, CheckpointError, HostSection, Snapshot},
        state::State,
    },
};

use infogan_data::random::Streams;

/// Steps before the checkpoint: every moment is then filled.
const BEFORE: u64 = 3;
/// Steps after it.
const AFTER: u64 = 2;

/// Saves what is in a snapshot, loads it and takes the steps after it.
fn continued(task: &GameTask, snapshot: &Snapshot) -> State {
    let folder = tempfile::tempdir().unwrap();
    let place = checkpoint::save(folder.path(), snapshot, 1).unwrap();
    let mut state = restored(task, &checkpoint::load(&place).unwrap());
    steps(task, &mut state, AFTER);
    state
}

/// Biases that batch norm takes out again: `….bias` of a layer that also has `….norm.weight`. So are the moments
/// that an optimiser keeps of them.
fn is_under_norm(snapshot: &Snapshot, section: &str, path: &str) -> bool {
    let parameter = match section.strip_suffix(".optimizer") {
        None => path.strip_suffix(".bias").map(|layer| (section, layer.to_owned())),
        Some(_) => path.rsplit_once(".bias.").and_then(|(name, _moment)| {
            // `network.layer.bias.moment`; the name of a network has no dot.
            name.split_once('.').map(|(network, layer)| (network, layer.to_owned()))
        }),
    };
    parameter.is_some_and(|(network, layer)| {
        snapshot.sections[network].contains_key(&format!("{layer}.norm.weight"))
    })
}

/// Entries that are known to do nothing: biases under batch norm, and u where it is a single number.
fn is_idle(snapshot: &Snapshot, section: &str, path: &str) -> bool {
    let is_single = path.ends_with(".weight_u") && snapshot.sections[section][path].shape == [1];
    is_single || is_under_norm(snapshot, section, path)
}

/// ‖left − right‖ / ‖right‖ over all entries that are neither `(section, path)` nor listed.
fn apart(snapshot: &Snapshot, left: &State, right: &State, section: &str, path: &str) -> f64 {
    let (left, right) = (left.sections_to_host(), right.sections_to_host());
    let (mut difference, mut size) = (0.0, 0.0);
    for (name, entries) in &right {
        for (at, tensor) in entries {
            if (name == section && at == path) || is_idle(snapshot, name, at) {
                continue;
            }
            for (&right, &left) in tensor.values.iter().zip(&left[name][at].values) {
                difference += (f64::from(left) - f64::from(right)).powi(2);
                size += f64::from(right).powi(2);
            }
        }
    }
    (difference / size).sqrt()
}

/// Changes a tensor noticeably; squares stay positive.
fn changed(snapshot: &Snapshot, section: &str, path: &str) -> Snapshot {
    let mut changed = snapshot.clone();
    let tensor = changed.sections.get_mut(section).unwrap().get_mut(path).unwrap();
    let typical = tensor.values.iter().map(|value| value.abs()).sum::<f32>() / tensor.values.len() as f32;
    // Moments have no scale of their own, and parameters that begin at zero are not moved by a share of themselves.
    let amount = if section.ends_with(".optimizer") { 10.0 * typical.max(1e-6) } else { 0.02 };
    for (index, value) in tensor.values.iter_mut().enumerate() {
        // Not the same for all elements: a batch norm further on takes out a common factor.
        *value = if path.ends_with("exp_avg_sq") {
            *value * 100.0 // steps a tenth as long
        } else {
            *value + amount * [1.0, -0.5, 0.25][index % 3]
        };
    }
    changed
}

/// What a rounding error may become in two steps, relative to all of the state. Measured: listed entries stay below
/// half of it, all others are above twice it.
const ROUNDING: f64 = 1.7e-5;

/// What only drawing and scoring read: the second vectors of spectral norms.
fn is_for_looking(section: &str, path: &str) -> bool {
    section.ends_with(".spectral") && path.ends_with(".weight_v")
}

/// What every network computes with what is stored: pictures of some latents, the critic's logits of them and Q's codes.
fn looked_at(task: &GameTask, state: &State) -> BTreeMap<&'static str, Vec<f32>> {
    let game = task.game();
    let draw = game.latent().draw(&Streams::new(1), "looked-at", [0; 3], 8);
    let bound = |network: &str| Bound::new(&state.sections[network], false);
    let latents = draw.tensor(game.device());
    let pictures = // [8, 1, 8, 8]
        game.generator().forward(&bound("generator"), &mut state.passes("generator"), latents, Pass::STORED);
    let mut all = BTreeMap::from([("generator", read(pictures.clone()))]);
    let output = game.critic().forward(&bound("critic"), &mut state.passes("critic"), pictures, Pass::STORED);
    all.insert("critic", read(output.logits.clone()));
    if let Some(codes) = game.codes() {
        let said = codes.posterior(&bound("q"), &mut state.passes("q"), &output, Pass::STORED);
        let errors = codes.cross_entropies(&said, &draw, game.device());
        all.insert("q", errors.into_iter().flat_map(read).collect());
    }
    all
}

/// Changes every entry in turn (`INFOGAN_TEST_SHOW=1` with `--nocapture` prints what came of it). Gives the number of entries that matter and of those listed.
fn perturb_all(config: &Config) -> (usize, usize) {
    let task = task(config);
    let mut state = task.init();
    steps(&task, &mut state, BEFORE);
    let snapshot = snapshot(&state);
    let base = continued(&task, &snapshot);
    assert_eq!(differing(&base, &continued(&task, &snapshot)), Vec::<String>::new(), "going on is exact");

    let (mut matter, mut listed) = (0, 0);
    let mut faults = Vec::new();
    for (section, entries) in &snapshot.sections {
        for path in entries.keys() {
            let changed = changed(&snapshot, section, path);
            let other = continued(&task, &changed);
            if is_for_looking(section, path) {
                let network = section.trim_end_matches(".spectral");
                let [before, after] =
                    [&snapshot, &changed].map(|at| looked_at(&task, &restored(&task, at))[network].clone());
                let trains_the_same = differing(&base, &other).is_empty();
                if trains_the_same && before != after {
                    matter += 1;
                } else {
                    faults
                        .push(format!("{section}/{path}: training {trains_the_same}, {before:?}, {after:?}"));
                }
                continue;
            }
            let apart = apart(&snapshot, &other, &base, section, path);
            if std::env::var_os("INFOGAN_TEST_SHOW").is_some() {
                println!("{section}/{path} {apart:e} {}", is_idle(&snapshot, section, path));
            }
            match is_idle(&snapshot, section, path) {
                true if apart < ROUNDING => listed += 1,
                true => faults.push(format!("{section}/{path} is listed, but matters: {apart:e}")),
                false if apart > ROUNDING => matter += 1,
                false => faults.push(format!("{section}/{path} does not matter: {apart:e}")),
            }
        }
    }
    for counter in snapshot.counters.keys() {
        let mut other = snapshot.clone();
        *other.counters.get_mut(counter).unwrap() += 1;
        let apart = apart(&snapshot, &continued(&task, &other), &base, "", "");
        if apart > ROUNDING {
            matter += 1;
        } else {
            faults.push(format!("the counter {counter} does not matter: {apart:e}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    (matter, listed)
}

/// Adam twice: parameters and two moments each of 3 networks, and three counters.
#[test]
fn every_entry_matters_under_adam() {
    let (matter, listed) = perturb_all(&toy(&[
        "terms.codes.continuous='learned'",
        "optimizers.critic.rate=1e-3",
        "optimizers.generator.rate=2e-3",
    ]));
    // Layers: 4 of G (3 with norm), 4 of D (2 with norm), 2 of Q (1 with norm); 2 tensors each, 2 more with norm.
    let tensors = 2 * 10 + 2 * 6;
    assert_eq!((matter + listed, listed), (3 * tensors + 3, 3 * 6));
}

/// Momentum, rates that fall with the step, reused latents, separate passes, the ports' routing.
#[test]
fn every_entry_matters_under_momentum() {
    let settings = [
        "optimizers.critic={kind='sgd',rate=0.05,momentum=0.9,decay_steps=20,networks=['critic']}",
        "optimizers.generator={kind='sgd',rate=0.05,momentum=0.5,networks=['generator']}",
        "phase.1.latents='reused'",
        "critic.shared_pass=false",
        "terms.codes.optimizer='generator'",
        "terms.codes.gradient={critic=false,generator=['generator','head']}",
    ];
    let (matter, listed) = perturb_all(&toy(&settings));
    assert_eq!((matter + listed, listed), (2 * 32 + 1, 2 * 6));
}

/// Spectral norm in all three networks, each with vectors in a section of its own.
#[test]
fn every_entry_matters_under_spectral_norm() {
    let settings = [
        "critic.shared_pass=false",
        "critic.layers=['conv 8 k4 s2 sn lrelu','conv 8 k4 s2 sn lrelu','fc 8 sn lrelu']",
        "critic.head='fc 1 nobias sn'",
        "terms.codes.head=['fc 8 sn lrelu']",
        "generator.layers=['fc 8 bn relu','fc 2x2x8 sn relu','up','conv 8 k3 bn relu','up 2','conv 1 k3 sigmoid']",
        "optimizers.critic.rate=1e-3",
        "optimizers.generator.rate=2e-3",
    ];
    let (matter, listed) = perturb_all(&toy(&settings));
    // Tensors: 4 layers of G (2 with norm), 4 of D (one without bias), 2 of Q; vectors of 1, 4 and 1 of them.
    let (tensors, vectors) = (2 * 10 + 2 * 2 - 1, 2 * 6);
    assert_eq!((matter + listed, listed), (3 * tensors + vectors + 3, 3 * 2 + 1));
}

/// Without momentum, descent remembers nothing, and nothing of it is in the checkpoint.
#[test]
fn every_entry_matters_under_plain_descent() {
    let settings = [
        "optimizers.critic={kind='sgd',rate=0.2,networks=['critic']}",
        "optimizers.generator={kind='sgd',rate=0.2,networks=['generator']}",
        "terms=false",
    ];
    let (matter, listed) = perturb_all(&toy(&settings));
    assert_eq!((matter + listed, listed), (16 + 10 + 1, 5));
}

/// Derived tensors are for readers: training neither reads nor keeps them.
#[test]
fn derived_tensors_do_not_matter() {
    let task = task(&toy(&[]));
    let mut state = task.init();
    steps(&task, &mut state, BEFORE);
    let mut with = snapshot(&state);
    let statistics = |value: f32| -> HostSection {
        let tensor = checkpoint::HostTensor { shape: vec![8], values: vec![value; 8] };
        BTreeMap::from([("layers.0.norm.running_mean".to_owned(), tensor)])
    };
    with.derived = BTreeMap::from([("generator".to_owned(), statistics(1e3))]);
    let plain = continued(&task, &snapshot(&state));
    assert_eq!(differing(&plain, &continued(&task, &with)), Vec::<String>::new());
}

/// A checkpoint with an entry too many or too few, or of another shape, is not this training's.
#[test]
fn other_entries_are_refused() {
    let task = task(&toy(&[]));
    let whole = snapshot(&task.init());
    let refused = |edit: &dyn Fn(&mut Snapshot)| {
        let mut edited = whole.clone();
        edit(&mut edited);
        task.game().init_shapes().restore(&edited, task.game().device()).unwrap_err()
    };
    let weight = "layers.0.weight";
    assert!(refused(&|s| drop(s.sections.remove("q"))).contains("'q'"));
    assert!(refused(&|s| drop(s.sections.insert("q2".into(), HostSection::new()))).contains("'q2'"));
    assert!(refused(&|s| s.counters.retain(|name, _| name != "step")).contains("'step'"));
    assert!(refused(&|s| s.counters.extend([("moon".to_owned(), 1)])).contains("'moon'"));
    assert!(refused(&|s| drop(s.sections.get_mut("generator").unwrap().remove(weight))).contains(weight));
    assert!(
        refused(&|s| {
            let section = s.sections.get_mut("generator").unwrap();
            let tensor = section[weight].clone();
            section.insert("layers.9.weight".to_owned(), tensor);
        })
        .contains("layers.9.weight")
    );
    assert!(
        refused(&|s| s.sections.get_mut("generator").unwrap().get_mut(weight).unwrap().shape.reverse())
            .contains(weight)
    );
}

/// Separately from the above: a file altered under its old checksum is refused, whichever it is and wherever.
#[test]
fn an_altered_file_is_refused() {
    let task = task(&toy(&[]));
    let mut state = task.init();
    steps(&task, &mut state, 1);
    let folder = tempfile::tempdir().unwrap();
    let place = checkpoint::save(folder.path(), &snapshot(&state), 1).unwrap();
    let mut count = 0;
    for entry in fs::read_dir(&place).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&file, &altered).unwrap();
            let error = checkpoint::load(&place).unwrap_err();
            let message = error.to_string();
            assert!(matches!(error, CheckpointError::Damaged { .. }), "{message}");
            assert!(message.contains(file.file_name().unwrap().to_str().unwrap()), "{message}");
            count += 1;
        }
        fs::write(&file, &whole).unwrap();
        checkpoint::load(&place).unwrap();
    }
    assert_eq!(count, 3 * 6, "three networks, two optimisers and meta.json");
}
