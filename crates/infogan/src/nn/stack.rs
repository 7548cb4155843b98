//! A sequence of layers built from a table.

use burn::tensor::Tensor;
use infogan_ops::{
    Activation, Statistics, batch_norm, conv_transpose2d, conv2d, flatten, linear, unflatten, upsample,
};

use super::{
    Bound, Init, LayerSpec, NetState, NormMode, ParameterSpec, Pass, Shape, TableError, spectral,
    table::{Map, SIDE_LIMIT},
};
use crate::config::InitScheme;

/// ε of every batch norm (PyTorch's and TensorFlow's 1e-5).
pub const NORM_EPSILON: f64 = 1e-5;

/// A batch between layers.
#[derive(Clone, Debug)]
pub enum Feature {
    /// `[N, units]`
    Flat(Tensor<2>),
    /// `[N, C, H, W]`
    Map(Tensor<4>),
}

impl Feature {
    /// As vectors, channels first: `[N, units]`.
    pub fn flat(self) -> Tensor<2> {
        match self {
            Self::Flat(x) => x,
            Self::Map(x) => flatten(x), // [N, C·H·W]
        }
    }

    /// As maps of this shape: `[N, C, H, W]`.
    fn map(self, shape: [usize; 3]) -> Tensor<4> {
        match self {
            Self::Map(x) => x,
            Self::Flat(x) => unflatten(x, shape),
        }
    }

    /// Cut from the tape.
    pub fn constant(self) -> Self {
        match self {
            Self::Flat(x) => Self::Flat(x.inner()),
            Self::Map(x) => Self::Map(x.inner()),
        }
    }
}

/// Layers in order, with the shapes between them worked out.
#[derive(Clone, Debug)]
pub struct Stack {
    layers: Vec<Layer>,
    input: Shape,
}

#[derive(Clone, Debug)]
struct Layer {
    path: String,
    spec: LayerSpec,
    from: Shape,
    to: Shape,
    init: InitScheme,
}

impl Stack {
    /// Fits a table to its input. `prefix` names the rows: `trunk` gives `trunk.0`, an empty one `0`.
    ///
    /// # Errors
    /// [`TableError`] for the first row that does not fit what comes before it.
    pub fn new(
        prefix: &str,
        table: &[LayerSpec],
        lines: &[String],
        input: Shape,
        init: InitScheme,
    ) -> Result<Self, TableError> {
        let mut from = input;
        let mut layers = Vec::with_capacity(table.len());
        for (row, spec) in table.iter().enumerate() {
            let to = output_shape(spec, from).and_then(bounded).map_err(|reason| TableError {
                row,
                line: lines.get(row).cloned().unwrap_or_default(),
                reason,
            })?;
            let path = if prefix.is_empty() { row.to_string() } else { format!("{prefix}.{row}") };
            layers.push(Layer { path, spec: *spec, from, to, init });
            from = to;
        }
        Ok(Self { layers, input })
    }

    /// Shape of one sample coming out.
    pub fn output(&self) -> Shape {
        self.layers.last().map_or(self.input, |layer| layer.to)
    }

    /// Path and output shape of every layer.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.layers.iter().map(|layer| (layer.path.as_str(), layer.to))
    }

    /// Elements of all layers' outputs for one sample.
    pub fn activations(&self) -> usize {
        self.layers.iter().map(|layer| layer.to.count()).fold(0, usize::saturating_add)
    }

    /// All parameters in order.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = Vec::new();
        for layer in self.layers.iter().filter(|layer| !matches!(layer.spec.map, Map::Up(_))) {
            let mut declare = |name: &str, shape: Vec<usize>, init: Init| {
                all.push(ParameterSpec { path: format!("{}.{name}", layer.path), shape, init });
            };
            let Beginning { weight, bias, gamma } = layer.beginning();
            declare(layer.weight_name(), layer.weight_shape(), weight);
            if layer.spec.bias {
                declare("bias", vec![layer.width()], bias);
            }
            if layer.spec.norm {
                declare("norm.weight", vec![layer.width()], gamma);
                declare("norm.bias", vec![layer.width()], Init::Zero);
            }
        }
        all
    }

    /// Runs the layers. `seen` is shown every layer's path and output.
    pub fn forward(
        &self,
        parameters: &Bound,
        state: &mut NetState,
        x: Feature,
        pass: Pass,
        mut seen: impl FnMut(&str, &Feature),
    ) -> Feature {
        let mut x = x;
        for layer in &self.layers {
            x = layer.forward(parameters, state, x, pass);
            seen(&layer.path, &x);
        }
        x
    }
}

/// How the parameters of a layer begin.
struct Beginning {
    weight: Init,
    bias: Init,
    gamma: Init,
}

impl Layer {
    fn beginning(&self) -> Beginning {
        // OpenAI's scales: every map N(0, .02), norm weights N(1, .02).
        let std = 0.02;
        let (normal, gamma) = (Init::Normal { mean: 0.0, std }, Init::Normal { mean: 1.0, std });
        match (self.init, self.spec.map) {
            (InitScheme::Openai, Map::Conv(..)) => {
                Beginning { weight: Init::Truncated { std }, bias: Init::Zero, gamma }
            }
            (InitScheme::Openai | InitScheme::Normal, _) => {
                Beginning { weight: normal, bias: Init::Zero, gamma }
            }
            (InitScheme::Framework, _) => {
                // PyTorch counts the second dimension of every weight as inputs, also of a transposed convolution, whose
                // second dimension are its outputs.
                let inputs: usize = self.weight_shape()[1..].iter().product();
                let uniform = Init::Uniform { bound: 1.0 / (inputs as f32).sqrt() };
                Beginning { weight: uniform, bias: uniform, gamma: Init::Normal { mean: 1.0, std: 0.0 } }
            }
        }
    }

    fn weight_name(&self) -> &'static str {
        if self.spec.spectral { spectral::WEIGHT } else { "weight" }
    }

    /// The weight as this pass uses it.
    fn weight<const D: usize>(&self, parameters: &Bound, state: &mut NetState, pass: Pass) -> Tensor<D> {
        let weight = parameters.get::<D>(&format!("{}.{}", self.path, self.weight_name()));
        if self.spec.spectral {
            return spectral::normalised(&self.path, weight, state, pass.iterate);
        }
        weight
    }

    /// What biases and batch norm count: units after a linear map (also when they are reshaped to maps), else maps.
    fn width(&self) -> usize {
        match self.spec.map {
            Map::Linear(to) => to.count(),
            Map::Conv(maps, _) | Map::UpConv(maps, _) => maps,
            Map::Up(_) => 0,
        }
    }

    fn weight_shape(&self) -> Vec<usize> {
        let from_channels = match self.from {
            Shape::Flat(units) => units,
            Shape::Map([channels, ..]) => channels,
        };
        match self.spec.map {
            Map::Linear(to) => vec![to.count(), self.from.count()],
            Map::Conv(out, window) => vec![out, from_channels, window.kernel, window.kernel],
            Map::UpConv(out, window) => vec![from_channels, out, window.kernel, window.kernel],
            Map::Up(_) => Vec::new(),
        }
    }

    fn forward(&self, parameters: &Bound, state: &mut NetState, x: Feature, pass: Pass) -> Feature {
        let path = &self.path;
        let bias = self.spec.bias.then(|| parameters.get::<1>(&format!("{path}.bias")));
        // The activation goes with whatever comes last before it.
        let direct = if self.spec.norm { Activation::Identity } else { self.spec.activation };
        match self.spec.map {
            Map::Linear(to) => {
                let weight = self.weight::<2>(parameters, state, pass); // [out, in]
                let y = linear(x.flat(), weight, bias, direct); // [N, units]
                let y = self.normalise(parameters, state, y, pass);
                match to {
                    Shape::Flat(_) => Feature::Flat(y),
                    Shape::Map(shape) => Feature::Map(Feature::Flat(y).map(shape)),
                }
            }
            Map::Conv(_, window) | Map::UpConv(_, window) => {
                let Some(from) = maps_of(&self.spec, self.from) else {
                    unreachable!("checked by output_shape")
                };
                let weight = self.weight::<4>(parameters, state, pass);
                let up = matches!(self.spec.map, Map::UpConv(..));
                let convolve = if up { conv_transpose2d } else { conv2d };
                let y = convolve(x.map(from), weight, bias, window, 1, direct); // [N, C, H, W]
                Feature::Map(self.normalise(parameters, state, y, pass))
            }
            Map::Up(factor) => {
                let Some(from) = maps_of(&self.spec, self.from) else {
                    unreachable!("checked by output_shape")
                };
                Feature::Map(upsample(x.map(from), factor)) // [N, C, factor·H, factor·W]
            }
        }
    }

    /// Batch norm and activation where the layer has a norm.
    fn normalise<const D: usize>(
        &self,
        parameters: &Bound,
        state: &mut NetState,
        y: Tensor<D>,
        pass: Pass,
    ) -> Tensor<D> {
        if !self.spec.norm {
            return y;
        }
        let path = format!("{}.norm", self.path);
        let gamma = parameters.get::<1>(&format!("{path}.weight"));
        let beta = parameters.get::<1>(&format!("{path}.bias"));
        let statistics = match pass.norm {
            NormMode::Batch { groups } => Statistics::Batch { groups },
            NormMode::Stored => {
                let (mean, variance) = state.stored(&path, self.width(), &y.device().inner());
                Statistics::Given { mean, variance }
            }
        };
        let (y, moments) = batch_norm(y, gamma, beta, statistics, NORM_EPSILON, self.spec.activation);
        if pass.gather {
            state.gather(&path, moments);
        }
        y
    }
}

/// Most elements of one layer's output for one sample.
const MOST_ELEMENTS: usize = 1 << 28;

fn bounded(shape: Shape) -> Result<Shape, String> {
    if shape.count() <= MOST_ELEMENTS {
        return Ok(shape);
    }
    Err(format!("makes {shape}, more than the {MOST_ELEMENTS} numbers a layer may make of one sample"))
}

/// What a convolution reads: maps, or for a transposed one also a vector as maps of one pixel, as DCGAN begins.
fn maps_of(spec: &LayerSpec, from: Shape) -> Option<[usize; 3]> {
    match (from, spec.map) {
        (Shape::Map(maps), _) => Some(maps),
        (Shape::Flat(units), Map::UpConv(..)) => Some([units, 1, 1]),
        (Shape::Flat(_), _) => None,
    }
}

/// Shape after a layer, or why it does not fit.
fn output_shape(spec: &LayerSpec, from: Shape) -> Result<Shape, String> {
    let Map::Linear(to) = spec.map else {
        let Some(maps) = maps_of(spec, from) else {
            return Err(format!(
                "needs maps but gets a vector of {from}; reshape it in the row before, as in 'fc 7x7x128'"
            ));
        };
        return maps_after(spec.map, maps).map(Shape::Map);
    };
    Ok(to)
}

/// Maps after a layer that reads maps, or why it does not fit.
fn maps_after(map: Map, [channels, height, width]: [usize; 3]) -> Result<[usize; 3], String> {
    let (out, sides) = match map {
        Map::Conv(out, window) => (out, [height, width].map(|side| window.down(side))),
        Map::UpConv(out, window) => (out, [height, width].map(|side| window.up(side))),
        Map::Up(factor) => (channels, [height, width].map(|side| side.checked_mul(factor))),
        Map::Linear(_) => unreachable!("reads vectors"),
    };
    match (sides, map) {
        ([Some(height), Some(width)], _) if height.max(width) <= SIDE_LIMIT => Ok([out, height, width]),
        ([Some(height), Some(width)], _) => {
            Err(format!("makes maps of {height}×{width}; sides of at most {SIDE_LIMIT} are allowed"))
        }
        (_, Map::Conv(_, window) | Map::UpConv(_, window)) => {
            Err(format!("a kernel of {} does not fit maps of {height}×{width}", window.kernel))
        }
        _ => Err(format!("does not fit maps of {height}×{width}")),
    }
}
