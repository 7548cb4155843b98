//! MATLAB files of version 5, as far as arrays of bytes go.
//!
//! After a header of 128 bytes come elements: type (u32), length in bytes (u32), data, filled up to eight bytes.
//! An element of at most four bytes may lie in its own tag: length (u16) and type (u16) in one word, then the
//! data. An element of type 15 is another one in zlib's form, and is not filled up. An array is made of elements:
//! flags, sides, name, values, the first side fastest. Either byte order is allowed (The MathWorks, *MAT-File
//! Format*, level 5).
//!
//! Everything is read as a stream: memory is taken for the values of the wanted arrays only, and no more than
//! their part of the file can hold.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::ZlibDecoder;

use super::malformed;
use crate::DataError;
use crate::files::{LARGEST_EXPANSION, open, room, unreadable};

/// Whole numbers of 0 to 255, the first side fastest.
#[derive(Default)]
pub(super) struct Bytes {
    pub(super) sides: Vec<usize>,
    pub(super) values: Vec<u8>,
}

const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT16: u32 = 3;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const SINGLE: u32 = 7;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Longest list of sides, in bytes: eight sides.
const LONGEST_SIDES: u64 = 32;
/// Longest name of an array, in bytes; MATLAB's own limit is 63.
const LONGEST_NAME: u64 = 4096;

/// What went wrong: the file could not be read or unpacked, or its content makes no sense.
enum Fault {
    Io(io::Error),
    Bad(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Bad(reason)
    }
}

/// Reads the arrays of these names. They may be stored as any real numbers, as long as these are whole and lie in
/// 0 to 255. Other arrays are passed over.
///
/// # Errors
/// When the file cannot be read, is not of version 5, is cut short or damaged, or lacks one of the arrays.
pub(super) fn read_bytes<const N: usize>(path: &Path, wanted: [&str; N]) -> Result<[Bytes; N], DataError> {
    let (mut file, length) = open(path)?;
    let mut found = [const { None }; N];
    let read = read_file(&mut file, length, &wanted, &mut found);
    read.map_err(|fault| match fault {
        Fault::Bad(reason) => malformed(path, reason),
        Fault::Io(error) => match error.kind() {
            ErrorKind::UnexpectedEof => malformed(path, "it ends inside an element".to_string()),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                malformed(path, format!("its packed data are damaged ({error})"))
            }
            _ => unreadable(path, error),
        },
    })?;
    if let Some(place) = found.iter().position(Option::is_none) {
        return Err(malformed(path, format!("it holds no array '{}'", wanted[place])));
    }
    Ok(found.map(Option::unwrap_or_default))
}

fn read_file(
    file: &mut BufReader<File>,
    length: u64,
    wanted: &[&str],
    found: &mut [Option<Bytes>],
) -> Result<(), Fault> {
    let mut header = [0; 128];
    file.read_exact(&mut header)?;
    if header.starts_with(b"MATLAB 7.3") {
        let remedy = "it is a MATLAB file of version 7.3, which is HDF5: save it with -v7".to_string();
        return Err(remedy.into());
    }
    let big = match &header[124..] {
        [0, 1, b'I', b'M'] => false,
        [1, 0, b'M', b'I'] => true,
        _ => return Err("it is no MATLAB file of version 5".to_string().into()),
    };
    let mut at = 128;
    while at < length {
        let mut tag = Element { bytes: file, left: length - at, big };
        let (kind, size) = tag.long_tag()?;
        let filled = if kind == COMPRESSED { size } else { size.next_multiple_of(8) };
        if filled > tag.left {
            let reason = format!("an element of {size} bytes at byte {at} goes beyond its end");
            return Err(reason.into());
        }
        let mut body = file.take(filled);
        match kind {
            MATRIX => array(&mut Element { bytes: &mut body, left: size, big }, wanted, found)?,
            COMPRESSED => {
                let mut packed = ZlibDecoder::new(&mut body);
                unpacked(&mut packed, size, big, wanted, found)?;
            }
            1..=18 => {}
            _ => return Err(format!("it has an element of type {kind} at byte {at}; there is none").into()),
        }
        // What nobody wanted, and what fills up.
        let unread = io::copy(&mut body, &mut io::sink())?;
        if body.limit() > 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        if kind == COMPRESSED && unread > 0 {
            return Err(format!("its packed element at byte {at} goes on after its end").into());
        }
        at += 8 + filled;
    }
    Ok(())
}

/// The one element inside a packed one of `size` bytes.
fn unpacked(
    packed: &mut dyn Read,
    size: u64,
    big: bool,
    wanted: &[&str],
    found: &mut [Option<Bytes>],
) -> Result<(), Fault> {
    let longest = size.saturating_mul(LARGEST_EXPANSION);
    let mut element = Element { bytes: packed, left: longest, big };
    let (kind, inside) = element.long_tag()?;
    if inside > element.left {
        let reason = format!("its {size} packed bytes cannot hold the {inside} that they promise");
        return Err(reason.into());
    }
    element.left = inside;
    if kind == MATRIX {
        array(&mut element, wanted, found)?;
    }
    let left = element.left;
    element.skip(left)?;
    // Reading up to the end is also what checks zlib's checksum.
    match packed.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(format!("its packed data go on after the {inside} bytes that they promise").into()),
    }
}

/// What is left of an element.
struct Element<'a> {
    bytes: &'a mut dyn Read,
    left: u64,
    big: bool,
}

impl Element<'_> {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), Fault> {
        let Some(left) = self.left.checked_sub(into.len() as u64) else {
            return Err("an element in it is shorter than its parts".to_string().into());
        };
        self.left = left;
        Ok(self.bytes.read_exact(into)?)
    }

    fn skip(&mut self, count: u64) -> Result<(), Fault> {
        let skipped = io::copy(&mut (&mut *self.bytes).take(count), &mut io::sink())?;
        self.left -= skipped;
        if skipped < count { Err(io::Error::from(ErrorKind::UnexpectedEof).into()) } else { Ok(()) }
    }

    fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Type and length, with the length in a word of its own.
    fn long_tag(&mut self) -> Result<(u32, u64), Fault> {
        let (mut kind, mut length) = ([0; 4], [0; 4]);
        self.fill(&mut kind)?;
        self.fill(&mut length)?;
        Ok((self.word(kind), self.word(length).into()))
    }

    /// Type, length, and the data where they lie in the tag.
    fn tag(&mut self) -> Result<(u32, u64, Option<[u8; 4]>), Fault> {
        let (mut first, mut second) = ([0; 4], [0; 4]);
        self.fill(&mut first)?;
        self.fill(&mut second)?;
        let (kind, length) = (self.word(first), self.word(second));
        match kind >> 16 {
            0 if u64::from(length) > self.left => {
                Err(format!("a part of {length} bytes goes beyond the end of its array").into())
            }
            0 => Ok((kind, length.into(), None)),
            short @ 1..=4 => Ok((kind & 0xffff, short.into(), Some(second))),
            short => Err(format!("a short element in it claims {short} bytes").into()),
        }
    }

    /// A part of an array that must be of this type and at most so long.
    fn part(&mut self, what: &str, wanted: u32, longest: u64) -> Result<Vec<u8>, Fault> {
        let (kind, length, inside) = self.tag()?;
        if kind != wanted || length > longest {
            return Err(format!("an array has {what} of type {kind} with {length} bytes").into());
        }
        let mut data = vec![0; length as usize];
        match inside {
            Some(inside) => data.copy_from_slice(&inside[..length as usize]),
            None => {
                self.fill(&mut data)?;
                self.skip(length.next_multiple_of(8) - length)?;
            }
        }
        Ok(data)
    }
}

/// Reads an array into its place if it is wanted.
fn array(element: &mut Element, wanted: &[&str], found: &mut [Option<Bytes>]) -> Result<(), Fault> {
    let flags = element.part("flags", UINT32, 8)?;
    let Some(&word) = flags.first_chunk() else { return Err("an array has no flags".to_string().into()) };
    let flags = element.word(word);
    let class = flags & 0xff;
    // From 16 on there are functions and objects, whose parts are others.
    if !(1..=15).contains(&class) {
        return Ok(());
    }
    let sides = element.part("sides", INT32, LONGEST_SIDES)?;
    let name = element.part("a name", INT8, LONGEST_NAME)?;
    let Some(place) = wanted.iter().position(|wanted| wanted.as_bytes() == name) else { return Ok(()) };
    let name = wanted[place];
    if found[place].is_some() {
        return Err(format!("it holds '{name}' twice").into());
    }
    // 1 to 5 are cells, structures, objects, text and sparse arrays.
    if class < 6 || flags & 0x800 != 0 {
        return Err(format!("its '{name}' is no array of real numbers").into());
    }
    let (words, []) = sides.as_chunks() else {
        return Err(format!("the sides of '{name}' are no whole words").into());
    };
    let sides = words.iter().map(|&word| usize::try_from(element.word(word) as i32).ok());
    let sides: Option<Vec<usize>> = sides.collect();
    let sides = sides.filter(|sides| sides.len() >= 2);
    let Some(sides) = sides else { return Err(format!("the sides of '{name}' make no sense").into()) };
    let values = values(element, name, &sides)?;
    found[place] = Some(Bytes { sides, values });
    Ok(())
}

/// The values of an array of these sides.
fn values(element: &mut Element, name: &str, sides: &[usize]) -> Result<Vec<u8>, Fault> {
    let (kind, length, inside) = element.tag()?;
    let width = match kind {
        INT8 | UINT8 => 1,
        INT16 | UINT16 => 2,
        INT32 | UINT32 | SINGLE => 4,
        DOUBLE => 8,
        _ => return Err(format!("the values of '{name}' are of type {kind}, which is not read").into()),
    };
    let bytes = sides.iter().try_fold(width, |product: u64, &side| product.checked_mul(side as u64));
    if bytes != Some(length) {
        let reason = format!("'{name}' has {length} bytes of values, which do not fit its sides {sides:?}");
        return Err(reason.into());
    }
    let mut values = room(length / width)?;
    let mut buffer = [0; 8192];
    let mut left = length;
    while left > 0 {
        let part = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        match inside {
            Some(inside) => buffer[..part].copy_from_slice(&inside[..part]),
            None => element.fill(&mut buffer[..part])?,
        }
        left -= part as u64;
        if kind == UINT8 {
            values.extend_from_slice(&buffer[..part]);
            continue;
        }
        for bytes in buffer[..part].chunks_exact(width as usize) {
            match whole(kind, bytes, element.big) {
                Some(value) => values.push(value),
                None => return Err(format!("'{name}' holds values that are no bytes").into()),
            }
        }
    }
    Ok(values)
}

/// A stored number, if it is whole and in 0 to 255.
fn whole(kind: u32, bytes: &[u8], big: bool) -> Option<u8> {
    // Little-endian, so that the number's own bytes come first.
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    if big {
        padded[..bytes.len()].reverse();
    }
    let [a, b, c, d, ..] = padded;
    let number = match kind {
        UINT16 | UINT32 => return u8::try_from(u64::from_le_bytes(padded)).ok(),
        INT8 => return u8::try_from(i8::from_le_bytes([a])).ok(),
        INT16 => return u8::try_from(i16::from_le_bytes([a, b])).ok(),
        INT32 => return u8::try_from(i32::from_le_bytes([a, b, c, d])).ok(),
        SINGLE => f64::from(f32::from_le_bytes([a, b, c, d])),
        _ => f64::from_le_bytes(padded),
    };
    (number.fract() == 0.0 && (0.0..=255.0).contains(&number)).then_some(number as u8)
}
