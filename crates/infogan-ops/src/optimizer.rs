use burn::{
    backend::Flex,
    tensor::{Tensor, TensorData},
};

use crate::{
    device::is_host,
    extension::stock_bodies,
    kernels::{adam as kernel, pointwise},
};

/// Constants of Adam (Kingma and Ba, 2015), apart from the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the corrected second moment.
    pub epsilon: f64,
}

/// One Adam update, placed as PyTorch places ε: p ← p − rate/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
///
/// All tensors have one shape; `step` is t, counted from 1. Returns parameter, first and second moment. Tensors
/// that nobody else holds are updated in place.
pub fn adam(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: u64,
    rate: f64,
    options: &AdamOptions,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    if !is_host(&parameter.device()) || stock_bodies() {
        return adam_stock(parameter, gradient, first, second, step, rate, options);
    }
    let (step_size, root_correction) = corrections(step, rate, options);
    // 1 − β in f64 first: in f32 the small difference would lose half its digits.
    let pair = |beta: f64| [beta as f32, (1.0 - beta) as f32];
    let update = kernel::Update {
        first: pair(options.beta1),
        second: pair(options.beta2),
        step: step_size as f32,
        root: root_correction as f32,
        epsilon: options.epsilon as f32,
    };
    let mut p = OnHost::take(parameter);
    let mut m = OnHost::take(first);
    let mut v = OnHost::take(second);
    let g = OnHost::take(gradient);
    kernel::update(&update, &mut p.values, &g.values, &mut m.values, &mut v.values);
    (p.give(), m.give(), v.give())
}

/// Whether every element of a tensor and its square are finite: what an optimiser that keeps squares may be given.
pub fn squares_finite(tensor: &Tensor<1>) -> bool {
    if is_host(&tensor.device())
        && !stock_bodies()
        && let Ok(primitive) = tensor.clone().try_into_primitive::<Flex>()
        && let Some(values) = primitive.as_slice::<f32>()
    {
        return pointwise::squares_finite(values);
    }
    let sum: f32 = tensor.clone().square().sum().into_scalar();
    sum.is_finite()
}

/// The same update in tensor operations: what runs where tensors are not host memory, and the reference beside the
/// kernel above.
pub fn adam_stock(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: u64,
    rate: f64,
    options: &AdamOptions,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    let AdamOptions { beta1, beta2, epsilon } = *options;
    let (step_size, root_correction) = corrections(step, rate, options);
    let first = first * beta1 + gradient.clone() * (1.0 - beta1);
    let second = second * beta2 + gradient.clone() * gradient * (1.0 - beta2);
    let denominator = second.clone().sqrt() / root_correction + epsilon;
    (parameter - first.clone() / denominator * step_size, first, second)
}

/// rate/(1−β₁ᵗ) and √(1−β₂ᵗ).
fn corrections(step: u64, rate: f64, options: &AdamOptions) -> (f64, f64) {
    let exponent = i32::try_from(step).unwrap_or(i32::MAX);
    (rate / (1.0 - options.beta1.powi(exponent)), (1.0 - options.beta2.powi(exponent)).sqrt())
}

/// One step of stochastic gradient descent with momentum, as PyTorch has it (no dampening):
/// u ← momentum·u + g, p ← p − rate·u. Returns parameter and velocity.
pub fn sgd(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    velocity: Tensor<1>,
    rate: f64,
    momentum: f64,
) -> (Tensor<1>, Tensor<1>) {
    let velocity = velocity * momentum + gradient;
    (parameter - velocity.clone() * rate, velocity)
}

/// A flat tensor taken apart into its numbers; no copy when nobody else holds it.
struct OnHost {
    values: Vec<f32>,
    device: burn::tensor::Device,
}

impl OnHost {
    fn take(tensor: Tensor<1>) -> Self {
        let device = tensor.device();
        let data = tensor.into_data();
        // Parameters are f32 everywhere on the host: a failure here is a defect of this crate.
        let values = data.try_into_vec::<f32>().expect("f32 tensor");
        Self { values, device }
    }

    fn give(self) -> Tensor<1> {
        let length = self.values.len();
        Tensor::from_data(TensorData::new(self.values, [length]), &self.device)
    }
}
