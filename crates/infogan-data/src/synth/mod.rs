//! Data sets drawn in-process, with every generating factor known.

pub mod basicprop;
pub mod basicprop_plus;
pub mod chairs;
pub mod glyphs;
pub mod heads;
mod outlines;
mod paint;
mod pen;
pub mod portraits;
mod scene;
mod solid;
pub mod sprites;
mod workbench;

use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::{
    DataError, Factor, FactorValues, ImageSet, Labels, Split,
    memory::has_room,
    random::{Address, Stream, Streams},
};

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
pub const DRAWN: [Drawn; 11] = [
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
    Drawn {
        name: "basicprop-line",
        about: "a bar at one of ten places, and nothing else (BasicProp)",
        channels: 1,
        size: basicprop::SIDE,
        draw: basicprop::line,
    },
    Drawn {
        name: "basicprop-rectangles",
        about: "two bars, each of one of ten heights, and nothing else (BasicProp)",
        channels: 1,
        size: basicprop::SIDE,
        draw: basicprop::rectangles,
    },
    Drawn {
        name: "heads",
        about: "shaded heads in three dimensions: azimuth, elevation, lighting, width",
        channels: 1,
        size: 32,
        draw: heads::heads,
    },
    Drawn {
        name: "chairs",
        about: "chairs of eight types in three dimensions: type, rotation, width",
        channels: 1,
        size: 64,
        draw: chairs::chairs,
    },
    Drawn {
        name: "sprites",
        about: "a square, an ellipse or a heart: shape, scale, rotation, x, y, as in dSprites",
        channels: 1,
        size: 64,
        draw: sprites::sprites,
    },
    Drawn {
        name: "basicprop-translation",
        about: "a disc anywhere in the picture, and nothing else (BasicProp++)",
        channels: 1,
        size: basicprop::SIDE,
        draw: basicprop_plus::translation,
    },
    Drawn {
        name: "basicprop-diameters",
        about: "two discs side by side: the ratio of their diameters and the mean (BasicProp++)",
        channels: 1,
        size: basicprop::SIDE,
        draw: basicprop_plus::diameters,
    },
    Drawn {
        name: "basicprop-colours",
        about: "a bar in one of ten colours at one of ten places, and nothing else (BasicProp++)",
        channels: 3,
        size: basicprop::SIDE,
        draw: basicprop_plus::colours,
    },
    Drawn {
        name: "basicprop-shapes",
        about: "a board of two of ten shapes in turn, and nothing else (BasicProp++)",
        channels: 1,
        size: basicprop::SIDE,
        draw: basicprop_plus::shapes,
    },
];

impl Drawn {
    /// Draws `count` pictures of `size` pixels.
    ///
    /// # Errors
    /// When the set cannot be drawn so.
    pub fn draw(&self, count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
        (self.draw)(count, size, seed, split)
    }
}

/// The drawn set of this name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Drawn, DataError> {
    DRAWN.iter().find(|set| set.name == name).ok_or_else(|| {
        let names = DRAWN.map(|set| set.name).join(", ");
        DataError::invalid(name, "no drawn set has this name", format!("choose one of {names}"))
    })
}

/// Draws `count` pictures of `size` pixels of the set of this name.
///
/// # Errors
/// When there is no such set, or it cannot be drawn so.
pub fn draw(name: &str, count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    find(name)?.draw(count, size, seed, split)
}

/// A set to be drawn, by its measures.
struct Plan {
    name: &'static str,
    /// Sides that can be drawn, in pixels.
    sizes: RangeInclusive<usize>,
    channels: usize,
    count: usize,
    size: usize,
    seed: u64,
}

impl Plan {
    /// Draws the pictures of a split, `u8 [count, channels, size, size]`, on all threads. `one` draws a picture with the
    /// stream of its number alone and gives what is to be known of it.
    ///
    /// # Errors
    /// When the size cannot be drawn, there are 2³² pictures or more, or they take half of the memory.
    fn draw<T: Send>(
        &self,
        split: Split,
        one: impl Fn(&mut Stream, &mut [u8]) -> T + Sync,
    ) -> Result<(Vec<u8>, Vec<T>), DataError> {
        let &Self { name, ref sizes, channels, count, size, seed } = self;
        check_size(name, sizes, size)?;
        let volume = channels * size * size;
        let refuse = |reason| DataError::invalid(name, reason, "choose a smaller count or size");
        let bytes = volume.checked_mul(count).filter(|_| u32::try_from(count).is_ok());
        let bytes = bytes.ok_or_else(|| refuse(format!("{count} pictures are too many")))?;
        has_room(bytes as u64)
            .map_err(|much| refuse(format!("{count} pictures of {channels}×{size}×{size} take {much}")))?;
        let (streams, purpose) = (Streams::new(seed), format!("{name}/{}", split.name()));
        let mut pictures = vec![0; bytes];
        let known = pictures
            .par_chunks_exact_mut(volume)
            .enumerate()
            .map(|(index, picture)| {
                let address = Address { step: index as u32, ..Address::default() };
                one(&mut streams.at(&purpose, address), picture)
            })
            .collect();
        Ok((pictures, known))
    }
}

/// Refuses sides that a set cannot be drawn at.
fn check_size(name: &str, sizes: &RangeInclusive<usize>, size: usize) -> Result<(), DataError> {
    if sizes.contains(&size) {
        return Ok(());
    }
    let reason = format!("pictures of {size} × {size} cannot be drawn");
    let remedy = format!("choose a size from {} to {}", sizes.start(), sizes.end());
    Err(DataError::invalid(name, reason, remedy))
}

/// One grey picture of a set, `u8 [size, size]`, with factors of the caller's choice.
fn alone(
    name: &str,
    sizes: RangeInclusive<usize>,
    size: usize,
    write: impl FnOnce(&mut [u8]),
) -> Result<Vec<u8>, DataError> {
    check_size(name, &sizes, size)?;
    let mut picture = vec![0; size * size];
    write(&mut picture);
    Ok(picture)
}

/// A continuous factor of what was drawn.
fn numbers<T>(name: &str, drawn: &[T], value: impl Fn(&T) -> f32) -> Factor {
    Factor { name: name.to_owned(), values: FactorValues::Continuous(drawn.iter().map(value).collect()) }
}

/// A categorical factor of what was drawn, that is the label too.
fn classes<T, const N: usize>(
    name: &str,
    names: [&str; N],
    drawn: &[T],
    value: impl Fn(&T) -> u16,
) -> (Labels, Factor) {
    let values: Vec<u16> = drawn.iter().map(value).collect();
    let factor = Factor { name: name.to_owned(), values: FactorValues::categorical(&names, values.clone()) };
    (Labels { values, class_names: names.map(str::to_owned).to_vec() }, factor)
}
