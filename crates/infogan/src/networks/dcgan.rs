//! Convolutional generator and critic from layer tables: the family of DCGAN (Radford et al., 2016) to which all
//! five networks of the InfoGAN paper's appendix C belong.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::{CriticOutput, FEATURES};
use crate::{
    config::InitScheme,
    nn::{Bound, Feature, NetState, ParameterSpec, Pass, Shape, Stack, TableError, parse_table},
};

/// Latents to pictures.
#[derive(Clone, Debug)]
pub struct Generator {
    stack: Stack,
}

impl Generator {
    /// Builds the table on a latent vector of this width.
    ///
    /// # Errors
    /// [`TableError`] for a row that cannot be read or does not fit.
    pub fn new(
        lines: &[String],
        slope: f64,
        latent_width: usize,
        init: InitScheme,
    ) -> Result<Self, TableError> {
        let table = parse_table(lines, slope)?;
        Ok(Self { stack: Stack::new("layers", &table, lines, Shape::Flat(latent_width), init)? })
    }

    /// The layers.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// All parameters.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.stack.parameters()
    }

    /// Pictures of latents. `latents` `[N, width]` → `[N, C, H, W]`.
    pub fn forward(
        &self,
        parameters: &Bound,
        state: &mut NetState,
        latents: Tensor<2>,
        pass: Pass,
    ) -> Tensor<4> {
        match self.stack.forward(parameters, state, Feature::Flat(latents), pass, |_, _| ()) {
            Feature::Map(pictures) => pictures,
            Feature::Flat(_) => unreachable!("validation lets only generators that end in maps through"),
        }
    }
}

/// Pictures to logits and taps.
#[derive(Clone, Debug)]
pub struct Critic {
    trunk: Stack,
    head: Stack,
}

impl Critic {
    /// Builds the trunk's table on pictures `[C, H, W]`. `head` is the row of one linear unit that makes the logit.
    ///
    /// # Errors
    /// [`TableError`] for a row that cannot be read or does not fit.
    pub fn new(
        lines: &[String],
        head: &str,
        slope: f64,
        picture: [usize; 3],
        init: InitScheme,
    ) -> Result<Self, TableError> {
        let table = parse_table(lines, slope)?;
        let trunk = Stack::new("trunk", &table, lines, Shape::Map(picture), init)?;
        let line = [head.to_owned()];
        let features = Shape::Flat(trunk.output().count());
        let head = Stack::new("head", &parse_table(&line, slope)?, &line, features, init)?;
        Ok(Self { trunk, head })
    }

    /// The layers that the head and the terms read.
    pub fn trunk(&self) -> &Stack {
        &self.trunk
    }

    /// The layer that makes the logit.
    pub fn head(&self) -> &Stack {
        &self.head
    }

    /// All parameters of trunk and head.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.trunk.parameters();
        all.extend(self.head.parameters());
        all
    }

    /// Shape of one sample at every tap.
    pub fn taps(&self) -> BTreeMap<String, Shape> {
        let mut taps: BTreeMap<_, _> =
            self.trunk.outputs().map(|(path, shape)| (path.to_owned(), shape)).collect();
        taps.insert(FEATURES.to_owned(), Shape::Flat(self.trunk.output().count()));
        taps
    }

    /// Everything the critic says of pictures `[N, C, H, W]`, in one pass.
    pub fn forward(
        &self,
        parameters: &Bound,
        state: &mut NetState,
        x: Tensor<4>,
        pass: Pass,
    ) -> CriticOutput {
        let mut taps = BTreeMap::new();
        let keep = |path: &str, feature: &Feature| {
            taps.insert(path.to_owned(), feature.clone());
        };
        let features = self.trunk.forward(parameters, state, Feature::Map(x), pass, keep).flat(); // [N, units]
        taps.insert(FEATURES.to_owned(), Feature::Flat(features.clone()));
        let logits = self.head.forward(parameters, state, Feature::Flat(features), pass, |_, _| ()).flat(); // [N, 1]
        CriticOutput { logits, taps }
    }
}
