//! SVHN's cropped digits (Netzer et al. 2011): a MATLAB file with `X`, bytes `[32, 32, 3, n]` with the first side
//! fastest, and `y`, the digits, 0 written as 10.

use std::path::Path;

use super::{find, malformed, mat};
use crate::{DataError, ImageSet, Labels, Split};

const SIDE: usize = 32;

/// Reads a split of SVHN: `u8 [n, 3, 32, 32]` with the digits as classes.
///
/// # Errors
/// When the file is missing, cannot be read, is no MATLAB file of version 5, or does not hold pictures and digits.
pub fn load_svhn_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let name = format!("{}_32x32.mat", split.name());
    let path = find(dir, "svhn", &name, "svhn")?;
    let arrays = mat::read(&path)?;
    let array = |name: &str| {
        let found = arrays.iter().find(|array| array.name == name);
        found.ok_or_else(|| malformed(&path, format!("it holds no array '{name}'")))
    };
    let (x, y) = (array("X")?, array("y")?);
    // A single picture may have lost its last side.
    let count = match x.sides[..] {
        [SIDE, SIDE, 3] => 1,
        [SIDE, SIDE, 3, count] => count,
        _ => return Err(malformed(&path, format!("its pictures are {:?}, not [32, 32, 3, n]", x.sides))),
    };
    if y.values.len() != count {
        return Err(malformed(&path, format!("it has {} digits for {count} pictures", y.values.len())));
    }
    let values = y
        .values
        .iter()
        .map(|&digit| match digit {
            10 => Ok(0),
            1..=9 => Ok(u16::from(digit)),
            other => Err(malformed(&path, format!("it has the digit {other}; digits are 1 to 10"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut pictures = Vec::with_capacity(x.values.len());
    for picture in x.values.chunks_exact(3 * SIDE * SIDE) {
        for channel in picture.chunks_exact(SIDE * SIDE) {
            for row in 0..SIDE {
                pictures.extend((0..SIDE).map(|column| channel[column * SIDE + row]));
            }
        }
    }
    let class_names = (0..10).map(|class| class.to_string()).collect();
    ImageSet::new("svhn", [3, SIDE, SIDE], pictures, Some(Labels { values, class_names }), vec![])
}
