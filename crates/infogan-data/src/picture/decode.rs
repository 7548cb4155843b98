//! One picture file, decoded within bounds.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation,
};

use super::{
    look::{is_bmp, jpeg, least_bytes, needed_memory},
    room::{ALL, Room},
};
use crate::{DataError, guard::without_panic};

/// No picture may be wider or higher, in pixels.
pub const LARGEST_SIDE: u32 = 32_768;
/// No picture may take more memory when it is decoded.
const LARGEST_PICTURE: u64 = 512 << 20;
/// No PNG file may have more beside its pixels, unpacked.
const LARGEST_BESIDE: u64 = 32 << 20;
/// No file may be longer: some decoders read all of it before they look.
const LARGEST_FILE: u64 = 256 << 20;
/// Files above this are read one at a time: decoders hold them, or more, before they tell what they need.
const LONG: u64 = 16 << 20;

/// A picture as its file has it.
#[derive(Debug)]
pub struct Decoded {
    /// The pixels as they lie in the file.
    pub picture: DynamicImage,
    /// How they are to be turned, as EXIF says.
    pub orientation: Orientation,
    /// Kind of file and of pixels, for people: `PNG colour, transparent`, `JPEG CMYK`.
    pub mode: String,
    /// Held as long as the picture is in memory.
    _room: Room,
}

impl Decoded {
    /// Width and height in pixels, upright.
    pub fn size(&self) -> (u32, u32) {
        let (width, height) = (self.picture.width(), self.picture.height());
        if swaps_sides(self.orientation) { (height, width) } else { (width, height) }
    }
}

/// Whether an orientation turns width into height.
pub fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation as O;
    matches!(orientation, O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH)
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
    let Some(format) = kind_of(&beginning_of(path).map_err(unreadable)?) else {
        return Err(malformed("its content is no picture of a known kind".to_owned()));
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut frame = None;
    if format == ImageFormat::Jpeg {
        let found = jpeg(&mut file).map_err(unreadable)?;
        if !found.whole {
            return Err(malformed("it is cut off: the mark of its end is missing".to_owned()));
        }
        frame = Some(found);
    }
    file.rewind().map_err(unreadable)?;
    let room = (about.len() > LONG).then(|| Room::take(ALL));
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    // That of PNG counts what is no pixel: profiles and texts unpack to a thousand times their length.
    limits.max_alloc = Some(if format == ImageFormat::Png { LARGEST_BESIDE } else { LARGEST_PICTURE });
    reader.limits(limits);
    let undecodable = |error: image::ImageError| malformed(format!("it cannot be decoded ({error})"));
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(malformed(format!("it is {width} × {height} pixels")));
    }
    let claimed = u64::from(width) * u64::from(height);
    let needed = decoder.total_bytes() + needed_memory(format, frame, claimed, about.len());
    if width > LARGEST_SIDE
        || height > LARGEST_SIDE
        || decoder.total_bytes() > LARGEST_PICTURE
        || (format == ImageFormat::Jpeg && needed > ALL)
    {
        return Err(malformed(format!("it is too large ({width} × {height} pixels)")));
    }
    let holding = frame.map_or(about.len(), |frame| frame.scans);
    if least_bytes(format, claimed) > holding {
        return Err(malformed(format!(
            "it claims {width} × {height} pixels, which its {holding} bytes of content cannot hold"
        )));
    }
    let _room = room.unwrap_or_else(|| Room::take(needed));
    // The decoder turns CMYK into colours itself and does not tell.
    let is_cmyk = frame.is_some_and(|frame| frame.components == 4);
    let pixels = if is_cmyk { "CMYK".to_owned() } else { pixels(decoder.original_color_type()) };
    // Every GIF comes as colour with transparency, whatever it holds.
    let mode =
        if format == ImageFormat::Gif { "GIF".to_owned() } else { format!("{} {pixels}", name(format)) };
    let orientation = decoder.orientation().map_err(undecodable)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    Ok(Decoded { picture, orientation, mode, _room })
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
    let format = image::guess_format(beginning).ok()?;
    let known = KINDS.iter().any(|(kind, _)| *kind == format);
    (known && (format != ImageFormat::Bmp || is_bmp(beginning))).then_some(format)
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
