//! Everything that trains, behind one trait: the loop knows nothing else.

mod game;

pub use game::GameTask;
pub(crate) use game::batch_tensor;

use std::{collections::BTreeMap, path::Path};

use burn::tensor::Device;

use crate::{
    Error,
    game::{StepError, StepReport},
    train::{checkpoint::HostSection, state::State},
};

/// Something that trains. Immutable: whatever must be remembered is in the [`State`].
pub trait Task {
    /// The state before the first step.
    fn init(&self) -> State;

    /// Device of the state's tensors.
    fn device(&self) -> &Device;

    /// Takes one step.
    ///
    /// # Errors
    /// [`StepError`] when a loss or gradient is not finite.
    fn step(&self, state: &mut State) -> Result<StepReport, StepError>;

    /// Real pictures shown when so many steps are done.
    fn images(&self, steps: u64) -> u64;

    /// Highest values of the bounds, by name, in nats.
    fn ceilings(&self) -> BTreeMap<String, f64>;

    /// What a checkpoint holds beside the state: recomputed, never resumed.
    ///
    /// # Errors
    /// When pictures cannot be read.
    fn derive(&self, state: &State) -> Result<BTreeMap<String, HostSection>, Error>;

    /// Draws what a snapshot shows into a folder, named after the step.
    ///
    /// # Errors
    /// When a picture cannot be written.
    fn draw(&self, state: &State, folder: &Path) -> Result<(), Error>;
}
