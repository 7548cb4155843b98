//! The variational bound on mutual information of InfoGAN (Chen et al., 2016, eq. 5):
//! L_I = E[log Q(c|x)] + H(c) ≤ I(c; G(z, c)). These functions give −E[log Q(c|x)], whose gradient is −L_I's.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// ½ ln 2π: the constant of a normal density.
pub const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// What Q(c|x) is for a continuous code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Continuous {
    /// Normal with standard deviation 1 (OpenAI's code).
    Fixed,
    /// Normal whose variance is the exponential of a second output (the paper; most ports).
    Learned,
    /// Half the squared error: `Fixed` without its constant.
    SquaredError,
}

/// Cross-entropy of a categorical code. `logits` and one-hot `target` `[N, K]` → `[1]`.
///
/// With ε the logarithm is taken of the softmax plus ε, as OpenAI's code does.
pub fn categorical(logits: Tensor<2>, target: Tensor<2>, epsilon: f64) -> Tensor<1> {
    let log = if epsilon == 0.0 {
        activation::log_softmax(logits, 1)
    } else {
        (activation::softmax(logits, 1) + epsilon).log()
    };
    -(log * target).sum_dim(1).mean() // [N, 1] → [1]
}

/// Negative log-likelihood of continuous codes. `mean`, `raw` and `target` `[N, width]`; summed over the width,
/// `[1]`.
pub fn continuous(mean: Tensor<2>, raw: Tensor<2>, target: Tensor<2>, kind: Continuous) -> Tensor<1> {
    let error = target - mean; // [N, width]
    let square = error.clone() * error;
    let nll = match kind {
        Continuous::Fixed => square * 0.5 + HALF_LN_TAU,
        Continuous::SquaredError => square * 0.5,
        Continuous::Learned => (square * (-raw.clone()).exp() + raw) * 0.5 + HALF_LN_TAU,
    };
    nll.sum_dim(1).mean()
}
