//! A trained game for use: drawing, traversing, encoding. Batch norm uses stored statistics throughout, so a
//! picture does not depend on its neighbours.

use std::sync::Arc;

use burn::tensor::{Tensor, activation};
use infogan_data::{ImageSet, Scale, random::Streams};
use serde::Serialize;

use crate::{
    game::{CRITIC, GENERATOR, Game, ReaderStates},
    latent::{Draw, Prior, Slot},
    nn::{Bound, NetState, Pass, read, vector_section},
    run::pictures::{Picture, PictureError, Sheet},
    tasks::batch_tensor,
    train::state::State,
};

/// Samples in one pass. Fixed, so that memory does not grow with the request.
const CHUNK: usize = 128;

/// A game with the parameters and statistics of one moment.
pub struct Trained {
    game: Arc<Game>,
    generator: Bound,
    critic: Option<Bound>,
    head: Option<Bound>,
    generator_state: NetState,
    readers: ReaderStates,
}

/// What Q says of one picture in one slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CodeValue {
    /// Probabilities of the categories.
    Categorical(Vec<f32>),
    /// Means of the numbers.
    Continuous(Vec<f32>),
}

impl CodeValue {
    /// The most probable category; the first of equals.
    pub fn category(&self) -> Option<usize> {
        let Self::Categorical(probabilities) = self else { return None };
        let better =
            |best: usize, (index, p): (usize, &f32)| if *p > probabilities[best] { index } else { best };
        Some(probabilities.iter().enumerate().fold(0, better))
    }
}

/// Codes of pictures: slots, and per picture one value a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The slots, in the order of the values.
    pub slots: Vec<Slot>,
    /// `[picture][slot]`.
    pub values: Vec<Vec<CodeValue>>,
}

impl Trained {
    /// From a state and statistics. A state without critic can draw, but not read codes.
    pub fn new(game: Arc<Game>, state: &State, generator_state: NetState, readers: ReaderStates) -> Self {
        let bind = |name: &str| state.sections.get(name).map(|section| Bound::new(section, false));
        let with_vectors =
            |net: NetState, name: &str| net.with_vectors(state.sections.get(&vector_section(name)));
        let head_name = game.codes().map(|codes| codes.network());
        Self {
            generator: Bound::new(&state.sections[GENERATOR], false),
            critic: bind(CRITIC),
            head: head_name.and_then(bind),
            generator_state: with_vectors(generator_state, GENERATOR),
            readers: ReaderStates {
                critic: with_vectors(readers.critic, CRITIC),
                head: with_vectors(readers.head, head_name.unwrap_or_default()),
            },
            game,
        }
    }

    /// The game.
    pub fn game(&self) -> &Game {
        &self.game
    }

    /// Range of the generator's pixels.
    pub fn scale(&self) -> Scale {
        self.game.config().data.scale
    }

    /// Pictures of latents as a tensor, `[n, C, H, W]`, in one pass.
    fn generate(&mut self, draw: &Draw) -> Tensor<4> {
        let latents = draw.tensor(self.game.device()); // [n, width]
        self.game.generator().forward(&self.generator, &mut self.generator_state, latents, Pass::STORED)
    }

    /// Values of pictures of latents, `[n, C, H, W]` in row-major order, in the range of [`Trained::scale`].
    pub fn values(&mut self, draw: &Draw) -> Vec<f32> {
        let mut all = Vec::with_capacity(draw.len() * self.game.picture().iter().product::<usize>());
        for part in draw.parts(CHUNK) {
            all.extend(read(self.generate(&part)));
        }
        all
    }

    /// Pictures of latents.
    ///
    /// # Errors
    /// [`PictureError`] for shapes that no picture file has (two channels).
    pub fn pictures(&mut self, draw: &Draw) -> Result<Vec<Picture>, PictureError> {
        let (shape, scale) = (self.game.picture(), self.scale());
        let mut all = Vec::with_capacity(draw.len());
        // Part by part: bytes take a quarter of what values do.
        for part in draw.parts(CHUNK) {
            for values in self.values(&part).chunks_exact(shape.iter().product()) {
                all.push(Picture::from_planes(shape, values, scale)?);
            }
        }
        Ok(all)
    }

    /// Pictures of latents side by side.
    ///
    /// # Errors
    /// As [`Trained::pictures`].
    pub fn sheet(&mut self, draw: &Draw, columns: usize) -> Result<Sheet, PictureError> {
        Sheet::new(self.pictures(draw)?, columns)
    }

    /// Rows of pictures in which one code moves and everything else stays: every recovered slot in turn (every
    /// slot but noise when nothing is recovered), `rows` starting points each. Continuous codes run from −2 to 2.
    /// `None` when there is no code to move.
    ///
    /// # Errors
    /// As [`Trained::pictures`].
    pub fn traverse(
        &mut self,
        streams: &Streams,
        purpose: &str,
        rows: usize,
    ) -> Result<Option<Sheet>, PictureError> {
        let slots = self.codes_to_move();
        // All categories of the widest code as far as a sheet can show them, ten steps of a continuous one at least.
        let categories = slots.iter().map(|(_, prior, _)| match prior {
            Prior::Categorical { values } => *values,
            _ => 0,
        });
        let columns = categories.max().unwrap_or(0).clamp(10, 32);
        let starts = self.game.latent().draw(streams, purpose, [0, 1, 0], rows.max(1));
        let mut all: Option<Draw> = None;
        let mut labels = Vec::new();
        let mut blank = Vec::new();
        for (position, prior, name) in &slots {
            let moved =
                if matches!(prior, Prior::Categorical { .. }) { prior.width().min(1) } else { prior.width() };
            for number in 0..moved {
                for start in 0..starts.len() {
                    let row = moved_row(starts.repeat(start, columns), *position, *prior, number);
                    if let Prior::Categorical { values } = prior {
                        blank.extend((*values..columns).map(|column| labels.len() * columns + column));
                    }
                    labels.push(match prior {
                        Prior::Categorical { values } => format!("{name} 0..{}", values.min(&columns) - 1),
                        _ if prior.width() == 1 => format!("{name} -2..2"),
                        _ => format!("{name}.{number} -2..2"),
                    });
                    match &mut all {
                        Some(all) => all.append(&row),
                        None => all = Some(row),
                    }
                }
            }
        }
        let Some(all) = all else { return Ok(None) };
        let mut cells = self.pictures(&all)?;
        for cell in blank {
            let [channels, height, width] = self.game.picture();
            cells[cell] = Picture::new(width, height, channels, vec![0; channels * height * width])?;
        }
        Ok(Some(Sheet::new(cells, columns)?.row_labels(labels)))
    }

    /// Position, prior and name of every slot that a traversal moves.
    fn codes_to_move(&self) -> Vec<(usize, Prior, String)> {
        let of = |(slot, position): (&Slot, usize)| (position, slot.prior, slot.name.clone());
        match self.game.codes() {
            Some(codes) => codes.targets().map(of).collect(),
            None => (self.game.latent().slots().iter().enumerate())
                .filter(|(_, slot)| {
                    matches!(slot.prior, Prior::Categorical { .. }) || slot.prior.width() == 1
                })
                .map(|(position, slot)| of((slot, position)))
                .collect(),
        }
    }

    /// What Q says of pictures `[n, C, H, W]`, one value per slot and picture. `None` without a term that
    /// recovers codes.
    fn read_codes(&mut self, pictures: Tensor<4>) -> Option<Vec<Vec<CodeValue>>> {
        let game = Arc::clone(&self.game);
        let (codes, critic, head) = (game.codes()?, self.critic.as_ref()?, self.head.as_ref()?);
        let count = pictures.dims()[0];
        let output = game.critic().forward(critic, &mut self.readers.critic, pictures, Pass::STORED);
        let posteriors = codes.posterior(head, &mut self.readers.head, &output, Pass::STORED);
        let mut rows = vec![Vec::new(); count];
        for posterior in posteriors {
            let categorical = matches!(posterior, crate::game::terms::Posterior::Categorical(_));
            let values = match posterior {
                crate::game::terms::Posterior::Categorical(logits) => activation::softmax(logits, 1), // [n, K]
                crate::game::terms::Posterior::Continuous { mean, .. } => mean, // [n, width]
            };
            let width = values.dims()[1];
            let values = read(values);
            for (row, values) in rows.iter_mut().zip(values.chunks_exact(width.max(1))) {
                let values = values.to_vec();
                row.push(if categorical {
                    CodeValue::Categorical(values)
                } else {
                    CodeValue::Continuous(values)
                });
            }
        }
        Some(rows)
    }

    /// Codes of pictures; `None` without a term that recovers codes.
    pub fn encode(&mut self, set: &ImageSet) -> Option<Encoding> {
        let slots = self.game.codes()?.targets().map(|(slot, _)| slot.clone()).collect();
        let indices: Vec<u32> = (0..set.len() as u32).collect();
        let mut values = Vec::with_capacity(set.len());
        for part in indices.chunks(CHUNK) {
            let pictures = batch_tensor(set, part, self.scale(), self.game.device());
            values.extend(self.read_codes(pictures)?);
        }
        Some(Encoding { slots, values })
    }

    /// Codes that Q reads from pictures generated from these latents, with statistics of the readers taken over
    /// `statistics`, in batches (generated pictures are not spread like real ones).
    pub fn encode_generated(&mut self, state: &State, statistics: &[Draw], draw: &Draw) -> Option<Encoding> {
        let slots = self.game.codes()?.targets().map(|(slot, _)| slot.clone()).collect();
        let game = Arc::clone(&self.game);
        let readers = game.reader_statistics(state, statistics.iter().map(|draw| self.generate(draw)));
        let real_readers = std::mem::replace(&mut self.readers, readers);
        let mut values = Vec::with_capacity(draw.len());
        for part in draw.parts(CHUNK) {
            let fake = self.generate(&part);
            values.extend(self.read_codes(fake).unwrap_or_default());
        }
        self.readers = real_readers;
        Some(Encoding { slots, values })
    }
}

/// A row of equal latents in which one code moves: a categorical slot through its categories as far as they go, number
/// `number` of another slot from −2 to 2.
fn moved_row(mut row: Draw, position: usize, prior: Prior, number: usize) -> Draw {
    let columns = row.len();
    for column in 0..columns {
        match prior {
            Prior::Categorical { values } if column < values => row.set_category(position, column, column),
            Prior::Categorical { .. } => {}
            _ => {
                let value = -2.0 + 4.0 * column as f32 / (columns - 1) as f32;
                row.slot_mut(position)[column * prior.width() + number] = value;
            }
        }
    }
    row
}
