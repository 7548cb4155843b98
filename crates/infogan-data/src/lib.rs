//! Pictures and labels in; u8 sets, seeded order and drawn data sets out. Knows no tensor library.
//!
//! - [`set`]: an [`ImageSet`] holds pictures as bytes with their labels and known factors.
//! - [`order`]: which pictures make the k-th batch, from the seed alone.
//! - [`random`]: the only source of random numbers.
//! - [`synth`]: data sets drawn in-process, with known factors.
//! - [`detect`]: which form of a data set a path holds; [`idx`], CIFAR, STL-10, SVHN and a form of our own.
//! - [`read_pictures`]: single picture files; [`load_folder`]: a folder of them with classes and attributes.
//!
//! Errors are values: every [`DataError`] says which file or argument, why, and what to do.

mod error;
mod files;
mod folder;
mod guard;
pub mod idx;
mod memory;
pub mod order;
mod parts;
mod picture;
pub mod random;
pub mod set;
pub mod sets;
mod shown;
mod source;
pub mod synth;
pub mod warp;

pub use error::DataError;
pub use folder::{
    Folder, FolderOptions, Glance, Named, Rejected, Report, check_folder, glance, load_folder, read_pictures,
};
#[doc(hidden)]
pub use guard::caught_panics;
pub use idx::{load_idx_dir, write_idx_dir};
pub use order::Sampler;
pub use parts::{Factor, FactorValues, Labels};
pub use picture::{Background, Fit, Resize};
pub use set::{ImageSet, Scale, Split};
pub use sets::cifar::{load_cifar10_dir, load_cifar100_dir};
pub use sets::stl10::{load_stl10_dir, load_stl10_unlabeled_dir};
pub use sets::stored::{load_stored, write_stored};
pub use sets::svhn::{load_svhn_dir, load_svhn_extra_dir};
pub use shown::shown;
pub use source::{Source, detect};
pub use synth::glyphs::{GlyphOptions, glyphs};
