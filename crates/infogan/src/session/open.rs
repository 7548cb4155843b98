//! A run directory back to pictures, codes and scores.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use infogan_data::{detect, random::Streams};
use infogan_ops::device;

use super::{Sets, fitting, load_sets, place::read_config, record};
use crate::{
    Error,
    config::{Config, ConfigError, DataSet},
    evaluate::{Scores, Trained, score},
    game::{CRITIC, GENERATOR, Game, ReaderStates},
    latent::Draw,
    networks::dcgan::Generator,
    nn::{NetState, Shape, network_of},
    run::RunDir,
    train::{
        checkpoint::{self, Snapshot},
        state::State,
    },
};

/// A run opened for use.
pub struct OpenRun {
    run: RunDir,
    config: Config,
    state: State,
    trained: Trained,
}

impl OpenRun {
    /// Opens the newest checkpoint of a run.
    ///
    /// # Errors
    /// When the directory is no run, has no checkpoint yet, or its newest checkpoint is damaged.
    pub fn open(path: &Path, device: &str) -> Result<Self, Error> {
        Self::open_networks(path, device, |_| true)
    }

    /// The same for drawing alone: nothing but the generator is read, so codes of pictures cannot be.
    ///
    /// # Errors
    /// As [`OpenRun::open`].
    pub fn open_generator(path: &Path, device: &str) -> Result<Self, Error> {
        Self::open_networks(path, device, |network| network == GENERATOR)
    }

    /// Opens the chosen networks; the moments of optimisers are of no use here.
    fn open_networks(path: &Path, device: &str, wanted: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let run = RunDir::open(path)?;
        let (config, _) = read_config(&run)?;
        let device = device::resolve(device)?;
        let game = Arc::new(Game::new(&config, picture_shape(&config)?, device.clone())?);
        let sections: Vec<String> = game
            .sections()
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| wanted(network_of(name)))
            .collect();
        let chosen = |section: &str| sections.iter().any(|name| name == section);
        let (newest, snapshot) = newest(path, chosen)?;
        let mut state = game.init_shapes();
        state.sections.retain(|section, _| chosen(section));
        state
            .restore(&snapshot, &device)
            .map_err(|reason| Error::Usage(format!("{}: {reason}", newest.display())))?;
        let derived = |name: &str| {
            snapshot
                .derived
                .get(name)
                .map_or_else(NetState::default, |host| NetState::from_host(host, &device))
        };
        let head = game.codes().map_or_else(NetState::default, |codes| derived(codes.network()));
        let readers = ReaderStates { critic: derived(CRITIC), head };
        let trained = Trained::new(game, &state, derived(GENERATOR), readers);
        Ok(Self { run, config, state, trained })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The run directory.
    pub fn path(&self) -> &Path {
        self.run.path()
    }

    /// Draws latents from the run's priors, with a seed of one's own.
    pub fn draw(&self, seed: u64, count: usize) -> Draw {
        self.trained.game().latent().draw(&Streams::new(seed), "sample", [0; 3], count)
    }

    /// The model.
    pub fn trained(&mut self) -> &mut Trained {
        &mut self.trained
    }

    /// Scores the run on its own data, or on that of a folder.
    ///
    /// # Errors
    /// When the pictures cannot be read or are of another shape than the run's.
    pub fn evaluate(&mut self, data: Option<&Path>) -> Result<Scores, Error> {
        let picture = self.trained.game().picture();
        let mut config = self.config.clone();
        if let Some(path) = data {
            config.data.set = DataSet::Files(detect(path)?);
            (config.data.channels, config.data.size) = (picture[0], picture[1]);
            config.data.path = Some(path.to_owned());
            // The run's own table is of the run's own pictures.
            config.data.labels = None;
        }
        let Sets { train, test, .. } = load_sets(&config, &|_, _| ())?;
        let (train, test) = (fitting(train, picture)?, fitting(test, picture)?);
        score(&mut self.trained, &self.state, &Streams::new(config.seed), &train, &test)
    }

    /// Appends scores to the run and makes its report anew.
    ///
    /// # Errors
    /// When the run cannot be written to.
    pub fn record(&self, scores: &Scores) -> Result<(), Error> {
        record(&self.run, scores)
    }
}

/// The newest checkpoint of a run and what its chosen sections hold.
fn newest(run: &Path, wanted: impl Fn(&str) -> bool) -> Result<(PathBuf, Snapshot), Error> {
    loop {
        let (_, newest) = checkpoint::latest(run)?.ok_or_else(|| {
            Error::Usage(format!(
                "{}: has no checkpoint yet; train it further with 'infogan train --out {}'",
                run.display(),
                run.display()
            ))
        })?;
        match checkpoint::load_sections(&newest, &wanted) {
            Ok(snapshot) => return Ok((newest, snapshot)),
            // A training beside us may have dropped it for a newer one since we looked.
            Err(_) if !newest.exists() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Shape of the pictures that a configuration's generator makes.
fn picture_shape(config: &Config) -> Result<[usize; 3], Error> {
    let generator = Generator::new(
        &config.generator.layers,
        config.generator.slope,
        config.latent().width(),
        config.init,
    )
    .map_err(|error| ConfigError::new("generator.layers", error.to_string()))?;
    match generator.stack().output() {
        Shape::Map(shape) => Ok(shape),
        Shape::Flat(_) => Err(ConfigError::new("generator.layers", "does not end in maps").into()),
    }
}
