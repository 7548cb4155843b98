//! BasicProp++: four sets after appendix A of Evtimova and Drozdov, *Understanding Mutual Information and its Use in
//! InfoGAN*, which go beyond the two that the paper trains on ([`super::basicprop`]).
//!
//! **These are our reading, not the paper's data.** All that the paper gives is a drawing, its Fig. 5, of "hypothetical
//! images" with "spatial translation, ratios of diameters, colorings, and alternating shapes, all of which could
//! potentially be captured by a combination of categorical and continuous variables". It has no sizes, no numbers of
//! values and no code. What follows keeps to BasicProp: 28 × 28, two properties a picture, uniform and independent, ten
//! values where a property is categorical, and every value of every channel 0 or 255, without soft edges, so that
//! `value-noise` finds both.
//!
//! | set | picture | classes and factors |
//! | --- | --- | --- |
//! | `basicprop-translation` | a disc, diameter 10, its middle (14 + x, 14 + y) | no classes; `x` to the right and `y` down, whole pixels in −9 to 9 ([`SHIFT`]) |
//! | `basicprop-diameters` | two discs, middles (7, 14) and (21, 14), diameters l and r: l/r = 2^`log2_ratio`, (l + r)/2 = `mean` | no classes; `log2_ratio` in [`LOG2_RATIO`], `mean` in [`MEAN`] |
//! | `basicprop-colours` | the bar of `basicprop-line` in colour: 4 wide, of full height, left edge at column 3 + 2i | `colour`, 10 with names, also the class; `place` i, 10 |
//! | `basicprop-shapes` | nine shapes, 8 × 8, top left corners at rows and columns 1, 10 and 19; `first` where row and column of the board add up to an even number (five), `second` where to an odd one (four) | 100: 10·first + second, by name; `first` and `second`, 10 with names |
//!
//! A point is (x, y) from the top left corner of the picture, so that (14, 14) is its middle, between pixels. A pixel
//! belongs to a shape when its centre does. With (u, v) *twice* the way from the middle of a shape to the centre of a
//! pixel, right and down (odd numbers, −7 to 7 in the 8 × 8 shapes):
//!
//! | shape | pixels |
//! | --- | --- |
//! | disc of diameter d | u² + v² ≤ d² |
//! | `square` | all |
//! | `frame` | max(∣u∣, ∣v∣) ≥ 5: two pixels thick |
//! | `disc` | u² + v² ≤ 64 |
//! | `ring` | 16 < u² + v² ≤ 64 |
//! | `diamond` | ∣u∣ + ∣v∣ ≤ 8 |
//! | `triangle` | 2∣u∣ ≤ v + 9: on its base, two rows for each width 2, 4, 6, 8 |
//! | `cross` | min(∣u∣, ∣v∣) = 1: arms two pixels thick |
//! | `saltire` | ∣∣u∣ − ∣v∣∣ ≤ 2: the same cross, slanting |
//! | `bar` | ∣u∣ ≤ 3 |
//! | `dash` | ∣v∣ ≤ 3 |
//!
//! Three channels of 0 and 255 make seven colours beside black. The other three are halftones, one colour on the pixels
//! whose row and column add up to an even number and its neighbour on the rest. Noise of the background is then drawn in
//! every channel that is 0, also within the bar:
//!
//! | colour | red, green, blue | colour | red, green, blue |
//! | --- | --- | --- | --- |
//! | `red` | 255, 0, 0 | `cyan` | 0, 255, 255 |
//! | `orange` | red and yellow | `blue` | 0, 0, 255 |
//! | `yellow` | 255, 255, 0 | `violet` | blue and magenta |
//! | `green` | 0, 255, 0 | `magenta` | 255, 0, 255 |
//! | `mint` | green and cyan | `white` | 255, 255, 255 |
//!
//! Translation goes by whole pixels because without soft edges a picture cannot show less: the disc is the same 80 pixels
//! at each of its 361 places, all inside the picture. Its two numbers are recorded as numbers, since they have an order and
//! a distance. Diameters are truly continuous; what is seen of each, from 5⅓ to 14 pixels, is one of 16 discs. Their ratio is
//! recorded as its logarithm, in which a picture and its mirror image are equally far from two equal discs. `first` and
//! `second` may be the same shape, so that they are independent: nothing alternates in a tenth of those pictures.

use super::basicprop::{Bar, SIDE, VALUES, column, pairs, plan, property};
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

/// Shift of the disc of `basicprop-translation` from the middle, in whole pixels, along x and along y: both ends included.
pub const SHIFT: [i16; 2] = [-9, 9];
/// Binary logarithm of left over right diameter in `basicprop-diameters`.
pub const LOG2_RATIO: [f32; 2] = [-1.0, 1.0];
/// Mean of both diameters in `basicprop-diameters`, in pixels.
pub const MEAN: [f32; 2] = [8.0, 10.5];

/// Diameter of the disc of `basicprop-translation`.
const DIAMETER: f32 = 10.0;

/// Whether a shape holds the pixel whose centre lies at twice this way from its middle, right and down.
type Covers = fn(i32, i32) -> bool;

const SHAPES: [(&str, Covers); VALUES as usize] = [
    ("square", |_, _| true),
    ("frame", |u, v| u.abs().max(v.abs()) >= 5),
    ("disc", |u, v| u * u + v * v <= 64),
    ("ring", |u, v| (17..=64).contains(&(u * u + v * v))),
    ("diamond", |u, v| u.abs() + v.abs() <= 8),
    ("triangle", |u, v| 2 * u.abs() <= v + 9),
    ("cross", |u, v| u.abs().min(v.abs()) == 1),
    ("saltire", |u, v| (u.abs() - v.abs()).abs() <= 2),
    ("bar", |u, _| u.abs() <= 3),
    ("dash", |_, v| v.abs() <= 3),
];

/// Red, green and blue of a pixel.
type Pixel = [u8; 3];
const RED: Pixel = [255, 0, 0];
const YELLOW: Pixel = [255, 255, 0];
const GREEN: Pixel = [0, 255, 0];
const CYAN: Pixel = [0, 255, 255];
const BLUE: Pixel = [0, 0, 255];
const MAGENTA: Pixel = [255, 0, 255];
const WHITE: Pixel = [255, 255, 255];

/// Colours: their pixels where row and column add up to an even number, and the others.
const COLOURS: [(&str, [Pixel; 2]); VALUES as usize] = [
    ("red", [RED, RED]),
    ("orange", [RED, YELLOW]),
    ("yellow", [YELLOW, YELLOW]),
    ("green", [GREEN, GREEN]),
    ("mint", [GREEN, CYAN]),
    ("cyan", [CYAN, CYAN]),
    ("blue", [BLUE, BLUE]),
    ("violet", [BLUE, MAGENTA]),
    ("magenta", [MAGENTA, MAGENTA]),
    ("white", [WHITE, WHITE]),
];

/// Draws `basicprop-translation`: `u8 [count, 1, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// When `size` is not 28, or there are too many pictures.
pub fn translation(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-translation";
    let (pictures, shifts) = plan(name, 1, count, size, seed).draw(split, |stream, picture| {
        let [low, high] = SHIFT;
        let shift = [(); 2].map(|()| low + stream.below((high - low + 1) as u32) as i16);
        disc(picture, shift.map(|shift| SIDE as i32 / 2 + i32::from(shift)), DIAMETER);
        shift.map(f32::from)
    })?;
    ImageSet::new(name, [1, SIDE, SIDE], pictures, None, measures(["x", "y"], &shifts))
}

/// Draws `basicprop-diameters`: `u8 [count, 1, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// As [`translation`].
pub fn diameters(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-diameters";
    let (pictures, measured) = plan(name, 1, count, size, seed).draw(split, |stream, picture| {
        let [log2_ratio, mean] = [LOG2_RATIO, MEAN].map(|[low, high]| stream.uniform(low, high));
        let [left, right] = two_diameters(log2_ratio, mean);
        disc(picture, [7, 14], left);
        disc(picture, [21, 14], right);
        [log2_ratio, mean]
    })?;
    ImageSet::new(name, [1, SIDE, SIDE], pictures, None, measures(["log2_ratio", "mean"], &measured))
}

/// Draws `basicprop-colours`: `u8 [count, 3, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// As [`translation`].
pub fn colours(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-colours";
    let (pictures, drawn) = plan(name, 3, count, size, seed).draw(split, |stream, picture| {
        let [colour, place] = [(); 2].map(|()| stream.below(VALUES) as u16);
        let (_, pixels) = COLOURS[usize::from(colour)];
        for (channel, plane) in picture.chunks_exact_mut(SIDE * SIDE).enumerate() {
            Bar::line(place).paint(plane);
            for (at, value) in plane.iter_mut().enumerate() {
                *value &= pixels[(at / SIDE + at % SIDE) % 2][channel];
            }
        }
        [colour, place]
    })?;
    let (names, colour) = (COLOURS.map(|(name, _)| name), column(&drawn, 0));
    let labels = Labels { values: colour.clone(), class_names: names.map(str::to_owned).to_vec() };
    let factors = vec![named("colour", names, colour), property("place", column(&drawn, 1))];
    ImageSet::new(name, [3, SIDE, SIDE], pictures, Some(labels), factors)
}

/// Draws `basicprop-shapes`: `u8 [count, 1, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// As [`translation`].
pub fn shapes(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-shapes";
    let (pictures, drawn) = plan(name, 1, count, size, seed).draw(split, |stream, picture| {
        let both = [(); 2].map(|()| stream.below(VALUES) as u16);
        for field in 0..9 {
            // On a board of 3 × 3 the parity of row and column is that of the number of the field.
            let (_, covers) = SHAPES[usize::from(both[field % 2])];
            let middle = [field % 3, field / 3].map(|place| 5 + 9 * place as i32);
            stamp(picture, middle, 4, covers);
        }
        both
    })?;
    let names = SHAPES.map(|(name, _)| name);
    let class_names =
        names.iter().flat_map(|first| names.map(|second| format!("{first}-{second}"))).collect();
    let labels = Labels { values: pairs(&drawn), class_names };
    let factors = vec![named("first", names, column(&drawn, 0)), named("second", names, column(&drawn, 1))];
    ImageSet::new(name, [1, SIDE, SIDE], pictures, Some(labels), factors)
}

/// Left and right diameter of this ratio and mean.
fn two_diameters(log2_ratio: f32, mean: f32) -> [f32; 2] {
    let right = 2.0 * mean / (1.0 + libm::exp2f(log2_ratio));
    [2.0 * mean - right, right]
}

/// Paints the pixels whose centres lie in a disc.
fn disc(picture: &mut [u8], middle: [i32; 2], diameter: f32) {
    let square = diameter * diameter;
    stamp(picture, middle, (0.5 * diameter) as i32 + 1, |u, v| (u * u + v * v) as f32 <= square);
}

/// Paints the pixels that a shape covers, at most `reach` pixels to each side of its middle.
fn stamp(picture: &mut [u8], middle: [i32; 2], reach: i32, covers: impl Fn(i32, i32) -> bool) {
    for (y, row) in (0..).zip(picture.chunks_exact_mut(SIDE)) {
        for (x, value) in (0..).zip(row) {
            let [u, v] = [2 * (x - middle[0]) + 1, 2 * (y - middle[1]) + 1];
            if u.abs().max(v.abs()) < 2 * reach && covers(u, v) {
                *value = 255;
            }
        }
    }
}

fn named<const N: usize>(name: &str, names: [&str; N], values: Vec<u16>) -> Factor {
    Factor { name: name.to_owned(), values: FactorValues::categorical(&names, values) }
}

fn measures(names: [&str; 2], values: &[[f32; 2]]) -> Vec<Factor> {
    let factor = |(which, name): (usize, &str)| Factor {
        name: name.to_owned(),
        values: FactorValues::Continuous(column(values, which)),
    };
    names.into_iter().enumerate().map(factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a plane, lit pixels as `#`.
    fn seen(plane: &[u8]) -> Vec<String> {
        let pixel = |value: &u8| match value {
            0 => '.',
            255 => '#',
            other => panic!("{other} is neither 0 nor 255"),
        };
        plane.chunks_exact(SIDE).map(|row| row.iter().map(pixel).collect()).collect()
    }

    /// A plane with drawings at (row, column) of their top left corners.
    fn wanted(drawings: &[(&[&str], [usize; 2])]) -> Vec<String> {
        let mut plane = vec![vec!['.'; SIDE]; SIDE];
        for (rows, [top, left]) in drawings {
            for (row, line) in rows.iter().enumerate() {
                for (column, pixel) in line.chars().enumerate() {
                    plane[top + row][left + column] = pixel;
                }
            }
        }
        plane.into_iter().map(String::from_iter).collect()
    }

    fn number(set: &ImageSet, which: usize, index: usize) -> f32 {
        match &set.factors()[which].values {
            FactorValues::Continuous(values) => values[index],
            FactorValues::Categorical { .. } => panic!("factor {which} is no number"),
        }
    }

    fn category(set: &ImageSet, which: usize, index: usize) -> usize {
        match &set.factors()[which].values {
            FactorValues::Categorical { values, .. } => usize::from(values[index]),
            FactorValues::Continuous(_) => panic!("factor {which} is a number"),
        }
    }

    /// Diameter 10: (u, v) with u² + v² ≤ 100 are ∣u∣ ≤ 9 for ∣v∣ 1 and 3, 7 for 5 and 7, 3 for 9.
    const TEN: [&str; 10] = [
        "...####...",
        ".########.",
        ".########.",
        "##########",
        "##########",
        "##########",
        "##########",
        ".########.",
        ".########.",
        "...####...",
    ];

    #[test]
    fn discs_are_where_they_are_said_to_be() {
        assert_eq!(TEN.concat().matches('#').count(), 80);
        let set = translation(2000, 28, 0, Split::Train).unwrap();
        let mut ends = [false; 4];
        for index in 0..set.len() {
            let [x, y] = [0, 1].map(|which| number(&set, which, index) as i32);
            let corner = [y, x].map(|shift| (14 + shift - 5) as usize);
            assert_eq!(seen(set.picture(index)), wanted(&[(&TEN, corner)]), "({x}, {y})");
            for (end, met) in ends.iter_mut().zip([x == -9, x == 9, y == -9, y == 9]) {
                *end |= met;
            }
        }
        assert_eq!(ends, [true; 4], "the disc reaches every side");
        assert!(set.labels().is_none());
    }

    #[test]
    fn diameters_have_their_ratio_and_mean() {
        for (log2_ratio, mean, both) in
            [(0.0, 8.0, [8.0, 8.0]), (1.0, 9.0, [12.0, 6.0]), (-1.0, 10.5, [7.0, 14.0])]
        {
            let diameters = two_diameters(log2_ratio, mean);
            assert!((0..2).all(|side| (diameters[side] - both[side]).abs() < 1e-5), "{diameters:?}");
        }
    }

    /// Twelve: ∣u∣ ≤ 11 for ∣v∣ 1 and 3, 9 for 5 and 7, 7 for 9, 3 for 11. Six: ∣u∣ ≤ 5 for ∣v∣ 1 and 3, 3 for 5.
    #[test]
    fn two_discs_stand_side_by_side() {
        let twelve = [
            "....####....",
            "..########..",
            ".##########.",
            ".##########.",
            "############",
            "############",
            "############",
            "############",
            ".##########.",
            ".##########.",
            "..########..",
            "....####....",
        ];
        let six = [".####.", "######", "######", "######", "######", ".####."];
        let mut picture = [0; SIDE * SIDE];
        disc(&mut picture, [7, 14], 12.0);
        disc(&mut picture, [21, 14], 6.0);
        assert_eq!(seen(&picture), wanted(&[(&twelve, [8, 1]), (&six, [11, 18])]));

        // Pixel by pixel from the factors, in double precision.
        let set = diameters(1000, 28, 0, Split::Train).unwrap();
        for index in 0..set.len() {
            let [log2_ratio, mean] = [0, 1].map(|which| f64::from(number(&set, which, index)));
            let ratio = log2_ratio.exp2();
            let [left, right] = [2.0 * mean * ratio / (1.0 + ratio), 2.0 * mean / (1.0 + ratio)];
            for (place, &value) in set.picture(index).iter().enumerate() {
                let [x, y] = [place % SIDE, place / SIDE].map(|place| place as f64 + 0.5);
                let within = |middle: f64, diameter: f64| (x - middle).hypot(y - 14.0) <= diameter / 2.0;
                let lit = within(7.0, left) || within(21.0, right);
                assert_eq!(value == 255, lit, "picture {index} at ({x}, {y})");
            }
        }
    }

    /// Diameters of this set between 5⅓ and 14 make 16 discs.
    #[test]
    fn discs_are_many() {
        let ends = two_diameters(LOG2_RATIO[0], MEAN[0])[0]..=two_diameters(LOG2_RATIO[1], MEAN[1])[0];
        assert!((ends.start() - 16.0 / 3.0).abs() < 1e-5 && (ends.end() - 14.0).abs() < 1e-5);
        let areas = (0..1000).map(|step| {
            let mut picture = [0; SIDE * SIDE];
            disc(&mut picture, [14, 14], ends.start() + (ends.end() - ends.start()) * step as f32 / 999.0);
            picture.iter().filter(|value| **value == 255).count()
        });
        assert_eq!(areas.collect::<std::collections::BTreeSet<_>>().len(), 16);
    }

    /// Columns 3 + 2i to 6 + 2i, in the pixels of the colour.
    #[test]
    fn bars_have_the_colours_they_are_said_to_have() {
        // Red, green and blue where row + column is even, then where it is odd.
        let colours = [
            ("red", "R", "R"),
            ("orange", "R", "RG"),
            ("yellow", "RG", "RG"),
            ("green", "G", "G"),
            ("mint", "G", "GB"),
            ("cyan", "GB", "GB"),
            ("blue", "B", "B"),
            ("violet", "B", "RB"),
            ("magenta", "RB", "RB"),
            ("white", "RGB", "RGB"),
        ];
        let set = colours_of(300);
        assert_eq!(set.shape(), [3, 28, 28]);
        for index in 0..set.len() {
            let (colour, place) = (category(&set, 0, index), category(&set, 1, index));
            let (name, even, odd) = colours[colour];
            assert_eq!(set.factors()[0].values.shown(index), name);
            assert_eq!(usize::from(set.labels().unwrap()[index]), colour);
            assert_eq!(set.class_names()[colour], name);
            let left = 3 + 2 * place;
            for (channel, letter) in ["R", "G", "B"].into_iter().enumerate() {
                let row = |row: usize| -> String {
                    let pixel = |column: usize| {
                        let pixels = if (row + column).is_multiple_of(2) { even } else { odd };
                        let lit = (left..left + 4).contains(&column) && pixels.contains(letter);
                        if lit { '#' } else { '.' }
                    };
                    (0..SIDE).map(pixel).collect()
                };
                let wanted: Vec<String> = (0..SIDE).map(row).collect();
                let plane = &set.picture(index)[channel * SIDE * SIDE..][..SIDE * SIDE];
                assert_eq!(seen(plane), wanted, "{letter} of {name} at {place}");
            }
        }
    }

    fn colours_of(count: usize) -> ImageSet {
        colours(count, 28, 0, Split::Train).unwrap()
    }

    /// The ten shapes as they are to look.
    #[rustfmt::skip]
    const DRAWINGS: [(&str, [&str; 8]); 10] = [
        ("square", ["########", "########", "########", "########", "########", "########", "########", "########"]),
        ("frame", ["########", "########", "##....##", "##....##", "##....##", "##....##", "########", "########"]),
        ("disc", ["..####..", ".######.", "########", "########", "########", "########", ".######.", "..####.."]),
        ("ring", ["..####..", ".######.", "###..###", "##....##", "##....##", "###..###", ".######.", "..####.."]),
        ("diamond", ["...##...", "..####..", ".######.", "########", "########", ".######.", "..####..", "...##..."]),
        ("triangle", ["...##...", "...##...", "..####..", "..####..", ".######.", ".######.", "########", "########"]),
        ("cross", ["...##...", "...##...", "...##...", "########", "########", "...##...", "...##...", "...##..."]),
        ("saltire", ["##....##", "###..###", ".######.", "..####..", "..####..", ".######.", "###..###", "##....##"]),
        ("bar", ["..####..", "..####..", "..####..", "..####..", "..####..", "..####..", "..####..", "..####.."]),
        ("dash", ["........", "........", "########", "########", "########", "########", "........", "........"]),
    ];

    #[test]
    fn shapes_take_turns() {
        let set = shapes(500, 28, 0, Split::Train).unwrap();
        for index in 0..set.len() {
            let both = [0, 1].map(|which| category(&set, which, index));
            let [(first, one), (second, other)] = both.map(|kind| DRAWINGS[kind]);
            let class = usize::from(set.labels().unwrap()[index]);
            assert_eq!(class, 10 * both[0] + both[1]);
            assert_eq!(set.class_names()[class], format!("{first}-{second}"));
            assert_eq!(set.factors()[0].values.shown(index), first);
            assert_eq!(set.factors()[1].values.shown(index), second);
            let board = [
                (&one[..], [1, 1]),
                (&other[..], [1, 10]),
                (&one[..], [1, 19]),
                (&other[..], [10, 1]),
                (&one[..], [10, 10]),
                (&other[..], [10, 19]),
                (&one[..], [19, 1]),
                (&other[..], [19, 10]),
                (&one[..], [19, 19]),
            ];
            assert_eq!(seen(set.picture(index)), wanted(&board), "{first} and {second}");
        }
    }

    /// No shape can be taken for another: twelve pixels of 64 tell any two apart.
    #[test]
    fn shapes_differ() {
        for (place, (one, first)) in DRAWINGS.iter().enumerate() {
            for (other, second) in &DRAWINGS[..place] {
                let (first, second) = (first.concat(), second.concat());
                let apart = first.chars().zip(second.chars()).filter(|(a, b)| a != b).count();
                assert!(apart >= 12, "{one} and {other}: {apart}");
            }
        }
    }
}
