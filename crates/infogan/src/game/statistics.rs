//! Statistics of batch norm for drawing and scoring, recomputed from parameters instead of averaged on the way:
//! the same at any moment, whatever the batches before it were.

use burn::tensor::Tensor;
use infogan_data::random::Streams;

use super::{CRITIC, GENERATOR, Game};
use crate::{
    latent::Draw,
    nn::{Bound, NetState, Pass},
    train::state::State,
};

/// Latents and training pictures over which statistics are taken, rounded up to whole batches.
const STATISTICS_OVER: usize = 2048;

/// Batches over which statistics are taken, and samples in each; fewer where fewer are `available`.
pub fn statistics_batches(batch: usize, available: usize) -> (usize, usize) {
    let batch = batch.min(STATISTICS_OVER);
    (STATISTICS_OVER.min(available).div_ceil(batch).max(1), batch)
}

/// Statistics of the networks that read pictures.
#[derive(Clone, Debug, Default)]
pub struct ReaderStates {
    /// Of the critic.
    pub critic: NetState,
    /// Of the head that recovers codes; empty without one.
    pub head: NetState,
}

impl Game {
    /// The latents over which generator statistics are taken, in batches.
    pub fn statistics_draws<'a>(&'a self, streams: &'a Streams) -> impl Iterator<Item = Draw> + 'a {
        let (batches, batch) = statistics_batches(self.config().train.batch, usize::MAX);
        (0..batches).map(move |index| {
            self.latent().draw(streams, "statistics", [0, 0, (index * batch) as u32], batch)
        })
    }

    /// The generator's statistics over latents of the run's own stream.
    pub fn generator_statistics(&self, state: &State, streams: &Streams) -> NetState {
        let bound = Bound::new(&state.sections[GENERATOR], false);
        let mut net = state.passes(GENERATOR);
        for draw in self.statistics_draws(streams) {
            self.generator().forward(&bound, &mut net, draw.tensor(self.device()), Pass::GATHER);
        }
        net.settle(self.device());
        net
    }

    /// Statistics of critic and head over batches of pictures `[N, C, H, W]`.
    pub fn reader_statistics(&self, state: &State, batches: impl Iterator<Item = Tensor<4>>) -> ReaderStates {
        let critic = Bound::new(&state.sections[CRITIC], false);
        let head = self.codes().map(|codes| (codes, Bound::new(&state.sections[codes.network()], false)));
        let mut states = ReaderStates {
            critic: state.passes(CRITIC),
            head: self.codes().map(|codes| state.passes(codes.network())).unwrap_or_default(),
        };
        for pictures in batches {
            let output = self.critic().forward(&critic, &mut states.critic, pictures, Pass::GATHER);
            if let Some((codes, head)) = &head {
                codes.posterior(head, &mut states.head, &output, Pass::GATHER);
            }
        }
        states.critic.settle(self.device());
        states.head.settle(self.device());
        states
    }
}
