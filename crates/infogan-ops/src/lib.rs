//! The ground floor: every tensor operation that a network or an optimiser of this project computes.
//!
//! Call sites above use these functions and never Burn's own. There are two layers below them: [`kernels`] compute on
//! plain slices of the CPU's memory, and [`extension`] puts them on Burn's tape, with stock operations as bodies for
//! every other back end. Nothing here knows what a GAN is.
//!
//! Layouts are PyTorch's: linear weights `[out, in]`, convolution weights `[out, in, k, k]`, transposed
//! convolution weights `[in, out, k, k]`, pictures `[N, C, H, W]`. On the CPU maps lie channels-last behind that shape.

mod activation;
mod convolution;
pub mod device;
pub mod extension;
pub mod kernels;
mod layout;
mod linear;
mod norm;
mod optimizer;

pub use activation::{Activation, activate};
pub use convolution::{Window, conv_transpose2d, conv2d};
pub use layout::{add, flatten, unflatten, upsample};
pub use linear::{linear, linear_transposed};
pub use norm::{Moments, Statistics, batch_norm};
pub use optimizer::{AdamOptions, adam, adam_stock, sgd, squares_finite};
