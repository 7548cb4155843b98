//! `sprites`: three flat shapes in every scale, rotation and place, drawn in-process: the factors of dSprites (Matthey
//! et al. 2017), so that what a code learned can be scored as papers do.
//!
//! White on black; pixels on an edge are grey. At the same scale all shapes have the same area, so brightness tells
//! the scale and nothing else. Every factor takes each of its values equally often and independently of the others.
//!
//! | factor | kind | values |
//! | --- | --- | --- |
//! | `shape` (also the label) | categorical | square, ellipse, heart |
//! | `scale` | number | [`SCALES`]: 0.5, 0.6 to 1 |
//! | `rotation` | degrees, clockwise | [`ROTATIONS`]: 0, 9 to 351 |
//! | `x`, `y` | right and down, 0 to 1 | [`PLACES`]: 0, 1/31 to 1 |
//!
//! Scale, rotation and place are numbers, not categories, though they take few values: they have an order, which rank
//! correlation and bins of equal width then see. A square looks the same after 90 degrees, an ellipse after 180; in
//! dSprites the last of the 40 rotations is the first again, here each is different.

use super::paint::{Frame, Painting, diamond, either, ellipse, slab};
use super::{Plan, classes, numbers};
use crate::{DataError, ImageSet, Split, random::Stream};

/// Number of scales, evenly from 0.5 to 1.
pub const SCALES: u16 = 6;
/// Number of rotations, evenly over the circle.
pub const ROTATIONS: u16 = 40;
/// Number of places along x and along y, evenly from 0 to 1.
pub const PLACES: u16 = 32;
/// Sizes that can be drawn, in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 32..=128;

/// The side of the square of scale 1, as a share of the picture; other shapes have its area.
const SIDE: f32 = 20.0 / 64.0;
/// How far from the middle of the picture the outermost places lie: nothing is cut off.
const REACH: f32 = 16.0 / 64.0;

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outline {
    /// A square.
    Square,
    /// An ellipse, its width 0.6 of its height.
    Ellipse,
    /// A heart: a square on its corner with half a disc on each of the upper sides.
    Heart,
}

impl Outline {
    /// All shapes, by the number that stands for them.
    pub const ALL: [Self; 3] = [Self::Square, Self::Ellipse, Self::Heart];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Square => "square",
            Self::Ellipse => "ellipse",
            Self::Heart => "heart",
        }
    }
}

/// Draws the set: `u8 [count, 1, size, size]`. Picture i depends on (seed, split, i) alone, apart from the size it is
/// drawn at.
///
/// # Errors
/// When `size` is not in [`SIZES`], there are 2³² pictures or more, or they take more memory than there is.
pub fn sprites(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let plan = Plan { name: "sprites", sizes: SIZES, channels: 1, count, size, seed };
    let (pictures, sprites) = plan.draw(split, |stream, picture| {
        let sprite = Sprite::draw(stream);
        sprite.paint(size).write(picture);
        sprite
    })?;
    let (labels, shape) =
        classes("shape", Outline::ALL.map(Outline::name), &sprites, |sprite| sprite.shape as u16);
    let factors = vec![
        shape,
        numbers("scale", &sprites, |sprite| sprite.scale),
        numbers("rotation", &sprites, |sprite| sprite.rotation),
        numbers("x", &sprites, |sprite| sprite.place[0]),
        numbers("y", &sprites, |sprite| sprite.place[1]),
    ];
    ImageSet::new("sprites", [1, size, size], pictures, Some(labels), factors)
}

/// The factors of one picture, in the units of the table above; values between those of the set can be drawn too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sprite {
    /// Its shape.
    pub shape: Outline,
    /// In [0.5, 1].
    pub scale: f32,
    /// In degrees, clockwise.
    pub rotation: f32,
    /// x to the right, y down, in [0, 1].
    pub place: [f32; 2],
}

impl Sprite {
    /// Draws all factors of a picture. The order of the draws is part of the data set.
    fn draw(stream: &mut Stream) -> Self {
        let mut below = |count: u16| stream.below(u32::from(count)) as u16;
        let shape = Outline::ALL[usize::from(below(Outline::ALL.len() as u16))];
        let scale = 0.5 + 0.5 * f32::from(below(SCALES)) / f32::from(SCALES - 1);
        let rotation = 360.0 * f32::from(below(ROTATIONS)) / f32::from(ROTATIONS);
        let mut place = || f32::from(below(PLACES)) / f32::from(PLACES - 1);
        Self { shape, scale, rotation, place: [place(), place()] }
    }

    /// The picture of this sprite, `u8 [size, size]`.
    ///
    /// # Errors
    /// When `size` is not in [`SIZES`].
    pub fn picture(&self, size: usize) -> Result<Vec<u8>, DataError> {
        super::alone("sprites", SIZES, size, |picture| self.paint(size).write(picture))
    }

    /// Lengths are sides of a square of the same area.
    fn paint(&self, size: usize) -> Painting {
        let angle = self.rotation.to_radians();
        let turn = [libm::cosf(angle), libm::sinf(angle)];
        let middle = self.place.map(|place| 0.5 + REACH * (2.0 * place - 1.0));
        let (scale, white) = (SIDE * self.scale, [1.0; 3]);
        let mut picture = Painting::new(size, Frame { middle, scale, turn }, |_| [0.0; 3]);
        match self.shape {
            Outline::Square => picture.fill(&slab([0.0; 2], [0.5; 2], 0.0), white, 1.0),
            Outline::Ellipse => picture.fill(&ellipse([0.0; 2], [0.437, 0.7284]), white, 1.0),
            Outline::Heart => {
                // Its sides d follow from the area, d² (1 + π/4) = 1; its centre of mass lies 0.2215 d above that of
                // the square, so the square stands lower by that.
                let lobe = |side: f32| ellipse([side * 0.26460, -0.09880], [0.37420; 2]);
                let heart = either(diamond([0.0, 0.16580], 0.52919), either(lobe(-1.0), lobe(1.0)));
                picture.fill(&heart, white, 1.0);
            }
        }
        picture
    }
}
