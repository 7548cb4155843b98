//! Spectral norm: PyTorch's numbers (fixtures/spectral.py), and when the vectors move.

mod common;

use std::{collections::BTreeMap, path::Path};

use common::{differing, pictures, steps, task, toy};
use infogan::{
    config::InitScheme,
    nn::{Bound, Entry, Feature, NetState, Pass, Section, Shape, Stack, parse_table, read},
    session::{Begin, Prepared, Request},
    tasks::Task,
};
use infogan_ops::device;
use serde_json::Value;

fn entry(value: &Value) -> Entry {
    let list = |key: &str| value[key].as_array().unwrap().iter();
    let shape: Vec<usize> = list("shape").map(|side| side.as_u64().unwrap() as usize).collect();
    let values = list("values").map(|value| value.as_f64().unwrap() as f32).collect();
    Entry::from_values(&shape, values, &device::resolve("cpu").unwrap())
}

/// ‖ours − theirs‖ / ‖theirs‖.
fn apart(ours: &[f32], theirs: &Value) -> f64 {
    let theirs: Vec<f64> =
        theirs["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(ours.len(), theirs.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    norm(&mut ours.iter().zip(&theirs).map(|(&ours, theirs)| f64::from(ours) - theirs))
        / norm(&mut theirs.iter().copied())
}

/// Relative L2 from PyTorch's float64: a few roundings of float32.
const LIMIT: f64 = 2e-6;

#[test]
fn three_passes_and_their_gradients_are_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/spectral.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let lines: Vec<String> =
        golden["table"].as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect();
    let table = parse_table(&lines, 0.1).unwrap();
    let stack = Stack::new("", &table, &lines, Shape::Map([2, 8, 8]), InitScheme::Normal).unwrap();
    let start: BTreeMap<String, Entry> = golden["start"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, value)| (path.clone(), entry(value)))
        .collect();
    let is_vector = |path: &str| path.ends_with("_u") || path.ends_with("_v");
    let (vectors, parameters): (Section, Section) = start.into_iter().partition(|(path, _)| is_vector(path));
    let declared: Vec<String> = stack.parameters().into_iter().map(|spec| spec.path).collect();
    assert_eq!(declared.len(), parameters.len());
    let declared = infogan::nn::vectors(&stack.parameters());
    assert!(declared.iter().all(|spec| vectors[&spec.path].shape == spec.shape));
    assert_eq!(declared.len(), vectors.len());

    let mut worst: f64 = 0.0;
    let mut near = |what: &str, ours: Vec<f32>, theirs: &Value| {
        let apart = apart(&ours, theirs);
        worst = worst.max(apart);
        assert!(apart < LIMIT, "{what}: {apart:e}");
    };
    let mut state = NetState::default().with_vectors(Some(&vectors));
    let maps = |value: &Value| {
        let entry = entry(value);
        Feature::Map(entry.value.reshape([entry.shape[0], 2, 8, 8]))
    };
    for (index, pass) in golden["passes"].as_array().unwrap().iter().enumerate() {
        let bound = Bound::new(&parameters, true);
        let y = stack.forward(&bound, &mut state, maps(&pass["x"]), Pass::TRAIN, |_, _| ()).flat(); // [4, 3]
        near(&format!("pass {index}"), read(y.clone().inner()), &pass["y"]);
        for (path, entry) in state.clone().into_vectors() {
            near(&format!("{path} of pass {index}"), read(entry.value), &pass["vectors"][&path]);
        }
        // The same pass once more computes the same and moves nothing.
        let again =
            stack.forward(&bound, &mut state.clone(), maps(&pass["x"]), Pass::AGAIN, |_, _| ()).flat();
        assert_eq!(read(again.inner()), read(y.clone().inner()));
        if index == 2 {
            let dy = entry(&golden["dy"]).value.reshape([4, 3]).autodiff();
            let mut tape = (y * dy).sum().backward();
            for (path, gradient) in bound.take_gradients(&mut tape) {
                near(&format!("gradient of {path}"), read(gradient), &golden["gradients"][&path]);
            }
        }
    }
    let before = state.clone().into_vectors();
    let bound = Bound::new(&parameters, false);
    let x = maps(&golden["passes"][0]["x"]);
    let y = stack.forward(&bound, &mut state, x, Pass::STORED, |_, _| ()).flat();
    near("eval", read(y), &golden["eval"]);
    for (path, entry) in state.into_vectors() {
        assert_eq!(read(entry.value), read(before[&path].value.clone()), "{path} moved without training");
    }
    println!("worst distance {worst:e}, limit {LIMIT:e}");
}

/// The toy with spectral norm in the critic, its head and Q.
const SPECTRAL: [&str; 4] = [
    "critic.shared_pass=false",
    "critic.layers=['conv 8 k4 s2 sn lrelu','conv 8 k4 s2 sn lrelu','fc 8 sn lrelu']",
    "critic.head='fc 1 nobias sn'",
    "terms.codes.head=['fc 8 sn lrelu']",
];

/// One phase trains both players, so that a term for the trunk alone needs passes of its own.
#[test]
fn passes_made_for_their_gradients_move_no_vector() {
    let both = "phase=[{name='both',adversarial='generator',optimizers=['critic','generator']}]";
    let after = |term: &str| {
        let task = task(&toy(&[&SPECTRAL[..], &[both, term]].concat()));
        let mut state = task.init();
        steps(&task, &mut state, 1);
        state
    };
    let trunk_alone = after("terms.codes.gradient={both=['trunk','head']}");
    let everybody = after("terms.codes.gradient={both=['generator','trunk','head']}");
    let moved = differing(&trunk_alone, &everybody);
    assert!(moved.iter().any(|name| name.starts_with("generator/")), "{moved:?}");
    assert!(!moved.iter().any(|name| name.contains(".spectral/")), "{moved:?}");
}

/// Real pictures, generated ones, and generated ones again for the generator: three passes, three steps of the iteration.
#[test]
fn every_training_pass_is_a_step_of_the_iteration() {
    let task = task(&toy(&[&SPECTRAL[..], &["optimizers.critic.rate=1e-30"]].concat()));
    let mut state = task.init();
    let layer = "trunk.2";
    let vector = |state: &infogan::train::state::State, name: &str| {
        read(state.sections["critic.spectral"][&format!("{layer}.{name}")].value.clone())
    };
    let weight = read(state.sections["critic"][&format!("{layer}.weight_orig")].value.clone());
    let mut u: Vec<f64> = vector(&state, "weight_u").into_iter().map(f64::from).collect();
    let rest = weight.len() / u.len();
    let at = |row: usize, column: usize| f64::from(weight[row * rest + column]);
    let unit = |vector: Vec<f64>| {
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.into_iter().map(|x| x / norm).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let v =
            unit((0..rest).map(|column| (0..u.len()).map(|row| at(row, column) * u[row]).sum()).collect());
        u = unit((0..u.len()).map(|row| (0..rest).map(|column| at(row, column) * v[column]).sum()).collect());
    }
    steps(&task, &mut state, 1);
    for (ours, expected) in vector(&state, "weight_u").into_iter().zip(u) {
        assert!((f64::from(ours) - expected).abs() < 1e-5, "{ours} {expected}");
    }
}

/// Nothing that only looks moves a vector: what is said of a picture does not depend on what was asked before.
#[test]
fn looking_moves_no_vector() {
    let task = task(&toy(&SPECTRAL));
    let mut state = task.init();
    steps(&task, &mut state, 2);
    let set = pictures([1, 8, 8], 24);
    let mut trained = task.trained(&state);
    let first = trained.encode(&set).unwrap();
    assert_eq!(trained.encode(&set).unwrap(), first);
    let draw = task.game().latent().draw(&infogan_data::random::Streams::new(5), "look", [0; 3], 8);
    let pictures = trained.pictures(&draw).unwrap();
    assert_eq!(trained.pictures(&draw).unwrap(), pictures);
    let derived = task.derive(&state).unwrap();
    assert!(
        derived.values().flatten().all(|(path, _)| !path.contains("weight_")),
        "vectors are no statistics"
    );
}

/// A run that begins with the networks of another begins with their vectors too.
#[test]
fn vectors_come_along_with_the_weights_of_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = toy(&[&SPECTRAL[..], &["train.steps=2"]].concat());
    let run = folder.path().join("run");
    let state = common::train_on(&task(&config), &config, &run);
    let mut request =
        Request::new(toy(&[&SPECTRAL[..], &["seed=7"]].concat())).out(&folder.path().join("next"));
    request.init_from = Some(Begin { from: run, map: Vec::new() });
    let prepared = Prepared::new(&request, &|_, _| ()).unwrap();
    assert!(prepared.began_with().unwrap().lacking.is_empty());
    let saved = prepared.open(&request).unwrap().begin().unwrap();
    let begun = infogan::train::checkpoint::load(&saved).unwrap();
    for network in ["critic", "critic.spectral", "q", "q.spectral"] {
        assert!(begun.sections[network] == state.sections_to_host()[network], "{network}");
    }
}

#[test]
fn where_spectral_norm_cannot_be_is_said() {
    let refused = |settings: &[&str]| common::resolve_with(common::TOY, settings).unwrap_err().to_string();
    let shared = refused(&["critic.layers=['conv 8 k4 s2 sn lrelu','fc 8 lrelu']"]);
    assert!(shared.starts_with("critic.shared_pass") && shared.contains("power iteration"), "{shared}");
    assert!(refused(&["critic.head='fc 1 sn'"]).starts_with("critic.shared_pass"));
    let up =
        refused(&["generator.layers=['fc 2x2x8 relu','upconv 8 k4 s2 sn relu','upconv 1 k4 s2 sigmoid']"]);
    assert!(up.starts_with("generator.layers.1") && up.contains("up 2"), "{up}");
    for head in ["fc 2", "fc 1 sigmoid", "conv 1 k2", "fc one", "up"] {
        assert!(refused(&[&format!("critic.head='{head}'")]).starts_with("critic.head"), "{head}");
    }
}
