//! A picture file, decoded and brought into the shape a network takes.

pub(crate) mod decode;
pub(crate) mod fit;
mod look;

pub use fit::{Background, Fit, Resize};
