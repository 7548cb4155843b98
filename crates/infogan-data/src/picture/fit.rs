//! A decoded picture, brought into the shape that a network takes.

use image::{
    DynamicImage, GenericImageView, RgbImage,
    imageops::{self, FilterType},
    metadata::Orientation,
};

use super::decode::{LARGEST_SIDE, swaps_sides};
use crate::DataError;

/// How much larger than wanted a picture may be before the triangle filter sees it.
const GAP: u32 = 4;

/// How pictures of other proportions become those of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// The largest middle part of the wanted proportions.
    #[default]
    Crop,
    /// All of it, squeezed.
    Squeeze,
}

/// What transparent pictures lie on: red, green, blue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Background(pub [u8; 3]);

impl std::str::FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = [("black", 0), ("white", 255), ("grey", 128)].into_iter().find(|(name, _)| *name == text);
        if let Some((_, value)) = named {
            return Ok(Self([value; 3]));
        }
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let part = |at: usize| u8::from_str_radix(digits?.get(at..at + 2)?, 16).ok();
        match (part(0), part(2), part(4)) {
            (Some(red), Some(green), Some(blue)) => Ok(Self([red, green, blue])),
            _ => Err(format!("'{text}' is no colour; allowed: black, white, grey, #rrggbb")),
        }
    }
}

impl TryFrom<String> for Background {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Background> for String {
    fn from(background: Background) -> Self {
        let Background([red, green, blue]) = background;
        match background.0 {
            [0, 0, 0] => "black".to_owned(),
            [255, 255, 255] => "white".to_owned(),
            _ => format!("#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// What a picture is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// `[channels, height, width]`: one channel is grey (luma of Rec. 709), three are red, green and blue.
    pub shape: [usize; 3],
    /// Side of the middle square that is cut out first, or as much of it as there is; 0 cuts nothing.
    pub crop: usize,
    /// Proportions.
    pub resize: Resize,
    /// What lies under transparency.
    pub background: Background,
}

impl Fit {
    /// To this shape, cut around the middle, over black.
    pub fn to(shape: [usize; 3]) -> Self {
        Self { shape, crop: 0, resize: Resize::Crop, background: Background::default() }
    }

    /// # Errors
    /// When the shape has other than 1 or 3 channels, a side of 0, or one that no picture may have.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        let [channels, height, width] = self.shape;
        let is_side = |side: usize| (1..=LARGEST_SIDE as usize).contains(&side);
        if matches!(channels, 1 | 3) && is_side(height) && is_side(width) {
            return Ok(());
        }
        Err(DataError::invalid(
            "picture shape",
            format!("pictures cannot be brought into the shape {:?}", self.shape),
            "use 1 or 3 channels and sides of 1 to 32768",
        ))
    }

    /// Lays a picture over the background, brings it to the proportions and the size, turns it, and lays it out as
    /// `[channels, height, width]`. A picture that already has the size keeps its bytes. What is much larger is first
    /// averaged over blocks, down to [`GAP`] times the size, then resized with a triangle filter: no copy of a large
    /// picture is made.
    pub(crate) fn apply(&self, picture: &DynamicImage, orientation: Orientation) -> Vec<u8> {
        let [channels, height, width] = self.shape.map(|side| side as u32);
        // The shape as the picture lies.
        let (wide, high) = if swaps_sides(orientation) { (height, width) } else { (width, height) };
        let part = self.part(picture, wide, high);
        let mut averaged = self.averaged(picture, part, (wide * GAP, high * GAP));
        if averaged.dimensions() != (wide, high) {
            averaged = imageops::resize(&averaged, wide, high, FilterType::Triangle);
        }
        let mut fitted = DynamicImage::ImageRgb8(averaged);
        fitted.apply_orientation(orientation);
        if channels == 1 {
            return fitted.into_luma8().into_raw();
        }
        let fitted = fitted.into_rgb8();
        (0..3).flat_map(|channel| fitted.pixels().map(move |pixel| pixel.0[channel])).collect()
    }

    /// Left, top, width and height of what is kept.
    fn part(&self, picture: &DynamicImage, wide: u32, high: u32) -> [u32; 4] {
        let all = [picture.width(), picture.height()].map(u64::from);
        let [has_width, has_height] = match self.crop as u64 {
            0 => all,
            crop => all.map(|side| side.min(crop)),
        };
        let (wide, high) = (u64::from(wide), u64::from(high));
        let (width, height) = match self.resize {
            Resize::Squeeze => (has_width, has_height),
            // Either side may be the one that is kept whole.
            Resize::Crop => (
                has_width.min((has_height * wide).div_ceil(high)).max(1),
                has_height.min((has_width * high).div_ceil(wide)).max(1),
            ),
        };
        [(all[0] - width) / 2, (all[1] - height) / 2, width, height].map(|side| side as u32)
    }

    /// A part of a picture over the background; where it is larger than `most`, averages of blocks that are as equal as
    /// can be, `most` of them or a few more.
    fn averaged(&self, picture: &DynamicImage, part: [u32; 4], most: (u32, u32)) -> RgbImage {
        let [left, top, width, height] = part;
        let blocks = |side: u32, most: u32| side / (side / most).max(1);
        let (across, down) = (blocks(width, most.0), blocks(height, most.1));
        let edge = |index: u32, side: u32, blocks: u32| {
            (u64::from(index) * u64::from(side) / u64::from(blocks)) as u32
        };
        RgbImage::from_fn(across, down, |x, y| {
            let columns = edge(x, width, across)..edge(x + 1, width, across);
            let rows = edge(y, height, down)..edge(y + 1, height, down);
            let (mut sums, mut count) = ([0_u64; 3], 0);
            for row in rows {
                for column in columns.clone() {
                    let pixel = self.over_background(picture.get_pixel(left + column, top + row).0);
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
                    count += 1;
                }
            }
            image::Rgb(sums.map(|sum| ((sum + count / 2) / count.max(1)) as u8))
        })
    }

    /// Every colour times its opacity, the background times the rest, rounded.
    fn over_background(&self, [red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
        let mixed = |colour: u8, under: u8| {
            let (over, alpha) = (u32::from(colour), u32::from(alpha));
            ((over * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
        };
        let [under_red, under_green, under_blue] = self.background.0;
        [mixed(red, under_red), mixed(green, under_green), mixed(blue, under_blue)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, Rgba, RgbaImage};

    #[test]
    fn colours_are_read_and_written() {
        for (text, colour) in
            [("black", [0; 3]), ("white", [255; 3]), ("grey", [128; 3]), ("#0a80FF", [10, 128, 255])]
        {
            let background: Background = text.parse().unwrap();
            assert_eq!(background.0, colour);
            assert_eq!(String::from(background).parse::<Background>().unwrap(), background);
        }
        for wrong in ["", "red", "#12345", "#12345g", "#1234567", "#€€"] {
            assert!(wrong.parse::<Background>().unwrap_err().contains("#rrggbb"), "{wrong}");
        }
    }

    #[test]
    fn transparency_shows_the_background() {
        let mut picture = RgbaImage::from_pixel(2, 1, Rgba([200, 100, 50, 0]));
        picture.put_pixel(1, 0, Rgba([200, 100, 50, 128]));
        let fit = Fit { background: Background([0, 100, 255]), ..Fit::to([3, 1, 2]) };
        assert_eq!(
            fit.apply(&DynamicImage::ImageRgba8(picture), Orientation::NoTransforms),
            [0, 100, 100, 100, 255, 152]
        );
    }

    /// As InfoGAN-CR cuts CelebA's 178×218, and a port the chairs' 600×600.
    #[test]
    fn a_square_is_cut_out_of_the_middle_before_anything_else() {
        for (size, crop, [left, top]) in [((178, 218), 128, [25, 45]), ((600, 600), 360, [120, 120])] {
            let inside = |x: u32, y: u32| (left..left + crop).contains(&x) && (top..top + crop).contains(&y);
            let picture = RgbImage::from_fn(size.0, size.1, |x, y| Rgb([255 * u8::from(inside(x, y)); 3]));
            let picture = DynamicImage::ImageRgb8(picture);
            for resize in [Resize::Crop, Resize::Squeeze] {
                let fit = Fit { crop: crop as usize, resize, ..Fit::to([1, 32, 32]) };
                assert_eq!(fit.apply(&picture, Orientation::NoTransforms), [255; 32 * 32]);
                // A pixel more in both directions is no longer of one colour.
                // A pixel more on every side is outside.
                let wider = crop as usize + 2;
                let fit = Fit { shape: [1, wider, wider], crop: wider, ..fit };
                let fitted = fit.apply(&picture, Orientation::NoTransforms);
                assert_eq!((fitted[0], fitted[wider + 1]), (0, 255));
            }
        }
        // Of what is smaller, all there is.
        let small = DynamicImage::ImageRgb8(RgbImage::from_fn(4, 2, |x, _| Rgb([x as u8; 3])));
        let fit = Fit { crop: 3, ..Fit::to([1, 2, 2]) };
        assert_eq!(fit.apply(&small, Orientation::NoTransforms), [1, 2, 1, 2]);
    }

    #[test]
    fn a_wide_picture_is_cut_or_squeezed() {
        // Red, green, green, blue.
        let colours = [[255, 0, 0], [0, 255, 0], [0, 255, 0], [0, 0, 255]];
        let picture = RgbImage::from_fn(4, 2, |x, _| Rgb(colours[x as usize]));
        let cut =
            Fit::to([3, 2, 2]).apply(&DynamicImage::ImageRgb8(picture.clone()), Orientation::NoTransforms);
        assert_eq!(cut, [[0; 4], [255; 4], [0; 4]].concat());
        let squeezed = Fit { resize: Resize::Squeeze, ..Fit::to([3, 2, 2]) };
        let squeezed = squeezed.apply(&DynamicImage::ImageRgb8(picture), Orientation::NoTransforms);
        assert!(squeezed[0] > 100 && squeezed[1] < 50, "red is left: {squeezed:?}");
    }
}
