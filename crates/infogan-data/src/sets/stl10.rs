//! STL-10 in its binary form.
//!
//! `train_X.bin` is pictures of three planes (red, green, blue) of 96×96 bytes, each plane column by column;
//! `train_y.bin` is one byte a picture, counted from 1 (Coates, Lee & Ng, *An analysis of single-layer networks
//! in unsupervised feature learning*, 2011, and its page).

use std::io::Read;
use std::path::Path;

use super::{Layout, malformed, open_records, turn_planes};
use crate::files::{room, unreadable};
use crate::{DataError, ImageSet, Labels, Split};

/// The classes of STL-10, in the order of its labels.
pub const STL10_CLASSES: [&str; 10] =
    ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

const SIDE: usize = 96;
const SHAPE: [usize; 3] = [3, SIDE, SIDE];

pub(crate) const STL10: Layout =
    Layout { set: "stl10", folder: "stl10_binary", signs: &["train_X.bin", "test_X.bin", "unlabeled_X.bin"] };

/// Reads a labelled split of STL-10: `u8 [n, 3, 96, 96]` with classes from 0. `dir` is `stl10_binary` or holds
/// it. Names of the classes come from `class_names.txt`, or are the [known ones](STL10_CLASSES) where it is
/// absent. The ten folds are not read.
///
/// # Errors
/// When a file is missing, cannot be read, is no whole number of pictures, has a label outside 1 to 10, or the
/// counts do not agree.
pub fn load_stl10_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let names = STL10_CLASSES.map(str::to_string).to_vec();
    let class_names = STL10.class_names(dir, "class_names.txt", names)?;
    let name = format!("{}_X.bin", split.name());
    let path = STL10.need(dir, &format!("{}_y.bin", split.name()))?;
    let (labels, count) = open_records(&path, 1)?;
    let pictures = STL10.need(dir, &name)?;
    let (_, expected) = open_records(&pictures, SHAPE.iter().product())?;
    if count != expected {
        let reason = format!("{count} labels, but {} holds {expected} pictures", pictures.display());
        return Err(malformed(&path, reason));
    }
    let mut values = room(count).map_err(|reason| malformed(&path, reason))?;
    for (number, label) in labels.take(count).bytes().enumerate() {
        let label = label.map_err(|source| unreadable(&path, source))?;
        if !(1..=class_names.len()).contains(&usize::from(label)) {
            let reason = format!("label {number} is {label}; they are 1 to {}", class_names.len());
            return Err(malformed(&path, reason));
        }
        values.push(u16::from(label) - 1);
    }
    let pictures = read_pictures(dir, &name)?;
    ImageSet::new(STL10.set, SHAPE, pictures, Some(Labels { values, class_names }), vec![])
}

/// Reads the pictures of STL-10 that have no labels: `u8 [n, 3, 96, 96]` from `unlabeled_X.bin`, 2.8 GB.
///
/// # Errors
/// As [`load_stl10_dir`].
pub fn load_stl10_unlabeled_dir(dir: &Path) -> Result<ImageSet, DataError> {
    let pictures = read_pictures(dir, "unlabeled_X.bin")?;
    ImageSet::new("stl10-unlabeled", SHAPE, pictures, None, vec![])
}

/// All pictures of a file, row by row.
fn read_pictures(dir: &Path, name: &str) -> Result<Vec<u8>, DataError> {
    let path = STL10.need(dir, name)?;
    let volume: usize = SHAPE.iter().product();
    let (file, count) = open_records(&path, volume)?;
    let length = count * volume as u64;
    let mut pictures = room(length).map_err(|reason| malformed(&path, reason))?;
    file.take(length).read_to_end(&mut pictures).map_err(|source| unreadable(&path, source))?;
    turn_planes(&mut pictures, SIDE);
    Ok(pictures)
}
