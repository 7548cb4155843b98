//! Bodies of stock operations: what every back end but the CPU runs, and what the CPU's kernels are tested against.

use burn::{
    backend::{Backend, TensorMetadata, get_or_init_device_settings, tensor::FloatTensor},
    tensor::{
        Shape, Slice,
        ops::{ConvOptions, ConvTransposeOptions},
    },
};

use super::{Frame, NormFrame};
use crate::Activation;

fn options(frame: Frame) -> ConvOptions<2> {
    let padding = [(frame.window.before, frame.window.after); 2];
    ConvOptions::new_with_padding([frame.window.stride; 2], padding, [1, 1], frame.groups)
}

pub(super) fn down<B: Backend>(
    big: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    frame: Frame,
    activation: Activation,
) -> FloatTensor<B> {
    activate::<B>(B::conv2d(big, weight, bias, options(frame)), activation)
}

pub(super) fn up<B: Backend>(
    small: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    frame: Frame,
    size: [usize; 2],
    activation: Activation,
) -> FloatTensor<B> {
    let window = frame.window;
    let side = small.shape().dims::<4>();
    // Rows and columns of the big map behind the last window.
    let rest = [0, 1].map(|axis| size[axis] - window.up(side[2 + axis]).unwrap_or(0).min(size[axis]));
    // Burn pads a transposed convolution evenly: take the smaller side and cut the rest off.
    let even = window.before.min(window.after);
    let options = ConvTransposeOptions::new([window.stride; 2], [even; 2], rest, [1, 1], frame.groups);
    let y = B::conv_transpose2d(small, weight, bias, options);
    let first = window.before - even;
    let all = y.shape().dims::<4>();
    let y = if [all[2], all[3]] == size {
        y
    } else {
        let cut = |size: usize| Slice::new(first as isize, Some((first + size) as isize), 1);
        let whole = |size: usize| Slice::new(0, Some(size as isize), 1);
        B::float_slice(y, &[whole(all[0]), whole(all[1]), cut(size[0]), cut(size[1])])
    };
    activate::<B>(y, activation)
}

pub(super) fn conv_weight_gradient<B: Backend>(
    big: FloatTensor<B>,
    small: FloatTensor<B>,
    weight: FloatTensor<B>,
    frame: Frame,
) -> FloatTensor<B> {
    B::conv2d_weight_backward(big, weight, small, options(frame))
}

pub(super) fn linear<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    activation: Activation,
) -> FloatTensor<B> {
    let [out, _] = weight.shape().dims();
    let y = if out == 1 {
        // Not a matrix product: Burn's fused kernels get `[N, K] × [K, 1]` wrong (tracel-ai/burn #5122).
        B::float_sum_dim(B::float_mul(x, weight), 1) // [N, 1]
    } else {
        B::float_matmul(x, B::float_transpose(weight)) // [N, out]
    };
    let y = match bias {
        Some(bias) => B::float_add(y, B::float_reshape(bias, Shape::new([1, out]))),
        None => y,
    };
    activate::<B>(y, activation)
}

pub(super) fn linear_input_gradient<B: Backend>(
    dy: FloatTensor<B>,
    weight: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_matmul(dy, weight)
}

pub(super) fn linear_weight_gradient<B: Backend>(x: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    B::float_matmul(B::float_transpose(dy), x)
}

pub(super) fn add<B: Backend>(left: FloatTensor<B>, right: FloatTensor<B>) -> FloatTensor<B> {
    B::float_add(left, right)
}

/// The sum over all but the second dimension.
pub(super) fn bias_gradient<B: Backend>(dy: FloatTensor<B>) -> FloatTensor<B> {
    let shape = dy.shape();
    let channels = shape[1];
    let others = shape.num_elements() / channels;
    let dy = B::float_reshape(B::float_swap_dims(dy, 0, 1), Shape::new([channels, others]));
    B::float_reshape(B::float_sum_dim(dy, 1), Shape::new([channels]))
}

/// `[groups, N / groups, C, …]` sums over all but groups and channels, shaped to broadcast.
fn grouped<B: Backend>(x: FloatTensor<B>, groups: usize) -> (FloatTensor<B>, [usize; 4]) {
    let shape = x.shape();
    let channels = shape[1];
    let pixels = shape.num_elements() / (shape[0] * channels);
    let sizes = [groups, shape[0] / groups, channels, pixels];
    (B::float_reshape(x, Shape::new(sizes)), sizes)
}

fn mean_of<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mean_dim(B::float_mean_dim(x, 3), 1) // [groups, 1, C, 1]
}

/// Mean and scale of `[groups, n, C, pixels]`, and the normalised batch with the rows of γ and β.
fn normalise<B: Backend>(
    x: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let inverse = B::float_recip(B::float_sqrt(B::float_add_scalar(variance, epsilon.into())));
    (B::float_mul(B::float_sub(x, mean), inverse.clone()), inverse)
}

fn scale_and_shift<B: Backend>(
    normal: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
) -> FloatTensor<B> {
    let channels = Shape::new([1, 1, gamma.shape().num_elements(), 1]);
    let scaled = B::float_mul(normal, B::float_reshape(gamma, channels.clone()));
    B::float_add(scaled, B::float_reshape(beta, channels))
}

pub(super) fn norm<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    frame: NormFrame,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let shape = x.shape();
    let (x, [groups, _, channels, _]) = grouped::<B>(x, frame.groups);
    let mean = mean_of::<B>(x.clone());
    let centred = B::float_sub(x.clone(), mean.clone());
    let variance = mean_of::<B>(B::float_mul(centred.clone(), centred));
    let (normal, _) = normalise::<B>(x, mean.clone(), variance.clone(), frame.epsilon);
    let y = B::float_reshape(scale_and_shift::<B>(normal, gamma, beta), shape);
    let flat = Shape::new([groups * channels]);
    (
        activate::<B>(y, frame.activation),
        B::float_reshape(mean, flat.clone()),
        B::float_reshape(variance, flat),
    )
}

pub(super) fn norm_given<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    frame: NormFrame,
) -> FloatTensor<B> {
    let shape = x.shape();
    let (x, [groups, _, channels, _]) = grouped::<B>(x, frame.groups);
    let row = Shape::new([groups, 1, channels, 1]);
    let (mean, variance) = (B::float_reshape(mean, row.clone()), B::float_reshape(variance, row));
    let (normal, _) = normalise::<B>(x, mean, variance, frame.epsilon);
    activate::<B>(B::float_reshape(scale_and_shift::<B>(normal, gamma, beta), shape), frame.activation)
}

#[allow(clippy::too_many_arguments)]
pub(super) fn norm_gradients<B: Backend>(
    x: FloatTensor<B>,
    dy: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    own: bool,
    frame: NormFrame,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let shape = x.shape();
    let (x, sizes) = grouped::<B>(x, frame.groups);
    let [groups, _, channels, _] = sizes;
    let row = Shape::new([groups, 1, channels, 1]);
    let (mean, variance) = (B::float_reshape(mean, row.clone()), B::float_reshape(variance, row));
    let (normal, inverse) = normalise::<B>(x, mean, variance, frame.epsilon);
    let y = scale_and_shift::<B>(normal.clone(), gamma.clone(), beta);
    let dy = B::float_reshape(dy, Shape::new(sizes));
    let dz = activate_gradient::<B>(activate::<B>(y, frame.activation), dy, frame.activation);
    let over = |t: FloatTensor<B>| {
        let sums = B::float_sum_dim(B::float_sum_dim(B::float_sum_dim(t, 3), 1), 0);
        B::float_reshape(sums, Shape::new([channels]))
    };
    let against = B::float_mul(dz.clone(), normal.clone());
    let (dgamma, dbeta) = (over(against.clone()), over(dz.clone()));
    let dx = if own {
        let through = B::float_mul(normal, mean_of::<B>(against));
        B::float_sub(B::float_sub(dz.clone(), mean_of::<B>(dz)), through)
    } else {
        dz
    };
    let scale = B::float_mul(inverse, B::float_reshape(gamma, Shape::new([1, 1, channels, 1])));
    (B::float_reshape(B::float_mul(dx, scale), shape), dgamma, dbeta)
}

pub(super) fn activate<B: Backend>(x: FloatTensor<B>, activation: Activation) -> FloatTensor<B> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => B::relu(x),
        Activation::LeakyRelu(slope) => B::leaky_relu(x, slope.into()),
        Activation::Tanh => B::float_tanh(x),
        Activation::Sigmoid => B::sigmoid(x),
    }
}

pub(super) fn activate_gradient<B: Backend>(
    y: FloatTensor<B>,
    dy: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    match activation {
        Activation::Identity => dy,
        Activation::Relu => B::relu_backward(y, dy),
        Activation::LeakyRelu(slope) => {
            // Its output has the sign of its input.
            let kind = get_or_init_device_settings::<B>(&y.device()).bool_dtype;
            let below = B::float_lower_equal_elem(y, 0f32.into(), kind);
            let scaled = B::float_mul_scalar(dy.clone(), slope.into());
            B::float_mask_where(dy, below, scaled)
        }
        Activation::Tanh => {
            let square = B::float_mul(y.clone(), y);
            B::float_mul(dy, B::float_add_scalar(B::float_neg(square), 1.0f32.into()))
        }
        Activation::Sigmoid => B::sigmoid_backward(y, dy),
    }
}

pub(super) fn flatten<B: Backend>(maps: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, channels, height, width] = maps.shape().dims();
    B::float_reshape(maps, Shape::new([batch, channels * height * width]))
}

pub(super) fn unflatten<B: Backend>(
    vectors: FloatTensor<B>,
    channels: usize,
    height: usize,
    width: usize,
) -> FloatTensor<B> {
    let [batch, _] = vectors.shape().dims();
    B::float_reshape(vectors, Shape::new([batch, channels, height, width]))
}
