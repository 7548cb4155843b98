//! `heads`: shaded heads in three dimensions, drawn in-process: a stand-in for the 3D faces of the InfoGAN paper
//! (Chen et al. 2016, section 7.2), whose codes found azimuth, elevation, lighting and width.
//!
//! Grey, on a plain ground. A head is an egg-shaped skull with jaw, nose, ears, mouth, brows and eyes in their
//! hollows, all ellipsoids; light comes from far away and from all around. Every factor is uniform in its range and
//! independent of the others.
//!
//! | factor | kind | range |
//! | --- | --- | --- |
//! | `azimuth` | degrees, nose to the right of the picture | [`AZIMUTH`] |
//! | `elevation` | degrees, nose upwards | [`ELEVATION`] |
//! | `lighting` | degrees, light from the right of the viewer | [`LIGHTING`] |
//! | `width` | scale of the head across | [`WIDTH`] |
//! | `nose_length` | scale | [`NOSE_LENGTH`] |
//! | `eye_distance` | scale | [`EYE_DISTANCE`] |
//! | `jaw` | scale of its height | [`JAW`] |
//!
//! The last three are what tells one person from another: small, and known like the rest.

use super::scene::{Light, Scene};
use super::solid::{Pose, Vector};
use super::{Plan, numbers};
use crate::{DataError, ImageSet, Split, random::Stream};

/// Turn about the upright in degrees: positive when the nose points to the right of the picture.
pub const AZIMUTH: [f32; 2] = [-75.0, 75.0];
/// Turn about the line through the ears in degrees: positive when the nose points upwards.
pub const ELEVATION: [f32; 2] = [-30.0, 30.0];
/// Direction of the light in degrees to the right of the viewer. It does not turn with the head.
pub const LIGHTING: [f32; 2] = [-60.0, 60.0];
/// Scale of the head across.
pub const WIDTH: [f32; 2] = [0.8, 1.2];
/// Scale of how far the nose stands out.
pub const NOSE_LENGTH: [f32; 2] = [0.8, 1.2];
/// Scale of the distance between the eyes.
pub const EYE_DISTANCE: [f32; 2] = [0.9, 1.1];
/// Scale of the height of the jaw.
pub const JAW: [f32; 2] = [0.9, 1.1];
/// Sizes that can be drawn, in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 16..=128;

/// Half the side of the picture; a head is about two units high.
const VIEW: f32 = 1.22;
/// How high above the viewer the light stands, in degrees.
const LIGHT_HEIGHT: f32 = 18.0;
/// The share of light from all around.
const AMBIENT: f32 = 0.22;
/// Brightness of the ground: between the lit and the dark side, so that a larger outline is hardly brighter.
const GROUND: f32 = 0.45;
/// The share of light that skin throws back.
const SKIN: f32 = 0.95;

/// Draws the set: `u8 [count, 1, size, size]`. Picture i depends on (seed, split, i) alone, apart from the size it is
/// drawn at.
///
/// # Errors
/// When `size` is not in [`SIZES`], there are 2³² pictures or more, or they take more memory than there is.
pub fn heads(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let plan = Plan { name: "heads", sizes: SIZES, channels: 1, count, size, seed };
    let (pictures, heads) = plan.draw(split, |stream, picture| {
        let head = Head::draw(stream);
        head.scene(size).write(picture);
        head
    })?;
    let factors = vec![
        numbers("azimuth", &heads, |head| head.azimuth),
        numbers("elevation", &heads, |head| head.elevation),
        numbers("lighting", &heads, |head| head.lighting),
        numbers("width", &heads, |head| head.width),
        numbers("nose_length", &heads, |head| head.nose_length),
        numbers("eye_distance", &heads, |head| head.eye_distance),
        numbers("jaw", &heads, |head| head.jaw),
    ];
    ImageSet::new("heads", [1, size, size], pictures, None, factors)
}

/// The factors of one picture, in the units of the table above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// In degrees, see [`AZIMUTH`].
    pub azimuth: f32,
    /// In degrees, see [`ELEVATION`].
    pub elevation: f32,
    /// In degrees, see [`LIGHTING`].
    pub lighting: f32,
    /// See [`WIDTH`].
    pub width: f32,
    /// See [`NOSE_LENGTH`].
    pub nose_length: f32,
    /// See [`EYE_DISTANCE`].
    pub eye_distance: f32,
    /// See [`JAW`].
    pub jaw: f32,
}

impl Default for Head {
    /// Every factor in the middle of its range.
    fn default() -> Self {
        Self {
            azimuth: 0.0,
            elevation: 0.0,
            lighting: 0.0,
            width: 1.0,
            nose_length: 1.0,
            eye_distance: 1.0,
            jaw: 1.0,
        }
    }
}

impl Head {
    /// Draws all factors of a picture. The order of the draws is part of the data set.
    fn draw(stream: &mut Stream) -> Self {
        let mut within = |[low, high]: [f32; 2]| stream.uniform(low, high);
        Self {
            azimuth: within(AZIMUTH),
            elevation: within(ELEVATION),
            lighting: within(LIGHTING),
            width: within(WIDTH),
            nose_length: within(NOSE_LENGTH),
            eye_distance: within(EYE_DISTANCE),
            jaw: within(JAW),
        }
    }

    /// The picture of this head, `u8 [size, size]`.
    ///
    /// # Errors
    /// When `size` is not in [`SIZES`].
    pub fn picture(&self, size: usize) -> Result<Vec<u8>, DataError> {
        super::alone("heads", SIZES, size, |picture| self.scene(size).write(picture))
    }

    fn scene(&self, size: usize) -> Scene {
        let &Self { azimuth, elevation, lighting, width, nose_length, eye_distance, jaw } = self;
        let pose = Pose::new(azimuth, elevation);
        let mut scene = Scene::new(size, VIEW, Light::new(lighting, LIGHT_HEIGHT, AMBIENT), GROUND);
        // A part at its place in a head of width 1, turned about its own x by `pitch` degrees.
        let part = |[x, y, z]: Vector, [wide, high, deep]: Vector, pitch: f32| {
            let turned = pose.pitched(pitch).ellipsoid([0.0; 3], [wide * width, high, deep]);
            turned.at(pose.out([x * width, y, z]))
        };
        // What the hollows are carved from comes first: skull, jaw, cheeks that close the gap between the two.
        scene.add(&part([0.0, -0.26, -0.10], [0.69, 0.72, 0.80], 0.0), SKIN);
        scene.add(&part([0.0, 0.29 * jaw, 0.13], [0.53, 0.71 * jaw, 0.62], 0.0), SKIN);
        let eye = [0.25 * eye_distance, -0.09, 0.58];
        for side in [-1.0, 1.0] {
            scene.add(&part([side * 0.27, 0.10, 0.10], [0.29, 0.44, 0.50], 0.0), SKIN);
        }
        for side in [-1.0, 1.0] {
            scene.carve(&part([side * eye[0], eye[1], 0.80], [0.19, 0.14, 0.20], 0.0), 0.85 * SKIN);
        }
        for side in [-1.0, 1.0] {
            let across = side * eye[0];
            scene.add(&part([across, eye[1], eye[2]], [0.13, 0.09, 0.10], 0.0), 1.0);
            scene.add(&part([across, eye[1], eye[2] + 0.05], [0.06, 0.07, 0.06], 0.0), 0.1);
            scene.add(&part([across, -0.28, 0.61], [0.18, 0.05, 0.07], 0.0), 0.4);
            scene.add(&part([side * 0.64, 0.0, -0.06], [0.10, 0.22, 0.14], 15.0), 0.9 * SKIN);
        }
        // The nose hangs forward from between the brows; the lips stand on a low mound.
        scene.add(&part([0.0, 0.06, 0.66], [0.11, 0.32, 0.19 * nose_length], 16.0), SKIN);
        scene.add(&part([0.0, 0.24, 0.72], [0.14, 0.11, 0.23 * nose_length], 0.0), SKIN);
        scene.add(&part([0.0, 0.52, 0.56], [0.24, 0.20, 0.18], 0.0), SKIN);
        scene.add(&part([0.0, 0.53, 0.66], [0.19, 0.045, 0.10], 0.0), 0.45);
        // The neck, down to the edge of the picture.
        scene.add(&part([0.0, 0.95, -0.15], [0.38, 1.0, 0.40], 0.0), 0.9 * SKIN);
        scene
    }
}
