//! BasicProp (Evtimova and Drozdov, *Understanding Mutual Information and its Use in InfoGAN*, §4): pictures of one or two
//! properties and nothing else, for which a generator's codes can be read off with the eye.
//!
//! White on black, 28 × 28, every value 0 or 255; the noise of the paper's sets is a transform before the critic
//! (`foreground-noise`, `background-noise`), drawn anew for every picture that is shown.
//!
//! | set | picture | classes and factors |
//! | --- | --- | --- |
//! | `basicprop-line` | a bar 4 pixels wide and of full height, its left edge at column 3 + 2i | `position` i, 10 |
//! | `basicprop-rectangles` | two bars 10 pixels wide, left edges at columns 3 and 15, from row 3 down, 3 + 2i and 3 + 2j high | 100: 10·i + j; `left` i and `right` j, 10 each |

use super::Plan;
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

/// The side of a picture in pixels: the geometry is given for this one.
pub const SIDE: usize = 28;
/// Values of a property.
pub(super) const VALUES: u32 = 10;

/// Columns, width and height of a bar that begins at a row.
pub(super) struct Bar {
    left: usize,
    width: usize,
    top: usize,
    height: usize,
}

impl Bar {
    /// The bar of `basicprop-line` at one of its places.
    pub(super) fn line(position: u16) -> Self {
        Self { left: 3 + 2 * usize::from(position), width: 4, top: 0, height: SIDE }
    }

    pub(super) fn paint(&self, picture: &mut [u8]) {
        for row in picture.chunks_exact_mut(SIDE).skip(self.top).take(self.height) {
            row[self.left..self.left + self.width].fill(255);
        }
    }
}

/// Draws `basicprop-line`: `u8 [count, 1, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// When `size` is not 28, or there are too many pictures.
pub fn line(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-line";
    let (pictures, positions) = plan(name, 1, count, size, seed).draw(split, |stream, picture| {
        let position = stream.below(VALUES) as u16;
        Bar::line(position).paint(picture);
        position
    })?;
    let labels = Labels { values: positions.clone(), class_names: numbers(VALUES) };
    ImageSet::new(name, [1, SIDE, SIDE], pictures, Some(labels), vec![property("position", positions)])
}

/// Draws `basicprop-rectangles`: `u8 [count, 1, 28, 28]`. Picture i depends on (seed, split, i) alone.
///
/// # Errors
/// As [`line()`].
pub fn rectangles(count: usize, size: usize, seed: u64, split: Split) -> Result<ImageSet, DataError> {
    let name = "basicprop-rectangles";
    let (pictures, heights) = plan(name, 1, count, size, seed).draw(split, |stream, picture| {
        [3, 15].map(|left| {
            let value = stream.below(VALUES) as u16;
            Bar { left, width: 10, top: 3, height: 3 + 2 * usize::from(value) }.paint(picture);
            value
        })
    })?;
    let labels = Labels { values: pairs(&heights), class_names: numbers(VALUES * VALUES) };
    let factors = vec![property("left", column(&heights, 0)), property("right", column(&heights, 1))];
    ImageSet::new(name, [1, SIDE, SIDE], pictures, Some(labels), factors)
}

/// A set of these pictures: they have one size.
pub(super) fn plan(name: &'static str, channels: usize, count: usize, size: usize, seed: u64) -> Plan {
    Plan { name, sizes: SIDE..=SIDE, channels, count, size, seed }
}

/// One property of pictures that have two.
pub(super) fn column<T: Copy>(both: &[[T; 2]], which: usize) -> Vec<T> {
    both.iter().map(|values| values[which]).collect()
}

/// Two properties as one class: 10·first + second.
pub(super) fn pairs(both: &[[u16; 2]]) -> Vec<u16> {
    both.iter().map(|[first, second]| VALUES as u16 * first + second).collect()
}

/// A property whose values are numbered.
pub(super) fn property(name: &str, values: Vec<u16>) -> Factor {
    Factor { name: name.to_owned(), values: FactorValues::Categorical { names: numbers(VALUES), values } }
}

fn numbers(count: u32) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lit(set: &ImageSet, index: usize) -> Vec<(usize, usize)> {
        let picture = set.picture(index);
        assert!(picture.iter().all(|value| matches!(value, 0 | 255)));
        let all = (0..SIDE * SIDE).filter(|&place| picture[place] == 255);
        all.map(|place| (place / SIDE, place % SIDE)).collect()
    }

    /// Recipes of the paper's generator: line i covers columns 3 + 2i to 6 + 2i.
    #[test]
    fn lines_are_where_they_are_said_to_be() {
        let set = line(200, 28, 0, Split::Train).unwrap();
        for index in 0..set.len() {
            let position = usize::from(set.labels().unwrap()[index]);
            let left = 3 + 2 * position;
            let wanted: Vec<(usize, usize)> =
                (0..28).flat_map(|row| (left..left + 4).map(move |column| (row, column))).collect();
            assert_eq!(lit(&set, index), wanted);
        }
        let mut seen: Vec<u16> = set.labels().unwrap().to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (0..10).collect::<Vec<u16>>());
    }

    /// Columns 3 to 12 and 15 to 24, rows from 3 on.
    #[test]
    fn rectangles_are_as_high_as_they_are_said_to_be() {
        let set = rectangles(400, 28, 1, Split::Test).unwrap();
        let labels = set.labels().unwrap();
        for (index, &label) in labels.iter().enumerate() {
            let (left, right) = (usize::from(label) / 10, usize::from(label) % 10);
            let bar = |from: usize, value: usize| {
                (3..6 + 2 * value).flat_map(move |row| (from..from + 10).map(move |column| (row, column)))
            };
            let mut wanted: Vec<(usize, usize)> = bar(3, left).chain(bar(15, right)).collect();
            wanted.sort_unstable();
            assert_eq!(lit(&set, index), wanted);
            assert_eq!(set.factors()[0].values.shown(index), left.to_string());
            assert_eq!(set.factors()[1].values.shown(index), right.to_string());
        }
        assert!(rectangles(10, 32, 0, Split::Train).unwrap_err().to_string().contains("28"));
    }
}
