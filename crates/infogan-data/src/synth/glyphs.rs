//! `glyphs`: the ten digits in a varied hand, drawn in-process: the default data set of the program.
//!
//! Grey, white on black. A picture is drawn by taking one of four styles of a digit, bending it a little,
//! then scaling its width, slanting, rotating and shifting it, and following it with a round pen. Every
//! factor is uniform in the range given below and independent of the others; lengths are in pixels of the
//! 28 × 28 picture and grow with the size.
//!
//! | factor | kind | range |
//! | --- | --- | --- |
//! | `digit` (also the label) | categorical | 10 |
//! | `style` (of that digit) | categorical | 4 |
//! | `rotation` | degrees, clockwise | [`ROTATION`] |
//! | `width` | horizontal scale | [`WIDTH`] |
//! | `slant` | shift of the top to the right, per height | [`SLANT`] |
//! | `thickness` | pixels of 28 | [`THICKNESS`] |
//! | `shift_x`, `shift_y` | pixels of 28, right and down | [`SHIFT`] |
//!
//! The bend (two slow waves of random phase) is not a factor: it is the variety of the hand.

use super::Plan;
use super::outlines::{DIGITS, STYLES};
use super::pen::{Canvas, Point};
use crate::random::Stream;
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

/// Rotation in degrees, clockwise.
pub const ROTATION: [f32; 2] = [-25.0, 25.0];
/// Horizontal scale of the upright digit.
pub const WIDTH: [f32; 2] = [0.75, 1.2];
/// How far the top leans to the right, as a share of the height.
pub const SLANT: [f32; 2] = [-0.12, 0.12];
/// Width of the pen in pixels of the 28 × 28 picture.
pub const THICKNESS: [f32; 2] = [2.0, 3.4];
/// Shift from the middle in pixels of the 28 × 28 picture, along x and along y.
pub const SHIFT: [f32; 2] = [-1.6, 1.6];
/// Sizes that can be drawn, in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 8..=1024;

/// Height of the middle line of the pen, as a share of the picture: with the pen, 19 to 20 pixels of 28.
const HEIGHT: f32 = 17.0 / 28.0;
/// Largest displacement by each wave of the bend, as a share of the height.
const BEND: f32 = 0.04;

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlyphOptions {
    /// The number of pictures.
    pub count: usize,
    /// Height and width of a picture in pixels, in [`SIZES`].
    pub size: usize,
    /// The seed of the pictures, apart from that of the training.
    pub seed: u64,
}

impl Default for GlyphOptions {
    /// 20,000 pictures of 28 × 28 from seed 0.
    fn default() -> Self {
        Self { count: 20_000, size: 28, seed: 0 }
    }
}

/// Draws the set. Picture i depends on (seed, split, i) alone, apart from the size it is drawn at: a larger
/// `count` adds pictures and changes none.
///
/// # Errors
/// When `size` is not in [`SIZES`] or there are 2³² pictures or more.
pub fn glyphs(options: &GlyphOptions, split: Split) -> Result<ImageSet, DataError> {
    let &GlyphOptions { count, size, seed } = options;
    let plan = Plan { name: "glyphs", sizes: SIZES, channels: 1, count, size, seed };
    let (pictures, hands) = plan.draw(split, |stream, picture| {
        let hand = Hand::draw(stream);
        hand.write(size, picture);
        hand
    })?;

    let continuous = |name: &str, value: fn(&Hand) -> f32| Factor {
        name: name.to_string(),
        values: FactorValues::Continuous(hands.iter().map(value).collect()),
    };
    let numbers = |count: usize| (0..count).map(|number| number.to_string()).collect();
    let categorical = |name: &str, count: usize, value: fn(&Hand) -> u16| Factor {
        name: name.to_string(),
        values: FactorValues::Categorical {
            names: numbers(count),
            values: hands.iter().map(value).collect(),
        },
    };
    let factors = vec![
        categorical("digit", DIGITS.len(), |hand| hand.digit),
        categorical("style", STYLES, |hand| hand.style),
        continuous("rotation", |hand| hand.rotation),
        continuous("width", |hand| hand.width),
        continuous("slant", |hand| hand.slant),
        continuous("thickness", |hand| hand.thickness),
        continuous("shift_x", |hand| hand.shift[0]),
        continuous("shift_y", |hand| hand.shift[1]),
    ];
    let labels =
        Labels { values: hands.iter().map(|hand| hand.digit).collect(), class_names: numbers(DIGITS.len()) };
    ImageSet::new("glyphs", [1, size, size], pictures, Some(labels), factors)
}

/// The factors of one picture.
#[derive(Clone, Debug)]
struct Hand {
    digit: u16,
    style: u16,
    rotation: f32,
    width: f32,
    slant: f32,
    thickness: f32,
    shift: [f32; 2],
    bend: [Wave; 2],
}

/// A slow wave that displaces one axis along the other.
#[derive(Clone, Copy, Debug)]
struct Wave {
    amplitude: f32,
    /// Waves per height.
    frequency: f32,
    phase: f32,
}

impl Wave {
    fn at(self, place: f32) -> f32 {
        self.amplitude * libm::sinf(std::f32::consts::TAU * (self.frequency * place + self.phase))
    }
}

impl Hand {
    /// Draws all factors of a picture. The order of the draws is part of the data set.
    fn draw(stream: &mut Stream) -> Self {
        let digit = stream.below(DIGITS.len() as u32) as u16;
        let style = stream.below(STYLES as u32) as u16;
        let mut within = |[low, high]: [f32; 2]| stream.uniform(low, high);
        let (rotation, width, slant) = (within(ROTATION), within(WIDTH), within(SLANT));
        let (thickness, shift) = (within(THICKNESS), [within(SHIFT), within(SHIFT)]);
        let mut wave = || Wave {
            amplitude: within([0.0, BEND]),
            frequency: within([0.5, 1.2]),
            phase: within([0.0, 1.0]),
        };
        let bend = [wave(), wave()];
        Self { digit, style, rotation, width, slant, thickness, shift, bend }
    }

    /// Draws the picture, `[size, size]`.
    fn write(&self, size: usize, picture: &mut [u8]) {
        let scale = size as f32;
        let pixel = scale / 28.0;
        let height = scale * HEIGHT;
        let angle = self.rotation.to_radians();
        let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
        let middle = self.shift.map(|shift| 0.5 * scale + shift * pixel);
        let place = |[x, y]: Point| -> Point {
            let y = y - 0.5;
            let (x, y) = (x + self.bend[0].at(y), y + self.bend[1].at(x));
            let x = x * self.width - self.slant * y;
            let (x, y) = (cosine * x - sine * y, sine * x + cosine * y);
            [middle[0] + height * x, middle[1] + height * y]
        };
        let mut canvas = Canvas::new(size, self.thickness * pixel);
        for stroke in DIGITS[usize::from(self.digit)][usize::from(self.style)] {
            stroke.for_each_piece(|from, to| canvas.line(place(from), place(to)));
        }
        canvas.write(picture);
    }
}
