use burn::{backend::Dispatch, tensor::Tensor};

use crate::{
    Activation,
    extension::{Bias, Frame, Kernels},
};

/// The square window of a convolution: kernel, stride and the zero padding before (top, left) and after
/// (bottom, right). A transposed convolution with a window is the adjoint of the convolution with the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the kernel in pixels.
    pub kernel: usize,
    /// Step in pixels.
    pub stride: usize,
    /// Padding above and to the left.
    pub before: usize,
    /// Padding below and to the right.
    pub after: usize,
}

impl Window {
    /// TensorFlow's "SAME" for sides that the stride divides: the small side is the big one over the stride.
    /// The odd pixel of padding goes after.
    pub fn same(kernel: usize, stride: usize) -> Self {
        let total = kernel.saturating_sub(stride);
        Self { kernel, stride, before: total / 2, after: total - total / 2 }
    }

    /// The same padding on every side.
    pub fn padded(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride, before: padding, after: padding }
    }

    /// Side of the map that a convolution makes from one of this side; `None` when the kernel does not fit.
    pub fn down(&self, side: usize) -> Option<usize> {
        let padded = side + self.before + self.after;
        (self.stride > 0 && self.kernel > 0 && padded >= self.kernel)
            .then(|| (padded - self.kernel) / self.stride + 1)
    }

    /// Side of the map that a transposed convolution makes from one of this side; `None` when nothing is left.
    pub fn up(&self, side: usize) -> Option<usize> {
        if side == 0 || self.stride == 0 {
            return None;
        }
        let full = (side - 1) * self.stride + self.kernel;
        full.checked_sub(self.before + self.after).filter(|&side| side > 0)
    }
}

/// Convolution in `groups` groups of channels, then the activation.
///
/// `x` `[N, in, H, W]`, `weight` `[out, in / groups, k, k]`, `bias` `[out]` → `[N, out, H', W']`.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
    activation: Activation,
) -> Tensor<4> {
    let frame = Frame { window, groups };
    let bias = bias_of(bias);
    Tensor::from_dispatch(Dispatch::down(x.into_dispatch(), weight.into_dispatch(), bias, frame, activation))
}

/// Transposed convolution in `groups` groups of channels, then the activation.
///
/// `x` `[N, in, H, W]`, `weight` `[in, out / groups, k, k]`, `bias` `[out]` → `[N, out, H', W']`.
pub fn conv_transpose2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
    activation: Activation,
) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    // Where nothing is left, the batch of empty maps says so.
    let size = [height, width].map(|side| window.up(side).unwrap_or(0));
    let frame = Frame { window, groups };
    let bias = bias_of(bias);
    Tensor::from_dispatch(Dispatch::up(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias,
        frame,
        size,
        activation,
    ))
}

pub(crate) fn bias_of(bias: Option<Tensor<1>>) -> Bias<Dispatch> {
    bias.map_or(Bias::Without, |bias| Bias::With(bias.into_dispatch()))
}
