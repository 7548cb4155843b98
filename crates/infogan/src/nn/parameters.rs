//! Parameters by path, and what a forward pass is given.

use std::collections::BTreeMap;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use infogan_data::random::Streams;
use infogan_ops::Moments;

use crate::train::checkpoint::{HostSection, HostTensor};

/// How a parameter begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All zero.
    Zero,
    /// Normal with this mean and standard deviation.
    Normal {
        /// Mean.
        mean: f32,
        /// Standard deviation.
        std: f32,
    },
    /// Normal of mean zero, cut at two standard deviations.
    Truncated {
        /// Standard deviation before the cut.
        std: f32,
    },
    /// Uniform between minus and plus this bound.
    Uniform {
        /// The bound.
        bound: f32,
    },
    /// A direction: standard normals divided by their norm.
    Direction,
}

/// One parameter of a network: its path inside the network, shape in PyTorch's layout and beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Path such as `trunk.1.norm.weight`.
    pub path: String,
    /// Shape in PyTorch's layout.
    pub shape: Vec<usize>,
    /// Beginning.
    pub init: Init,
}

impl ParameterSpec {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().fold(1, |product, &side| product.saturating_mul(side))
    }
}

/// A stored tensor: flat, on a device without autodiff, with its shape beside it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Shape in PyTorch's layout.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub value: Tensor<1>,
}

impl Entry {
    /// All zeros.
    pub fn zeros(shape: &[usize], device: &Device) -> Self {
        let count = shape.iter().product::<usize>();
        Self::from_values(shape, vec![0.0; count], device)
    }

    /// From host values in row-major order.
    pub fn from_values(shape: &[usize], values: Vec<f32>, device: &Device) -> Self {
        let count = values.len();
        Self { shape: shape.to_vec(), value: Tensor::from_data(TensorData::new(values, [count]), device) }
    }

    /// From a tensor of a checkpoint.
    pub fn from_host(host: &HostTensor, device: &Device) -> Self {
        Self::from_values(&host.shape, host.values.clone(), device)
    }

    /// Copied to the host.
    pub fn to_host(&self) -> HostTensor {
        HostTensor { shape: self.shape.clone(), values: read(self.value.clone()) }
    }
}

/// Reads a tensor's elements in row-major order.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // Every tensor of this program is f32; anything else is a defect, not a user's mistake.
    tensor.into_data().convert::<f32>().try_into_vec().expect("f32 elements")
}

/// One network's stored tensors by path: what a checkpoint file holds.
pub type Section = BTreeMap<String, Entry>;

/// Draws the first parameters of a network. Each parameter has a stream of its own, named after its path, so
/// that adding a layer does not move the others.
pub fn initialise(network: &str, specs: &[ParameterSpec], streams: &Streams, device: &Device) -> Section {
    let draw = |spec: &ParameterSpec| {
        let mut stream = streams.root(&format!("init/{network}/{}", spec.path));
        let values: Vec<f32> = match spec.init {
            Init::Zero => vec![0.0; spec.count()],
            Init::Normal { mean, std } => (0..spec.count()).map(|_| mean + std * stream.normal()).collect(),
            Init::Truncated { std } => (0..spec.count()).map(|_| std * stream.truncated_normal()).collect(),
            Init::Uniform { bound } => (0..spec.count()).map(|_| stream.uniform(-bound, bound)).collect(),
            Init::Direction => direction((0..spec.count()).map(|_| stream.normal()).collect()),
        };
        (spec.path.clone(), Entry::from_values(&spec.shape, values, device))
    };
    specs.iter().map(draw).collect()
}

/// A vector divided by its norm.
fn direction(values: Vec<f32>) -> Vec<f32> {
    let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    values.into_iter().map(|value| (f64::from(value) / norm) as f32).collect()
}

/// A network's parameters made ready for forward passes: tracked by autodiff or constants.
#[derive(Clone, Debug)]
pub struct Bound {
    parameters: BTreeMap<String, (Vec<usize>, Tensor<1>)>,
    tracked: bool,
}

impl Bound {
    /// Binds a section. Tracked parameters collect gradients; constants cost no backward pass.
    pub fn new(section: &Section, tracked: bool) -> Self {
        let bind = |(path, entry): (&String, &Entry)| {
            let value = entry.value.clone();
            let value = if tracked { value.autodiff().require_grad() } else { value };
            (path.clone(), (entry.shape.clone(), value))
        };
        Self { parameters: section.iter().map(bind).collect(), tracked }
    }

    /// Whether gradients are collected.
    pub fn is_tracked(&self) -> bool {
        self.tracked
    }

    /// The same parameters as constants.
    pub fn constant(&self) -> Self {
        let cut = |(path, (shape, value)): (&String, &(Vec<usize>, Tensor<1>))| {
            (path.clone(), (shape.clone(), value.clone().inner()))
        };
        Self { parameters: self.parameters.iter().map(cut).collect(), tracked: false }
    }

    /// The parameter at a path in its own shape. Asking for a path the network does not declare is a defect.
    pub fn get<const D: usize>(&self, path: &str) -> Tensor<D> {
        let (shape, value) = self.parameters.get(path).unwrap_or_else(|| panic!("no parameter at '{path}'"));
        let shape: [usize; D] = shape.as_slice().try_into().expect("rank of a declared parameter");
        value.clone().reshape(shape)
    }

    /// Takes the gradients out, by path. Parameters that no loss reached have none.
    pub fn take_gradients(self, gradients: &mut Gradients) -> BTreeMap<String, Tensor<1>> {
        let take = |(path, (_, value)): (String, (Vec<usize>, Tensor<1>))| {
            value.grad_remove(gradients).map(|gradient| (path, gradient))
        };
        self.parameters.into_iter().filter_map(take).collect()
    }
}

/// Which statistics batch norm uses in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormMode {
    /// Those of the batch, in this many equal groups.
    Batch {
        /// Number of groups with statistics of their own.
        groups: usize,
    },
    /// The stored ones of [`NetState`].
    Stored,
}

/// What a forward pass may do besides computing: the mode of batch norm, whether batch statistics are gathered into
/// the [`NetState`], and whether the vectors of spectral norms in it move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Statistics of batch norm.
    pub norm: NormMode,
    /// Gather the batch statistics of this pass.
    pub gather: bool,
    /// Take a step of the power iteration of every spectral norm.
    pub iterate: bool,
}

impl Pass {
    /// Training: batch statistics, nothing gathered.
    pub const TRAIN: Self = Self { norm: NormMode::Batch { groups: 1 }, gather: false, iterate: true };
    /// A training pass once more, for other gradients: what it computes is the same.
    pub const AGAIN: Self = Self { iterate: false, ..Self::TRAIN };
    /// Drawing and scoring: stored statistics.
    pub const STORED: Self = Self { norm: NormMode::Stored, gather: false, iterate: false };
    /// Gathering statistics over several batches.
    pub const GATHER: Self = Self { gather: true, ..Self::AGAIN };
}

/// The state of a network beside its parameters: statistics of its batch norms, vectors of its spectral norms.
#[derive(Clone, Debug, Default)]
pub struct NetState {
    statistics: BTreeMap<String, (Tensor<1>, Tensor<1>)>,
    tallies: BTreeMap<String, Tally>,
    vectors: Section,
}

/// Sums over batches, weighted by their size: enough for the mean and variance of all of them together.
#[derive(Clone, Debug, Default)]
struct Tally {
    samples: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl NetState {
    /// With the vectors of a network's spectral norms; one without any has no section of them.
    #[must_use]
    pub fn with_vectors(mut self, vectors: Option<&Section>) -> Self {
        self.vectors = vectors.cloned().unwrap_or_default();
        self
    }

    /// The vectors as passes left them.
    pub fn into_vectors(self) -> Section {
        self.vectors
    }

    /// The vectors, for the spectral norms themselves.
    pub(super) fn vectors(&mut self) -> &mut Section {
        &mut self.vectors
    }

    /// The stored statistics of the batch norm at a path; mean 0 and variance 1 when none are stored.
    pub(super) fn stored(&self, path: &str, channels: usize, device: &Device) -> (Tensor<1>, Tensor<1>) {
        self.statistics
            .get(path)
            .cloned()
            .unwrap_or_else(|| (Tensor::zeros([channels], device), Tensor::ones([channels], device)))
    }

    /// Adds the statistics of one batch.
    pub(super) fn gather(&mut self, path: &str, moments: Vec<Moments>) {
        for Moments { mean, variance, samples } in moments {
            let (mean, variance) = (read(mean), read(variance));
            let tally = self.tallies.entry(path.to_owned()).or_default();
            tally.mean.resize(mean.len(), 0.0);
            tally.square.resize(mean.len(), 0.0);
            let weight = samples as f64;
            tally.samples += weight;
            for channel in 0..mean.len() {
                let m = f64::from(mean[channel]);
                tally.mean[channel] += weight * m;
                // E[x²] of the batch: the law of total variance needs no second pass.
                tally.square[channel] += weight * (f64::from(variance[channel]) + m * m);
            }
        }
    }

    /// Turns what was gathered into stored statistics: mean and biased variance over all pictures seen.
    pub fn settle(&mut self, device: &Device) {
        for (path, tally) in std::mem::take(&mut self.tallies) {
            let mean: Vec<f64> = tally.mean.iter().map(|sum| sum / tally.samples).collect();
            let variance: Vec<f32> = (tally.square.iter().zip(&mean))
                .map(|(sum, mean)| (sum / tally.samples - mean * mean).max(0.0) as f32)
                .collect();
            let mean: Vec<f32> = mean.into_iter().map(|mean| mean as f32).collect();
            let tensor = |values: Vec<f32>| {
                let count = values.len();
                Tensor::from_data(TensorData::new(values, [count]), device)
            };
            self.statistics.insert(path, (tensor(mean), tensor(variance)));
        }
    }

    /// The stored statistics under PyTorch's names (`….running_mean`, `….running_var`).
    pub fn to_host(&self) -> HostSection {
        let mut section = HostSection::new();
        for (path, (mean, variance)) in &self.statistics {
            for (name, tensor) in [("running_mean", mean), ("running_var", variance)] {
                let values = read(tensor.clone());
                section.insert(format!("{path}.{name}"), HostTensor { shape: vec![values.len()], values });
            }
        }
        section
    }

    /// Back from [`NetState::to_host`].
    pub fn from_host(section: &HostSection, device: &Device) -> Self {
        let mut state = Self::default();
        for (name, mean) in section {
            let Some(path) = name.strip_suffix(".running_mean") else { continue };
            let Some(variance) = section.get(&format!("{path}.running_var")) else { continue };
            let tensor = |host: &HostTensor| Entry::from_host(host, device).value;
            state.statistics.insert(path.to_owned(), (tensor(mean), tensor(variance)));
        }
        state
    }
}
