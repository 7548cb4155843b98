//! STL-10 in its binary form (Coates et al. 2011): pictures of three planes of 96×96 bytes, each plane column by column;
//! labels from 1 in a file of their own.

use std::path::Path;

use super::{class_names, find, malformed, records};
use crate::{DataError, ImageSet, Labels, Split};

const FOLDER: &str = "stl10_binary";
const NAME: &str = "stl10";
const SIDE: usize = 96;
const CLASSES: usize = 10;

/// Reads a split of STL-10: `u8 [n, 3, 96, 96]` with classes. The 100,000 unlabelled pictures are not read.
///
/// # Errors
/// When a file is missing, cannot be read, or pictures and labels do not agree.
pub fn load_stl10_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let pictures_path = find(dir, FOLDER, &format!("{}_X.bin", split.name()), NAME)?;
    let labels_path = find(dir, FOLDER, &format!("{}_y.bin", split.name()), NAME)?;
    let stored = records(&pictures_path, 3 * SIDE * SIDE)?;
    let labels = records(&labels_path, 1)?;
    let count = stored.len() / (3 * SIDE * SIDE);
    if labels.len() != count {
        let reason =
            format!("{} labels, but {} holds {count} pictures", labels.len(), pictures_path.display());
        return Err(malformed(&labels_path, reason));
    }
    if let Some(label) = labels.iter().find(|label| !(1..=CLASSES).contains(&usize::from(**label))) {
        return Err(malformed(&labels_path, format!("it has the label {label}; labels are 1 to {CLASSES}")));
    }
    let mut pictures = Vec::with_capacity(stored.len());
    for plane in stored.chunks_exact(SIDE * SIDE) {
        for row in 0..SIDE {
            pictures.extend((0..SIDE).map(|column| plane[column * SIDE + row]));
        }
    }
    let class_names = class_names(find(dir, FOLDER, "class_names.txt", NAME).ok(), CLASSES)?;
    let values = labels.into_iter().map(|label| u16::from(label) - 1).collect();
    ImageSet::new(NAME, [3, SIDE, SIDE], pictures, Some(Labels { values, class_names }), vec![])
}
