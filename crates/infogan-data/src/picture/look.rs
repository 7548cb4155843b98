//! What a picture file says of itself before a decoder sees it: whether it is whole, and whether what it claims can be.

use std::io::{self, BufRead, Read};

use image::ImageFormat;

/// What the markers of a JPEG file say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jpeg {
    /// Components of a pixel: 1 grey, 3 colour, 4 CMYK; 0 where no frame was found.
    pub components: u8,
    /// Whether it comes in several scans, of which decoders keep the coefficients.
    pub progressive: bool,
    /// Bytes of its scans and of the marks between segments: what may hold pixels, without what follows the end.
    pub scans: u64,
    /// Whether the end mark is there. Decoders fill what is cut off with grey and say nothing.
    pub whole: bool,
}

/// Walks over the markers of a JPEG file up to its end mark. A thumbnail with its own lies inside a segment and does not
/// count, nor does what follows the end.
///
/// # Errors
/// When the file cannot be read.
pub fn jpeg(file: &mut impl BufRead) -> io::Result<Jpeg> {
    let mut found = Jpeg::default();
    loop {
        found.scans += file.skip_until(0xff)? as u64;
        let Some(marker) = marker(file)? else { break };
        match marker {
            0xd9 => return Ok(Jpeg { whole: true, ..found }),
            // A stuffed byte of a scan, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some([high, low]) = bytes(file)? else { break };
        let mut left = u64::from(u16::from_be_bytes([high, low])).saturating_sub(2);
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame && left >= 6 {
            let Some([.., components]) = bytes::<6>(file)? else { break };
            found.components = components;
            found.progressive |= marker == 0xc2;
            left -= 6;
        }
        if io::copy(&mut file.take(left), &mut io::sink())? < left {
            break;
        }
    }
    Ok(found)
}

/// The next byte that is not 0xff.
fn marker(file: &mut impl Read) -> io::Result<Option<u8>> {
    loop {
        match bytes(file)? {
            Some([0xff]) => {}
            Some([marker]) => return Ok(Some(marker)),
            None => return Ok(None),
        }
    }
}

/// So many bytes; none where the file ends before.
fn bytes<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a decoder may take beside the picture, in bytes: measured where the format does not say.
pub fn needed_memory(format: ImageFormat, jpeg: Option<Jpeg>, pixels: u64, length: u64) -> u64 {
    match (format, jpeg) {
        // The file itself, and two bytes for each coefficient.
        (_, Some(Jpeg { components, progressive: true, .. })) => length + 2 * pixels * u64::from(components),
        (ImageFormat::Jpeg, _) => length,
        // A canvas of four bytes a pixel, under the first picture of an animation.
        (ImageFormat::Gif, _) => 4 * pixels,
        // Such a canvas, or planes; and tables of codes, of which ten bytes may ask for four thousand.
        (ImageFormat::WebP, _) => 4 * pixels + length.saturating_mul(400),
        _ => 0,
    }
}

/// The fewest bytes that can hold so many pixels of a form: a file that claims more is damaged or a trap, and is refused
/// before memory is taken for it.
pub fn least_bytes(format: ImageFormat, pixels: u64) -> u64 {
    match format {
        // A bit for each block of 8×8, its mean: no code is shorter, and whatever else a block holds may come in runs.
        ImageFormat::Jpeg => pixels / (64 * 8),
        // Eight pixels a byte, and deflate packs 1,032 bytes into one at best.
        ImageFormat::Png => pixels / (8 * 1032),
        // A code of twelve bits stands for 4,096 pixels at most; twice that, and a canvas of 4,096 × 4,096 may be empty but
        // for a small picture.
        ImageFormat::Gif => pixels.saturating_sub(1 << 24) / 8192,
        // Two bytes end a row, of 32,768 pixels at most; a picture that its file leaves blank is none of a sensible size.
        ImageFormat::Bmp => pixels.saturating_sub(1 << 24) / 16_384,
        // WebP's codes may have no length at all.
        _ => 0,
    }
}

/// Whether what begins as a BMP file goes on as one: texts may begin with `BM` too.
pub fn is_bmp(beginning: &[u8]) -> bool {
    const HEADERS: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];
    let header = beginning.get(14..18).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    header.is_some_and(|length| HEADERS.contains(&length))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_end_mark_of_a_jpeg_is_its_own() {
        let scan = [&[0xff, 0xda, 0, 4, 1, 0][..], &[7, 0xff, 0, 0xff, 0xd3, 9]].concat();
        let frame = [0xff, 0xc2, 0, 8, 8, 0, 1, 0, 1, 4];
        // A segment that holds an end mark, as a thumbnail does.
        let thumbnail = [0xff, 0xe1, 0, 4, 0xff, 0xd9];
        let cut = [&[0xff, 0xd8][..], &thumbnail, &frame, &scan].concat();
        let wanted = Jpeg { components: 4, progressive: true, scans: 8, whole: false };
        assert_eq!(jpeg(&mut Cursor::new(&cut)).unwrap(), wanted);
        let whole = [&cut[..], &[0xff, 0xff, 0xd9], b"and more"].concat();
        assert_eq!(jpeg(&mut Cursor::new(&whole)).unwrap(), Jpeg { scans: 9, whole: true, ..wanted });
        for length in 0..whole.len() {
            let found = jpeg(&mut Cursor::new(&whole[..length])).unwrap();
            assert_eq!(found.whole, length >= cut.len() + 3, "{length}");
        }
    }

    /// What common encoders make of flat pictures of 8192 × 8192, in bytes (Pillow 13, its smallest settings); and a small
    /// first picture on a large canvas.
    #[test]
    fn no_flat_picture_is_refused() {
        const PIXELS: u64 = 8192 * 8192;
        for (format, pixels, length) in [
            (ImageFormat::Jpeg, PIXELS, 262_302),
            (ImageFormat::Png, PIXELS, 19_567),
            (ImageFormat::Gif, PIXELS, 51_250),
            (ImageFormat::Gif, 4000 * 4000, 51),
            (ImageFormat::WebP, PIXELS, 2_630),
            (ImageFormat::Bmp, PIXELS, 8192 * 64),
        ] {
            assert!(least_bytes(format, pixels) <= length, "{format:?}");
        }
        assert!(least_bytes(ImageFormat::Jpeg, 12_000 * 12_000) > 1000);
    }

    #[test]
    fn texts_are_no_bitmaps() {
        assert!(!is_bmp(b"BM is a text like any other."));
        assert!(!is_bmp(b"BM"));
        let mut bitmap = [0; 32];
        bitmap[14] = 40;
        assert!(is_bmp(&bitmap));
    }
}
