//! A GAN as a game of interchangeable parts: latent slots × generator × critic × adversarial loss × terms ×
//! schedule of phases. This file puts the parts together and checks that they fit; `step` plays.

mod monitors;
mod statistics;
mod step;
pub mod terms;

pub use monitors::{DIVERSITY, FOOLED};
pub use statistics::{ReaderStates, statistics_batches};
pub use step::{StepError, StepReport};

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Device;
use infogan_data::random::Streams;

use crate::{
    config::{Config, ConfigError, Latents, OptimizerKind, PhaseConfig, Receiver, Side, TermConfig},
    latent::Latent,
    networks::dcgan::{Critic, Generator},
    nn::{Entry, ParameterSpec, Section, Shape, TableError, initialise, vector_section, vectors},
    train::state::{STEP, State},
};
use terms::{Codes, Needs, Term};

/// Name of the generator's section.
pub const GENERATOR: &str = "generator";
/// Name of the critic's section.
pub const CRITIC: &str = "critic";

/// A game: immutable, rebuilt from the configuration at every start.
pub struct Game {
    config: Config,
    latent: Latent,
    generator: Generator,
    critic: Critic,
    terms: Vec<Box<dyn Term>>,
    optimizers: BTreeMap<String, Optimizer>,
    phases: Vec<Phase>,
    picture: [usize; 3],
    device: Device,
}

/// An optimiser with all networks it owns, heads of terms included.
struct Optimizer {
    settings: crate::config::OptimizerConfig,
    networks: Vec<String>,
}

/// A phase with everything about it worked out.
struct Phase {
    settings: PhaseConfig,
    trained: BTreeSet<String>,
    needs: Needs,
    /// The generator's pass is recorded: this phase, or one that reuses its pictures, trains the generator.
    records_generator: bool,
    /// Number of its first real batch within a step, if it needs any.
    first_real: u64,
}

impl Phase {
    /// Batches of real pictures used in a step that it runs in.
    fn real_batches(&self) -> u64 {
        if self.needs.real { self.settings.repeat * self.settings.real } else { 0 }
    }
}

impl Game {
    /// Puts a checked configuration together for pictures of this shape.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key of the first part that does not fit.
    pub fn new(config: &Config, picture: [usize; 3], device: Device) -> Result<Self, ConfigError> {
        Self::with_terms(config, picture, device, Vec::new())
    }

    /// The same with further terms that no configuration names.
    ///
    /// # Errors
    /// As [`Game::new`].
    pub fn with_terms(
        config: &Config,
        picture: [usize; 3],
        device: Device,
        extra: Vec<Box<dyn Term>>,
    ) -> Result<Self, ConfigError> {
        let latent = config.latent();
        let table = |key: &str| {
            let key = format!("{key}.layers");
            move |error: TableError| ConfigError::new(format!("{key}.{}", error.row), error.to_string())
        };
        let generator =
            Generator::new(&config.generator.layers, config.generator.slope, latent.width(), config.init)
                .map_err(table("generator"))?;
        if generator.stack().output() != Shape::Map(picture) {
            let [channels, height, width] = picture;
            return Err(ConfigError::new(
                "generator.layers",
                format!(
                    "the last row makes {}, but the pictures are {channels}×{height}×{width}",
                    generator.stack().output()
                ),
            ));
        }
        let reader = &config.critic;
        let critic = Critic::new(&reader.layers, &reader.head, reader.slope, picture, config.init)
            .map_err(table("critic"))?;
        let mut terms = Vec::new();
        for (name, term) in &config.terms {
            terms.push(match term {
                TermConfig::Codes(codes) => {
                    Box::new(Codes::new(name, codes, config.critic.slope, &latent, &critic, config.init)?)
                        as Box<dyn Term>
                }
            });
        }
        terms.extend(extra);
        fits_memory(config, &generator, &critic, &terms)?;
        let optimizers = own_networks(config, &terms)?;
        let phases = plan(config, &terms, &optimizers)?;
        Ok(Self {
            config: config.clone(),
            latent,
            generator,
            critic,
            terms,
            optimizers,
            phases,
            picture,
            device,
        })
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The latent slots.
    pub fn latent(&self) -> &Latent {
        &self.latent
    }

    /// The generator.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// The critic.
    pub fn critic(&self) -> &Critic {
        &self.critic
    }

    /// The term that recovers codes, if there is one.
    pub fn codes(&self) -> Option<&Codes> {
        self.terms.iter().find_map(|term| term.as_codes())
    }

    /// Shape of the pictures, `[C, H, W]`.
    pub fn picture(&self) -> [usize; 3] {
        self.picture
    }

    /// Device of stored tensors, without autodiff.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Highest value of every bound in the log, in nats.
    pub fn ceilings(&self) -> BTreeMap<String, f64> {
        self.terms.iter().flat_map(|term| term.ceilings()).collect()
    }

    /// Batches of real pictures used in a step.
    pub fn real_batches(&self) -> u64 {
        self.phases.iter().map(|phase| phase.real_batches()).sum()
    }

    /// Real pictures shown to the critic when so many steps are done.
    pub fn images(&self, steps: u64) -> u64 {
        let batches = |phase: &Phase| steps.div_ceil(phase.settings.every) * phase.real_batches();
        let all: u64 = self.phases.iter().map(batches).sum();
        all * self.config.train.batch as u64
    }

    /// Every network with its parameters.
    pub fn networks(&self) -> Vec<(String, Vec<ParameterSpec>)> {
        let mut all = vec![
            (GENERATOR.to_owned(), self.generator.parameters()),
            (CRITIC.to_owned(), self.critic.parameters()),
        ];
        for term in &self.terms {
            all.extend(term.networks().iter().map(|net| (net.name.clone(), net.parameters.clone())));
        }
        all
    }

    /// Everything that passes read, by section: every network's parameters, and beside it the vectors of its spectral
    /// norms, if it has any.
    pub fn sections(&self) -> Vec<(String, Vec<ParameterSpec>)> {
        let with_vectors = |(name, parameters): (String, Vec<ParameterSpec>)| {
            let beside = vectors(&parameters);
            let beside = (!beside.is_empty()).then(|| (vector_section(&name), beside));
            std::iter::once((name, parameters)).chain(beside)
        };
        self.networks().into_iter().flat_map(with_vectors).collect()
    }

    /// The state before the first step.
    pub fn init(&self, streams: &Streams) -> State {
        self.build(|name, specs| initialise(name, specs, streams, &self.device))
    }

    /// A state of the right shapes, all zero, to be filled from a checkpoint.
    pub fn init_shapes(&self) -> State {
        let zeros = |spec: &ParameterSpec| (spec.path.clone(), Entry::zeros(&spec.shape, &self.device));
        self.build(|_, specs| specs.iter().map(zeros).collect())
    }

    fn build(&self, parameters: impl Fn(&str, &[ParameterSpec]) -> Section) -> State {
        let mut state = State::default();
        state.counters.insert(STEP.to_owned(), 0);
        for (name, specs) in self.sections() {
            state.sections.insert(name.clone(), parameters(&name, &specs));
        }
        for (name, optimizer) in &self.optimizers {
            let mut moments = Section::new();
            for network in &optimizer.networks {
                for (path, entry) in &state.sections[network] {
                    for moment in optimizer.moments() {
                        let zeros = Entry::zeros(&entry.shape, &self.device);
                        moments.insert(format!("{network}.{path}.{moment}"), zeros);
                    }
                }
            }
            state.sections.insert(optimizer_section(name), moments);
            if optimizer.settings.kind == OptimizerKind::Adam {
                state.counters.insert(optimizer_counter(name), 0);
            }
        }
        state
    }
}

impl Optimizer {
    /// Names of what it remembers of every parameter (PyTorch's).
    fn moments(&self) -> &'static [&'static str] {
        match self.settings.kind {
            OptimizerKind::Adam => &["exp_avg", "exp_avg_sq"],
            // Without momentum nothing is remembered: a buffer would be state that does not matter.
            OptimizerKind::Sgd if self.settings.momentum == 0.0 => &[],
            OptimizerKind::Sgd => &["momentum_buffer"],
        }
    }
}

/// Section of an optimiser's moments.
fn optimizer_section(name: &str) -> String {
    format!("{name}.optimizer")
}

/// Counter of an optimiser's updates.
fn optimizer_counter(name: &str) -> String {
    format!("{name}.optimizer.step")
}

/// Most parameters of all networks together: with gradients and moments, 16 GiB.
const MOST_PARAMETERS: usize = 1 << 30;
/// Most elements of all layers' outputs for a batch: 16 GiB for one copy.
const MOST_ACTIVATIONS: usize = 1 << 32;

/// Refuses networks that no machine this program is for could hold: an allocation that fails cannot be reported.
fn fits_memory(
    config: &Config,
    generator: &Generator,
    critic: &Critic,
    terms: &[Box<dyn Term>],
) -> Result<(), ConfigError> {
    let own = terms.iter().flat_map(|term| term.networks()).flat_map(|network| network.parameters.clone());
    let counts =
        generator.parameters().into_iter().chain(critic.parameters()).chain(own).map(|spec| spec.count());
    let parameters = counts.fold(0, usize::saturating_add);
    if parameters > MOST_PARAMETERS {
        return Err(ConfigError::new(
            "generator.layers, critic.layers",
            format!(
                "the networks have {parameters} parameters together; at most {MOST_PARAMETERS} are allowed"
            ),
        ));
    }
    let per_picture = generator.stack().activations().saturating_add(critic.trunk().activations());
    let activations = per_picture.saturating_mul(config.train.batch);
    if activations > MOST_ACTIVATIONS {
        return Err(ConfigError::new(
            "train.batch",
            format!(
                "a batch makes {activations} numbers between layers; at most {MOST_ACTIVATIONS} are allowed: make \
                 the batch or the layers smaller"
            ),
        ));
    }
    Ok(())
}

/// Gives every trained network to exactly one optimiser.
fn own_networks(
    config: &Config,
    terms: &[Box<dyn Term>],
) -> Result<BTreeMap<String, Optimizer>, ConfigError> {
    let mut optimizers: BTreeMap<String, Optimizer> = (config.optimizers.iter())
        .map(|(name, settings)| {
            (name.clone(), Optimizer { settings: settings.clone(), networks: settings.networks.clone() })
        })
        .collect();
    let mut names = BTreeSet::from([GENERATOR.to_owned(), CRITIC.to_owned()]);
    for term in terms {
        for network in term.networks() {
            let key = format!("terms.{}.network", term.name());
            // Sections become files, and some file systems do not tell upper case from lower.
            let same = |other: &String| other.eq_ignore_ascii_case(&network.name);
            let taken = names.iter().any(|name| same(name) || same(&vector_section(name)))
                || optimizers.keys().any(|name| same(&optimizer_section(name)));
            if taken || network.name.is_empty() {
                return Err(ConfigError::new(
                    key,
                    format!("'{}' is already the name of a network", network.name),
                ));
            }
            names.insert(network.name.clone());
            if let Some(owner) = &network.trained_by {
                let key = format!("terms.{}.optimizer", term.name());
                let known = config.optimizers.keys().cloned().collect::<Vec<_>>().join(", ");
                let owner = optimizers.get_mut(owner).ok_or_else(|| {
                    ConfigError::new(key, format!("there is no optimiser '{owner}'; optimisers: {known}"))
                })?;
                owner.networks.push(network.name.clone());
            }
        }
    }
    let mut owned = BTreeMap::new();
    for (name, optimizer) in &optimizers {
        let key = format!("optimizers.{name}.networks");
        for network in &optimizer.networks {
            if !names.contains(network) {
                let known = names.iter().cloned().collect::<Vec<_>>().join(", ");
                return Err(ConfigError::new(
                    key,
                    format!("there is no network '{network}'; networks: {known}"),
                ));
            }
            if let Some(other) = owned.insert(network.clone(), name.clone()) {
                return Err(ConfigError::new(key, format!("'{network}' already belongs to '{other}'")));
            }
        }
    }
    for network in [GENERATOR, CRITIC] {
        if !owned.contains_key(network) {
            return Err(ConfigError::new("optimizers", format!("no optimiser owns the network '{network}'")));
        }
    }
    Ok(optimizers)
}

/// Works out the phases and checks what terms ask of them.
fn plan(
    config: &Config,
    terms: &[Box<dyn Term>],
    optimizers: &BTreeMap<String, Optimizer>,
) -> Result<Vec<Phase>, ConfigError> {
    let mut settings = config.phase.clone();
    settings.extend(terms.iter().flat_map(|term| term.own_phases()));
    let names = settings.iter().map(|phase| phase.name.clone()).collect::<Vec<_>>();
    for term in terms {
        for share in term.shares() {
            if !names.contains(&share.phase) {
                let key = format!("terms.{}.gradient.{}", term.name(), share.phase);
                return Err(ConfigError::new(
                    key,
                    format!("there is no such phase; phases: {}", names.join(", ")),
                ));
            }
        }
    }
    let mut phases: Vec<Phase> = Vec::new();
    let mut first_real = 0;
    for (index, settings) in settings.into_iter().enumerate() {
        let key = |part: &str| format!("phase.{index}.{part}");
        let mut trained = BTreeSet::new();
        for name in &settings.optimizers {
            let known = optimizers.keys().cloned().collect::<Vec<_>>().join(", ");
            let optimizer = optimizers.get(name).ok_or_else(|| {
                ConfigError::new(
                    key("optimizers"),
                    format!("there is no optimiser '{name}'; optimisers: {known}"),
                )
            })?;
            trained.extend(optimizer.networks.iter().cloned());
        }
        let mut needs = Needs::of_side(settings.adversarial);
        let mut reached = BTreeSet::new();
        match settings.adversarial {
            Side::Critic => reached.extend(trained.get(CRITIC)),
            Side::Generator => reached.extend(trained.get(GENERATOR)),
            Side::None => {}
        }
        for term in terms {
            for share in term.shares().iter().filter(|share| share.phase == settings.name) {
                needs = needs.and(share.needs);
                for receiver in &share.receivers {
                    let targets = match receiver {
                        Receiver::Generator => vec![GENERATOR.to_owned()],
                        Receiver::Trunk => vec![CRITIC.to_owned()],
                        Receiver::Head => {
                            // A term may own several heads, each trained in phases of its own.
                            let heads = term.networks().iter().filter(|network| network.trained_by.is_some());
                            let (here, elsewhere): (Vec<_>, Vec<_>) = heads
                                .map(|network| network.name.clone())
                                .partition(|name| trained.contains(name));
                            if here.is_empty() { elsewhere } else { here }
                        }
                    };
                    for target in targets {
                        let Some(target) = trained.get(&target) else {
                            return Err(ConfigError::new(
                                format!("terms.{}.gradient.{}", term.name(), settings.name),
                                format!(
                                    "sends its gradient to '{target}', but none of the phase's optimisers ({}) owns it",
                                    settings.optimizers.join(", ")
                                ),
                            ));
                        };
                        reached.insert(target);
                    }
                }
            }
        }
        if reached.is_empty() {
            return Err(ConfigError::new(
                key("optimizers"),
                format!(
                    "phase '{}' trains nothing: no loss in it reaches a network of its optimisers",
                    settings.name
                ),
            ));
        }
        if settings.latents == Latents::Reused {
            let before =
                phases.last().filter(|before| before.needs.fake && !before.trained.contains(GENERATOR));
            let there = |before: &Phase| settings.every.is_multiple_of(before.settings.every);
            if !before.is_some_and(there) || settings.repeat != 1 {
                return Err(ConfigError::new(
                    key("latents"),
                    "'reused' needs a phase just before it that runs whenever this one does, generates pictures and \
                     leaves the generator alone, and repeat = 1; otherwise 'fresh'",
                ));
            }
        }
        let phase =
            Phase { records_generator: trained.contains(GENERATOR), settings, trained, needs, first_real };
        first_real += phase.real_batches();
        phases.push(phase);
    }
    for index in (1..phases.len()).rev() {
        if phases[index].settings.latents == Latents::Reused && phases[index].records_generator {
            phases[index - 1].records_generator = true;
        }
    }
    Ok(phases)
}
