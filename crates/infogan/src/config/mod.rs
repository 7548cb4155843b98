//! Configuration: presets, overrides, validation, and the resolved config with its identity.

mod adapt;
mod preset;
mod resolve;
mod validate;

pub use adapt::adapt;
pub use preset::{PRESETS, Preset, preset};
pub use resolve::{Resolver, differences, from_toml};
pub use validate::validate;

use std::collections::{BTreeMap, BTreeSet};

use infogan_data::{Background, Fit, Resize, Scale, Source, synth::DRAWN};
use serde::{Deserialize, Serialize};

use crate::{
    latent::{Latent, Prior, Slot},
    objectives::{adversarial::Loss, mutual_information::Continuous},
};

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    /// The key, such as `train.batch`.
    pub key: String,
    /// What is wrong and what is allowed.
    pub reason: String,
}

impl ConfigError {
    /// An error at a key.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// Everything that determines a training. Each preset is one; `config.toml` of a run is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Short name, used for the run directory.
    pub name: String,
    /// Root of all random numbers.
    pub seed: u64,
    /// The pictures.
    pub data: DataConfig,
    /// Length, batch and cadence.
    pub train: TrainConfig,
    /// Slots of the generator's input, in order.
    pub latent: Vec<SlotConfig>,
    /// How weights begin.
    pub init: InitScheme,
    /// Latents to pictures.
    pub generator: GeneratorConfig,
    /// Pictures to logits.
    pub critic: CriticConfig,
    /// The game between the two.
    pub adversarial: AdversarialConfig,
    /// Further losses by name.
    #[serde(default)]
    pub terms: BTreeMap<String, TermConfig>,
    /// What happens to pictures before the critic sees them, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transforms: BTreeMap<String, TransformConfig>,
    /// Optimisers by name, each owning networks.
    pub optimizers: BTreeMap<String, OptimizerConfig>,
    /// What happens in a step, in order.
    pub phase: Vec<PhaseConfig>,
    /// Protocol of the scores.
    #[serde(default)]
    pub evaluate: EvaluateConfig,
    /// What the networks began as, if not as random numbers. Written by the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitFrom>,
}

/// Weights of another training or program that this one began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitFrom {
    /// Run or file, for people.
    pub name: String,
    /// SHA-256 of what was taken: networks, paths and values. Part of a run's identity, so that a resumed run is the same.
    pub sha256: String,
}

/// Where pictures come from and how they are scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Drawn in-process or read from files.
    pub set: DataSet,
    /// Folder of the files; not part of a run's identity, which goes by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<std::path::PathBuf>,
    /// How many pictures to draw (drawn sets only).
    #[serde(default = "default_count")]
    pub count: usize,
    /// Side in pixels: of drawn pictures, and to which picture files are brought, with `enlarge` others too.
    #[serde(default = "default_size")]
    pub size: usize,
    /// Channels to which picture files are brought: 1 is grey, 3 is colour.
    #[serde(default = "default_channels", skip_serializing_if = "is_default_channels")]
    pub channels: usize,
    /// How picture files of other proportions become square.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resize: Resize,
    /// How pictures of files with a size of their own are brought to `size`, if they are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enlarge: Enlarge,
    /// Side in pixels of the middle square that is cut out of picture files first; 0 cuts nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crop: usize,
    /// What transparent picture files lie on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub background: Background,
    /// Table of labels and attributes of picture files; not part of a run's identity either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<std::path::PathBuf>,
    /// Seed of a drawn set, apart from the run's own.
    #[serde(default)]
    pub seed: u64,
    /// Range of the networks' pixels: `unit` for a generator that ends in a sigmoid, `symmetric` for tanh.
    #[serde(default)]
    pub scale: Scale,
}

impl DataConfig {
    /// How picture files are brought to `[channels, height, width]`, as the run brought its own. What is cut out of files
    /// is cut out of no picture where the set is drawn.
    pub fn fit(&self, shape: [usize; 3]) -> Fit {
        let crop = if self.set == DataSet::Files(Source::Pictures) { self.crop } else { 0 };
        Fit { shape, crop, resize: self.resize, background: self.background }
    }
}

fn default_count() -> usize {
    60_000
}

fn default_size() -> usize {
    28
}

fn default_channels() -> usize {
    3
}

/// What older configurations do not name is not written either, so that a run keeps its identity.
fn is_default_channels(channels: &usize) -> bool {
    *channels == default_channels()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How pictures with a size of their own (MNIST's, CIFAR's …) come to the size of the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enlarge {
    /// They keep their size.
    #[default]
    No,
    /// By bicubic interpolation, as Pillow computes it.
    Bicubic,
}

/// The sets this program can train on. As text it is the name of a drawn set or of a form of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// Drawn in-process: its name among [`DRAWN`].
    Drawn(&'static str),
    /// Read from files of this form.
    Files(Source),
}

/// Forms of files by their names in configurations.
const FORMS: [(&str, Source); 7] = [
    ("idx", Source::Idx),
    ("cifar10", Source::Cifar10),
    ("cifar100", Source::Cifar100),
    ("stl10", Source::Stl10),
    ("svhn", Source::Svhn),
    ("stored", Source::Stored),
    ("pictures", Source::Pictures),
];

impl DataSet {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drawn(name) => name,
            Self::Files(source) => {
                FORMS.iter().find(|(_, form)| *form == source).map_or("", |(name, _)| name)
            }
        }
    }
}

impl<'de> Deserialize<'de> for DataSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let drawn = DRAWN.iter().find(|set| set.name == name).map(|set| Self::Drawn(set.name));
        let form = || FORMS.iter().find(|(form, _)| *form == name).map(|(_, source)| Self::Files(*source));
        drawn.or_else(form).ok_or_else(|| {
            let names = DRAWN.iter().map(|set| set.name).chain(FORMS.map(|(name, _)| name));
            let names = names.collect::<Vec<_>>().join(", ");
            serde::de::Error::custom(format!("there is no set '{name}'; sets: {names}"))
        })
    }
}

impl Serialize for DataSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Length, batch and cadence of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Generator steps in all. May be raised later.
    pub steps: u64,
    /// Pictures in a batch.
    pub batch: usize,
    /// Steps between lines of the log.
    #[serde(default = "default_tick")]
    pub tick: u64,
    /// Steps between checkpoints.
    #[serde(default = "default_every")]
    pub checkpoint_every: u64,
    /// Steps between pictures.
    #[serde(default = "default_every")]
    pub snapshot_every: u64,
    /// Checkpoints kept.
    #[serde(default = "default_keep")]
    pub keep: usize,
}

fn default_tick() -> u64 {
    20
}

fn default_every() -> u64 {
    500
}

fn default_keep() -> usize {
    2
}

/// One slot of the latent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotConfig {
    /// Name, such as `c1`.
    pub name: String,
    /// Kind of prior.
    pub prior: PriorKind,
    /// Number of categories, or of numbers.
    pub width: usize,
}

/// Kinds of prior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorKind {
    /// Equally likely categories, one-hot.
    Categorical,
    /// Uniform in [−1, 1).
    Uniform,
    /// Standard normal.
    Normal,
}

/// How weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitScheme {
    /// N(0, 0.02) everywhere, norm weights N(1, 0.02) (DCGAN).
    Normal,
    /// The same with convolutions cut at two standard deviations (OpenAI's InfoGAN).
    Openai,
    /// PyTorch's own: weights and biases uniform within ±1/√inputs, norm weights 1.
    Framework,
}

/// A generator from a table of layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// The only family so far: `dcgan`.
    pub family: Family,
    /// The table, a row a layer.
    pub layers: Vec<String>,
    /// Slope of a bare `lrelu`.
    #[serde(default = "default_slope")]
    pub slope: f64,
}

/// A critic from a table of layers, with a head of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticConfig {
    /// The only family so far: `dcgan`.
    pub family: Family,
    /// The table, a row a layer.
    pub layers: Vec<String>,
    /// Slope of a bare `lrelu`, in the heads of terms too.
    #[serde(default = "default_slope")]
    pub slope: f64,
    /// The row that makes the logit: one unit without an activation.
    #[serde(default = "plain_head", skip_serializing_if = "is_plain_head")]
    pub head: String,
    /// Real and generated pictures share one pass, with batch norm in two groups.
    #[serde(default = "yes")]
    pub shared_pass: bool,
}

fn plain_head() -> String {
    "fc 1".to_owned()
}

fn is_plain_head(head: &String) -> bool {
    *head == plain_head()
}

fn default_slope() -> f64 {
    0.1
}

fn yes() -> bool {
    true
}

/// Families of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Layer tables of linear maps, convolutions, transposed convolutions and upsampling.
    Dcgan,
}

/// The adversarial loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversarialConfig {
    /// The pair of losses.
    pub loss: Loss,
    /// ε inside the logarithms; 0 computes them exactly from logits.
    #[serde(default)]
    pub epsilon: f64,
    /// The pair of losses from some step on, if not the same throughout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<SwitchConfig>,
}

/// A change of the adversarial loss on the way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchConfig {
    /// The pair of losses.
    pub loss: Loss,
    /// So many steps are taken before it.
    pub after: u64,
}

impl AdversarialConfig {
    /// The pair of losses at a step, counted from 0.
    pub fn loss_at(&self, step: u64) -> Loss {
        self.then.filter(|then| step >= then.after).map_or(self.loss, |then| then.loss)
    }
}

/// Something that happens to pictures before the critic sees them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TransformConfig {
    /// Normal noise on every value.
    InstanceNoise(InstanceNoiseConfig),
    /// Even noise in the place of one value.
    ValueNoise(ValueNoiseConfig),
    /// Every value to the nearer end of its range.
    Snap(SnapConfig),
}

/// The transform `snap`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapConfig {
    /// Pictures it is done to.
    #[serde(default = "generated")]
    pub on: BTreeSet<Pictures>,
}

fn generated() -> BTreeSet<Pictures> {
    [Pictures::Generated].into()
}

/// The transform `value-noise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueNoiseConfig {
    /// The value that is replaced, as a byte.
    pub value: u8,
    /// Lowest byte that may take its place.
    pub from: u16,
    /// The first byte above `from` that may not.
    pub to: u16,
    /// Pictures it lies on.
    #[serde(default = "real")]
    pub on: BTreeSet<Pictures>,
}

fn real() -> BTreeSet<Pictures> {
    [Pictures::Real].into()
}

/// The transform `instance-noise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceNoiseConfig {
    /// Standard deviation, in units of the pixels' range (`data.scale`).
    pub deviation: f64,
    /// Steps over which it falls to nothing, in a straight line; 0 keeps it.
    #[serde(default)]
    pub decay_steps: u64,
    /// Pictures it lies on.
    #[serde(default = "both")]
    pub on: BTreeSet<Pictures>,
}

impl InstanceNoiseConfig {
    /// The share of the noise that is left at a step.
    pub fn left(&self, step: u64) -> f64 {
        match self.decay_steps {
            0 => 1.0,
            steps => 1.0 - step.min(steps) as f64 / steps as f64,
        }
    }
}

/// Pictures by where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pictures {
    /// From the data set.
    Real,
    /// From the generator.
    Generated,
}

impl Pictures {
    /// `"real"` or `"generated"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Generated => "generated",
        }
    }
}

fn both() -> BTreeSet<Pictures> {
    [Pictures::Real, Pictures::Generated].into()
}

/// A term of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TermConfig {
    /// Variational bound on I(c; G(z, c)).
    Codes(CodesConfig),
}

/// The term `codes`: recover latent slots from generated pictures (InfoGAN).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesConfig {
    /// Slots to recover.
    pub recover: Vec<String>,
    /// Weight λ of the whole term.
    #[serde(default = "one")]
    pub weight: f64,
    /// Weights of single slots, 1 where not named.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
    /// Pictures that Q reads. Real ones know nothing of the codes: I(c; x) in the place of I(c; G(z, c)), as one row of
    /// Evtimova and Drozdov's table has it.
    #[serde(default = "of_generator", skip_serializing_if = "is_of_generator")]
    pub reads: Pictures,
    /// What Q is for uniform and normal slots.
    #[serde(default = "fixed")]
    pub continuous: Continuous,
    /// ε inside the logarithm of categorical slots; 0 computes it exactly.
    #[serde(default)]
    pub epsilon: f64,
    /// Q must also agree with itself on two views of real pictures, where the term trains trunk or head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agree: Option<AgreeConfig>,
    /// Rows between the tap and the outputs.
    #[serde(default)]
    pub head: Vec<String>,
    /// What the head reads of the critic.
    #[serde(default = "features")]
    pub tap: String,
    /// Name of the head's network, and of its file.
    #[serde(default = "q")]
    pub network: String,
    /// Optimiser that trains the head.
    pub optimizer: String,
    /// Phases this term takes part in, each with the parts its gradient goes to.
    pub gradient: BTreeMap<String, Vec<Receiver>>,
}

/// Agreement on real pictures and the same pictures distorted: the information that their categories share
/// ([`crate::objectives::agreement`]), for every categorical slot. It takes no label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreeConfig {
    /// Weight of its negative in the loss.
    #[serde(default = "one")]
    pub weight: f64,
    /// Largest turn in degrees.
    #[serde(default)]
    pub turn: f32,
    /// Largest change of size, as a share.
    #[serde(default)]
    pub scale: f32,
    /// Largest shear, as the tangent of its angle.
    #[serde(default)]
    pub shear: f32,
    /// Largest shift, as a share of the side.
    #[serde(default)]
    pub shift: f32,
}

fn of_generator() -> Pictures {
    Pictures::Generated
}

fn is_of_generator(pictures: &Pictures) -> bool {
    *pictures == Pictures::Generated
}

fn one() -> f64 {
    1.0
}

fn fixed() -> Continuous {
    Continuous::Fixed
}

fn features() -> String {
    crate::networks::FEATURES.to_owned()
}

fn q() -> String {
    "q".to_owned()
}

/// Parts that a term's gradient may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receiver {
    /// The generator.
    Generator,
    /// The critic's layers up to the tap.
    Trunk,
    /// The term's own head.
    Head,
}

/// An optimiser and the networks it owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Kind.
    pub kind: OptimizerKind,
    /// Learning rate.
    pub rate: f64,
    /// Adam: decay of the first moment.
    #[serde(default = "half")]
    pub beta1: f64,
    /// Adam: decay of the second moment.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// Adam: ε beside the root.
    #[serde(default = "adam_epsilon")]
    pub epsilon: f64,
    /// SGD: momentum.
    #[serde(default)]
    pub momentum: f64,
    /// Steps over which the rate falls linearly to zero; 0 keeps it constant.
    #[serde(default)]
    pub decay_steps: u64,
    /// Weight of L2 decay: this times a parameter is added to its gradient (PyTorch's `weight_decay`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight_decay: f64,
    /// Networks it updates. Heads of terms are added by the terms themselves.
    pub networks: Vec<String>,
}

fn half() -> f64 {
    0.5
}

fn beta2() -> f64 {
    0.999
}

fn adam_epsilon() -> f64 {
    1e-8
}

/// Kinds of optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Kingma and Ba, 2015.
    Adam,
    /// Stochastic gradient descent.
    Sgd,
}

/// One entry of the schedule of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseConfig {
    /// Name, by which terms join in.
    pub name: String,
    /// Runs in every n-th step only.
    #[serde(default = "once")]
    pub every: u64,
    /// Times in a row within a step, each with fresh pictures.
    #[serde(default = "once")]
    pub repeat: u64,
    /// Batches of real pictures that the critic is given at a time.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub real: u64,
    /// Batches of generated pictures at a time.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub generated: u64,
    /// Side of the adversarial loss that it minimises.
    pub adversarial: Side,
    /// Latents drawn anew, or those of the last phase with its generated pictures.
    #[serde(default)]
    pub latents: Latents,
    /// Optimisers that step at its end.
    pub optimizers: Vec<String>,
}

fn once() -> u64 {
    1
}

fn is_once(times: &u64) -> bool {
    *times == once()
}

/// Sides of the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The critic's loss, on real and generated pictures.
    Critic,
    /// The generator's loss, on generated pictures.
    Generator,
    /// No adversarial loss: only terms.
    None,
}

/// Where a phase's latents come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latents {
    /// Drawn for this phase.
    #[default]
    Fresh,
    /// Those of the phase before it in the same step.
    Reused,
}

/// Protocol of the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateConfig {
    /// Latents for the bound.
    pub latents: usize,
    /// Labelled training pictures on which the matching is learnt.
    pub matching: usize,
    /// Pictures of the test split that are scored, at most.
    pub test: usize,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self { latents: 10_000, matching: 10_000, test: 10_000 }
    }
}

impl Config {
    /// The latent with its slots.
    pub fn latent(&self) -> Latent {
        let slot = |slot: &SlotConfig| {
            let prior = match slot.prior {
                PriorKind::Categorical => Prior::Categorical { values: slot.width },
                PriorKind::Uniform => Prior::Uniform { width: slot.width },
                PriorKind::Normal => Prior::Normal { width: slot.width },
            };
            Slot { name: slot.name.clone(), prior }
        };
        Latent::new(self.latent.iter().map(slot).collect())
    }
}
