//! What a picture file says of itself before a decoder sees it: whether it is whole, and whether what it claims can be.

use std::io::{self, BufRead, Read};

use flate2::bufread::ZlibDecoder;
use image::ImageFormat;

/// No colour profile may unpack to more bytes: real ones have up to a few million.
const LARGEST_PROFILE: u64 = 16 << 20;

/// What the markers of a JPEG file say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jpeg {
    /// Components of a pixel: 1 grey, 3 colour, 4 CMYK; 0 where no frame was found.
    pub components: u8,
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
    while let Some(marker) = next_marker(file)? {
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
            left -= 6;
        }
        if io::copy(&mut file.take(left), &mut io::sink())? < left {
            break;
        }
    }
    Ok(found)
}

/// The byte behind the next 0xff that is none itself.
fn next_marker(file: &mut impl BufRead) -> io::Result<Option<u8>> {
    file.skip_until(0xff)?;
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

/// Whether the colour profile of a PNG file unpacks to a size that profiles have: its decoder unpacks it unasked.
///
/// # Errors
/// When the file cannot be read.
pub fn png_profile_is_small(file: &mut impl BufRead) -> io::Result<bool> {
    io::copy(&mut file.take(8), &mut io::sink())?;
    while let Some([a, b, c, d, kind @ ..]) = bytes::<8>(file)? {
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        if kind == *b"IDAT" || kind == *b"IEND" {
            break;
        }
        let mut chunk = file.take(length);
        if kind == *b"iCCP" {
            // Its name, a zero and the method stand before the stream.
            chunk.skip_until(0)?;
            if bytes::<1>(&mut chunk)?.is_some() {
                let unpacked = ZlibDecoder::new(&mut chunk).take(LARGEST_PROFILE + 1);
                // A broken stream is the decoder's to refuse.
                if io::copy(&mut { unpacked }, &mut io::sink()).is_ok_and(|length| length > LARGEST_PROFILE) {
                    return Ok(false);
                }
            }
        }
        io::copy(&mut chunk, &mut io::sink())?;
        if bytes::<4>(file)?.is_none() {
            break;
        }
    }
    Ok(true)
}

/// The fewest bytes that can hold so many pixels of a form: a file that claims more is damaged or a trap, and is refused
/// before memory is taken for it.
pub fn least_bytes(format: ImageFormat, pixels: u64) -> u64 {
    match format {
        // A bit for each block of 8×8, its mean: no code is shorter, and whatever else a block holds may come in runs.
        ImageFormat::Jpeg => pixels / (64 * 8),
        // Eight pixels a byte, and deflate packs 1,032 bytes into one at best.
        ImageFormat::Png => pixels / (8 * 1032),
        // A code of twelve bits stands for 4,096 pixels at most; some room for canvases larger than their picture.
        ImageFormat::Gif => pixels / 8192,
        // WebP's codes may have no length at all. The reader of BMP looks for its pixels itself.
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
        assert_eq!(jpeg(&mut Cursor::new(&cut)).unwrap(), Jpeg { components: 4, whole: false });
        let whole = [&cut[..], &[0xff, 0xff, 0xd9], b"and more"].concat();
        assert_eq!(jpeg(&mut Cursor::new(&whole)).unwrap(), Jpeg { components: 4, whole: true });
        for length in 0..whole.len() {
            let found = jpeg(&mut Cursor::new(&whole[..length])).unwrap();
            assert_eq!(found.whole, length >= cut.len() + 3, "{length}");
        }
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
