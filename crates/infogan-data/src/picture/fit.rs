//! A decoded picture, brought into the shape that a network takes.

use image::{
    DynamicImage, RgbImage,
    imageops::{self, FilterType},
};

use super::decode::LARGEST_SIDE;
use crate::DataError;

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
    /// Proportions.
    pub resize: Resize,
    /// What lies under transparency.
    pub background: Background,
}

impl Fit {
    /// To this shape, cut around the middle, over black.
    pub fn to(shape: [usize; 3]) -> Self {
        Self { shape, resize: Resize::Crop, background: Background::default() }
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

    /// Lays a picture over the background, brings it to the proportions, resizes it with a triangle filter, and lays it
    /// out as `[channels, height, width]`. A picture that already has the size keeps its bytes.
    pub(crate) fn apply(&self, picture: DynamicImage) -> Vec<u8> {
        let [channels, height, width] = self.shape;
        let picture = self.over_background(picture);
        let resized = self.resized(&picture, height as u32, width as u32);
        if channels == 1 {
            return DynamicImage::ImageRgb8(resized).into_luma8().into_raw();
        }
        (0..3).flat_map(|channel| resized.pixels().map(move |pixel| pixel.0[channel])).collect()
    }

    /// Every colour times its opacity, the background times the rest, rounded.
    fn over_background(&self, picture: DynamicImage) -> RgbImage {
        if !picture.color().has_alpha() {
            return picture.into_rgb8();
        }
        let picture = picture.into_rgba8();
        RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
            let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
            let mixed = |colour: u8, under: u8| {
                let (over, alpha) = (u32::from(colour), u32::from(alpha));
                ((over * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
            };
            let [under_red, under_green, under_blue] = self.background.0;
            image::Rgb([mixed(red, under_red), mixed(green, under_green), mixed(blue, under_blue)])
        })
    }

    fn resized(&self, picture: &RgbImage, height: u32, width: u32) -> RgbImage {
        let (has_width, has_height) = (u64::from(picture.width()), u64::from(picture.height()));
        let (wide, high) = (u64::from(width), u64::from(height));
        let (cut_width, cut_height) = match self.resize {
            Resize::Squeeze => (has_width, has_height),
            // Either side may be the one that is kept whole.
            Resize::Crop => (
                has_width.min((has_height * wide).div_ceil(high)).max(1),
                has_height.min((has_width * high).div_ceil(wide)).max(1),
            ),
        };
        let (left, top) = ((has_width - cut_width) / 2, (has_height - cut_height) / 2);
        let cut = imageops::crop_imm(picture, left as u32, top as u32, cut_width as u32, cut_height as u32)
            .to_image();
        if (cut_width, cut_height) == (wide, high) {
            return cut;
        }
        imageops::resize(&cut, width, height, FilterType::Triangle)
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
        assert_eq!(fit.apply(DynamicImage::ImageRgba8(picture)), [0, 100, 100, 100, 255, 152]);
    }

    #[test]
    fn a_wide_picture_is_cut_or_squeezed() {
        // Red, green, green, blue.
        let colours = [[255, 0, 0], [0, 255, 0], [0, 255, 0], [0, 0, 255]];
        let picture = RgbImage::from_fn(4, 2, |x, _| Rgb(colours[x as usize]));
        let cut = Fit::to([3, 2, 2]).apply(DynamicImage::ImageRgb8(picture.clone()));
        assert_eq!(cut, [[0; 4], [255; 4], [0; 4]].concat());
        let squeezed = Fit { resize: Resize::Squeeze, ..Fit::to([3, 2, 2]) };
        let squeezed = squeezed.apply(DynamicImage::ImageRgb8(picture));
        assert!(squeezed[0] > 100 && squeezed[1] < 50, "red is left: {squeezed:?}");
    }
}
