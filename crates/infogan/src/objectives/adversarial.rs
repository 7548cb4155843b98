//! The game between generator and critic (Goodfellow et al., 2014), on logits d; D = 1/(1 + e⁻ᵈ).

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// The pair of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The generator maximises log D(G): what everybody trains (Goodfellow et al., §3).
    NonSaturating,
    /// The generator minimises log(1 − D(G)): the minimax game itself.
    Saturating,
}

/// log D, with ε inside the logarithm when it is not zero (OpenAI's InfoGAN has 1e-8).
fn log_real(logits: Tensor<2>, epsilon: f64) -> Tensor<2> {
    if epsilon == 0.0 {
        return activation::log_sigmoid(logits); // exact where the sigmoid rounds to 0
    }
    (activation::sigmoid(logits) + epsilon).log()
}

/// log(1 − D), likewise.
fn log_fake(logits: Tensor<2>, epsilon: f64) -> Tensor<2> {
    if epsilon == 0.0 {
        return activation::log_sigmoid(-logits);
    }
    (-activation::sigmoid(logits) + 1.0 + epsilon).log()
}

/// The critic's loss, −mean log D(x) − mean log(1 − D(G)); `[1]`. 2 ln 2 where the critic knows nothing.
pub fn critic_loss(real: Tensor<2>, fake: Tensor<2>, epsilon: f64) -> Tensor<1> {
    -log_real(real, epsilon).mean() - log_fake(fake, epsilon).mean()
}

/// The generator's loss; `[1]`.
pub fn generator_loss(fake: Tensor<2>, loss: Loss, epsilon: f64) -> Tensor<1> {
    match loss {
        Loss::NonSaturating => -log_real(fake, epsilon).mean(),
        Loss::Saturating => log_fake(fake, epsilon).mean(),
    }
}
