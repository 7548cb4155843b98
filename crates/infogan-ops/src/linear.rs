use burn::{backend::Dispatch, tensor::Tensor};

use crate::{Activation, convolution::bias_of, extension::Kernels};

/// Vectors through the transpose of a linear map: `y` `[N, out]`, `weight` `[out, in]` → `y·W` `[N, in]`. For constants:
/// nothing passes a gradient on through it.
pub fn linear_transposed(y: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::linear_input_gradient(y.into_dispatch(), weight.into_dispatch()))
}

/// Linear map, then the activation. `x` `[N, in]`, `weight` `[out, in]`, `bias` `[out]` → `[N, out]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>, activation: Activation) -> Tensor<2> {
    let bias = bias_of(bias);
    Tensor::from_dispatch(Dispatch::linear_map(x.into_dispatch(), weight.into_dispatch(), bias, activation))
}
