//! CIFAR-10 and CIFAR-100 in their binary form.
//!
//! A file is records of one label (CIFAR-100: two, coarse then fine) and 3,072 bytes: the red, the green and the
//! blue plane of 32×32 pixels, row by row (Krizhevsky, *Learning multiple layers of features from tiny images*,
//! 2009, and its page).

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Layout, malformed, numbers, open_records};
use crate::files::{room, unreadable};
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

/// The classes of CIFAR-10, in the order of its labels.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;
const FINE: usize = 100;
const COARSE: usize = 20;

pub(crate) const CIFAR10: Layout =
    Layout { set: "cifar10", folder: "cifar-10-batches-bin", signs: &["data_batch_1.bin", "test_batch.bin"] };
pub(crate) const CIFAR100: Layout = Layout {
    set: "cifar100",
    folder: "cifar-100-binary",
    signs: &["train.bin", "test.bin", "fine_label_names.txt"],
};

/// Reads a split of CIFAR-10: `u8 [n, 3, 32, 32]` with classes. `dir` is `cifar-10-batches-bin` or holds it.
/// `data_batch_1.bin` to `data_batch_5.bin` are the training split, `test_batch.bin` the other; names of the
/// classes come from `batches.meta.txt`, or are the [known ones](CIFAR10_CLASSES) where it is absent.
///
/// # Errors
/// When a file is missing, cannot be read, is no whole number of records, or has a label above 9.
pub fn load_cifar10_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let files = match split {
        Split::Train => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        Split::Test => vec!["test_batch.bin".to_string()],
    };
    let names = CIFAR10_CLASSES.map(str::to_string).to_vec();
    let class_names = CIFAR10.class_names(dir, "batches.meta.txt", names)?;
    let paths = files.iter().map(|file| CIFAR10.need(dir, file)).collect::<Result<Vec<_>, _>>()?;
    let Records { pictures, labels: [values] } = read(&paths, [("label", class_names.len())])?;
    ImageSet::new(CIFAR10.set, SHAPE, pictures, Some(Labels { values, class_names }), vec![])
}

/// Reads a split of CIFAR-100: `u8 [n, 3, 32, 32]` with the fine labels as classes and the coarse ones as the
/// factor `coarse`. `dir` is `cifar-100-binary` or holds it; the files are `train.bin` and `test.bin`. Names of
/// both come from `fine_label_names.txt` and `coarse_label_names.txt`, or are numbers where those are absent.
///
/// # Errors
/// When a file is missing, cannot be read, is no whole number of records, or has a label above 99 or 19.
pub fn load_cifar100_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let class_names = CIFAR100.class_names(dir, "fine_label_names.txt", numbers(FINE))?;
    let path = CIFAR100.need(dir, &format!("{}.bin", split.name()))?;
    let kinds = [("coarse label", COARSE), ("label", FINE)];
    let Records { pictures, labels: [coarse, values] } = read(&[path], kinds)?;
    let names = CIFAR100.class_names(dir, "coarse_label_names.txt", numbers(COARSE))?;
    let factor =
        Factor { name: "coarse".to_string(), values: FactorValues::Categorical { names, values: coarse } };
    ImageSet::new(CIFAR100.set, SHAPE, pictures, Some(Labels { values, class_names }), vec![factor])
}

/// Pictures, and one list for every label of a record.
struct Records<const N: usize> {
    pictures: Vec<u8>,
    labels: [Vec<u16>; N],
}

/// Reads the records of all files in order. `kinds`: for each label of a record its name and how many there are.
fn read<const N: usize>(paths: &[PathBuf], kinds: [(&str, usize); N]) -> Result<Records<N>, DataError> {
    let files = paths.iter().map(|path| open_records(path, N + PIXELS)).collect::<Result<Vec<_>, _>>()?;
    let count: u64 = files.iter().map(|(_, count)| count).sum();
    let pictures = room(count * PIXELS as u64).map_err(|reason| malformed(&paths[0], reason))?;
    let mut records = Records { pictures, labels: [const { Vec::new() }; N] };
    for (path, (mut file, count)) in paths.iter().zip(files) {
        for number in 0..count {
            let (mut labels, mut pixels) = ([0; N], [0; PIXELS]);
            let read = file.read_exact(&mut labels).and_then(|()| file.read_exact(&mut pixels));
            read.map_err(|source| unreadable(path, source))?;
            for ((kept, label), (kind, classes)) in records.labels.iter_mut().zip(labels).zip(kinds) {
                if usize::from(label) >= classes {
                    let reason =
                        format!("record {number} has the {kind} {label}, beyond its {classes} classes");
                    return Err(malformed(path, reason));
                }
                kept.push(u16::from(label));
            }
            records.pictures.extend_from_slice(&pixels);
        }
    }
    Ok(records)
}
