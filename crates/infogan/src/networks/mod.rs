//! Networks, one file a family. A generator turns latents into pictures; a critic answers once with everything
//! that losses and terms may want.

pub mod dcgan;

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use crate::nn::Feature;

/// What a critic says of a batch.
#[derive(Clone, Debug)]
pub struct CriticOutput {
    /// How real each picture looks, before any sigmoid: `[N, 1]`, or `[N, map positions]` for a patch critic.
    pub logits: Tensor<2>,
    /// Intermediate results by name: every layer's path (`trunk.1`), and `features` for what the head reads.
    pub taps: BTreeMap<String, Feature>,
}

/// Name of the tap that the critic's head reads.
pub const FEATURES: &str = "features";

impl CriticOutput {
    /// The answer to samples first..first + count.
    pub fn part(&self, first: usize, count: usize) -> Self {
        let cut = |feature: &Feature| match feature {
            Feature::Flat(x) => Feature::Flat(x.clone().narrow(0, first, count)), // [count, units]
            Feature::Map(x) => Feature::Map(x.clone().narrow(0, first, count)),   // [count, C, H, W]
        };
        Self {
            logits: self.logits.clone().narrow(0, first, count),
            taps: self.taps.iter().map(|(name, tap)| (name.clone(), cut(tap))).collect(),
        }
    }

    /// The same answer as constants.
    pub fn constant(self) -> Self {
        Self {
            logits: self.logits.inner(),
            taps: self.taps.into_iter().map(|(name, tap)| (name, tap.constant())).collect(),
        }
    }
}
