//! The pictures of fixed latents on their way through a training, as an animation.

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::run::{
    pictures::{Animation, Picture},
    report::read::{Image, evenly},
};

/// Frames of an animation, at most.
const FRAMES: usize = 20;
/// Each is shown so long, in milliseconds.
const DELAY: u32 = 400;
/// Frames wider than this are halved until they are not.
const WIDEST: usize = 480;

/// A run's `fakes-*.png`, evenly chosen, as a GIF; none where there are fewer than two that can be read.
pub(super) fn motion(run: &Path) -> Option<Image> {
    let mut files: Vec<PathBuf> = fs::read_dir(run.join("images"))
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("fakes-") && name.ends_with(".png")
        })
        .collect();
    files.sort();
    let frames: Vec<Picture> =
        evenly(files.len(), FRAMES).into_iter().filter_map(|index| frame(&files[index])).collect();
    let (width, height) = frames.first().map(|frame| (frame.width(), frame.height()))?;
    if frames.len() < 2 {
        return None;
    }
    let bytes = Animation::new(frames, DELAY).ok()?.to_gif_bytes().ok()?;
    let uri = format!("data:image/gif;base64,{}", STANDARD.encode(bytes));
    Some(Image { uri, width: width as u32, height: height as u32 })
}

fn frame(path: &Path) -> Option<Picture> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    // Our own pictures: eight bits, grey or colour.
    let mut picture =
        Picture::new(info.width as usize, info.height as usize, info.color_type.samples(), bytes).ok()?;
    while picture.width() > WIDEST {
        picture = halved(&picture)?;
    }
    Some(picture)
}

/// Half as wide and high: the mean of four pixels each.
fn halved(picture: &Picture) -> Option<Picture> {
    let (channels, width) = (picture.channels(), picture.width());
    let (wide, high) = (width / 2, picture.height() / 2);
    let at = |row: usize, column: usize, channel: usize| {
        u16::from(picture.pixels()[(row * width + column) * channels + channel])
    };
    let mut pixels = Vec::with_capacity(wide * high * channels);
    for (row, column) in (0..high).flat_map(|row| (0..wide).map(move |column| (2 * row, 2 * column))) {
        for channel in 0..channels {
            let sum = at(row, column, channel)
                + at(row, column + 1, channel)
                + at(row + 1, column, channel)
                + at(row + 1, column + 1, channel);
            pixels.push(((sum + 2) / 4) as u8);
        }
    }
    Picture::new(wide, high, channels, pixels).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::pictures::write_png;

    #[test]
    fn snapshots_become_frames() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("images");
        fs::create_dir(&images).unwrap();
        assert!(motion(folder.path()).is_none());
        for (step, value) in [(0, 10), (50, 30), (100, 50)] {
            let picture = Picture::new(1000, 4, 1, vec![value; 4000]).unwrap();
            write_png(&images.join(format!("fakes-{step:08}.png")), &picture).unwrap();
        }
        fs::write(images.join("fakes-00000150.png"), "torn").unwrap();
        let image = motion(folder.path()).unwrap();
        assert_eq!((image.width, image.height), (250, 1));
        let bytes = STANDARD.decode(image.uri.strip_prefix("data:image/gif;base64,").unwrap()).unwrap();
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
        let mut values = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            values.push(frame.buffer[0]);
        }
        assert_eq!(values, [10, 30, 50]);
        let four = Picture::new(2, 2, 1, vec![0, 1, 2, 3]).unwrap();
        assert_eq!(halved(&four).unwrap().pixels(), [2]);
    }
}
