//! MNIST and whatever shares its files: IDX, plain or gzip, and a writer.
//!
//! A file is a header of big-endian u32 (magic 2051, count, rows, columns for pictures; magic 2049, count for
//! labels), then unsigned bytes, row-major, white = 255 (LeCun, *The MNIST database of handwritten digits*). The
//! last byte of the magic number is the number of sides, so pictures in colour are magic 2052 here: count,
//! channels, rows, columns. Whether a file is compressed is read from its content, not from its name. No size
//! in a header is believed before it fits the length of the file.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::files::{LARGEST_EXPANSION, NewFile, open, room, unreadable};
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

/// Content hashes of the sets that share these file names, for they have no name inside. Both halves of MNIST,
/// then both of Fashion-MNIST.
const KNOWN: [(&str, &str); 4] = [
    ("188545aad48da5e3a940923fcba859b2d4d129474d96702dfd6acedd1bc969fa", MNIST),
    ("650b9b6987e91e84a9f25d76ae8e5b3fbf82c369a4aa243641331aebc4782eb6", MNIST),
    ("ef095b4c72296bd852dfb187d65cf8be95c1afdb0afb3aa004df571012d3a07c", FASHION_MNIST),
    ("e5bf2b3a4f012acc5aa5b33597423cde00c3cea6cac1cb48a84357345d4a2e36", FASHION_MNIST),
];
const MNIST: &str = "mnist";
const FASHION_MNIST: &str = "fashion-mnist";

const GREY_MAGIC: u32 = 2051;
const COLOUR_MAGIC: u32 = 2052;
const LABELS_MAGIC: u32 = 2049;
const REMEDY: &str = "get the files again, for example with scripts/fetch-mnist.sh DIR";

/// Reads one split of an IDX data set from a folder: `u8 [n, 1, rows, columns]`, or `[n, channels, rows, columns]`
/// with 1 or 3 channels where the file has four sides, with labels.
///
/// The set is told by its content: MNIST is named `mnist`, Fashion-MNIST `fashion-mnist` with its
/// [classes](FASHION_CLASSES). Any other is named `idx` and its classes by their numbers, ten at least.
///
/// Looked for: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (`t10k-…` for the test split), also
/// spelt `train-images.idx3-ubyte`, each with and without `.gz`, then the same with `idx4`; the first found is
/// read.
///
/// # Errors
/// When a file is missing, cannot be read, is cut short or too long, damaged, or the counts do not agree.
pub fn load_idx_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let prefix = prefix(split);
    let pictures_path = find(dir, prefix, "images", &["idx3", "idx4"])?;
    let labels_path = find(dir, prefix, "labels", &["idx1"])?;
    let pictures = read_idx(&pictures_path, &[GREY_MAGIC, COLOUR_MAGIC])?;
    let labels = read_idx(&labels_path, &[LABELS_MAGIC])?;
    let (count, shape) = match pictures.sides[..] {
        [count, channels @ (1 | 3), rows, columns] => (count, [channels, rows, columns]),
        [count, rows, columns] => (count, [1, rows, columns]),
        _ => {
            let reason =
                format!("its sides {:?} are not count, 1 or 3 channels, rows, columns", pictures.sides);
            return Err(malformed(&pictures_path, reason));
        }
    };
    if labels.sides[0] != count {
        let reason =
            format!("{} labels, but {} holds {count} pictures", labels.sides[0], pictures_path.display());
        return Err(malformed(&labels_path, reason));
    }
    let values: Vec<u16> = labels.bytes.iter().map(|&label| u16::from(label)).collect();
    let classes = values.iter().max().map_or(0, |&label| label + 1).max(10);
    let class_names = (0..classes).map(|class| class.to_string()).collect();
    let set = ImageSet::new("idx", shape, pictures.bytes, Some(Labels { values, class_names }), vec![])?;
    match KNOWN.iter().find(|(hash, _)| *hash == set.content_hash()) {
        Some(&(_, FASHION_MNIST)) => set.with_name(FASHION_MNIST).with_class_names(FASHION_CLASSES),
        Some(&(_, name)) => Ok(set.with_name(name)),
        None => Ok(set),
    }
}

/// Writes one split of a set as IDX, plain, in a folder that is made where it is missing: `train-images-idx3-ubyte`
/// (`idx4` where there are three channels) and `train-labels-idx1-ubyte`, `t10k-…` for the test split. The format
/// has no place for names and factors.
///
/// # Errors
/// When the set is empty, has neither 1 nor 3 channels, no labels or one above 255; when either file is there
/// already, also under another of its spellings, or cannot be written. Then neither is left.
pub fn write_idx_dir(set: &ImageSet, dir: &Path, split: Split) -> Result<(), DataError> {
    let refuse = |reason: &str| {
        let what = format!("data set {}", set.name());
        Err(DataError::invalid(what, reason, "store it in another form, such as safetensors"))
    };
    let [channels, rows, columns] = set.shape();
    let (kind, magic, sides) = match channels {
        1 => ("idx3", GREY_MAGIC, vec![set.len(), rows, columns]),
        3 => ("idx4", COLOUR_MAGIC, vec![set.len(), channels, rows, columns]),
        _ => return refuse("IDX is written with 1 or 3 channels only"),
    };
    let Some(labels) = set.labels() else { return refuse("IDX needs a label for every picture") };
    let Ok(labels) = labels.iter().map(|&label| u8::try_from(label)).collect::<Result<Vec<u8>, _>>() else {
        return refuse("IDX has no label above 255");
    };
    if set.is_empty() {
        return refuse("it has no picture, and readers refuse empty IDX files");
    }
    let Some(pictures_header) = header(magic, &sides) else { return refuse("a side is 2^32 or longer") };
    let Some(labels_header) = header(LABELS_MAGIC, &sides[..1]) else { return refuse("it is too long") };

    let prefix = prefix(split);
    // A reader takes the first spelling it finds: another one beside ours would hide it or be hidden.
    for (what, kinds) in [("images", &["idx3", "idx4"][..]), ("labels", &["idx1"])] {
        if let Some(name) = spellings(prefix, what, kinds).into_iter().find(|name| dir.join(name).exists()) {
            return Err(DataError::invalid(
                dir.join(name).display().to_string(),
                "it is there already and is not written over",
                "name another folder, or remove it first",
            ));
        }
    }
    fs::create_dir_all(dir)
        .map_err(|error| DataError::Write { path: dir.to_path_buf(), reason: error.to_string() })?;
    let write = |name: String, header: Vec<u8>, bytes: &[u8]| {
        NewFile::write(&dir.join(name), |out| out.write_all(&header).and_then(|()| out.write_all(bytes)))
    };
    let pictures_name = format!("{prefix}-images-{kind}-ubyte");
    let pictures = write(pictures_name.clone(), pictures_header, set.pictures())?;
    write(format!("{prefix}-labels-idx1-ubyte"), labels_header, &labels).and_then(|labels| {
        pictures.place()?;
        labels.place().inspect_err(|_| {
            let _ = fs::remove_file(dir.join(&pictures_name));
        })
    })
}

/// A header, if every side fits into its u32.
fn header(magic: u32, sides: &[usize]) -> Option<Vec<u8>> {
    let mut bytes = magic.to_be_bytes().to_vec();
    for &side in sides {
        bytes.extend(u32::try_from(side).ok()?.to_be_bytes());
    }
    Some(bytes)
}

fn prefix(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "t10k",
    }
}

/// The names under which a file may lie, in the order in which they are looked for.
pub(crate) fn spellings(prefix: &str, what: &str, kinds: &[&str]) -> Vec<String> {
    let stems = kinds
        .iter()
        .flat_map(|kind| [format!("{prefix}-{what}-{kind}-ubyte"), format!("{prefix}-{what}.{kind}-ubyte")]);
    stems.flat_map(|stem| [stem.clone(), format!("{stem}.gz")]).collect()
}

/// The first of the known spellings that is a file.
fn find(dir: &Path, prefix: &str, what: &str, kinds: &[&str]) -> Result<PathBuf, DataError> {
    let names = spellings(prefix, what, kinds);
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

struct Idx {
    /// Count, and for pictures channels where the file tells them, rows and columns. None is 0.
    sides: Vec<usize>,
    bytes: Vec<u8>,
}

/// Reads a file that starts with one of these magic numbers.
fn read_idx(path: &Path, magics: &[u32]) -> Result<Idx, DataError> {
    let (mut file, stored) = open(path)?;
    let mut start = [0; 2];
    let compressed = file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
    file.seek(SeekFrom::Start(0)).map_err(|source| unreadable(path, source))?;
    let (mut reader, longest): (Box<dyn Read>, u64) = if compressed {
        (Box::new(MultiGzDecoder::new(file)), stored.saturating_mul(LARGEST_EXPANSION))
    } else {
        (Box::new(file), stored)
    };

    let mut word = || {
        let mut bytes = [0; 4];
        let read = reader.read_exact(&mut bytes);
        read.map(|()| u32::from_be_bytes(bytes))
            .map_err(|error| cut_short(path, compressed, error, "its header"))
    };
    let magic = word()?;
    if !magics.contains(&magic) {
        let reason = format!("it starts with {magic}, not the magic number {} of IDX", magics[0]);
        return Err(malformed(path, reason));
    }
    let dimensions = magic & 0xff;
    let sides = (0..dimensions).map(|_| word().map(|side| side as usize)).collect::<Result<Vec<_>, _>>()?;
    if sides.contains(&0) {
        return Err(malformed(path, format!("its header says {sides:?}: there is nothing in it")));
    }
    let promised = sides.iter().try_fold(1_u64, |product, &side| product.checked_mul(side as u64));
    let Some(promised) = promised.filter(|&promised| promised <= longest) else {
        let reason = format!("its header says {sides:?}, more than its {stored} bytes can hold");
        return Err(malformed(path, reason));
    };
    let should = promised + 4 + 4 * u64::from(dimensions);
    if !compressed && stored != should {
        return Err(malformed(path, format!("it is {stored} bytes long, its header says {should}")));
    }

    let mut bytes = room(promised.saturating_add(1)).map_err(|reason| malformed(path, reason))?;
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
