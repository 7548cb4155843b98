//! Data sets drawn in-process, with every generating factor known.

pub mod glyphs;
mod outlines;
mod paint;
mod pen;
pub mod portraits;

use crate::{DataError, ImageSet, Split};

/// A drawn set, as a name and what can be said of it.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Its name on the command line and in configurations.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// 1 is grey, 3 is colour.
    pub channels: usize,
    /// Side in pixels where nobody asks for another.
    pub size: usize,
    draw: fn(usize, usize, u64, Split) -> Result<ImageSet, DataError>,
}

/// All drawn sets.
pub const DRAWN: [Drawn; 2] = [
    Drawn {
        name: "glyphs",
        about: "the ten digits in a varied hand: rotation, width, slant and more",
        channels: 1,
        size: 28,
        draw: |count, size, seed, split| glyphs::glyphs(&glyphs::GlyphOptions { count, size, seed }, split),
    },
    Drawn {
        name: "portraits",
        about: "faces: glasses, hat, beard, hair, skin, mouth, background, pose and more",
        channels: 3,
        size: 64,
        draw: |count, size, seed, split| {
            portraits::portraits(&portraits::PortraitOptions { count, size, seed }, split)
        },
    },
];

/// Draws `count` pictures of `size` pixels of the set of this name.
///
/// # Errors
/// When there is no such set, or it cannot be drawn so.
pub fn draw(name: &str, count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let found = DRAWN.iter().find(|set| set.name == name).ok_or_else(|| {
        let names = DRAWN.map(|set| set.name).join(", ");
        DataError::invalid(name, "no drawn set has this name", format!("choose one of {names}"))
    })?;
    (found.draw)(count, size, seed, split)
}
