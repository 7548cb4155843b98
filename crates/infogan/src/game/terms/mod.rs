//! Terms: losses beside the adversarial one. A term joins phases, says to whom its gradient goes, and may own
//! networks (trained by an optimiser it names, or frozen) and phases.

mod codes;

pub use codes::{Codes, Posterior};

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use crate::{
    config::{PhaseConfig, Receiver, Side},
    latent::Draw,
    networks::CriticOutput,
    nn::{Bound, NetState, ParameterSpec},
    transforms::Moment,
};

/// What a phase must compute before its losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A batch of real pictures.
    pub real: bool,
    /// A batch of generated pictures.
    pub fake: bool,
    /// The critic's answer to the real ones.
    pub critic_real: bool,
    /// The critic's answer to the generated ones.
    pub critic_fake: bool,
}

impl Needs {
    /// Of a side of the adversarial loss.
    pub fn of_side(side: Side) -> Self {
        match side {
            Side::Critic => Self { real: true, fake: true, critic_real: true, critic_fake: true },
            Side::Generator => Self { fake: true, critic_fake: true, ..Self::default() },
            Side::None => Self::default(),
        }
    }

    /// Both together. An answer needs its pictures.
    pub fn and(self, other: Self) -> Self {
        let critic_real = self.critic_real || other.critic_real;
        let critic_fake = self.critic_fake || other.critic_fake;
        Self {
            real: self.real || other.real || critic_real,
            fake: self.fake || other.fake || critic_fake,
            critic_real,
            critic_fake,
        }
    }
}

/// A network that a term owns.
#[derive(Clone, Debug)]
pub struct TermNetwork {
    /// Name of the section and of the file.
    pub name: String,
    /// Its parameters.
    pub parameters: Vec<ParameterSpec>,
    /// The optimiser that trains it; a frozen network has none.
    pub trained_by: Option<String>,
}

/// A term's part in a phase.
#[derive(Clone, Debug)]
pub struct Share {
    /// Name of the phase.
    pub phase: String,
    /// What it wants computed.
    pub needs: Needs,
    /// Where its gradient goes.
    pub receivers: Vec<Receiver>,
}

/// What a term sees when its loss is asked for. Gradients are already routed: what it may not touch is constant.
pub struct TermContext<'a> {
    /// Phase that asks.
    pub phase: &'a str,
    /// Latents of the generated pictures.
    pub draw: Option<&'a Draw>,
    /// Real pictures `[N, C, H, W]`.
    pub real: Option<&'a Tensor<4>>,
    /// Generated pictures `[N, C, H, W]`.
    pub fake: Option<&'a Tensor<4>>,
    /// The critic's answer to the real pictures.
    pub critic_real: Option<&'a CriticOutput>,
    /// The critic's answer to the generated pictures.
    pub critic_fake: Option<&'a CriticOutput>,
    /// The term's own networks.
    pub networks: &'a BTreeMap<String, Bound>,
    /// What their passes go on from, by network; the state takes over what a training pass changed.
    pub states: &'a mut BTreeMap<String, NetState>,
    /// Asks the critic about pictures of the term's own, `[N, C, H, W]`; the gradient goes where the term's may.
    pub ask: &'a dyn Fn(Tensor<4>) -> CriticOutput,
    /// Where this phase draws its random numbers, and the range of pixels.
    pub moment: Moment,
    /// Device of stored tensors.
    pub device: &'a Device,
}

/// What a term adds.
pub struct TermLoss {
    /// Its weighted loss, `[1]`.
    pub loss: Tensor<1>,
    /// Unweighted parts for the log, by name, `[1]` each.
    pub losses: Vec<(String, Tensor<1>)>,
    /// Bounds on information in nats for the log, by name, `[1]` each.
    pub bounds: Vec<(String, Tensor<1>)>,
}

/// A loss beside the adversarial one. Immutable: what it must remember lives in its networks' sections.
pub trait Term: Send + Sync {
    /// Name in the configuration.
    fn name(&self) -> &str;

    /// Networks it owns.
    fn networks(&self) -> &[TermNetwork] {
        &[]
    }

    /// Phases it joins.
    fn shares(&self) -> &[Share];

    /// Phases that exist only because of it; they run after the configured ones.
    fn own_phases(&self) -> Vec<PhaseConfig> {
        Vec::new()
    }

    /// Its loss in a phase it joins.
    fn loss(&self, context: &mut TermContext<'_>) -> TermLoss;

    /// Highest value of each of its bounds, in nats.
    fn ceilings(&self) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }

    /// Itself, if it recovers codes: pictures can then be encoded.
    fn as_codes(&self) -> Option<&Codes> {
        None
    }
}
