//! MNIST and whatever shares its files: IDX, plain or gzip.
//!
//! A file is a header of big-endian u32 (magic 2051, count, rows, columns for pictures; magic 2049, count for
//! labels), then unsigned bytes, row-major, white = 255 (LeCun, *The MNIST database of handwritten digits*).
//! Whether a file is compressed is read from its content, not from its name. No size in a header is believed
//! before it fits the length of the file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::{DataError, ImageSet, Labels, Split};

/// The classes of Fashion-MNIST, in the order of its labels.
pub const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

const PICTURES_MAGIC: u32 = 2051;
const LABELS_MAGIC: u32 = 2049;
const REMEDY: &str = "get the files again, for example with scripts/fetch-mnist.sh DIR";
/// Deflate cannot expand by more than 1032 (a match of 258 bytes costs two bits at least).
const LARGEST_EXPANSION: u64 = 1032;

/// Reads one split of an IDX data set from a folder: `u8 [n, 1, rows, columns]` with labels. The classes are
/// named by their numbers, ten at least; the set is named `idx`.
///
/// Looked for: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (`t10k-…` for the test split), also
/// spelt `train-images.idx3-ubyte`, each with and without `.gz`; the first found is read.
///
/// # Errors
/// When a file is missing, cannot be read, is cut short or too long, damaged, or the counts do not agree.
pub fn load_idx_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let prefix = prefix(split);
    let pictures_path = find(dir, prefix, "images", "idx3")?;
    let labels_path = find(dir, prefix, "labels", "idx1")?;
    let pictures = read_idx(&pictures_path, PICTURES_MAGIC, 3)?;
    let labels = read_idx(&labels_path, LABELS_MAGIC, 1)?;
    let [count, rows, columns] = pictures.sides;
    if labels.sides[0] != count {
        let reason =
            format!("{} labels, but {} holds {count} pictures", labels.sides[0], pictures_path.display());
        return Err(malformed(&labels_path, reason));
    }
    let values: Vec<u16> = labels.bytes.iter().map(|&label| u16::from(label)).collect();
    let classes = values.iter().max().map_or(0, |&label| label + 1).max(10);
    let class_names = (0..classes).map(|class| class.to_string()).collect();
    ImageSet::new("idx", [1, rows, columns], pictures.bytes, Some(Labels { values, class_names }), vec![])
}

/// The first of the known spellings that is a file.
fn find(dir: &Path, prefix: &str, what: &str, kind: &str) -> Result<PathBuf, DataError> {
    let stems = [format!("{prefix}-{what}-{kind}-ubyte"), format!("{prefix}-{what}.{kind}-ubyte")];
    let names: Vec<String> = stems.iter().flat_map(|stem| [stem.clone(), format!("{stem}.gz")]).collect();
    if let Some(path) = names.iter().map(|name| dir.join(name)).find(|path| path.is_file()) {
        return Ok(path);
    }
    Err(DataError::Missing {
        what: format!("{prefix} {what} file"),
        dir: dir.to_path_buf(),
        looked_for: names,
        remedy: format!(
            "name the folder of the files, or get them with scripts/fetch-mnist.sh {}",
            dir.display()
        ),
    })
}

/// Writes one half of a set as MNIST's two files, plain.
///
/// # Errors
/// When the pictures are not grey, there are no classes or more than 256, or a file cannot be written.
pub fn write_idx_dir(set: &ImageSet, dir: &Path, split: Split) -> Result<(), DataError> {
    let [channels, rows, columns] = set.shape();
    let labels = set.labels().filter(|_| channels == 1 && set.class_names().len() <= 256);
    let Some(labels) = labels else {
        return Err(DataError::invalid(
            set.name(),
            "IDX files hold grey pictures with at most 256 classes, and this set is none of them",
            "write safetensors or a folder, or read it with --grey",
        ));
    };
    let prefix = prefix(split);
    let header = |magic: u32, sides: &[usize]| -> Vec<u8> {
        let sides = sides.iter().map(|&side| u32::try_from(side).unwrap_or(u32::MAX));
        std::iter::once(magic).chain(sides).flat_map(u32::to_be_bytes).collect()
    };
    let mut pictures = header(PICTURES_MAGIC, &[set.len(), rows, columns]);
    pictures.extend_from_slice(set.pictures());
    let mut classes = header(LABELS_MAGIC, &[set.len()]);
    classes.extend(labels.iter().map(|&label| label as u8));
    crate::write_beside(&dir.join(format!("{prefix}-images-idx3-ubyte")), &pictures)?;
    crate::write_beside(&dir.join(format!("{prefix}-labels-idx1-ubyte")), &classes)
}

fn prefix(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "t10k",
    }
}

struct Idx {
    /// Count, and for pictures rows and columns; 1 where the file has fewer sides.
    sides: [usize; 3],
    bytes: Vec<u8>,
}

fn read_idx(path: &Path, magic: u32, dimensions: usize) -> Result<Idx, DataError> {
    let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let stored = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 2];
    let compressed = file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let file = BufReader::new(file);
    let (mut reader, longest): (Box<dyn Read>, u64) = if compressed {
        (Box::new(MultiGzDecoder::new(file)), stored.saturating_mul(LARGEST_EXPANSION))
    } else {
        (Box::new(file), stored)
    };

    let mut header = [0; 16];
    let header = &mut header[..4 + 4 * dimensions];
    reader.read_exact(header).map_err(|error| cut_short(path, compressed, error, "its header"))?;
    let word = |place: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| header[4 * place + byte]));
    if word(0) != magic {
        let reason = format!("it starts with {}, not the magic number {magic} of IDX", word(0));
        return Err(malformed(path, reason));
    }
    let mut sides = [1; 3];
    for (place, side) in sides.iter_mut().enumerate().take(dimensions) {
        *side = word(place + 1) as usize;
    }
    if sides.contains(&0) {
        return Err(malformed(path, format!("its header says {sides:?}: there is nothing in it")));
    }
    let promised = sides.iter().try_fold(1_u64, |product, &side| product.checked_mul(side as u64));
    let Some(promised) = promised.filter(|&promised| promised <= longest) else {
        let reason = format!("its header says {sides:?}, more than its {stored} bytes can hold");
        return Err(malformed(path, reason));
    };
    if !compressed && stored != promised + header.len() as u64 {
        let should = promised + header.len() as u64;
        return Err(malformed(path, format!("it is {stored} bytes long, its header says {should}")));
    }

    let mut bytes = Vec::new();
    let room = usize::try_from(promised).ok().and_then(|n| n.checked_add(1));
    if room.is_none_or(|room| bytes.try_reserve_exact(room).is_err()) {
        let reason = format!("its {promised} bytes do not fit into memory");
        return Err(malformed(path, reason));
    }
    // One byte more than promised: it tells a file that is too long, and reading up to the end of a gzip
    // stream is what checks its checksum.
    let read = reader.take(promised + 1).read_to_end(&mut bytes);
    read.map_err(|error| cut_short(path, compressed, error, "its data"))?;
    if (bytes.len() as u64) < promised {
        let reason = format!("it ends after {} of the {promised} bytes its header says", bytes.len());
        return Err(malformed(path, reason));
    }
    if bytes.len() as u64 > promised {
        let reason = format!("it goes on after the {promised} bytes its header says");
        return Err(malformed(path, reason));
    }
    Ok(Idx { sides, bytes })
}

fn malformed(path: &Path, reason: String) -> DataError {
    DataError::Malformed { path: path.to_path_buf(), reason, remedy: REMEDY.to_string() }
}

/// What a failed read means: the end of the file, damaged gzip data, or trouble with the disk.
fn cut_short(path: &Path, compressed: bool, error: std::io::Error, part: &str) -> DataError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        UnexpectedEof => malformed(path, format!("it ends inside {part}")),
        InvalidData | InvalidInput if compressed => {
            malformed(path, format!("its gzip data are damaged in {part} ({error})"))
        }
        _ => DataError::Read { path: path.to_path_buf(), source: error },
    }
}
