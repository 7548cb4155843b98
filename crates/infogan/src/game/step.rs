//! One step of the game: every phase in order, each from latents to updated parameters.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, activation};
use infogan_data::random::{Address, Streams};
use infogan_ops::{AdamOptions, adam, sgd, squares_finite};

use super::{
    CRITIC, DIVERSITY, FOOLED, GENERATOR, Game, Optimizer, Phase,
    monitors::{diversity, fooled},
    optimizer_counter, optimizer_section,
    terms::TermContext,
};
use crate::{
    config::{Latents, OptimizerKind, Pictures, Receiver, Side},
    latent::Draw,
    networks::CriticOutput,
    nn::{Bound, NetState, NormMode, Pass, read},
    objectives::adversarial::{critic_loss, generator_loss},
    train::state::{STEP, State},
    transforms::{self, Moment},
};

/// Why a step was not taken. Parameters are those before the phase that failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A loss or a gradient is not a finite number.
    #[error(
        "training diverged at step {step}: {what} is not finite (phase '{phase}', which trains {players}). \
         Lower the rate of that optimiser, or start from another seed"
    )]
    NotFinite {
        /// Step, counted from 1.
        step: u64,
        /// Which loss, or the gradient of which parameter.
        what: String,
        /// Phase it happened in.
        phase: String,
        /// Networks of the phase.
        players: String,
    },
    /// Pictures could not be had.
    #[error(transparent)]
    Data(#[from] infogan_data::DataError),
}

/// What a step has to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Losses by name (`critic`, `generator`, and a name per term), before weights.
    pub losses: BTreeMap<String, f64>,
    /// Lower bounds on information by name, in nats.
    pub bounds: BTreeMap<String, f64>,
    /// Mean of D on real and on generated pictures in the critic's phase (`critic_real`, `critic_fake`); [`FOOLED`] in the
    /// generator's; at steps with a line in the log also [`DIVERSITY`].
    pub monitors: BTreeMap<String, f64>,
}

/// Gradients by network and path.
type Gradients = BTreeMap<String, BTreeMap<String, Tensor<1>>>;

/// A batch of generated pictures with everything that may still be wanted of it.
struct Generation {
    draw: Draw,
    generator: Bound,
    /// Where its pass left the generator's state.
    net: NetState,
    fake: Tensor<4>,
}

/// What a phase has computed for its losses.
struct Scene<'a> {
    draw: Option<&'a Draw>,
    real: Option<Tensor<4>>,
    fake: Option<Tensor<4>>,
    critic: Bound,
    /// Where the passes on real and on generated pictures left the critic's state.
    nets: [NetState; 2],
    critic_real: Option<CriticOutput>,
    critic_fake: Option<CriticOutput>,
}

impl Game {
    /// Takes one step. `batch` gives the real pictures of a batch number, `[N, C, H, W]`.
    ///
    /// # Errors
    /// [`StepError::NotFinite`] within the step in which a loss or gradient stops being finite.
    pub fn step(
        &self,
        state: &mut State,
        streams: &Streams,
        batch: &mut dyn FnMut(u64) -> Result<Tensor<4>, StepError>,
    ) -> Result<StepReport, StepError> {
        let step = state.step() as u32;
        let mut draw = |phase: usize, repeat: u64| {
            let samples = self.config.train.batch * self.phases[phase].settings.generated as usize;
            self.latent.draw(streams, "train", [step, number(phase, repeat), 0], samples)
        };
        self.step_with(state, &mut draw, batch)
    }

    /// The same with given latents: `draw` is asked once for every pass of the generator, with the phase's position
    /// in the schedule and the repeat within it, both from 0. The slots of what it gives must be the latent's.
    ///
    /// # Errors
    /// As [`Game::step`].
    pub fn step_with(
        &self,
        state: &mut State,
        draw: &mut dyn FnMut(usize, u64) -> Draw,
        batch: &mut dyn FnMut(u64) -> Result<Tensor<4>, StepError>,
    ) -> Result<StepReport, StepError> {
        let step = state.step();
        let mut report = StepReport::default();
        let mut carried: Option<Generation> = None;
        for (index, phase) in self.phases.iter().enumerate() {
            if !step.is_multiple_of(phase.settings.every) {
                continue;
            }
            for repeat in 0..phase.settings.repeat {
                let generation = match (phase.needs.fake, phase.settings.latents) {
                    (false, _) => None,
                    (true, Latents::Reused) if carried.is_some() => carried.take(),
                    (true, _) => {
                        // What is carried holds the generator's parameters: their update would have to copy them.
                        drop(carried.take());
                        Some(self.generate(state, draw(index, repeat), phase.records_generator))
                    }
                };
                let real = if phase.needs.real {
                    let batches = phase.settings.real;
                    let first = step * self.real_batches() + phase.first_real + repeat * batches;
                    let mut pictures =
                        (first..first + batches).map(&mut *batch).collect::<Result<Vec<_>, _>>()?;
                    Some(match pictures.pop() {
                        Some(only) if pictures.is_empty() => only, // [N, C, H, W]
                        last => Tensor::cat(pictures.into_iter().chain(last).collect(), 0), // [real·N, C, H, W]
                    })
                } else {
                    None
                };
                let number = number(index, repeat);
                carried = self.play(state, phase, number, generation, real, &mut report)?;
            }
        }
        state.counters.insert(STEP.to_owned(), step + 1);
        Ok(report)
    }

    /// Whether the log has a line of this step.
    fn is_told(&self, step: u64) -> bool {
        let train = &self.config.train;
        step.is_multiple_of(train.tick) || step == train.steps
    }

    /// Generates pictures in training mode. A recorded pass can pass gradients back later.
    fn generate(&self, state: &State, draw: Draw, record: bool) -> Generation {
        let generator = Bound::new(&state.sections[GENERATOR], record);
        let latents = draw.tensor(&self.device); // [N, width]
        let mut net = state.passes(GENERATOR);
        let fake = self.generator.forward(&generator, &mut net, latents, Pass::TRAIN); // [N, C, H, W]
        Generation { draw, generator, net, fake }
    }

    /// Runs one phase: losses, gradients, updates. Gives the generation back if a later phase may reuse it. `number` is
    /// that of the phase and the repeat in it.
    fn play(
        &self,
        state: &mut State,
        phase: &Phase,
        number: u32,
        generation: Option<Generation>,
        real: Option<Tensor<4>>,
        report: &mut StepReport,
    ) -> Result<Option<Generation>, StepError> {
        let trains = |network: &str| phase.trained.contains(network);
        let fake = generation.as_ref().map(|generation| {
            let fake = generation.fake.clone();
            if trains(GENERATOR) { fake } else { fake.inner() }
        });
        if phase.settings.adversarial == Side::Critic && self.is_told(state.step() + 1) {
            let ratio = real.as_ref().zip(fake.as_ref()).and_then(diversity);
            report.monitors.extend(ratio.map(|ratio| (DIVERSITY.to_owned(), ratio)));
        }
        let moment = Moment {
            streams: Streams::new(self.config.seed),
            scale: self.config.data.scale,
            address: Address { step: state.step() as u32, phase: number, sample: 0 },
        };
        let seen = |pictures, side| transforms::apply(&self.config.transforms, side, pictures, moment);
        let mut scene = Scene {
            draw: generation.as_ref().map(|generation| &generation.draw),
            real: real.map(|real| seen(real, Pictures::Real)),
            fake: fake.map(|fake| seen(fake, Pictures::Generated)),
            critic: Bound::new(&state.sections[CRITIC], trains(CRITIC)),
            nets: [state.passes(CRITIC), NetState::default()],
            critic_real: None,
            critic_fake: None,
        };
        let real = scene.real.as_ref().filter(|_| phase.needs.critic_real);
        let fake = scene.fake.as_ref().filter(|_| phase.needs.critic_fake);
        [scene.critic_real, scene.critic_fake] =
            self.ask_critic(&scene.critic, &mut scene.nets, Pass::TRAIN, real, fake);

        let mut total: Option<Tensor<1>> = None;
        let mut losses: Vec<(String, Tensor<1>)> = Vec::new();
        let mut bounds: Vec<(String, Tensor<1>)> = Vec::new();
        let epsilon = self.config.adversarial.epsilon;
        // Each side's loss reaches its own player only, whoever else the phase trains.
        let side = phase.settings.adversarial;
        let seen = self.route(&scene, side == Side::Generator, side == Side::Critic);
        match (side, &seen.critic_real, &seen.critic_fake) {
            (Side::Critic, Some(on_real), Some(on_fake)) => {
                let (on_real, on_fake) = (on_real.logits.clone(), on_fake.logits.clone()); // [N, 1] each
                for (name, logits) in [("critic_real", &on_real), ("critic_fake", &on_fake)] {
                    let mean = activation::sigmoid(logits.clone().inner()).mean();
                    report.monitors.insert(name.to_owned(), scalar(&mean));
                }
                let loss = critic_loss(on_real, on_fake, epsilon);
                losses.push((CRITIC.to_owned(), loss.clone()));
                total = Some(loss);
            }
            (Side::Generator, _, Some(on_fake)) => {
                report.monitors.insert(FOOLED.to_owned(), fooled(&on_fake.logits));
                let pair = self.config.adversarial.loss_at(state.step());
                let loss = generator_loss(on_fake.logits.clone(), pair, epsilon);
                losses.push((GENERATOR.to_owned(), loss.clone()));
                total = Some(loss);
            }
            _ => {}
        }

        let mut owned = BTreeMap::new();
        let mut passes = BTreeMap::new();
        for term in &self.terms {
            let Some(share) = term.shares().iter().find(|share| share.phase == phase.settings.name) else {
                continue;
            };
            let wants = |receiver| share.receivers.contains(&receiver);
            let networks: BTreeMap<String, Bound> = (term.networks().iter())
                .map(|network| {
                    let tracked = trains(&network.name) && wants(Receiver::Head);
                    (network.name.clone(), Bound::new(&state.sections[&network.name], tracked))
                })
                .collect();
            let mut states: BTreeMap<String, NetState> =
                networks.keys().map(|network| (network.clone(), state.passes(network))).collect();
            let routed = self.route(&scene, wants(Receiver::Generator), wants(Receiver::Trunk));
            let asked = if wants(Receiver::Trunk) { scene.critic.clone() } else { scene.critic.constant() };
            let ask = |pictures: Tensor<4>| {
                self.critic.forward(&asked, &mut scene.nets[0].clone(), pictures, Pass::AGAIN)
            };
            let term_loss = term.loss(&mut TermContext {
                phase: &phase.settings.name,
                draw: scene.draw,
                real: scene.real.as_ref(),
                fake: routed.fake.as_ref(),
                critic_real: routed.critic_real.as_ref(),
                critic_fake: routed.critic_fake.as_ref(),
                networks: &networks,
                states: &mut states,
                ask: &ask,
                moment,
                device: &self.device,
            });
            owned.extend(networks);
            passes.extend(states);
            losses.extend(term_loss.losses);
            bounds.extend(term_loss.bounds);
            total = Some(match total {
                Some(total) => total + term_loss.loss,
                None => term_loss.loss,
            });
        }

        let step = state.step() + 1;
        let not_finite = |what: String| StepError::NotFinite {
            step,
            what,
            phase: phase.settings.name.clone(),
            players: phase.trained.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        for (name, loss) in losses {
            let value = scalar(&loss);
            if !value.is_finite() {
                return Err(not_finite(format!("the loss '{name}'")));
            }
            report.losses.insert(name, value);
        }
        report.bounds.extend(bounds.iter().map(|(name, bound)| (name.clone(), scalar(bound))));
        let [_, critic] = scene.nets;
        passes.insert(CRITIC.to_owned(), critic);
        passes.extend(generation.as_ref().map(|generation| (GENERATOR.to_owned(), generation.net.clone())));
        for (network, passes) in passes {
            state.take_over(&network, passes);
        }
        let Some(total) = total else { return Ok(generation) };
        if !scalar(&total).is_finite() {
            return Err(not_finite("the sum of the losses".to_owned()));
        }

        let mut tape = total.backward();
        let mut gradients = Gradients::new();
        gradients.insert(CRITIC.to_owned(), scene.critic.take_gradients(&mut tape));
        let mut generation = generation;
        if trains(GENERATOR)
            && let Some(generation) = generation.take()
        {
            gradients.insert(GENERATOR.to_owned(), generation.generator.take_gradients(&mut tape));
        }
        for (name, bound) in owned {
            gradients.insert(name, bound.take_gradients(&mut tape));
        }
        drop(tape);
        if let Some(what) = not_finite_among(&gradients) {
            return Err(not_finite(what));
        }
        for name in &phase.settings.optimizers {
            self.optimizers[name].update(name, state, &mut gradients);
        }
        Ok(generation)
    }

    /// The critic's answers to real and to generated pictures: in one pass where batch norm can be cut in groups. `nets`
    /// are the critic's states for either; where a pass moves them, the second goes on from where the first ended.
    fn ask_critic(
        &self,
        critic: &Bound,
        nets: &mut [NetState; 2],
        pass: Pass,
        real: Option<&Tensor<4>>,
        fake: Option<&Tensor<4>>,
    ) -> [Option<CriticOutput>; 2] {
        let [of_real, of_fake] = nets;
        let ask = |net: &mut NetState, pictures: &Tensor<4>| {
            self.critic.forward(critic, net, pictures.clone(), pass)
        };
        match (real, fake) {
            // Groups are of equal size. Networks with spectral norms never come here: validation.
            (Some(real), Some(fake)) if self.config.critic.shared_pass && real.dims() == fake.dims() => {
                let batch = real.dims()[0];
                let both = Tensor::cat(vec![real.clone(), fake.clone()], 0); // [2·N, C, H, W]
                let pass = Pass { norm: NormMode::Batch { groups: 2 }, ..pass };
                let both = self.critic.forward(critic, of_real, both, pass);
                [Some(both.part(0, batch)), Some(both.part(batch, batch))]
            }
            (real, fake) => {
                let on_real = real.map(|pictures| ask(of_real, pictures));
                if pass.iterate {
                    *of_fake = of_real.clone();
                }
                [on_real, fake.map(|pictures| ask(of_fake, pictures))]
            }
        }
    }

    /// What a term may see: the phase's own passes when its gradient may go wherever theirs goes, constants when
    /// it may go nowhere there, and a pass of its own in between.
    fn route(&self, scene: &Scene<'_>, to_generator: bool, to_trunk: bool) -> Routed {
        let fake_recorded = scene.fake.as_ref().is_some_and(|fake| fake.is_autodiff());
        let trunk_recorded = scene.critic.is_tracked();
        let generator = to_generator && fake_recorded;
        let trunk = to_trunk && trunk_recorded;
        if generator == fake_recorded && trunk == trunk_recorded {
            return Routed {
                fake: scene.fake.clone(),
                critic_real: scene.critic_real.clone(),
                critic_fake: scene.critic_fake.clone(),
            };
        }
        let fake = scene.fake.clone().map(|fake| if generator { fake } else { fake.inner() });
        if !generator && !trunk {
            let constant = |output: &Option<CriticOutput>| output.clone().map(CriticOutput::constant);
            return Routed {
                fake,
                critic_real: constant(&scene.critic_real),
                critic_fake: constant(&scene.critic_fake),
            };
        }
        let bound = if trunk { scene.critic.clone() } else { scene.critic.constant() };
        let real = scene.real.as_ref().filter(|_| scene.critic_real.is_some());
        let asked = fake.as_ref().filter(|_| scene.critic_fake.is_some());
        let [critic_real, critic_fake] =
            self.ask_critic(&bound, &mut scene.nets.clone(), Pass::AGAIN, real, asked);
        Routed { fake, critic_real, critic_fake }
    }
}

/// A term's view of the pictures and of the critic's answers.
struct Routed {
    fake: Option<Tensor<4>>,
    critic_real: Option<CriticOutput>,
    critic_fake: Option<CriticOutput>,
}

impl Optimizer {
    /// Updates every parameter that has a gradient. Parameters and moments are moved out of the state, so that
    /// nobody else holds them and the update is in place.
    fn update(&self, name: &str, state: &mut State, gradients: &mut Gradients) {
        let reached = |network| gradients.get(network).is_some_and(|by_path| !by_path.is_empty());
        if !self.networks.iter().any(reached) {
            return; // no update, so Adam's count does not move either
        }
        let settings = &self.settings;
        let rate = settings.rate * self.decay(state.step());
        let options = AdamOptions { beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon };
        let updates = state.counters.get_mut(&optimizer_counter(name)).map(|count| {
            *count += 1;
            *count
        });
        let mut moments = state.sections.remove(&optimizer_section(name)).unwrap_or_default();
        for network in &self.networks {
            let (Some(section), Some(by_path)) = (state.sections.get_mut(network), gradients.remove(network))
            else {
                continue;
            };
            for (path, gradient) in by_path {
                let Some(mut entry) = section.remove(&path) else { continue };
                let gradient = match settings.weight_decay {
                    0.0 => gradient,
                    decay => gradient + entry.value.clone() * decay,
                };
                let take = |moments: &mut crate::nn::Section, kind: &str| {
                    let key = format!("{network}.{path}.{kind}");
                    let entry = moments.remove(&key).unwrap_or_else(|| unreachable!("declared by init"));
                    (key, entry)
                };
                match settings.kind {
                    OptimizerKind::Adam => {
                        let (first_key, mut first) = take(&mut moments, "exp_avg");
                        let (second_key, mut second) = take(&mut moments, "exp_avg_sq");
                        let step = updates.unwrap_or(1);
                        (entry.value, first.value, second.value) =
                            adam(entry.value, gradient, first.value, second.value, step, rate, &options);
                        moments.insert(first_key, first);
                        moments.insert(second_key, second);
                    }
                    OptimizerKind::Sgd if settings.momentum == 0.0 => {
                        let velocity = gradient.zeros_like();
                        (entry.value, _) = sgd(entry.value, gradient, velocity, rate, 0.0);
                    }
                    OptimizerKind::Sgd => {
                        let (key, mut velocity) = take(&mut moments, "momentum_buffer");
                        (entry.value, velocity.value) =
                            sgd(entry.value, gradient, velocity.value, rate, settings.momentum);
                        moments.insert(key, velocity);
                    }
                }
                section.insert(path, entry);
            }
        }
        state.sections.insert(optimizer_section(name), moments);
    }

    /// Factor on the rate at a step, counted from 0.
    fn decay(&self, step: u64) -> f64 {
        match self.settings.decay_steps {
            0 => 1.0,
            length => 1.0 - step.min(length) as f64 / length as f64,
        }
    }
}

/// The first gradient that an optimiser must not be given, in words.
fn not_finite_among(gradients: &Gradients) -> Option<String> {
    let mut all =
        gradients.iter().flat_map(|(network, by_path)| by_path.iter().map(move |entry| (network, entry)));
    // Squares as well: Adam keeps them.
    let (network, (path, gradient)) = all.find(|(_, (_, gradient))| !squares_finite(gradient))?;
    let what = if scalar(&gradient.clone().sum()).is_finite() { "the square of the" } else { "the" };
    Some(format!("{what} gradient of '{network}.{path}'"))
}

/// A phase's position in the schedule and the repeat within it, as one part of the address of random numbers.
fn number(phase: usize, repeat: u64) -> u32 {
    (phase as u32) << 16 | repeat as u32
}

/// Reads one number.
fn scalar(tensor: &Tensor<1>) -> f64 {
    f64::from(read(tensor.clone())[0])
}
