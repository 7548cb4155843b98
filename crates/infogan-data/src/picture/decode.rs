//! One picture file, decoded within bounds.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
    sync::{Mutex, PoisonError},
};

use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{DataError, guard::without_panic};

/// No picture may be wider or higher, in pixels.
pub const LARGEST_SIDE: u32 = 32_768;
/// No picture may need more memory while it is decoded.
const LARGEST_PICTURE: u64 = 512 << 20;
/// No file may be longer: some decoders read all of it before they look.
const LARGEST_FILE: u64 = 256 << 20;
/// Pictures above this are decoded one at a time, however many threads read.
const LARGE: u64 = 32 << 20;

static ONE_LARGE: Mutex<()> = Mutex::new(());

/// A picture as its file has it, upright.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The pixels, turned as the EXIF orientation says.
    pub picture: DynamicImage,
    /// Kind of file and of pixels, for people: `PNG colour, transparent`, `JPEG CMYK`.
    pub mode: String,
}

/// Decodes a file, whatever its name.
///
/// # Errors
/// When it cannot be read, is no picture of a known kind, is damaged, or is larger than can be held.
pub fn decode(path: &Path) -> Result<Decoded, DataError> {
    without_panic(|| decode_file(path)).unwrap_or_else(|| {
        Err(malformed(path, "its decoder gave up in the middle: the file is damaged".to_owned()))
    })
}

fn malformed(path: &Path, reason: String) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        reason,
        remedy: "give a whole PNG, JPEG, BMP, GIF or WebP picture, or leave this file out".to_owned(),
    }
}

fn decode_file(path: &Path) -> Result<Decoded, DataError> {
    let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
    let malformed = |reason: String| malformed(path, reason);
    let about = path.metadata().map_err(unreadable)?;
    if about.is_dir() {
        return Err(malformed("it is a folder".to_owned()));
    }
    // A pipe would wait for somebody to write.
    if !about.is_file() {
        return Err(malformed("it is no regular file".to_owned()));
    }
    if about.len() == 0 {
        return Err(malformed("it is empty".to_owned()));
    }
    if about.len() > LARGEST_FILE {
        return Err(malformed(format!("it is longer than {} MB", LARGEST_FILE >> 20)));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(unreadable)?;
    let Some(format) = reader.format().filter(|format| KINDS.iter().any(|(kind, _)| kind == format)) else {
        return Err(malformed("its content is no picture of a known kind".to_owned()));
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_PICTURE);
    reader.limits(limits);
    let undecodable = |error: image::ImageError| malformed(format!("it cannot be decoded ({error})"));
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(malformed(format!("it is {width} × {height} pixels")));
    }
    if width > LARGEST_SIDE || height > LARGEST_SIDE || decoder.total_bytes() > LARGEST_PICTURE {
        return Err(malformed(format!("it is too large ({width} × {height} pixels)")));
    }
    let _alone =
        (decoder.total_bytes() > LARGE).then(|| ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let mode = format!("{} {}", name(format), pixels(decoder.original_color_type()));
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    picture.apply_orientation(orientation);
    Ok(Decoded { picture, mode })
}

/// Kinds of files with the endings of their names, the usual one first.
const KINDS: [(ImageFormat, &[&str]); 5] = [
    (ImageFormat::Png, &["png"]),
    (ImageFormat::Jpeg, &["jpg", "jpeg"]),
    (ImageFormat::Bmp, &["bmp"]),
    (ImageFormat::Gif, &["gif"]),
    (ImageFormat::WebP, &["webp"]),
];

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Gif => "GIF",
        _ => "WebP",
    }
}

/// Whether the name of a file ends as that of a picture.
pub fn has_ending(path: &Path) -> bool {
    ending_of(path).is_some()
}

/// The kind that a file's name promises.
pub fn ending_of(path: &Path) -> Option<ImageFormat> {
    let ending = path.extension()?.to_str()?;
    let known =
        KINDS.iter().find(|(_, endings)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending)));
    known.map(|(format, _)| *format)
}

/// The endings of picture files, as patterns.
pub fn patterns() -> Vec<String> {
    KINDS.iter().flat_map(|(_, endings)| endings.iter().map(|ending| format!("*.{ending}"))).collect()
}

/// The first bytes of a file: enough to know its kind by.
pub fn beginning_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    File::open(path)?.take(32).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// The kind of a file whose content begins so.
pub fn kind_of(beginning: &[u8]) -> Option<ImageFormat> {
    image::guess_format(beginning).ok().filter(|format| KINDS.iter().any(|(kind, _)| kind == format))
}

fn pixels(kind: ExtendedColorType) -> String {
    use ExtendedColorType as C;
    match kind {
        C::Cmyk8 | C::Cmyk16 => "CMYK".to_owned(),
        C::A8 => "transparency alone".to_owned(),
        kind => {
            let colour = match kind.channel_count() {
                1 => "grey",
                2 => "grey, transparent",
                3 => "colour",
                _ => "colour, transparent",
            };
            let depth = kind.bits_per_pixel() / u16::from(kind.channel_count());
            if depth > 8 { format!("{colour}, {depth} bits") } else { colour.to_owned() }
        }
    }
}
