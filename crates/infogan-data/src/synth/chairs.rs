//! `chairs`: chairs of eight types in three dimensions, drawn in-process: a stand-in for the 3D chairs of the InfoGAN
//! paper (Chen et al. 2016, section 7.2; pictures of Aubry et al. 2014), whose codes found rotation and width.
//!
//! Grey, on white, seen from slightly above. A chair is put together from boxes, rods and discs; the light comes from
//! the left of the viewer. Every factor is uniform in its range and independent of the others.
//!
//! | factor | kind | range |
//! | --- | --- | --- |
//! | `type` (also the label) | categorical | the names of [`Kind`] |
//! | `rotation` | degrees, full circle; at 90 the front points to the right of the picture | [`ROTATION`] |
//! | `width` | scale of the chair across | [`WIDTH`] |
//! | `height` | scale of what stands above the seat, or of the legs of a stool | [`HEIGHT`] |
//! | `shade` | brightness of the material | [`SHADE`] |
//!
//! The last two are what tells one chair of a type from another: small, and known like the rest. Rotation is a circle
//! written as a number: 359 and 1 are neighbours. A score that asks for order cannot reach its best value on it.

use super::scene::{Light, Scene};
use super::solid::Pose;
use super::workbench::Workbench;
use super::{Plan, classes, numbers};
use crate::{DataError, ImageSet, Split, random::Stream};

/// Turn about the upright in degrees: at 0 the front faces the viewer, at 90 it points to the right of the picture.
pub const ROTATION: [f32; 2] = [0.0, 360.0];
/// Scale of the chair across.
pub const WIDTH: [f32; 2] = [0.7, 1.3];
/// Scale of the back, or of the legs where there is none.
pub const HEIGHT: [f32; 2] = [0.9, 1.1];
/// The share of light that the material throws back.
pub const SHADE: [f32; 2] = [0.5, 0.8];
/// Sizes that can be drawn, in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 32..=128;

/// Half the side of the picture, in metres: the largest chair fits in at every rotation.
const VIEW: f32 = 0.70;
/// How far above the chair the viewer looks down from, in degrees.
const RAISED: f32 = 22.0;
/// Where the light stands, in degrees to the right of the viewer and above.
const LIGHT: [f32; 2] = [-35.0, 50.0];
/// The share of light from all around.
const AMBIENT: f32 = 0.3;

/// A type of chair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Four legs, a back of upright slats.
    Slatted,
    /// A round seat on four splayed legs, a foot rest in front, no back.
    Stool,
    /// Upholstered, arms and back down to the floor.
    Armchair,
    /// A column on a star of five feet, arms.
    Office,
    /// A bent tube that leaves the seat free behind.
    Cantilever,
    /// On curved runners.
    Rocking,
    /// A shell on a column and a round foot.
    Tulip,
    /// Crossed legs, a cloth for a seat and another for a back.
    Folding,
}

impl Kind {
    /// All types, by the number that stands for them.
    pub const ALL: [Self; 8] = [
        Self::Slatted,
        Self::Stool,
        Self::Armchair,
        Self::Office,
        Self::Cantilever,
        Self::Rocking,
        Self::Tulip,
        Self::Folding,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slatted => "slatted",
            Self::Stool => "stool",
            Self::Armchair => "armchair",
            Self::Office => "office",
            Self::Cantilever => "cantilever",
            Self::Rocking => "rocking",
            Self::Tulip => "tulip",
            Self::Folding => "folding",
        }
    }
}

/// Draws the set: `u8 [count, 1, size, size]`. Picture i depends on (seed, split, i) alone, apart from the size it is
/// drawn at.
///
/// # Errors
/// When `size` is not in [`SIZES`], there are 2³² pictures or more, or they take more memory than there is.
pub fn chairs(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let plan = Plan { name: "chairs", sizes: SIZES, channels: 1, count, size, seed };
    let (pictures, chairs) = plan.draw(split, |stream, picture| {
        let chair = Chair::draw(stream);
        chair.scene(size).write(picture);
        chair
    })?;
    let (labels, kind) = classes("type", Kind::ALL.map(Kind::name), &chairs, |chair| chair.kind as u16);
    let factors = vec![
        kind,
        numbers("rotation", &chairs, |chair| chair.rotation),
        numbers("width", &chairs, |chair| chair.width),
        numbers("height", &chairs, |chair| chair.height),
        numbers("shade", &chairs, |chair| chair.shade),
    ];
    ImageSet::new("chairs", [1, size, size], pictures, Some(labels), factors)
}

/// The factors of one picture, in the units of the table above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chair {
    /// Its type.
    pub kind: Kind,
    /// In degrees, see [`ROTATION`].
    pub rotation: f32,
    /// See [`WIDTH`].
    pub width: f32,
    /// See [`HEIGHT`].
    pub height: f32,
    /// See [`SHADE`].
    pub shade: f32,
}

impl Chair {
    /// A chair of this type that faces the viewer, all else in the middle of its range.
    pub fn of(kind: Kind) -> Self {
        Self { kind, rotation: 0.0, width: 1.0, height: 1.0, shade: 0.65 }
    }

    /// Draws all factors of a picture. The order of the draws is part of the data set.
    fn draw(stream: &mut Stream) -> Self {
        let kind = Kind::ALL[stream.below(Kind::ALL.len() as u32) as usize];
        let mut within = |[low, high]: [f32; 2]| stream.uniform(low, high);
        let (rotation, width) = (within(ROTATION), within(WIDTH));
        Self { kind, rotation, width, height: within(HEIGHT), shade: within(SHADE) }
    }

    /// The picture of this chair, `u8 [size, size]`.
    ///
    /// # Errors
    /// When `size` is not in [`SIZES`].
    pub fn picture(&self, size: usize) -> Result<Vec<u8>, DataError> {
        super::alone("chairs", SIZES, size, |picture| self.scene(size).write(picture))
    }

    fn scene(&self, size: usize) -> Scene {
        let scene = Scene::new(size, VIEW, Light::new(LIGHT[0], LIGHT[1], AMBIENT), 1.0);
        // Seen from above, the front of what stands upright points down.
        let pose = Pose::new(self.rotation, -RAISED);
        let mut bench = Workbench { scene, pose, width: self.width, shade: self.shade };
        bench.build(self.kind, self.height);
        bench.scene
    }
}
