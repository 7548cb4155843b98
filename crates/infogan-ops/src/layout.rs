use burn::{backend::Dispatch, tensor::Tensor};

use crate::extension::Kernels;

/// Maps `[N, C, H, W]` as vectors `[N, C·H·W]`, channels first.
pub fn flatten(maps: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::flatten(maps.into_dispatch()))
}

/// Vectors `[N, C·H·W]` as maps of this shape, `[N, C, H, W]`.
pub fn unflatten(vectors: Tensor<2>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::unflatten(vectors.into_dispatch(), channels, height, width))
}

/// Sum of two feature maps of one shape (the residual add). `[N, C, H, W]` each.
pub fn add(left: Tensor<4>, right: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::add(left.into_dispatch(), right.into_dispatch()))
}
