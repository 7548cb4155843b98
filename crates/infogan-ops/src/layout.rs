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

/// Maps `factor` times as high and wide: every pixel is repeated (nearest-neighbour upsampling).
/// `[N, C, H, W]` → `[N, C, factor·H, factor·W]`.
pub fn upsample(maps: Tensor<4>, factor: usize) -> Tensor<4> {
    let [batch, channels, height, width] = maps.dims();
    let repeated = |rows: Tensor<2>| Tensor::cat(vec![rows; factor], 1);
    // Where maps lie channels-last, a pixel is a run of numbers, and so is a row of pixels: both are copied in one piece.
    let pixels = maps.permute([0, 2, 3, 1]).reshape([batch * height * width, channels]);
    let wide = repeated(pixels); // [N·H·W, factor·C]
    let rows = wide.reshape([batch * height, width * factor * channels]);
    let high = repeated(rows); // [N·H, factor·W·factor·C]
    high.reshape([batch, height * factor, width * factor, channels]).permute([0, 3, 1, 2])
}

/// Sum of two feature maps of one shape (the residual add). `[N, C, H, W]` each.
pub fn add(left: Tensor<4>, right: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::add(left.into_dispatch(), right.into_dispatch()))
}
