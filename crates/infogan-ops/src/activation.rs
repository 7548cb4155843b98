use burn::tensor::{Tensor, activation};

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
    match activation {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        Activation::LeakyRelu(slope) => activation::leaky_relu(x, slope),
        Activation::Tanh => activation::tanh(x),
        Activation::Sigmoid => activation::sigmoid(x),
    }
}
