//! Numbers that say how a game goes and that nobody minimises.

use burn::tensor::Tensor;
use infogan_metrics::diversity::nearest_distance;

use crate::nn::read;

/// Monitor: how far generated pictures of a batch lie from their nearest neighbours, over the same of the real batch.
/// Near 1 they differ as real ones do; near 0 every picture has its double: collapse.
pub const DIVERSITY: &str = "diversity";

/// Monitor: share of the generated pictures of the generator's phase that the critic calls real, before the update.
pub const FOOLED: &str = "fooled";

/// [`DIVERSITY`] of real and generated pictures, `[N, C, H, W]` each; none where the real ones do not differ.
pub(super) fn diversity((real, fake): (&Tensor<4>, &Tensor<4>)) -> Option<f64> {
    let distance = |pictures: &Tensor<4>| {
        let [_, channels, height, width] = pictures.dims();
        let values = read(pictures.clone().inner()); // N rows of C·H·W
        nearest_distance(&values, channels * height * width).ok()
    };
    let (real, fake) = (distance(real)?, distance(fake)?);
    (real > 0.0).then(|| fake / real)
}

/// [`FOOLED`] of the critic's logits `[N, …]` of generated pictures: those above 0, where D is above a half.
pub(super) fn fooled(logits: &Tensor<2>) -> f64 {
    let values = read(logits.clone().inner());
    values.iter().filter(|&&logit| logit > 0.0).count() as f64 / values.len() as f64
}
