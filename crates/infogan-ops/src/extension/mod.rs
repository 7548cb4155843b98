//! The operations of this crate as an extension of Burn's back ends: bodies of stock operations for every back end,
//! our kernels on the CPU, and one hand-written backward pass for all of them.

mod autodiff;
mod flex;
mod stock;

use burn::backend::{
    Autodiff, Backend, ExtensionType, autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension,
    tensor::FloatTensor,
};

use crate::{Activation, Window};

pub use flex::{stock_bodies, use_stock_bodies};

/// What convolutions of both directions are told beside their tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The window that ties a big map to a small one.
    pub window: Window,
    /// Groups of channels that do not mix.
    pub groups: usize,
}

/// How a batch is cut and what it is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormFrame {
    /// Groups with statistics of their own.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// The activation that follows.
    pub activation: Activation,
}

/// A bias, or none.
#[derive(ExtensionType)]
pub enum Bias<B: Backend> {
    /// `[channels]`
    With(FloatTensor<B>),
    /// None.
    Without,
}

impl<B: Backend> Bias<B> {
    fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Self::With(bias) => Some(bias),
            Self::Without => None,
        }
    }
}

/// Operations with bodies of their own on the CPU. Shapes are logical: maps `[N, C, H, W]` however they are stored,
/// weights as in PyTorch. The methods that say "gradient" are the backward passes of the others; they are never
/// differentiated themselves.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait Kernels: Backend {
    /// Convolution, bias and activation. `weight` `[out, in / groups, k, k]`.
    fn down(
        big: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Bias<Self>,
        frame: Frame,
        activation: Activation,
    ) -> FloatTensor<Self> {
        stock::down::<Self>(big, weight, bias.into_option(), frame, activation)
    }

    /// Transposed convolution to maps of `size`, bias and activation. `weight` `[in, out / groups, k, k]`.
    fn up(
        small: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Bias<Self>,
        frame: Frame,
        size: [usize; 2],
        activation: Activation,
    ) -> FloatTensor<Self> {
        stock::up::<Self>(small, weight, bias.into_option(), frame, size, activation)
    }

    /// Gradient of the weight of both, in the shape of `weight`.
    fn conv_weight_gradient(
        big: FloatTensor<Self>,
        small: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        frame: Frame,
    ) -> FloatTensor<Self> {
        stock::conv_weight_gradient::<Self>(big, small, weight, frame)
    }

    /// Linear map, bias and activation. `x` `[N, in]`, `weight` `[out, in]`.
    fn linear_map(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Bias<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        stock::linear::<Self>(x, weight, bias.into_option(), activation)
    }

    /// Gradient of the input of a linear map.
    fn linear_input_gradient(dy: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        stock::linear_input_gradient::<Self>(dy, weight)
    }

    /// Gradient of the weight of a linear map.
    fn linear_weight_gradient(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        stock::linear_weight_gradient::<Self>(x, dy)
    }

    /// Gradient of a bias: the sum over all but the second dimension.
    fn bias_gradient(dy: FloatTensor<Self>) -> FloatTensor<Self> {
        stock::bias_gradient::<Self>(dy)
    }

    /// Batch norm by the statistics of each group, and activation. `x` `[N, C, …]`. Gives the result and mean and
    /// biased variance, `[groups · C]` each.
    fn norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        frame: NormFrame,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        stock::norm::<Self>(x, gamma, beta, frame)
    }

    /// Batch norm by given statistics, `[groups · C]`, and activation.
    fn norm_given(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        frame: NormFrame,
    ) -> FloatTensor<Self> {
        stock::norm_given::<Self>(x, gamma, beta, mean, variance, frame)
    }

    /// Gradients of input, γ and β of both; with `own` the statistics are those of `x` and pass gradients on.
    #[allow(clippy::too_many_arguments)]
    fn norm_gradients(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        own: bool,
        frame: NormFrame,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        stock::norm_gradients::<Self>(x, dy, gamma, beta, mean, variance, own, frame)
    }

    /// An activation.
    fn activate(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        stock::activate::<Self>(x, activation)
    }

    /// Gradient of an activation's input, from its output.
    fn activate_gradient(
        y: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        stock::activate_gradient::<Self>(y, dy, activation)
    }

    /// Maps `[N, C, H, W]` as vectors `[N, C·H·W]`, channels first.
    fn flatten(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        stock::flatten::<Self>(maps)
    }

    /// Vectors `[N, C·H·W]` as maps `[N, C, H, W]`.
    fn unflatten(
        vectors: FloatTensor<Self>,
        channels: usize,
        height: usize,
        width: usize,
    ) -> FloatTensor<Self> {
        stock::unflatten::<Self>(vectors, channels, height, width)
    }

    /// Sum of two tensors of one shape.
    fn add(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        stock::add::<Self>(left, right)
    }
}

#[cfg(feature = "cube")]
impl Kernels for burn::backend::Cube {}
