//! Every GAN as a task: a game and the pictures it plays with.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use burn::tensor::{Device, Tensor, TensorData};
use infogan_data::{ImageSet, Sampler, Scale, random::Streams};

use super::Task;
use crate::{
    Error,
    config::{Config, ConfigError},
    evaluate::Trained,
    game::{CRITIC, GENERATOR, Game, ReaderStates, StepError, StepReport, statistics_batches},
    nn::{Entry, NetState},
    run::pictures::{Picture, Sheet, write_png},
    train::{checkpoint::HostSection, state::State},
};

/// A game, its pictures and its random streams.
pub struct GameTask {
    game: Arc<Game>,
    streams: Streams,
    set: Arc<ImageSet>,
    scale: Scale,
    /// Parameters with which networks begin instead of random ones.
    start: BTreeMap<String, HostSection>,
    /// Statistics of networks as they begin; after the first step all are recomputed.
    start_statistics: BTreeMap<String, HostSection>,
    /// Only a cache of the order within an epoch: it never changes what is drawn.
    sampler: Mutex<Sampler>,
}

impl GameTask {
    /// Puts a checked configuration and its pictures together.
    ///
    /// # Errors
    /// [`ConfigError`] when the networks do not fit the pictures or there are none.
    pub fn new(config: &Config, set: Arc<ImageSet>, device: Device) -> Result<Self, ConfigError> {
        let game = Game::new(config, set.shape(), device)?;
        Self::from_game(game, set)
    }

    /// The same with a game that is already put together.
    ///
    /// # Errors
    /// [`ConfigError`] when there are no pictures.
    pub fn from_game(game: Game, set: Arc<ImageSet>) -> Result<Self, ConfigError> {
        let config = game.config();
        let streams = Streams::new(config.seed);
        let sampler = Sampler::new(set.len(), config.train.batch, streams)
            .map_err(|error| ConfigError::new("data", error.to_string()))?;
        let scale = config.data.scale;
        Ok(Self {
            game: Arc::new(game),
            streams,
            set,
            scale,
            start: BTreeMap::new(),
            start_statistics: BTreeMap::new(),
            sampler: Mutex::new(sampler),
        })
    }

    /// Lets networks begin with these parameters, each of which must be one of theirs in its shape, and these
    /// statistics of batch norms, under the names of [`NetState::to_host`].
    #[must_use]
    pub fn start_from(
        mut self,
        sections: BTreeMap<String, HostSection>,
        statistics: BTreeMap<String, HostSection>,
    ) -> Self {
        (self.start, self.start_statistics) = (sections, statistics);
        self
    }

    /// The game.
    pub fn game(&self) -> &Arc<Game> {
        &self.game
    }

    /// The training pictures.
    pub fn set(&self) -> &ImageSet {
        &self.set
    }

    /// A usable model of a state, with statistics recomputed.
    pub fn trained(&self, state: &State) -> Trained {
        let readers = self.reader_statistics(state);
        Trained::new(Arc::clone(&self.game), state, self.generator_statistics(state), readers)
    }

    /// Statistics that came with the weights, for a state that no step has changed.
    fn begun_with(&self, state: &State, network: &str) -> Option<NetState> {
        let statistics = self.start_statistics.get(network).filter(|_| state.step() == 0)?;
        Some(NetState::from_host(statistics, self.game.device()))
    }

    fn generator_statistics(&self, state: &State) -> NetState {
        self.begun_with(state, GENERATOR)
            .unwrap_or_else(|| self.game.generator_statistics(state, &self.streams))
    }

    fn reader_statistics(&self, state: &State) -> ReaderStates {
        let ReaderStates { critic, head } = self.game.reader_statistics(state, self.statistics_batches());
        let codes = self.game.codes();
        ReaderStates {
            critic: self.begun_with(state, CRITIC).unwrap_or(critic),
            head: codes.and_then(|codes| self.begun_with(state, codes.network())).unwrap_or(head),
        }
    }

    /// Training pictures over which the readers' statistics are taken: whole batches from the front of the order.
    fn statistics_batches(&self) -> impl Iterator<Item = Tensor<4>> + '_ {
        let (batches, batch) = statistics_batches(self.game.config().train.batch, self.set.len());
        let mut sampler = Sampler::new(self.set.len(), batch, self.streams).ok();
        (0..batches as u64).filter_map(move |index| {
            let indices = sampler.as_mut()?.batch(index);
            Some(batch_tensor(&self.set, &indices, self.scale, self.game.device()))
        })
    }
}

/// Pictures of a set as a tensor, `[N, C, H, W]`.
pub(crate) fn batch_tensor(set: &ImageSet, indices: &[u32], scale: Scale, device: &Device) -> Tensor<4> {
    let [channels, height, width] = set.shape();
    let mut values = Vec::with_capacity(indices.len() * channels * height * width);
    set.fill_batch(indices, scale, &mut values);
    Tensor::from_data(TensorData::new(values, [indices.len(), channels, height, width]), device)
}

impl Task for GameTask {
    fn init(&self) -> State {
        let mut state = self.game.init(&self.streams);
        for (network, parameters) in &self.start {
            for (path, tensor) in parameters {
                let entry = state.sections.get_mut(network).and_then(|section| section.get_mut(path));
                if let Some(entry) = entry.filter(|entry| entry.shape == tensor.shape) {
                    *entry = Entry::from_host(tensor, self.game.device());
                }
            }
        }
        state
    }

    fn device(&self) -> &Device {
        self.game.device()
    }

    fn step(&self, state: &mut State) -> Result<StepReport, StepError> {
        let mut batch = |index: u64| {
            let mut sampler = self.sampler.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let indices = sampler.batch(index);
            Ok(batch_tensor(&self.set, &indices, self.scale, self.game.device()))
        };
        self.game.step(state, &self.streams, &mut batch)
    }

    fn images(&self, steps: u64) -> u64 {
        self.game.images(steps)
    }

    fn ceilings(&self) -> BTreeMap<String, f64> {
        self.game.ceilings()
    }

    fn derive(&self, state: &State) -> Result<BTreeMap<String, HostSection>, Error> {
        let readers = self.reader_statistics(state);
        let mut derived = BTreeMap::from([
            (GENERATOR.to_owned(), self.generator_statistics(state).to_host()),
            (CRITIC.to_owned(), readers.critic.to_host()),
        ]);
        if let Some(codes) = self.game.codes() {
            derived.insert(codes.network().to_owned(), readers.head.to_host());
        }
        Ok(derived)
    }

    fn draw(&self, state: &State, folder: &Path) -> Result<(), Error> {
        let step = state.step();
        let reals = folder.join("reals.png");
        if !reals.exists() {
            let [channels, height, width] = self.set.shape();
            let cells = (0..100.min(self.set.len()))
                .map(|index| {
                    let values: Vec<f32> =
                        self.set.picture(index).iter().map(|&v| Scale::Unit.apply(v)).collect();
                    Picture::from_planes([channels, height, width], &values, Scale::Unit)
                })
                .collect::<Result<_, _>>()?;
            write_png(&reals, &Sheet::new(cells, 10)?.picture()?)?;
        }
        let generator = self.generator_statistics(state);
        let mut trained = Trained::new(Arc::clone(&self.game), state, generator, Default::default());
        let fakes = trained.sheet(&self.game.latent().draw(&self.streams, "snapshot", [0; 3], 100), 10)?;
        write_png(&folder.join(format!("fakes-{step:08}.png")), &fakes.picture()?)?;
        if let Some(sheet) = trained.traverse(&self.streams, "snapshot", 3)? {
            write_png(&folder.join(format!("traverse-{step:08}.png")), &sheet.picture()?)?;
        }
        Ok(())
    }
}
