//! Spectral normalisation (Miyato et al., 2018): a weight divided by its largest singular value σ, so that the layer
//! stretches nothing.
//!
//! σ is followed by a power iteration of one step a training pass, as PyTorch's `spectral_norm` does it. With the weight
//! as a matrix W `[out, rest]`: v ← Wᵀu/‖Wᵀu‖, u ← Wv/‖Wv‖, σ = uᵀWv, where u and v are constants and the gradient flows
//! through W. Passes that are no training (drawing, scoring, statistics) use the vectors as they stand.
//!
//! The names are PyTorch's: a weight under spectral norm is `….weight_orig`, its vectors are `….weight_u` `[out]` and
//! `….weight_v` `[rest]`. They are state, but no parameters: they lie in a section beside that of their network, which
//! belongs to no optimiser.

use burn::tensor::Tensor;
use infogan_ops::{Activation, linear, linear_transposed};

use super::{Entry, Init, NetState, ParameterSpec};

/// Least norm that a vector is divided by (PyTorch's).
const EPSILON: f64 = 1e-12;
/// Last name of a weight under spectral norm.
pub(super) const WEIGHT: &str = "weight_orig";
/// What the section of vectors is called after its network.
const SUFFIX: &str = ".spectral";

/// Name of the section that holds a network's vectors.
pub fn vector_section(network: &str) -> String {
    format!("{network}{SUFFIX}")
}

/// The network that a section belongs to: its own name, or that of the network whose vectors it holds.
pub fn network_of(section: &str) -> &str {
    section.strip_suffix(SUFFIX).unwrap_or(section)
}

/// The vectors beside a network's parameters, two for every weight under spectral norm.
pub fn vectors(parameters: &[ParameterSpec]) -> Vec<ParameterSpec> {
    let beside = |spec: &ParameterSpec| {
        let layer = spec.path.strip_suffix(WEIGHT)?;
        let (out, rest) = (spec.shape[0], spec.shape[1..].iter().product());
        let vector = |name: &str, length: usize| ParameterSpec {
            path: format!("{layer}{name}"),
            shape: vec![length],
            init: Init::Direction,
        };
        Some([vector("weight_u", out), vector("weight_v", rest)])
    };
    parameters.iter().filter_map(beside).flatten().collect()
}

/// The weight of a layer over its largest singular value; `iterate` moves the layer's vectors first.
pub(super) fn normalised<const D: usize>(
    layer: &str,
    weight: Tensor<D>,
    state: &mut NetState,
    iterate: bool,
) -> Tensor<D> {
    let shape = weight.dims();
    let (out, rest) = (shape[0], shape[1..].iter().product::<usize>());
    let weight = weight.reshape([out, rest]);
    let paths = ["weight_u", "weight_v"].map(|name| format!("{layer}.{name}"));
    // A pass of such a network without its vectors is a defect, as one without its parameters is.
    let stored = |path: &String, state: &mut NetState| {
        let entry = state.vectors().get(path).unwrap_or_else(|| panic!("no vector at '{path}'"));
        entry.value.clone().reshape([1, entry.shape[0]])
    };
    let (mut u, mut v) = (stored(&paths[0], state), stored(&paths[1], state)); // [1, out], [1, rest]
    if iterate {
        let constant = if weight.is_autodiff() { weight.clone().inner() } else { weight.clone() };
        v = unit(linear_transposed(u, constant.clone())); // [1, rest]
        u = unit(linear(v.clone(), constant, None, Activation::Identity)); // [1, out]
        for (path, vector) in paths.into_iter().zip([&u, &v]) {
            let [_, length] = vector.dims();
            let entry = Entry { shape: vec![length], value: vector.clone().reshape([length]) };
            state.vectors().insert(path, entry);
        }
    }
    let u = if weight.is_autodiff() { u.autodiff() } else { u };
    let sigma = (linear(v, weight.clone(), None, Activation::Identity) * u).sum_dim(1); // [1, 1]
    (weight / sigma).reshape(shape)
}

/// A vector over its norm. `[1, length]`
fn unit(vector: Tensor<2>) -> Tensor<2> {
    let norm = (vector.clone() * vector.clone()).sum_dim(1).sqrt().clamp_min(EPSILON); // [1, 1]
    vector / norm
}
