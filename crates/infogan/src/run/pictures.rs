//! Pictures as files: single ones, sheets of many, animations.
//!
//! Everything here works on bytes and is deterministic: the same pixels make the same file.

mod animation;
mod font;
mod sheet;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use animation::{Animation, write_gif};
pub use sheet::Sheet;

use infogan_data::Scale;

use super::directory::{atomic_write, remedy};

/// What can go wrong between pixels and a file.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Sizes that do not belong together.
    #[error("picture: {reason}")]
    Shape {
        /// What was given and what was expected.
        reason: String,
    },
    /// The encoder refused.
    #[error("picture of {width}×{height} could not be encoded: {reason}")]
    Encode {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The encoder's words.
        reason: String,
    },
    /// The file could not be written.
    #[error("{}: cannot write the picture: {source}; {}", path.display(), remedy(source))]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl PictureError {
    fn shape(reason: impl Into<String>) -> Self {
        Self::Shape { reason: reason.into() }
    }
}

/// One picture: rows from the top, pixels from the left, channels together (HWC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// A picture from its bytes in the order height, width, channel.
    ///
    /// # Errors
    /// [`PictureError::Shape`] when a side is zero, `channels` is neither 1 (grey) nor 3 (red, green, blue), or
    /// the number of bytes is not `width · height · channels`.
    pub fn new(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Result<Self, PictureError> {
        let wanted = bytes_of(width, height, channels)?;
        if pixels.len() != wanted {
            return Err(PictureError::shape(format!(
                "{width}×{height} with {channels} channels needs {wanted} bytes, not {}",
                pixels.len()
            )));
        }
        Ok(Self { width, height, channels, pixels })
    }

    /// A picture from planes as networks make them: `values` of shape `[channels, height, width]`.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn from_planes(
        [channels, height, width]: [usize; 3],
        values: &[f32],
        range: Scale,
    ) -> Result<Self, PictureError> {
        let bytes: Vec<u8> = values.iter().map(|&value| range.byte(value)).collect();
        Self::from_byte_planes([channels, height, width], &bytes)
    }

    /// A picture of a data set: `bytes` of shape `[channels, height, width]`.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn from_byte_planes(
        [channels, height, width]: [usize; 3],
        bytes: &[u8],
    ) -> Result<Self, PictureError> {
        let wanted = bytes_of(width, height, channels)?;
        if bytes.len() != wanted {
            return Err(PictureError::shape(format!(
                "planes of [{channels}, {height}, {width}] need {wanted} values, not {}",
                bytes.len()
            )));
        }
        let plane = width * height;
        let pixels = (0..plane)
            .flat_map(|at| (0..channels).map(move |channel| channel * plane + at))
            .map(|index| bytes[index])
            .collect();
        Ok(Self { width, height, channels, pixels })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// 1 for grey, 3 for red, green, blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The bytes in the order height, width, channel.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Every pixel as a square of `factor` × `factor`; a factor of 0 counts as 1.
    pub fn enlarge(&self, factor: usize) -> Self {
        if factor <= 1 {
            return self.clone();
        }
        let mut pixels = Vec::with_capacity(self.pixels.len() * factor * factor);
        for row in self.pixels.chunks_exact(self.width * self.channels) {
            let wide: Vec<u8> = row
                .chunks_exact(self.channels)
                .flat_map(|pixel| std::iter::repeat_n(pixel, factor))
                .flatten()
                .copied()
                .collect();
            for _ in 0..factor {
                pixels.extend_from_slice(&wide);
            }
        }
        Self { width: self.width * factor, height: self.height * factor, channels: self.channels, pixels }
    }

    /// The same picture with three equal channels, or itself when it has colours.
    pub fn to_rgb(&self) -> Self {
        if self.channels == 3 {
            return self.clone();
        }
        Self { channels: 3, pixels: self.pixels.iter().flat_map(|&grey| [grey; 3]).collect(), ..*self }
    }

    /// The picture as a PNG file of 8 bits per channel.
    ///
    /// # Errors
    /// [`PictureError::Encode`] when a side is larger than the format allows.
    pub fn to_png_bytes(&self) -> Result<Vec<u8>, PictureError> {
        let refuse = |reason: String| PictureError::Encode { width: self.width, height: self.height, reason };
        let side = |length: usize| u32::try_from(length).map_err(|error| refuse(error.to_string()));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(if self.channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale });
        encoder.set_compression(png::Compression::Balanced);
        let mut writer = encoder.write_header().map_err(|error| refuse(error.to_string()))?;
        writer.write_image_data(&self.pixels).map_err(|error| refuse(error.to_string()))?;
        writer.finish().map_err(|error| refuse(error.to_string()))?;
        Ok(bytes)
    }

    /// Copies `other` to (`left`, `top`). The caller has made room and both have the same channels.
    fn paste(&mut self, other: &Self, left: usize, top: usize) {
        let length = other.width * other.channels;
        for (row, source) in other.pixels.chunks_exact(length).enumerate() {
            let start = ((top + row) * self.width + left) * self.channels;
            self.pixels[start..start + length].copy_from_slice(source);
        }
    }
}

/// Writes a picture as PNG; the file is whole or absent.
///
/// # Errors
/// [`PictureError::Encode`] and [`PictureError::Write`].
pub fn write_png(path: &Path, picture: &Picture) -> Result<(), PictureError> {
    write_bytes(path, &picture.to_png_bytes()?)
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), PictureError> {
    atomic_write(path, bytes).map_err(|source| PictureError::Write { path: path.to_path_buf(), source })
}

fn bytes_of(width: usize, height: usize, channels: usize) -> Result<usize, PictureError> {
    if channels != 1 && channels != 3 {
        return Err(PictureError::shape(format!(
            "{channels} channels; pictures have 1 (grey) or 3 (red, green, blue)"
        )));
    }
    width
        .checked_mul(height)
        .and_then(|area| area.checked_mul(channels))
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| PictureError::shape(format!("a picture cannot be {width}×{height}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn decode(bytes: &[u8]) -> Picture {
        let mut reader = png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        pixels.truncate(frame.buffer_size());
        let channels = frame.color_type.samples();
        Picture::new(frame.width as usize, frame.height as usize, channels, pixels).unwrap()
    }

    #[test]
    fn bytes_are_clamped_and_rounded() {
        let unit: Vec<u8> = [-0.5, 0.0, 0.001, 0.002, 0.5, 1.0, 7.0].map(|v| Scale::Unit.byte(v)).to_vec();
        assert_eq!(unit, [0, 0, 0, 1, 128, 255, 255]);
        let symmetric: Vec<u8> = [-3.0, -1.0, 0.0, 1.0].map(|v| Scale::Symmetric.byte(v)).to_vec();
        assert_eq!(symmetric, [0, 0, 128, 255]);
        assert_eq!(Scale::Unit.byte(f32::NAN), 0);
        assert_eq!(Scale::Symmetric.byte(f32::INFINITY), 255);
    }

    #[test]
    fn planes_become_pixels() {
        // Two pixels beside each other: red then blue.
        let planes = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let picture = Picture::from_planes([3, 1, 2], &planes, Scale::Unit).unwrap();
        assert_eq!(picture.pixels(), [255, 0, 0, 0, 0, 255]);
        assert_eq!((picture.width(), picture.height(), picture.channels()), (2, 1, 3));
    }

    #[test]
    fn wrong_sizes_are_errors() {
        assert!(Picture::new(2, 2, 1, vec![0; 3]).is_err());
        assert!(Picture::new(0, 2, 1, vec![]).is_err());
        assert!(Picture::new(usize::MAX, 3, 1, vec![]).is_err());
        let error = Picture::from_planes([2, 1, 1], &[0.0, 0.0], Scale::Unit).unwrap_err();
        assert!(error.to_string().contains("2 channels"), "{error}");
        let error = Picture::from_planes([1, 2, 2], &[0.0], Scale::Unit).unwrap_err();
        assert!(error.to_string().contains("4 values, not 1"), "{error}");
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let small = Picture::new(2, 1, 1, vec![3, 9]).unwrap();
        let large = small.enlarge(2);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(large.pixels(), [3, 3, 9, 9, 3, 3, 9, 9]);
        assert_eq!(small.enlarge(0), small);
    }

    proptest! {
        #[test]
        fn png_keeps_every_pixel(width in 1usize..20, height in 1usize..20, colour: bool, seed: u8) {
            let channels = if colour { 3 } else { 1 };
            let pixels = (0..width * height * channels)
                .map(|index| (index as u8).wrapping_mul(seed | 1).wrapping_add(seed))
                .collect();
            let picture = Picture::new(width, height, channels, pixels).unwrap();
            let bytes = picture.to_png_bytes().unwrap();
            prop_assert_eq!(&decode(&bytes), &picture);
            prop_assert_eq!(picture.to_png_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("a.png");
        let picture = Picture::new(1, 1, 1, vec![0]).unwrap();
        let error = write_png(&path, &picture).unwrap_err();
        assert!(error.to_string().contains("a.png"), "{error}");
    }
}
