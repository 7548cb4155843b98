//! SVHN's cropped digits.
//!
//! A MATLAB file of version 5 with `X`, bytes `[32, 32, 3, n]` with the first side fastest (so a picture is three
//! planes, each column by column), and `y`, the digits `[n, 1]` with 0 stored as 10 (Netzer et al., *Reading
//! digits in natural images with unsupervised feature learning*, 2011, and its page).

use std::path::Path;

use super::{Layout, malformed, mat, numbers, turn_planes};
use crate::{DataError, ImageSet, Labels, Split};

const SIDE: usize = 32;

pub(crate) const SVHN: Layout =
    Layout { set: "svhn", folder: "svhn", signs: &["train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"] };

/// Reads a split of SVHN: `u8 [n, 3, 32, 32]` with the digits as classes, from `train_32x32.mat` or
/// `test_32x32.mat` in `dir` or in a folder `svhn` inside it.
///
/// # Errors
/// When the file is missing, cannot be read, is no MATLAB file of version 5, is cut short or damaged, or does not
/// hold pictures and as many digits.
pub fn load_svhn_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    load(dir, split.name(), SVHN.set)
}

/// Reads the additional, easier digits of SVHN from `extra_32x32.mat`; 531,131 of them need 1.6 GB of memory.
///
/// # Errors
/// As [`load_svhn_dir`].
pub fn load_svhn_extra_dir(dir: &Path) -> Result<ImageSet, DataError> {
    load(dir, "extra", "svhn-extra")
}

fn load(dir: &Path, part: &str, name: &str) -> Result<ImageSet, DataError> {
    let path = SVHN.need(dir, &format!("{part}_32x32.mat"))?;
    let refuse = |reason: String| malformed(&path, reason);
    let [mut pictures, digits] = mat::read_bytes(&path, ["X", "y"])?;
    let count = match pictures.sides[..] {
        [SIDE, SIDE, 3, count] => count,
        // MATLAB drops a last side of 1.
        [SIDE, SIDE, 3] => 1,
        _ => return Err(refuse(format!("its X is {:?}, not [32, 32, 3, n]", pictures.sides))),
    };
    if count == 0 {
        return Err(refuse("its X holds no picture".to_string()));
    }
    if digits.values.len() != count {
        return Err(refuse(format!("its y is {:?}, but X holds {count} pictures", digits.sides)));
    }
    if let Some(digit) = digits.values.iter().find(|digit| !(1..=10).contains(*digit)) {
        return Err(refuse(format!("its y holds {digit}; digits are 1 to 10, and 10 stands for 0")));
    }
    turn_planes(&mut pictures.values, SIDE);
    let values = digits.values.iter().map(|&digit| u16::from(digit % 10)).collect();
    let labels = Labels { values, class_names: numbers(10) };
    ImageSet::new(name, [3, SIDE, SIDE], pictures.values, Some(labels), vec![])
}
