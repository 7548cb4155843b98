//! The ground floor: every tensor operation that a network or an optimiser of this project computes.
//!
//! Call sites above use these functions and never Burn's own, so that a body can be replaced by a faster one
//! without touching them. Today the bodies are Burn's stock operations, except for the optimiser updates, which
//! run in place on the host when the tensor lives there. Nothing here knows what a GAN is.
//!
//! Layouts are PyTorch's: linear weights `[out, in]`, convolution weights `[out, in, k, k]`, transposed
//! convolution weights `[in, out, k, k]`, pictures `[N, C, H, W]`.

mod activation;
mod convolution;
pub mod device;
mod linear;
mod norm;
mod optimizer;

pub use activation::{Activation, activate};
pub use convolution::{Window, conv_transpose2d, conv2d};
pub use linear::linear;
pub use norm::{Moments, Statistics, batch_norm};
pub use optimizer::{AdamOptions, adam, adam_stock, sgd};

use burn::tensor::Tensor;

/// Sum of two feature maps of one shape (the residual add). `[N, C, H, W]` each.
pub fn add(left: Tensor<4>, right: Tensor<4>) -> Tensor<4> {
    left + right
}
