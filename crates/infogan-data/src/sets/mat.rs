//! MATLAB files of version 5, as far as bytes go: arrays of `uint8`, or of whole numbers that fit into one, packed or not
//! (The MathWorks, *MAT-File Format*, level 5).
//!
//! A header of 128 bytes is followed by elements: type (u32), length (u32), data, padded to eight bytes; short data lie in
//! the tag itself. An element of type 15 is another element in zlib's form. An array is an element of elements: flags,
//! sides, name, values. The file may be of either byte order.

use std::{fs::File, io::Read, path::Path};

use flate2::read::ZlibDecoder;

use super::malformed;
use crate::DataError;

/// An array of bytes, the first side fastest.
pub struct Array {
    pub name: String,
    pub sides: Vec<usize>,
    pub values: Vec<u8>,
}

/// Deflate cannot expand by more.
const LARGEST_EXPANSION: u64 = 1032;
/// No file may be larger, packed.
const LARGEST_FILE: u64 = 4 << 30;
/// Most sides of an array.
const MOST_SIDES: usize = 8;

const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Reads all arrays of bytes; others are passed over.
///
/// # Errors
/// When the file cannot be read, is not of version 5, or is damaged.
pub fn read(path: &Path) -> Result<Vec<Array>, DataError> {
    let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
    let broken = |reason: String| malformed(path, reason);
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > LARGEST_FILE {
        return Err(broken(format!("it is larger than {} MB", LARGEST_FILE >> 20)));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    arrays(&bytes).map_err(broken)
}

/// The arrays of a file's content.
pub fn arrays(bytes: &[u8]) -> Result<Vec<Array>, String> {
    let Some((header, rest)) = bytes.split_at_checked(128) else {
        return Err("it ends inside its header".to_owned());
    };
    let big = match (&header[124..126], &header[126..128]) {
        ([0, 1], b"IM") => false,
        ([1, 0], b"MI") => true,
        _ => return Err("it is no MATLAB file of version 5".to_owned()),
    };
    let mut found = Vec::new();
    let mut elements = Elements { rest, big };
    while let Some((kind, data)) = elements.next()? {
        match kind {
            COMPRESSED => {
                let most = (data.len() as u64).saturating_mul(LARGEST_EXPANSION);
                let mut unpacked = Vec::new();
                ZlibDecoder::new(data)
                    .take(most)
                    .read_to_end(&mut unpacked)
                    .map_err(|error| format!("its packed data are damaged ({error})"))?;
                let mut inner = Elements { rest: &unpacked, big };
                if let Some((MATRIX, data)) = inner.next()? {
                    found.extend(array(data, big)?);
                }
            }
            MATRIX => found.extend(array(data, big)?),
            _ => {}
        }
    }
    Ok(found)
}

/// Elements one after the other.
struct Elements<'a> {
    rest: &'a [u8],
    big: bool,
}

impl<'a> Elements<'a> {
    fn word(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.rest.get(at..at + 4)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Type and data of the next element; `None` at the end.
    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let cut = || "it ends inside an element".to_owned();
        let first = self.word(0).ok_or_else(cut)?;
        let small = first >> 16;
        let (kind, start, length): (u32, usize, usize) = match small {
            0 => (first, 8, self.word(4).ok_or_else(cut)? as usize),
            1..=4 => (first & 0xffff, 4, small as usize),
            _ => return Err("it has a short element of more than four bytes".to_owned()),
        };
        let data = start.checked_add(length).and_then(|end| self.rest.get(start..end)).ok_or_else(cut)?;
        // Short elements fill eight bytes; packed ones follow one another without a gap.
        let taken = match (small, kind) {
            (0, COMPRESSED) => start + length,
            (0, _) => start + length.next_multiple_of(8),
            _ => 8,
        };
        self.rest = self.rest.get(taken..).unwrap_or_default();
        Ok(Some((kind, data)))
    }
}

/// An array, if it is one of bytes.
fn array(data: &[u8], big: bool) -> Result<Option<Array>, String> {
    let mut parts = Elements { rest: data, big };
    let mut part = |what: &str| parts.next()?.ok_or_else(|| format!("an array has no {what}"));
    let (UINT32, flags) = part("flags")? else {
        return Err("an array does not begin with its flags".to_owned());
    };
    // Class of the array: 6 is double, 9 is uint8; a complex one has a bit of its own.
    let flags = Elements { rest: flags, big }.word(0).ok_or("the flags of an array are cut short")?;
    let (INT32, sides) = part("sides")? else {
        return Err("the sides of an array are no whole numbers".to_owned());
    };
    if !sides.len().is_multiple_of(4) || !(8..=4 * MOST_SIDES).contains(&sides.len()) {
        return Err(format!("an array has {} bytes of sides", sides.len()));
    }
    let reader = Elements { rest: sides, big };
    let sides: Vec<usize> =
        (0..sides.len() / 4).filter_map(|side| usize::try_from(reader.word(4 * side)? as i32).ok()).collect();
    if 4 * sides.len() != reader.rest.len() {
        return Err("an array has a side below 0".to_owned());
    }
    let (INT8, name) = part("name")? else { return Err("the name of an array is no text".to_owned()) };
    let name = String::from_utf8_lossy(name).into_owned();
    if !matches!(flags & 0xff, 6 | 9) || flags & 0x800 != 0 {
        return Ok(None);
    }
    let count = sides.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    let count = count.ok_or_else(|| format!("the sides {sides:?} of '{name}' are too large"))?;
    let (kind, data) = part("values")?;
    let values: Vec<u8> = match kind {
        UINT8 => data.to_vec(),
        // MATLAB's own numbers: labels often come so.
        DOUBLE => data
            .chunks_exact(8)
            .map(|bytes| {
                let bytes: [u8; 8] = bytes.try_into().unwrap_or_default();
                let number = if big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) };
                (number.fract() == 0.0 && (0.0..=255.0).contains(&number)).then_some(number as u8)
            })
            .collect::<Option<_>>()
            .ok_or_else(|| format!("'{name}' holds numbers that are no bytes"))?,
        _ => return Ok(None),
    };
    if values.len() != count {
        return Err(format!("'{name}' has {} values for its sides {sides:?}", values.len()));
    }
    Ok(Some(Array { name, sides, values }))
}
