//! The term `codes`: InfoGAN's bound on the information between latent codes and generated pictures.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use infogan_data::warp::Warp;

use super::{Needs, Share, Term, TermContext, TermLoss, TermNetwork};
use crate::{
    config::{CodesConfig, ConfigError, InitScheme, Pictures, Receiver},
    latent::{Draw, Latent, Prior, Slot},
    networks::{CriticOutput, dcgan::Critic},
    nn::{Bound, NetState, Pass, Stack, TableError, parse_table, read},
    objectives::{
        agreement::agreement,
        mutual_information::{Continuous, HALF_LN_TAU, categorical, continuous},
    },
    transforms::Moment,
};

/// Q(c|x): a head on the critic that recovers slots from pictures.
pub struct Codes {
    name: String,
    config: CodesConfig,
    targets: Vec<Target>,
    stack: Stack,
    networks: Vec<TermNetwork>,
    shares: Vec<Share>,
}

/// A slot to recover and where its outputs begin.
struct Target {
    slot: Slot,
    position: usize,
    weight: f64,
    first: usize,
}

/// Name of the agreement on real pictures in the log.
const AGREEMENT: &str = "agreement";

/// Whether a gradient trains what reads pictures.
fn is_of_reader(receivers: &[Receiver]) -> bool {
    receivers.iter().any(|to| *to != Receiver::Generator)
}

impl Target {
    fn is_categorical(&self) -> bool {
        matches!(self.slot.prior, Prior::Categorical { .. })
    }

    /// Outputs per slot: a logit per category; a mean and a raw spread per number (OpenAI emit the spread also
    /// where it is not used, so that files have one layout).
    fn outputs(prior: &Prior) -> usize {
        match *prior {
            Prior::Categorical { values } => values,
            Prior::Uniform { width } | Prior::Normal { width } => 2 * width,
        }
    }
}

/// What Q says of one slot for a batch of pictures.
// Handles, a few a pass: a box would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Posterior {
    /// Logits `[N, K]`.
    Categorical(Tensor<2>),
    /// Means and raw spreads `[N, width]` each.
    Continuous {
        /// Means.
        mean: Tensor<2>,
        /// What the variance is the exponential of, under a learned variance.
        raw: Tensor<2>,
    },
}

impl Codes {
    /// Builds the head on a critic's tap. `slope` is the critic's, also for the head's `lrelu`. Slots of width 0 hold
    /// nothing and are left out.
    ///
    /// # Errors
    /// [`ConfigError`] for slots or taps that do not exist and rows that do not fit.
    pub fn new(
        name: &str,
        config: &CodesConfig,
        slope: f64,
        latent: &Latent,
        critic: &Critic,
        init: InitScheme,
    ) -> Result<Self, ConfigError> {
        let key = |part: &str| format!("terms.{name}.{part}");
        let mut targets = Vec::new();
        let mut first = 0;
        for wanted in &config.recover {
            let (position, slot) = latent.slot(wanted).ok_or_else(|| {
                let known =
                    latent.slots().iter().map(|slot| slot.name.clone()).collect::<Vec<_>>().join(", ");
                ConfigError::new(
                    key("recover"),
                    format!("there is no latent slot '{wanted}'; slots: {known}"),
                )
            })?;
            if slot.prior.width() == 0 {
                continue;
            }
            let weight = config.weights.get(wanted).copied().unwrap_or(1.0) * config.weight;
            targets.push(Target { slot: slot.clone(), position, weight, first });
            first += Target::outputs(&slot.prior);
        }
        if first == 0 {
            return Err(ConfigError::new(
                key("recover"),
                "names no slot that holds anything; drop the term instead",
            ));
        }
        let taps = critic.taps();
        let tap = taps.get(&config.tap).ok_or_else(|| {
            let known = taps.keys().cloned().collect::<Vec<_>>().join(", ");
            ConfigError::new(key("tap"), format!("the critic has no tap '{}'; taps: {known}", config.tap))
        })?;
        let mut lines = config.head.clone();
        lines.push(format!("fc {first}"));
        let table =
            |error: TableError| ConfigError::new(key(&format!("head.{}", error.row)), error.to_string());
        let layers = parse_table(&lines, slope).map_err(table)?;
        let stack = Stack::new("", &layers, &lines, *tap, init).map_err(table)?;
        let networks = vec![TermNetwork {
            name: config.network.clone(),
            parameters: stack.parameters(),
            trained_by: Some(config.optimizer.clone()),
        }];
        if config.agree.is_some() && !targets.iter().any(Target::is_categorical) {
            return Err(ConfigError::new(
                key("agree"),
                "is about categories, but no categorical slot is recovered",
            ));
        }
        let needs = match config.reads {
            Pictures::Generated => Needs { critic_fake: true, ..Needs::default() },
            // The codes it scores against are those of the phase's own latents.
            Pictures::Real => {
                Needs { critic_real: true, fake: true, ..Needs::default() }.and(Needs::default())
            }
        };
        let shares = (config.gradient.iter())
            .map(|(phase, receivers)| {
                let agrees = config.agree.is_some() && is_of_reader(receivers);
                let needs = Needs { critic_real: needs.critic_real || agrees, ..needs }.and(Needs::default());
                Share { phase: phase.clone(), needs, receivers: receivers.clone() }
            })
            .collect();
        Ok(Self { name: name.to_owned(), config: config.clone(), targets, stack, networks, shares })
    }

    /// Name of the head's network.
    pub fn network(&self) -> &str {
        &self.config.network
    }

    /// The head's layers.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What Q is for continuous slots.
    pub fn continuous(&self) -> Continuous {
        self.config.continuous
    }

    /// The slots it recovers, with their position among the latent's slots.
    pub fn targets(&self) -> impl Iterator<Item = (&Slot, usize)> {
        self.targets.iter().map(|target| (&target.slot, target.position))
    }

    /// What Q says of every slot it recovers, given the critic's answer to pictures.
    pub fn posterior(
        &self,
        head: &Bound,
        state: &mut NetState,
        critic: &CriticOutput,
        pass: Pass,
    ) -> Vec<Posterior> {
        let tap = critic.taps[&self.config.tap].clone();
        let outputs = self.stack.forward(head, state, tap, pass, |_, _| ()).flat(); // [N, outputs]
        let of = |target: &Target| match target.slot.prior {
            Prior::Categorical { values } => {
                Posterior::Categorical(outputs.clone().narrow(1, target.first, values)) // [N, K]
            }
            Prior::Uniform { width } | Prior::Normal { width } => {
                // Pairs (mean, raw) per number, as OpenAI's code orders them.
                let batch = outputs.dims()[0];
                let pairs = outputs.clone().narrow(1, target.first, 2 * width); // [N, 2·width]
                let pairs = pairs.reshape([batch, width, 2]);
                Posterior::Continuous {
                    mean: pairs.clone().narrow(2, 0, 1).reshape([batch, width]),
                    raw: pairs.narrow(2, 1, 1).reshape([batch, width]),
                }
            }
        };
        self.targets.iter().map(of).collect()
    }

    /// −E[log Q(c|x)] of every slot, `[1]` each, for pictures generated from these latents.
    pub fn cross_entropies(
        &self,
        posteriors: &[Posterior],
        draw: &Draw,
        device: &burn::tensor::Device,
    ) -> Vec<Tensor<1>> {
        let of = |(target, posterior): (&Target, &Posterior)| {
            let truth = draw.slot_tensor(target.position, device); // [N, width]
            match posterior {
                Posterior::Categorical(logits) => categorical(logits.clone(), truth, self.config.epsilon),
                Posterior::Continuous { mean, raw } => {
                    continuous(mean.clone(), raw.clone(), truth, self.config.continuous)
                }
            }
        };
        self.targets.iter().zip(posteriors).map(of).collect()
    }

    /// Information that the categories of real pictures and of the same pictures distorted share, `[1]`, summed over the
    /// categorical slots; none in phases in which neither trunk nor head learns.
    fn agreed(&self, context: &mut TermContext<'_>) -> Option<Tensor<1>> {
        let agree = self.config.agree.as_ref()?;
        let here = self.shares.iter().find(|share| share.phase == context.phase)?;
        let (real, critic) = (context.real?, context.critic_real?);
        if !is_of_reader(&here.receivers) {
            return None;
        }
        let head = &context.networks[self.network()];
        let state = context.states.entry(self.network().to_owned()).or_default();
        let warp = Warp { turn: agree.turn, scale: agree.scale, shear: agree.shear, shift: agree.shift };
        let shape @ [_, channels, height, width] = real.dims();
        let Moment { streams, scale, address } = context.moment;
        let purpose = format!("{} agree", self.name);
        let seen = read(real.clone()); // N rows of C·H·W
        let views = warp.apply(&seen, [channels, height, width], scale.apply(0), streams, &purpose, address);
        let views = Tensor::from_data(TensorData::new(views, shape), &real.device()); // [N, C, H, W]
        let on_views = (context.ask)(views);
        // The head's own pass on generated pictures has moved what a pass moves.
        let one = self.posterior(head, &mut state.clone(), critic, Pass::AGAIN);
        let other = self.posterior(head, &mut state.clone(), &on_views, Pass::AGAIN);
        let pairs = one.into_iter().zip(other).filter_map(|pair| match pair {
            (Posterior::Categorical(one), Posterior::Categorical(other)) => Some(agreement(one, other)),
            _ => None,
        });
        pairs.reduce(|sum, agreed| sum + agreed)
    }

    /// The entropy that the log's bound adds to −CE for a slot: H(c), except for numbers under a fixed deviation. There
    /// it is the cross-entropy of the prior under N(0, 1), which is how OpenAI's code scores them.
    fn prior_score(&self, prior: &Prior) -> f64 {
        match *prior {
            Prior::Categorical { .. } => prior.entropy(),
            _ if self.config.continuous == Continuous::Learned => prior.entropy(),
            Prior::Uniform { width } => width as f64 * (self.normal_constant() + 1.0 / 6.0),
            Prior::Normal { width } => width as f64 * (self.normal_constant() + 0.5),
        }
    }

    fn normal_constant(&self) -> f64 {
        if self.config.continuous == Continuous::SquaredError { 0.0 } else { HALF_LN_TAU }
    }
}

impl Term for Codes {
    fn name(&self) -> &str {
        &self.name
    }

    fn networks(&self) -> &[TermNetwork] {
        &self.networks
    }

    fn shares(&self) -> &[Share] {
        &self.shares
    }

    fn loss(&self, context: &mut TermContext<'_>) -> TermLoss {
        let read = match self.config.reads {
            Pictures::Generated => context.critic_fake,
            Pictures::Real => context.critic_real,
        };
        let (Some(critic), Some(draw)) = (read, context.draw) else {
            unreachable!("a phase computes what its terms need")
        };
        let networks = context.networks;
        let state = context.states.entry(self.network().to_owned()).or_default();
        let posteriors = self.posterior(&networks[self.network()], state, critic, Pass::TRAIN);
        let cross_entropies = self.cross_entropies(&posteriors, draw, context.device);
        let zero = || Tensor::<1>::zeros([1], context.device);
        let mut weighted = zero();
        let (mut total, mut bound_total) = (zero(), zero());
        let mut bounds = Vec::new();
        for (target, cross_entropy) in self.targets.iter().zip(cross_entropies) {
            weighted = weighted + cross_entropy.clone() * target.weight;
            total = total + cross_entropy.clone();
            let bound = -cross_entropy + self.prior_score(&target.slot.prior);
            bound_total = bound_total + bound.clone();
            bounds.push((target.slot.name.clone(), bound));
        }
        if bounds.len() > 1 {
            bounds.push(("total".to_owned(), bound_total));
        }
        if let Some((agree, agreed)) = self.config.agree.as_ref().zip(self.agreed(context)) {
            weighted = weighted - agreed.clone() * agree.weight;
            bounds.push((AGREEMENT.to_owned(), agreed));
        }
        TermLoss { loss: weighted, losses: vec![(self.name.clone(), total)], bounds }
    }

    fn ceilings(&self) -> BTreeMap<String, f64> {
        // With a fixed deviation of 1 the best bound of a number is E[c²]/2: 1/6 when uniform, 1/2 when normal.
        let ceiling = |target: &Target| match target.slot.prior {
            Prior::Categorical { .. } => Some(target.slot.prior.entropy()),
            _ if self.config.continuous == Continuous::Learned => None,
            Prior::Uniform { width } => Some(width as f64 / 6.0),
            Prior::Normal { width } => Some(width as f64 / 2.0),
        };
        let mut ceilings: BTreeMap<String, f64> = (self.targets.iter())
            .filter_map(|target| ceiling(target).map(|value| (target.slot.name.clone(), value)))
            .collect();
        if self.targets.len() > 1 && ceilings.len() == self.targets.len() {
            let total = ceilings.values().sum();
            ceilings.insert("total".to_owned(), total);
        }
        if self.config.agree.is_some() {
            let categorical = self.targets.iter().filter(|target| target.is_categorical());
            let most = categorical.map(|target| target.slot.prior.entropy()).sum();
            ceilings.insert(AGREEMENT.to_owned(), most);
        }
        ceilings
    }

    fn as_codes(&self) -> Option<&Codes> {
        Some(self)
    }
}
