use burn::{backend::Dispatch, tensor::Tensor};

use crate::extension::Kernels;

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x
    Identity,
    /// max(x, 0)
    Relu,
    /// x for x ≥ 0, slope·x below
    LeakyRelu(f64),
    /// tanh x, for pictures in [−1, 1]
    Tanh,
    /// 1 / (1 + e⁻ˣ), for pictures in [0, 1]
    Sigmoid,
}

/// Applies the activation to every element.
pub fn activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), activation))
}
