//! The CPU's bodies: our kernels on the memory of Burn's tensors.
//!
//! Maps keep their logical shape `[N, C, H, W]` and lie in memory channels-last; a stock operation that meets them is
//! right, if slower. What is not single precision, and everything after [`use_stock_bodies`], takes the stock bodies.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
};

use burn::{
    backend::{
        Flex, TensorMetadata,
        flex::{FlexTensor, Layout},
    },
    tensor::{Bytes, DType, Shape},
};

use super::{Bias, Frame, Kernels, NormFrame, stock};
use crate::{
    Activation,
    kernels::{
        conv::{self, Geometry, Map},
        linear, norm, pointwise, work,
    },
};

static STOCK: AtomicBool = AtomicBool::new(false);

/// Makes every operation of this process run Burn's stock bodies, or ours again: for comparison.
pub fn use_stock_bodies(stock: bool) {
    STOCK.store(stock, Ordering::Relaxed);
}

/// Whether the stock bodies run.
pub fn stock_bodies() -> bool {
    STOCK.load(Ordering::Relaxed)
}

/// Whether our kernels compute on these.
fn ours(tensors: &[&FlexTensor]) -> bool {
    !stock_bodies() && tensors.iter().all(|tensor| tensor.dtype() == DType::F32)
}

/// Whether a convolution is a matter of our kernels: with a channel or two to a group there is no product to speak of,
/// and Burn's direct loops are faster.
fn is_product(weight: &FlexTensor, frame: Frame) -> bool {
    weight.shape()[0] / frame.groups > 2 || weight.shape()[1] > 2
}

/// The numbers of a tensor in row-major order.
fn numbers(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    match tensor.as_slice::<f32>() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(tensor.to_contiguous().storage::<f32>().to_vec()),
    }
}

/// Batch, height, width, channels.
fn sizes(tensor: &FlexTensor) -> (usize, Map) {
    let [batch, channels, height, width] = tensor.shape().dims();
    (batch, Map { height, width, channels })
}

/// The numbers of maps, channels last.
fn maps(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    let (batch, map) = sizes(tensor);
    let layout = tensor.layout();
    let strides = layout.strides();
    let last = [map.count(), 1, map.width * map.channels, map.channels];
    let counts = [batch, map.channels, map.height, map.width];
    // Along an axis of one, the stride says nothing.
    if (0..4).all(|axis| counts[axis] == 1 || strides[axis] == last[axis] as isize) {
        let start = layout.start_offset();
        return Cow::Borrowed(&tensor.storage::<f32>()[start..start + batch * map.count()]);
    }
    let first = numbers(tensor);
    // SAFETY: the transposition writes every element.
    #[allow(unsafe_code)]
    let values = unsafe {
        work::vector(first.len(), |out| pointwise::transpose(batch, map.channels, map.area(), &first, out))
    };
    Cow::Owned(values)
}

/// A tensor of numbers in row-major order.
fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}

/// Maps `[N, C, H, W]` of numbers that lie channels last.
fn tensor_of_maps(values: Vec<f32>, batch: usize, map: Map) -> FlexTensor {
    let strides = [map.count(), 1, map.width * map.channels, map.channels].map(|stride| stride as isize);
    let shape = Shape::new([batch, map.channels, map.height, map.width]);
    FlexTensor::new(Bytes::from_elems(values), Layout::new(shape, strides.to_vec(), 0), DType::F32)
}

/// A new vector of which the kernel in `fill` writes every element.
fn filled(length: usize, fill: impl FnOnce(&mut [std::mem::MaybeUninit<f32>])) -> Vec<f32> {
    // SAFETY: every kernel that is called here writes all of its result.
    #[allow(unsafe_code)]
    unsafe {
        work::vector(length, fill)
    }
}

/// The same for a product of so many multiplications.
fn product(
    multiplications: usize,
    length: usize,
    fill: impl FnOnce(&mut [std::mem::MaybeUninit<f32>]),
) -> Vec<f32> {
    work::sized(multiplications, || filled(length, fill))
}

fn geometry(batch: usize, big: Map, small: Map, frame: Frame) -> Geometry {
    let window = frame.window;
    Geometry {
        batch,
        big,
        small,
        kernel: window.kernel,
        stride: window.stride,
        before: window.before,
        groups: frame.groups,
    }
}

/// Rows and channels of something that batch norm or a bias runs over, and how to put a result back.
struct Rows<'a> {
    values: Cow<'a, [f32]>,
    channels: usize,
    maps: Option<(usize, Map)>,
}

impl<'a> Rows<'a> {
    /// Vectors `[N, C]` or maps `[N, C, H, W]`.
    fn of(x: &'a FlexTensor) -> Option<Self> {
        match x.shape().num_dims() {
            2 => Some(Self { values: numbers(x), channels: x.shape()[1], maps: None }),
            4 => Some(Self { values: maps(x), channels: x.shape()[1], maps: Some(sizes(x)) }),
            _ => None,
        }
    }

    /// A result of the same shape.
    fn wrap(&self, values: Vec<f32>) -> FlexTensor {
        match self.maps {
            Some((batch, map)) => tensor_of_maps(values, batch, map),
            None => {
                let rows = values.len() / self.channels.max(1);
                tensor(values, [rows, self.channels])
            }
        }
    }

    fn norm_sizes(&self, groups: usize) -> norm::Sizes {
        let rows = self.values.len() / self.channels.max(1) / groups;
        norm::Sizes { groups, rows, channels: self.channels }
    }
}

impl Kernels for Flex {
    fn down(
        big: FlexTensor,
        weight: FlexTensor,
        bias: Bias<Self>,
        frame: Frame,
        activation: Activation,
    ) -> FlexTensor {
        let bias = bias.into_option();
        if !ours(&[&big, &weight]) || !is_product(&weight, frame) {
            return stock::down::<Self>(big, weight, bias, frame, activation);
        }
        let (batch, map) = sizes(&big);
        let side = |side| frame.window.down(side).expect("the kernel fits the maps");
        let small = Map { height: side(map.height), width: side(map.width), channels: weight.shape()[0] };
        let g = geometry(batch, map, small, frame);
        let bias = bias.as_ref().map(numbers);
        let values = product(g.multiplications(), batch * small.count(), |out| {
            conv::down(&g, &maps(&big), &numbers(&weight), bias.as_deref(), activation, out);
        });
        tensor_of_maps(values, batch, small)
    }

    fn up(
        small: FlexTensor,
        weight: FlexTensor,
        bias: Bias<Self>,
        frame: Frame,
        size: [usize; 2],
        activation: Activation,
    ) -> FlexTensor {
        let bias = bias.into_option();
        if !ours(&[&small, &weight]) || !is_product(&weight, frame) {
            return stock::up::<Self>(small, weight, bias, frame, size, activation);
        }
        let (batch, map) = sizes(&small);
        let big = Map { height: size[0], width: size[1], channels: weight.shape()[1] * frame.groups };
        let g = geometry(batch, big, map, frame);
        let bias = bias.as_ref().map(numbers);
        let values = product(g.multiplications(), batch * big.count(), |out| {
            conv::up(&g, &maps(&small), &numbers(&weight), bias.as_deref(), activation, out);
        });
        tensor_of_maps(values, batch, big)
    }

    fn conv_weight_gradient(
        big: FlexTensor,
        small: FlexTensor,
        weight: FlexTensor,
        frame: Frame,
    ) -> FlexTensor {
        if !ours(&[&big, &small]) || !is_product(&weight, frame) {
            return stock::conv_weight_gradient::<Self>(big, small, weight, frame);
        }
        let g = geometry(sizes(&big).0, sizes(&big).1, sizes(&small).1, frame);
        let shape: [usize; 4] = weight.shape().dims();
        let values = product(g.multiplications(), g.weights(), |out| {
            conv::weight(&g, &maps(&big), &maps(&small), out)
        });
        tensor(values, shape)
    }

    fn linear_map(x: FlexTensor, weight: FlexTensor, bias: Bias<Self>, activation: Activation) -> FlexTensor {
        let bias = bias.into_option();
        if !ours(&[&x, &weight]) {
            return stock::linear::<Self>(x, weight, bias, activation);
        }
        let s = linear_sizes(x.shape()[0], &weight);
        let bias = bias.as_ref().map(numbers);
        let values = product(s.multiplications(), s.batch * s.outputs, |out| {
            linear::forward(&s, &numbers(&x), &numbers(&weight), bias.as_deref(), activation, out);
        });
        tensor(values, [s.batch, s.outputs])
    }

    fn linear_input_gradient(dy: FlexTensor, weight: FlexTensor) -> FlexTensor {
        if !ours(&[&dy, &weight]) {
            return stock::linear_input_gradient::<Self>(dy, weight);
        }
        let s = linear_sizes(dy.shape()[0], &weight);
        let values = product(s.multiplications(), s.batch * s.inputs, |out| {
            linear::input(&s, &numbers(&dy), &numbers(&weight), out)
        });
        tensor(values, [s.batch, s.inputs])
    }

    fn linear_weight_gradient(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        if !ours(&[&x, &dy]) {
            return stock::linear_weight_gradient::<Self>(x, dy);
        }
        let s = linear::Sizes { batch: x.shape()[0], inputs: x.shape()[1], outputs: dy.shape()[1] };
        let values = product(s.multiplications(), s.inputs * s.outputs, |out| {
            linear::weight(&s, &numbers(&x), &numbers(&dy), out)
        });
        tensor(values, [s.outputs, s.inputs])
    }

    fn bias_gradient(dy: FlexTensor) -> FlexTensor {
        let Some(rows) = ours(&[&dy]).then(|| Rows::of(&dy)).flatten() else {
            return stock::bias_gradient::<Self>(dy);
        };
        let sums = pointwise::column_sums(&rows.values, rows.channels);
        tensor(sums, [rows.channels])
    }

    fn norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        frame: NormFrame,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let Some(rows) = ours(&[&x, &gamma, &beta]).then(|| Rows::of(&x)).flatten() else {
            return stock::norm::<Self>(x, gamma, beta, frame);
        };
        let s = rows.norm_sizes(frame.groups);
        let moments = norm::moments(&s, &rows.values);
        let values = filled(rows.values.len(), |out| {
            let (gamma, beta) = (numbers(&gamma), numbers(&beta));
            norm::forward(&s, &rows.values, &gamma, &beta, &moments, frame.epsilon, frame.activation, out);
        });
        let flat = [s.groups * s.channels];
        (rows.wrap(values), tensor(moments.mean, flat), tensor(moments.variance, flat))
    }

    fn norm_given(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        frame: NormFrame,
    ) -> FlexTensor {
        let Some(rows) = ours(&[&x, &gamma, &beta, &mean, &variance]).then(|| Rows::of(&x)).flatten() else {
            return stock::norm_given::<Self>(x, gamma, beta, mean, variance, frame);
        };
        let s = rows.norm_sizes(frame.groups);
        let moments = moments(&mean, &variance);
        let values = filled(rows.values.len(), |out| {
            let (gamma, beta) = (numbers(&gamma), numbers(&beta));
            norm::forward(&s, &rows.values, &gamma, &beta, &moments, frame.epsilon, frame.activation, out);
        });
        rows.wrap(values)
    }

    fn norm_gradients(
        x: FlexTensor,
        dy: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        own: bool,
        frame: NormFrame,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let both = || Some((Rows::of(&x)?, Rows::of(&dy)?));
        let Some((rows, above)) = ours(&[&x, &dy, &gamma, &beta]).then(both).flatten() else {
            return stock::norm_gradients::<Self>(x, dy, gamma, beta, mean, variance, own, frame);
        };
        let s = rows.norm_sizes(frame.groups);
        let moments = moments(&mean, &variance);
        let mut others = None;
        let values = filled(rows.values.len(), |out| {
            let (x, dy, gamma, beta) = (&rows.values, &above.values, numbers(&gamma), numbers(&beta));
            others = Some(norm::backward(
                &s,
                x,
                dy,
                &gamma,
                &beta,
                &moments,
                own,
                frame.epsilon,
                frame.activation,
                out,
            ));
        });
        let (dgamma, dbeta) = others.unwrap_or_default();
        (rows.wrap(values), tensor(dgamma, [s.channels]), tensor(dbeta, [s.channels]))
    }

    fn activate(x: FlexTensor, activation: Activation) -> FlexTensor {
        if activation == Activation::Identity {
            return x;
        }
        if !ours(&[&x]) {
            return stock::activate::<Self>(x, activation);
        }
        pointwise_on(&[&x], |values, out| pointwise::activate(values[0], activation, out))
    }

    fn activate_gradient(y: FlexTensor, dy: FlexTensor, activation: Activation) -> FlexTensor {
        if !ours(&[&y, &dy]) {
            return stock::activate_gradient::<Self>(y, dy, activation);
        }
        pointwise_on(&[&y, &dy], |values, out| {
            pointwise::activate_backward(values[0], values[1], activation, out);
        })
    }

    fn flatten(x: FlexTensor) -> FlexTensor {
        if !ours(&[&x]) || x.is_contiguous() {
            return stock::flatten::<Self>(x);
        }
        let (batch, map) = sizes(&x);
        let last = maps(&x);
        let values =
            filled(last.len(), |out| pointwise::transpose(batch, map.area(), map.channels, &last, out));
        tensor(values, [batch, map.count()])
    }

    fn unflatten(vectors: FlexTensor, channels: usize, height: usize, width: usize) -> FlexTensor {
        if !ours(&[&vectors]) {
            return stock::unflatten::<Self>(vectors, channels, height, width);
        }
        let (batch, map) = (vectors.shape()[0], Map { height, width, channels });
        let first = numbers(&vectors);
        let values =
            filled(first.len(), |out| pointwise::transpose(batch, channels, map.area(), &first, out));
        tensor_of_maps(values, batch, map)
    }

    fn add(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        if !ours(&[&left, &right]) {
            return stock::add::<Self>(left, right);
        }
        pointwise_on(&[&left, &right], |values, out| pointwise::add(values[0], values[1], out))
    }
}

fn linear_sizes(batch: usize, weight: &FlexTensor) -> linear::Sizes {
    linear::Sizes { batch, inputs: weight.shape()[1], outputs: weight.shape()[0] }
}

fn moments(mean: &FlexTensor, variance: &FlexTensor) -> norm::Moments {
    norm::Moments { mean: numbers(mean).into_owned(), variance: numbers(variance).into_owned() }
}

/// Runs something element by element on tensors of one shape: maps channels last, anything else row-major.
fn pointwise_on(
    tensors: &[&FlexTensor],
    body: impl FnOnce(&[&[f32]], &mut [std::mem::MaybeUninit<f32>]),
) -> FlexTensor {
    let shape = tensors[0].shape();
    let by_maps = shape.num_dims() == 4 && tensors.iter().any(|tensor| !tensor.is_contiguous());
    let values: Vec<_> =
        tensors.iter().map(|tensor| if by_maps { maps(tensor) } else { numbers(tensor) }).collect();
    let slices: Vec<&[f32]> = values.iter().map(|values| &**values).collect();
    let result = filled(shape.num_elements(), |out| body(&slices, out));
    if by_maps {
        let (batch, map) = sizes(tensors[0]);
        tensor_of_maps(result, batch, map)
    } else {
        FlexTensor::new(Bytes::from_elems(result), Layout::contiguous(shape), DType::F32)
    }
}
