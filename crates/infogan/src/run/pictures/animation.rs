//! Pictures in motion: animated GIFs.

use std::path::Path;

use super::{Picture, PictureError, write_bytes};

/// Frames of one size, shown one after the other for ever.
#[derive(Clone, Debug)]
pub struct Animation {
    frames: Vec<Picture>,
    delay: u16,
}

impl Animation {
    /// Frames and the time each is shown, in milliseconds; GIF counts in hundredths of a second, so it is
    /// rounded to those and at least 20 ms, under which viewers choose their own speed.
    ///
    /// # Errors
    /// [`PictureError::Shape`] when there are no frames, they differ in size or channels, or a side is over
    /// 65,535 pixels.
    pub fn new(frames: Vec<Picture>, delay_ms: u32) -> Result<Self, PictureError> {
        let Some(first) = frames.first() else {
            return Err(PictureError::shape("an animation needs at least one frame"));
        };
        let shape = |picture: &Picture| (picture.width, picture.height, picture.channels);
        if frames.iter().any(|frame| shape(frame) != shape(first)) {
            return Err(PictureError::shape(
                "frames of an animation have one size and one number of channels",
            ));
        }
        if u16::try_from(first.width.max(first.height)).is_err() {
            return Err(PictureError::shape(format!(
                "a GIF is at most 65,535 pixels wide and high, not {}×{}",
                first.width, first.height
            )));
        }
        let delay = u16::try_from(delay_ms.saturating_add(5) / 10).unwrap_or(u16::MAX).max(2);
        Ok(Self { frames, delay })
    }

    /// The frames.
    pub fn frames(&self) -> &[Picture] {
        &self.frames
    }

    /// The animation as a GIF file. Grey frames keep every pixel; a coloured frame keeps up to 256 colours and
    /// is reduced to that many when it has more.
    ///
    /// # Errors
    /// [`PictureError::Encode`] when the encoder refuses.
    pub fn to_gif_bytes(&self) -> Result<Vec<u8>, PictureError> {
        let (width, height, channels) =
            self.frames.first().map_or((0, 0, 1), |first| (first.width, first.height, first.channels));
        let refuse = |reason: String| PictureError::Encode { width, height, reason };
        let side = |length: usize| u16::try_from(length).map_err(|error| refuse(error.to_string()));
        let (wide, high) = (side(width)?, side(height)?);
        let greys: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
        let palette: &[u8] = if channels == 1 { &greys } else { &[] };
        let mut bytes = Vec::new();
        let mut encoder =
            gif::Encoder::new(&mut bytes, wide, high, palette).map_err(|error| refuse(error.to_string()))?;
        encoder.set_repeat(gif::Repeat::Infinite).map_err(|error| refuse(error.to_string()))?;
        for picture in &self.frames {
            let mut frame = if channels == 1 {
                gif::Frame::from_indexed_pixels(wide, high, picture.pixels.clone(), None)
            } else {
                gif::Frame::from_rgb_speed(wide, high, &picture.pixels, 10)
            };
            frame.delay = self.delay;
            encoder.write_frame(&frame).map_err(|error| refuse(error.to_string()))?;
        }
        drop(encoder);
        Ok(bytes)
    }
}

/// Writes an animation as GIF; the file is whole or absent.
///
/// # Errors
/// [`PictureError::Encode`] and [`PictureError::Write`].
pub fn write_gif(path: &Path, animation: &Animation) -> Result<(), PictureError> {
    write_bytes(path, &animation.to_gif_bytes()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every frame as RGB, with its delay in hundredths of a second, and how often they repeat.
    fn decode(bytes: &[u8]) -> (Vec<(Vec<u8>, u16)>, gif::Repeat) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let rgb = frame.buffer.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            frames.push((rgb, frame.delay));
        }
        (frames, decoder.repeat())
    }

    #[test]
    fn grey_frames_come_back_exactly() {
        let frame = |shift: u8| {
            let pixels = (0..=255u8).map(|value| value.wrapping_add(shift)).collect();
            Picture::new(16, 16, 1, pixels).unwrap()
        };
        let animation = Animation::new(vec![frame(0), frame(100), frame(3)], 80).unwrap();
        let (decoded, repeat) = decode(&animation.to_gif_bytes().unwrap());
        assert_eq!(repeat, gif::Repeat::Infinite);
        assert_eq!(decoded.len(), 3);
        for ((rgb, delay), frame) in decoded.iter().zip(animation.frames()) {
            assert_eq!(rgb, frame.to_rgb().pixels());
            assert_eq!(*delay, 8);
        }
    }

    #[test]
    fn few_colours_come_back_exactly_many_nearly() {
        let few = Picture::new(2, 2, 3, vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]).unwrap();
        let (decoded, _) = decode(&Animation::new(vec![few.clone()], 100).unwrap().to_gif_bytes().unwrap());
        assert_eq!(decoded[0].0, few.pixels());

        let many: Vec<u8> =
            (0..64 * 64).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 4) as u8, 128]).collect();
        let animation = Animation::new(vec![Picture::new(64, 64, 3, many.clone()).unwrap()], 100).unwrap();
        let bytes = animation.to_gif_bytes().unwrap();
        assert_eq!(bytes, animation.to_gif_bytes().unwrap());
        let error: f64 =
            decode(&bytes).0[0].0.iter().zip(&many).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        assert!(error / (many.len() as f64) < 8.0, "mean error {}", error / many.len() as f64);
    }

    #[test]
    fn impossible_animations_are_errors() {
        let frame = |side: usize| Picture::new(side, 1, 1, vec![0; side]).unwrap();
        assert!(Animation::new(vec![], 100).is_err());
        assert!(Animation::new(vec![frame(2), frame(3)], 100).is_err());
        assert!(Animation::new(vec![frame(70_000)], 100).is_err());
        assert_eq!(Animation::new(vec![frame(2)], 0).unwrap().delay, 2);
        assert_eq!(Animation::new(vec![frame(2)], u32::MAX).unwrap().delay, u16::MAX);
    }
}
