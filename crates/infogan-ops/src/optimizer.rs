use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::device::is_host;

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

/// Elements a thread takes at a time. Every element is computed alone, so the cut never shows in the result.
const CHUNK: usize = 1 << 16;

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
    if !is_host(&parameter.device()) {
        return adam_stock(parameter, gradient, first, second, step, rate, options);
    }
    let AdamOptions { beta1, beta2, epsilon } = *options;
    let (step_size, root_correction) = corrections(step, rate, options);
    let (beta1, beta2, epsilon) = (beta1 as f32, beta2 as f32, epsilon as f32);
    // 1 − β in f64 first: in f32 the small difference would lose half its digits.
    let (rest1, rest2) = ((1.0 - options.beta1) as f32, (1.0 - options.beta2) as f32);
    let (step_size, root_correction) = (step_size as f32, root_correction as f32);
    let mut p = OnHost::take(parameter);
    let mut m = OnHost::take(first);
    let mut v = OnHost::take(second);
    let g = OnHost::take(gradient);
    p.values
        .par_chunks_mut(CHUNK)
        .zip(m.values.par_chunks_mut(CHUNK))
        .zip(v.values.par_chunks_mut(CHUNK))
        .zip(g.values.par_chunks(CHUNK))
        .for_each(|(((p, m), v), g)| {
            for (((p, m), v), &g) in p.iter_mut().zip(m).zip(v).zip(g) {
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
                *p -= step_size * *m / (v.sqrt() / root_correction + epsilon);
            }
        });
    (p.give(), m.give(), v.give())
}

/// The same update in tensor operations: what runs where tensors are not host memory, and the reference beside the
/// loop above.
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
