//! `portraits`: faces drawn in-process, in colour, with exact and independent attributes: a set for control of
//! attributes that needs no download.
//!
//! Every factor is drawn by itself. Lengths are shares of half the head's height.
//!
//! | attribute | values |
//! | --- | --- |
//! | `glasses`, `hat`, `beard` | no, yes |
//! | `hair_colour` | black, brown, fair, red, grey, blue |
//! | `hair_length` | short, to the chin, to the shoulders |
//! | `skin` | six, from light to dark |
//! | `mouth` | neutral, smiling, open |
//! | `background` | blue, green, sand, rose, violet, grey |
//! | `turn` | −1 to 1: to the left, to the right of the picture |
//! | `tilt` | degrees, clockwise |
//!
//! Free factors, all continuous: `face_width`, `face_height`, `eye_distance`, `eye_size`, `brow_height`, `brow_angle`,
//! `nose_length`, `mouth_width`, `fringe`, `light` (from the left, from the right), `scale`, `shift_x`, `shift_y` (shares of
//! the picture), `clothing` (place on the circle of colours). What else varies (colour and form of glasses and hats, cut
//! of a beard, a shadow on the chin) is no factor: it is there so that no attribute can be told from a few pixels.

use super::Plan;
use super::paint::{
    Colour, Frame, Painting, Point, below, both, bow, ellipse, line, lit, mixed, rim, slab, without,
};
use crate::{DataError, Factor, FactorValues, ImageSet, Split, random::Stream};

/// Sizes that can be drawn, in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 16..=512;

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortraitOptions {
    /// The number of pictures.
    pub count: usize,
    /// Height and width of a picture in pixels, in [`SIZES`].
    pub size: usize,
    /// The seed of the pictures, apart from that of the training.
    pub seed: u64,
}

const HAIR: [Colour; 6] = [
    [0.10, 0.09, 0.10],
    [0.36, 0.22, 0.13],
    [0.88, 0.72, 0.38],
    [0.70, 0.28, 0.12],
    [0.66, 0.66, 0.68],
    [0.22, 0.36, 0.74],
];
const SKIN: [Colour; 6] = [
    [0.98, 0.86, 0.77],
    [0.95, 0.77, 0.63],
    [0.87, 0.66, 0.49],
    [0.72, 0.50, 0.35],
    [0.55, 0.36, 0.25],
    [0.38, 0.25, 0.18],
];
const GROUND: [Colour; 6] = [
    [0.55, 0.72, 0.90],
    [0.60, 0.80, 0.62],
    [0.90, 0.82, 0.64],
    [0.93, 0.70, 0.72],
    [0.74, 0.66, 0.88],
    [0.72, 0.74, 0.76],
];
const DARK: Colour = [0.10, 0.10, 0.13];
const WHITE: Colour = [0.97, 0.97, 0.96];

/// Draws the set: `u8 [count, 3, size, size]`. Picture i depends on (seed, split, i) alone, apart from the size it is
/// drawn at.
///
/// # Errors
/// When `size` is not in [`SIZES`] or there are 2³² pictures or more.
pub fn portraits(options: &PortraitOptions, split: Split) -> Result<ImageSet, DataError> {
    let &PortraitOptions { count, size, seed } = options;
    let plan = Plan { name: "portraits", sizes: SIZES, channels: 3, count, size, seed };
    let (pictures, faces) = plan.draw(split, |stream, picture| {
        let face = Face::draw(stream);
        face.paint(size).write(picture);
        face
    })?;
    let categorical = ATTRIBUTES.iter().enumerate().map(|(place, (name, names))| Factor {
        name: (*name).to_owned(),
        values: FactorValues::categorical(names, faces.iter().map(|face| face.attributes[place]).collect()),
    });
    let continuous = NUMBERS.iter().enumerate().map(|(place, (name, ..))| Factor {
        name: (*name).to_owned(),
        values: FactorValues::Continuous(faces.iter().map(|face| face.numbers[place]).collect()),
    });
    ImageSet::new("portraits", [3, size, size], pictures, None, categorical.chain(continuous).collect())
}

/// Attributes with the names of their values.
const ATTRIBUTES: [(&str, &[&str]); 8] = [
    ("glasses", &["no", "yes"]),
    ("hat", &["no", "yes"]),
    ("beard", &["no", "yes"]),
    ("hair_colour", &["black", "brown", "fair", "red", "grey", "blue"]),
    ("hair_length", &["short", "chin", "shoulders"]),
    ("skin", &["lightest", "light", "medium", "tan", "brown", "dark"]),
    ("mouth", &["neutral", "smiling", "open"]),
    ("background", &["blue", "green", "sand", "rose", "violet", "grey"]),
];

/// Continuous factors with their ranges.
const NUMBERS: [(&str, f32, f32); 16] = [
    ("turn", -1.0, 1.0),
    ("tilt", -14.0, 14.0),
    ("face_width", 0.66, 0.82),
    ("face_height", 0.86, 1.04),
    ("eye_distance", 0.27, 0.36),
    ("eye_size", 0.085, 0.13),
    ("brow_height", 0.17, 0.27),
    ("brow_angle", -0.07, 0.07),
    ("nose_length", 0.16, 0.32),
    ("mouth_width", 0.17, 0.30),
    ("fringe", 0.0, 1.0),
    ("light", -1.0, 1.0),
    ("scale", 0.25, 0.32),
    ("shift_x", -0.07, 0.07),
    ("shift_y", -0.05, 0.05),
    ("clothing", 0.0, 1.0),
];

/// All of one face.
struct Face {
    attributes: [u16; ATTRIBUTES.len()],
    numbers: [f32; NUMBERS.len()],
    /// What is no factor: numbers in [0, 1).
    whims: [f32; 12],
}

impl Face {
    /// The order of the draws is part of the data set.
    fn draw(stream: &mut Stream) -> Self {
        let attributes = ATTRIBUTES.map(|(_, names)| stream.below(names.len() as u32) as u16);
        let numbers = NUMBERS.map(|(_, low, high)| stream.uniform(low, high));
        Self { attributes, numbers, whims: std::array::from_fn(|_| stream.unit()) }
    }

    fn paint(&self, size: usize) -> Painting {
        let [glasses, hat, beard, hair_colour, hair_length, skin, mouth, ground] = self.attributes;
        let [turn, tilt, wide, high, apart, eye, brow, slant, nose, lips, fringe, light, scale, x, y, cloth] =
            self.numbers;
        let whims = &self.whims;
        let angle = tilt.to_radians();
        let frame =
            Frame { middle: [0.5 + x, 0.47 + y], scale, turn: [libm::cosf(angle), libm::sinf(angle)] };
        let skin = lit(SKIN[usize::from(skin)], 0.95 + 0.1 * whims[0]);
        let hair = lit(HAIR[usize::from(hair_colour)], 0.85 + 0.3 * whims[1]);
        let ground = lit(GROUND[usize::from(ground)], 0.82 + 0.3 * whims[2]);
        let cloth = wheel(cloth, 0.35 + 0.5 * whims[3]);
        // The light falls from one side: brighter there, darker on the other.
        let shaded =
            |colour: Colour| move |at: Point| lit(colour, 1.0 + 0.16 * light * at[0].clamp(-1.0, 1.0));
        let mut picture = Painting::new(size, frame, |at| lit(ground, 1.06 - 0.16 * at[1]));
        // A turned head shows its features to one side, closer together, and hides an ear.
        let (ahead, narrow) = (0.24 * turn, 1.0 - 0.18 * turn * turn);
        let head = ellipse([0.0, 0.0], [wide, high]);

        // Behind the head.
        let back = -0.10 * turn;
        match hair_length {
            2 => picture.shade(&slab([back, 0.35], [wide + 0.2, 1.3], 0.6), shaded(lit(hair, 0.8)), 1.0),
            1 => picture.shade(&slab([back, 0.0], [wide + 0.17, 0.95], 0.6), shaded(lit(hair, 0.8)), 1.0),
            _ => {}
        }
        picture.shade(&slab([0.3 * back, high + 0.2], [0.3, 0.5], 0.1), shaded(lit(skin, 0.86)), 1.0);
        picture.shade(&ellipse([0.0, high + 1.35], [1.25, 0.95]), shaded(cloth), 1.0);
        for side in [-1.0, 1.0] {
            let place = [side * (wide - 0.02) - 0.25 * ahead, 0.05];
            picture.shade(&ellipse(place, [0.13, 0.2]), shaded(lit(skin, 0.92)), 1.0);
        }
        picture.shade(&head, shaded(skin), 1.0);

        // Chin: a beard, or perhaps no more than a shadow of one.
        let mouth_at = [ahead, 0.47 * high];
        let full = whims[4] < 0.6;
        let free = ellipse([mouth_at[0], mouth_at[1] - 0.06], [lips + 0.04, 0.14]);
        if beard == 1 && full {
            let area = without(both(head, below(0.12 + 0.12 * whims[5])), free);
            let cheeks = ellipse([ahead, 0.0], [0.8 * wide * narrow, 0.42 * high]);
            picture.shade(&without(area, cheeks), shaded(lit(hair, 0.9)), 0.95);
        } else if beard == 1 {
            let chin = ellipse([ahead, 0.68 * high], [0.26 + 0.1 * whims[5], 0.3 * high]);
            picture.shade(&without(both(chin, head), free), shaded(lit(hair, 0.9)), 0.95);
        } else {
            let chin = both(ellipse([ahead, 0.75 * high], [0.8 * wide, 0.42 * high]), head);
            picture.fill(&without(chin, free), mixed(lit(skin, 0.6), hair, 0.3), 0.45 * whims[5]);
        }

        // Mouth and nose.
        let red = mixed([0.72, 0.30, 0.30], lit(skin, 0.62), 0.35);
        let half = lips * narrow;
        match mouth {
            0 => {
                picture.fill(&line([ahead - half, mouth_at[1]], [ahead + half, mouth_at[1]], 0.06), red, 1.0)
            }
            1 => picture.fill(&bow([ahead, mouth_at[1] - 0.05], half, 0.13, 0.065), red, 1.0),
            _ => {
                picture.fill(&ellipse(mouth_at, [0.75 * half, 0.09 + 0.05 * whims[6]]), red, 1.0);
                picture.fill(
                    &ellipse([ahead, mouth_at[1] + 0.01], [0.58 * half, 0.06]),
                    [0.3, 0.08, 0.09],
                    1.0,
                );
            }
        }
        let tip = [1.35 * ahead, -0.06 + nose];
        picture.fill(&line([1.1 * ahead, -0.06], tip, 0.05), lit(skin, 0.82), 0.8);
        picture.fill(&ellipse(tip, [0.085, 0.055]), lit(skin, 0.80), 0.9);

        // Eyes and brows.
        let level = -0.12;
        let colour = mixed([0.25, 0.17, 0.10], [0.25, 0.45, 0.60], whims[7]);
        for side in [-1.0, 1.0] {
            let at = ahead + side * apart * narrow;
            picture.fill(&ellipse([at, level], [1.15 * eye * narrow, 0.8 * eye]), WHITE, 1.0);
            picture.fill(&ellipse([at + 0.12 * ahead, level], [0.62 * eye * narrow, 0.7 * eye]), colour, 1.0);
            picture.fill(&ellipse([at + 0.12 * ahead, level], [0.3 * eye, 0.35 * eye]), DARK, 1.0);
            let (inner, outer) = (at - side * 0.13 * narrow, at + side * 0.14 * narrow);
            let rise = level - brow;
            let stroke = line([inner, rise + slant], [outer, rise - slant], 0.05 + 0.05 * whims[8]);
            picture.fill(&stroke, mixed(lit(hair, 0.7), DARK, 0.3), 0.95);
        }
        if glasses == 1 {
            self.put_on_glasses(&mut picture, [ahead, level], apart * narrow, narrow, [wide, hair[0]]);
        }

        // Hair over the forehead, then perhaps a hat over it.
        let line_of_hair = -0.46 - 0.28 * (1.0 - fringe);
        let cap = without(ellipse([back, -0.08], [wide + 0.1, high + 0.08]), below(line_of_hair));
        picture.shade(&cap, shaded(hair), 1.0);
        let side_hair = -0.12 + 0.3 * f32::from(hair_length.min(1));
        for side in [-1.0, 1.0] {
            let lock = slab(
                [side * (wide + 0.01) + back, 0.5 * (line_of_hair + side_hair)],
                [0.1, 0.5 * (side_hair - line_of_hair) + 0.1],
                0.08,
            );
            picture.shade(&lock, shaded(lit(hair, 0.92)), 1.0);
        }
        if hat == 1 {
            // Of any colour, often that of hair.
            let felt =
                if whims[9] < 0.5 { HAIR[(whims[9] * 12.0) as usize % 6] } else { wheel(whims[10], 0.7) };
            let crown = without(ellipse([0.5 * back, -0.50], [wide + 0.12, 0.62 * high]), below(-0.52));
            picture.shade(&crown, shaded(felt), 1.0);
            let brim = if whims[11] < 0.5 { wide + 0.42 } else { wide + 0.14 };
            let brim = slab([0.3 * ahead, -0.53], [brim, 0.075], 0.07);
            picture.shade(&brim, shaded(lit(felt, 0.82)), 1.0);
        }
        picture
    }

    /// Thin or thick, round or square, clear or dark, of any colour from skin to black.
    fn put_on_glasses(
        &self,
        picture: &mut Painting,
        [x, y]: Point,
        apart: f32,
        narrow: f32,
        [wide, shade]: [f32; 2],
    ) {
        let whims = &self.whims;
        let frame = mixed(DARK, wheel(whims[9], 0.75), if whims[6] < 0.5 { 0.15 } else { whims[6] });
        let frame = mixed(frame, [shade; 3], 0.2);
        let (width, radii) = (0.035 + 0.03 * whims[10], [0.2 * narrow, 0.155 + 0.03 * whims[11]]);
        let lens = if whims[7] < 0.3 { (DARK, 0.85) } else { (WHITE, 0.14) };
        for side in [-1.0, 1.0] {
            let at = [x + side * (apart + 0.01), y];
            if whims[8] < 0.5 {
                picture.fill(&ellipse(at, radii), lens.0, lens.1);
                picture.fill(&rim(ellipse(at, radii), width), frame, 1.0);
            } else {
                picture.fill(&slab(at, radii, 0.06), lens.0, lens.1);
                picture.fill(&rim(slab(at, radii, 0.06), width), frame, 1.0);
            }
            let temple = [side * wide * 0.97, y - 0.02];
            picture.fill(&line([at[0] + side * radii[0], y - 0.02], temple, width), frame, 1.0);
        }
        let bridge = apart - radii[0] + 0.01;
        picture.fill(&line([x - bridge, y - 0.02], [x + bridge, y - 0.02], width), frame, 1.0);
    }
}

/// A colour of the rainbow, as strong as `strength` in [0, 1].
fn wheel(place: f32, strength: f32) -> Colour {
    // Three lines that rise and fall, a third of the circle apart.
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|offset: f32| {
        let at = (place + offset) % 1.0;
        let height = (6.0 * (at - 0.5).abs() - 1.0).clamp(0.0, 1.0);
        0.85 * (1.0 - strength + strength * height)
    })
}
