//! Pictures and labels in; u8 sets, seeded order and drawn data sets out. Knows no tensor library.
//!
//! - [`set`]: an [`ImageSet`] holds pictures as bytes with their labels and known factors.
//! - [`order`]: which pictures make the k-th batch, from the seed alone.
//! - [`random`]: the only source of random numbers.
//! - [`synth`]: data sets drawn in-process, with known factors.
//! - [`idx`]: MNIST and Fashion-MNIST files.
//! - [`picture`]: a user's own picture files.
//!
//! Errors are values: every [`DataError`] says which file or argument, why, and what to do.

mod error;
pub mod idx;
pub mod order;
mod parts;
pub mod picture;
pub mod random;
pub mod set;
pub mod synth;

pub use error::DataError;
pub use idx::load_idx_dir;
pub use order::Sampler;
pub use parts::{Factor, FactorValues, Labels};
pub use picture::{picture_files, read_pictures};
pub use set::{ImageSet, Scale, Split};
pub use synth::glyphs::{GlyphOptions, glyphs};
