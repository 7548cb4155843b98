//! A picture file, decoded and brought into the shape a network takes.

mod bicubic;
pub(crate) mod decode;
pub(crate) mod fit;
mod look;
mod room;

pub use fit::{Background, Fit, Resize};
