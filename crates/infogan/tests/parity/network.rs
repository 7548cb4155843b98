//! The program's game in the setting of a golden file, and its tensors against the golden entries.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use infogan::{
    config::Resolver,
    game::{Game, StepReport},
    nn::Section,
    train::state::State,
};
use infogan_ops::device;

use crate::{
    golden::{Draws, Golden, positions},
    table::{Table, distance, norm, off},
};

/// Who trains what.
pub const ROUTINGS: [&str; 2] = ["openai", "ports"];

/// The preset `mnist` with the keys changed in which a case and a routing differ from it.
pub fn game(golden: &Golden, routing: &str, settings: &[&str]) -> Game {
    let narrow = |width: usize| width / golden.count(&["header", "width_divided_by"]);
    let smooth = golden.at(&["header", "activation"]) == "tanh";
    let (relu, lrelu) = if smooth { ("tanh", "tanh") } else { ("relu", "lrelu") };
    let truncated = golden.at(&["header", "truncated_convolutions"]).as_bool().unwrap();
    let [wide, maps, half] = [1024, 128, 64].map(narrow);
    let mut all = vec![
        format!("train.batch={}", golden.count(&["header", "batch"])),
        format!("init='{}'", if truncated { "openai" } else { "normal" }),
        format!(
            "generator.layers=['fc {wide} bn {relu}','fc 7x7x{maps} bn {relu}','upconv {half} k4 s2 bn {relu}',\
             'upconv 1 k4 s2 sigmoid']"
        ),
        format!(
            "critic.layers=['conv {half} k4 s2 {lrelu}','conv {maps} k4 s2 bn {lrelu}','fc {wide} bn {lrelu}']"
        ),
        format!("terms.codes.head=['fc {maps} bn {lrelu}']"),
    ];
    match routing {
        "openai" => {} // the preset's own
        "ports" => all.extend([
            "terms.codes.optimizer='generator'".to_owned(),
            "terms.codes.gradient={critic=false,generator=['generator','head']}".to_owned(),
            "phase.1.latents='reused'".to_owned(),
        ]),
        other => panic!("no routing '{other}'"),
    }
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let mut resolver = Resolver::preset("mnist").unwrap();
    for setting in &all {
        resolver.set(setting).unwrap();
    }
    let game = Game::new(&resolver.finish().unwrap(), [1, 28, 28], device::resolve("cpu").unwrap()).unwrap();
    for (network, parameters) in game.networks() {
        let count: usize = parameters.iter().map(|parameter| parameter.count()).sum();
        assert_eq!(count, golden.count(&["header", "parameters", &network]), "parameters of {network}");
    }
    game
}

/// One step on the golden latents and pictures.
pub fn step(game: &Game, state: &mut State, draws: &Draws) -> StepReport {
    let step = state.step();
    let mut latents = |phase: usize, repeat: u64| {
        assert_eq!(repeat, 0);
        draws.latents(step, phase)
    };
    let mut pictures = |batch: u64| {
        assert_eq!(batch, step, "one batch of pictures a step");
        Ok(real(game, draws, step))
    };
    game.step_with(state, &mut latents, &mut pictures).unwrap()
}

/// Pictures of a step on the game's device, `[N, 1, 28, 28]`.
pub fn real(game: &Game, draws: &Draws, step: u64) -> Tensor<4> {
    Tensor::from_data(TensorData::new(draws.pictures(step), [draws.batch(), 1, 28, 28]), game.device())
}

/// One network's tensors by path.
pub type Tensors = BTreeMap<String, Vec<f64>>;

/// The tensors of a section whose names begin with `prefix` and end in `suffix`, without both.
pub fn tensors(section: &Section, prefix: &str, suffix: &str) -> Tensors {
    let host = |(name, entry): (&String, &infogan::nn::Entry)| {
        let path = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        Some((path.to_owned(), entry.to_host().values.into_iter().map(f64::from).collect()))
    };
    section.iter().filter_map(host).collect()
}

/// A network's tensors beside the golden entries at `place`.
pub struct Comparison {
    /// Name for the table.
    title: String,
    /// Relative L2 of the entries, each times √(n / entries of its tensor), so that they stand for all.
    pub weighted: f64,
    /// Relative L2 of the entries as they are.
    sampled: f64,
    /// Relative difference of the network's whole norms.
    norms: f64,
    /// Norm of the tensors whose true value is zero, over the network's norm.
    silent: f64,
    /// PyTorch's own float32: weighted, sampled, difference of the norms, relative L2 over all entries.
    theirs: [f64; 4],
}

impl Comparison {
    pub fn new(golden: &Golden, place: &[&str], network: &str, ours: &Tensors, count: usize) -> Self {
        let silent = golden.silent();
        let (mut values, mut references, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let (mut whole, mut zeros) = (Vec::new(), Vec::new());
        for (path, tensor) in ours {
            let name = format!("{network}/{path}");
            if silent.contains(&name.as_str()) {
                zeros.extend_from_slice(tensor);
                continue;
            }
            let reference = golden.numbers(&[place, &["tensors", &name, "f64"]].concat());
            let chosen = positions(&golden.weights(), &name, tensor.len(), count);
            let weight = (tensor.len() as f64 / chosen.len() as f64).sqrt();
            values.extend(chosen.iter().map(|&position| tensor[position]));
            weights.extend(chosen.iter().map(|_| weight));
            references.extend(reference);
            assert_eq!(values.len(), references.len(), "entries of {name}");
            whole.extend_from_slice(tensor);
        }
        let known = golden.keys(&[place, &["tensors"]].concat());
        let mine = known.iter().filter(|name| name.starts_with(&format!("{network}/")));
        let missing: Vec<_> =
            mine.filter(|name| !ours.contains_key(name.split_once('/').unwrap().1)).collect();
        assert!(missing.is_empty(), "not among ours: {missing:?}");

        let scaled = |values: &[f64]| {
            values.iter().zip(&weights).map(|(value, weight)| value * weight).collect::<Vec<_>>()
        };
        let summary = |key: &str| golden.number(&[place, &["networks", network, key]].concat());
        Self {
            title: format!("{} {network}", place[1..].join(" ")),
            weighted: distance(&scaled(&values), &scaled(&references)),
            sampled: distance(&values, &references),
            norms: off(norm(&whole), summary("norm_f64")),
            silent: norm(&zeros) / norm(&whole),
            theirs: [
                summary("f32_distance_weighted"),
                summary("f32_distance_sampled"),
                off(summary("norm_f32"), summary("norm_f64")),
                summary("f32_distance"),
            ],
        }
    }

    /// Judged against a limit: the weighted distance and the norms.
    pub fn within(&self, table: &mut Table, limit: f64) {
        table.row(&format!("{}, weighted", self.title), self.weighted, Some(self.theirs[0]), limit);
        table.row(&format!("{}, norm", self.title), self.norms, Some(self.theirs[2]), limit);
    }

    /// Judged against PyTorch's own float32: the sampled entries, and the norms, which differ by no more than the
    /// distance over all entries.
    pub fn no_further(&self, table: &mut Table, times: f64) {
        let [_, sampled, norms, whole] = self.theirs;
        table.row(&format!("{}, sampled", self.title), self.sampled, Some(sampled), times * sampled);
        table.row(&format!("{}, norm", self.title), self.norms, Some(norms), times * whole);
    }

    /// Tensors whose true value is zero hold nothing but rounding, next to the network's other tensors.
    pub fn silent_within(&self, table: &mut Table, limit: f64) {
        table.row(&format!("{}, zero gradients", self.title), self.silent, None, limit);
    }
}
