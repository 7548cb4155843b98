use burn::tensor::{
    Tensor,
    module::{conv_transpose2d as stock_transposed, conv2d as stock_conv2d},
    ops::{ConvOptions, ConvTransposeOptions},
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

/// Convolution. `x` `[N, in, H, W]`, `weight` `[out, in, k, k]`, `bias` `[out]` → `[N, out, H', W']`.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, window: Window) -> Tensor<4> {
    let padding = [(window.before, window.after); 2];
    let options = ConvOptions::new_with_padding([window.stride; 2], padding, [1, 1], 1);
    stock_conv2d(x, weight, bias, options)
}

/// Transposed convolution. `x` `[N, in, H, W]`, `weight` `[in, out, k, k]`, `bias` `[out]` → `[N, out, H', W']`.
pub fn conv_transpose2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
) -> Tensor<4> {
    // Burn pads a transposed convolution evenly: take the smaller side and cut the rest off.
    let even = window.before.min(window.after);
    let options = ConvTransposeOptions::new([window.stride; 2], [even; 2], [0, 0], [1, 1], 1);
    let y = stock_transposed(x, weight, bias, options);
    if window.before == window.after {
        return y;
    }
    let [batch, channels, height, width] = y.dims();
    let first = window.before - even;
    let last = window.after - even;
    y.slice([0..batch, 0..channels, first..height - last, first..width - last])
}
