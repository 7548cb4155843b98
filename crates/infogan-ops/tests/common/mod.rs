//! What every kernel computes, in the fewest lines, in double precision; and what the tests share.
#![allow(dead_code, unsafe_code)]

pub mod tape;

use std::mem::MaybeUninit;

use infogan_ops::{
    Activation,
    kernels::{
        conv::{Geometry, Map},
        linear, norm, work,
    },
};

/// Numbers in [−1, 1) that depend on `seed` alone.
pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// The result of a kernel. What it leaves unwritten is not a number.
pub fn run(length: usize, kernel: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    // SAFETY: every element is written before the kernel runs.
    unsafe {
        work::vector(length, |out| {
            for value in out.iter_mut() {
                value.write(f32::NAN);
            }
            kernel(out);
        })
    }
}

/// Largest distance over the largest number of the reference; at least over 1 where everything is small.
pub fn distance(ours: &[f32], reference: &[f64]) -> f64 {
    assert_eq!(ours.len(), reference.len());
    let scale = reference.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    ours.iter().zip(reference).fold(0.0f64, |most, (a, b)| {
        let distance = (f64::from(*a) - b).abs() / scale;
        if distance.is_nan() { f64::INFINITY } else { most.max(distance) }
    })
}

/// Limit of every comparison with a naive twin.
pub const LIMIT: f64 = 1e-5;

/// Compares sums of `terms` numbers of size one. Where all of them happen to cancel, the distance is measured in what
/// such sums usually come to: a sum cannot be more exact than its terms.
pub fn close(what: &str, terms: usize, ours: &[f32], reference: &[f64]) {
    let usual = 0.1 * (terms as f64).sqrt();
    let most = reference.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    let distance = distance(ours, reference) * most / most.max(usual);
    assert!(distance <= LIMIT, "{what}: {distance:.1e} away from its naive twin");
}

/// A geometry whose small map follows from the big one.
pub fn geometry(
    batch: usize,
    big: [usize; 2],
    per_group: [usize; 2],
    groups: usize,
    (kernel, stride, before, after): (usize, usize, usize, usize),
) -> Option<Geometry> {
    let window = infogan_ops::Window { kernel, stride, before, after };
    let small = [window.down(big[0])?, window.down(big[1])?];
    Some(Geometry {
        batch,
        big: Map { height: big[0], width: big[1], channels: per_group[0] * groups },
        small: Map { height: small[0], width: small[1], channels: per_group[1] * groups },
        kernel,
        stride,
        before,
        groups,
    })
}

/// Calls `meet(big index, small index, weight index)` wherever a pixel of the big map meets one of the small map.
pub fn meetings(g: &Geometry, mut meet: impl FnMut(usize, usize, usize)) {
    let (from, to) = g.group();
    for n in 0..g.batch {
        for y in 0..g.small.height {
            for x in 0..g.small.width {
                for i in 0..g.kernel {
                    for j in 0..g.kernel {
                        let (Some(at_y), Some(at_x)) = (
                            (y * g.stride + i).checked_sub(g.before),
                            (x * g.stride + j).checked_sub(g.before),
                        ) else {
                            continue;
                        };
                        if at_y >= g.big.height || at_x >= g.big.width {
                            continue;
                        }
                        for s in 0..g.small.channels {
                            for b in 0..from {
                                let big = ((n * g.big.height + at_y) * g.big.width + at_x) * g.big.channels
                                    + s / to * from
                                    + b;
                                let small =
                                    ((n * g.small.height + y) * g.small.width + x) * g.small.channels + s;
                                let weight = ((s * from + b) * g.kernel + i) * g.kernel + j;
                                meet(big, small, weight);
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn down(
    g: &Geometry,
    big: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f64> {
    let mut small = vec![0.0; g.batch * g.small.count()];
    meetings(g, |b, s, w| small[s] += f64::from(big[b]) * f64::from(weight[w]));
    finish(small, g.small.channels, bias, activation)
}

pub fn up(
    g: &Geometry,
    small: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f64> {
    let mut big = vec![0.0; g.batch * g.big.count()];
    meetings(g, |b, s, w| big[b] += f64::from(small[s]) * f64::from(weight[w]));
    finish(big, g.big.channels, bias, activation)
}

pub fn conv_weight(g: &Geometry, big: &[f32], small: &[f32]) -> Vec<f64> {
    let mut gradient = vec![0.0; g.weights()];
    meetings(g, |b, s, w| gradient[w] += f64::from(big[b]) * f64::from(small[s]));
    gradient
}

pub fn finish(
    mut values: Vec<f64>,
    channels: usize,
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f64> {
    for (i, value) in values.iter_mut().enumerate() {
        *value = value_of(*value + bias.map_or(0.0, |bias| f64::from(bias[i % channels])), activation);
    }
    values
}

pub fn value_of(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(slope) => {
            if x < 0.0 {
                slope * x
            } else {
                x
            }
        }
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

/// Derivative at x.
pub fn slope_at(x: f64, activation: Activation) -> f64 {
    let y = value_of(x, activation);
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => f64::from(u8::from(x > 0.0)),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                1.0
            } else {
                slope
            }
        }
        Activation::Tanh => 1.0 - y * y,
        Activation::Sigmoid => y * (1.0 - y),
    }
}

/// `[rows, inner] · [inner, columns]`, each read through a function of its two indices.
pub fn product(
    [rows, inner, columns]: [usize; 3],
    left: impl Fn(usize, usize) -> f32,
    right: impl Fn(usize, usize) -> f32,
) -> Vec<f64> {
    let element =
        |r: usize, c: usize| (0..inner).map(|k| f64::from(left(r, k)) * f64::from(right(k, c))).sum();
    (0..rows * columns).map(|at| element(at / columns, at % columns)).collect()
}

pub fn linear(s: &linear::Sizes, x: &[f32], weight: &[f32]) -> Vec<f64> {
    product([s.batch, s.inputs, s.outputs], |n, i| x[n * s.inputs + i], |i, o| weight[o * s.inputs + i])
}

pub fn linear_input(s: &linear::Sizes, dy: &[f32], weight: &[f32]) -> Vec<f64> {
    product([s.batch, s.outputs, s.inputs], |n, o| dy[n * s.outputs + o], |o, i| weight[o * s.inputs + i])
}

pub fn linear_weight(s: &linear::Sizes, x: &[f32], dy: &[f32]) -> Vec<f64> {
    product([s.outputs, s.batch, s.inputs], |o, n| dy[n * s.outputs + o], |n, i| x[n * s.inputs + i])
}

/// Mean and variance of a group and channel.
pub fn moments_of(s: &norm::Sizes, x: &[f32], group: usize, channel: usize) -> (f64, f64) {
    let column = || (0..s.rows).map(|row| f64::from(x[(group * s.rows + row) * s.channels + channel]));
    let mean = column().sum::<f64>() / s.rows as f64;
    (mean, column().map(|x| (x - mean).powi(2)).sum::<f64>() / s.rows as f64)
}

/// Result of batch norm; given moments are `[groups · channels]`.
pub fn norm(
    s: &norm::Sizes,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    given: Option<&norm::Moments>,
    epsilon: f64,
    activation: Activation,
) -> Vec<f64> {
    each_column(s, |group, channel| {
        let (mean, variance) = chosen(s, x, given, group, channel);
        move |at: usize| {
            let normal = (f64::from(x[at]) - mean) / (variance + epsilon).sqrt();
            value_of(normal * f64::from(gamma[channel]) + f64::from(beta[channel]), activation)
        }
    })
}

/// Gradients of input, γ and β.
#[allow(clippy::too_many_arguments)]
pub fn norm_gradients(
    s: &norm::Sizes,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    beta: &[f32],
    given: Option<&norm::Moments>,
    epsilon: f64,
    activation: Activation,
) -> [Vec<f64>; 3] {
    let mut dgamma = vec![0.0; s.channels];
    let mut dbeta = vec![0.0; s.channels];
    let dx = each_column(s, |group, channel| {
        let (mean, variance) = chosen(s, x, given, group, channel);
        let inverse = 1.0 / (variance + epsilon).sqrt();
        let (gamma, beta) = (f64::from(gamma[channel]), f64::from(beta[channel]));
        let normal = move |at: usize| (f64::from(x[at]) - mean) * inverse;
        let dz = move |at: usize| f64::from(dy[at]) * slope_at(normal(at) * gamma + beta, activation);
        let places = (0..s.rows).map(|row| (group * s.rows + row) * s.channels + channel);
        let plain: f64 = places.clone().map(dz).sum();
        let against: f64 = places.map(|at| dz(at) * normal(at)).sum();
        dgamma[channel] += against;
        dbeta[channel] += plain;
        let share = if given.is_none() { 1.0 / s.rows as f64 } else { 0.0 };
        move |at: usize| inverse * gamma * (dz(at) - plain * share - normal(at) * against * share)
    });
    [dx, dgamma, dbeta]
}

fn chosen(
    s: &norm::Sizes,
    x: &[f32],
    given: Option<&norm::Moments>,
    group: usize,
    channel: usize,
) -> (f64, f64) {
    match given {
        Some(moments) => {
            let at = group * s.channels + channel;
            (f64::from(moments.mean[at]), f64::from(moments.variance[at]))
        }
        None => moments_of(s, x, group, channel),
    }
}

fn each_column<F: Fn(usize) -> f64>(s: &norm::Sizes, mut column: impl FnMut(usize, usize) -> F) -> Vec<f64> {
    let mut all = vec![0.0; s.groups * s.rows * s.channels];
    for group in 0..s.groups {
        for channel in 0..s.channels {
            let of = column(group, channel);
            for row in 0..s.rows {
                let at = (group * s.rows + row) * s.channels + channel;
                all[at] = of(at);
            }
        }
    }
    all
}

/// Every activation.
pub const ACTIVATIONS: [Activation; 5] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu(0.1),
    Activation::Tanh,
    Activation::Sigmoid,
];

pub fn window(kernel: usize, stride: usize, before: usize, after: usize) -> infogan_ops::Window {
    infogan_ops::Window { kernel, stride, before, after }
}
