//! Picture files that somebody names, one by one or by folders.

use std::path::PathBuf;

use rayon::prelude::*;

use super::{Rejected, some, walk::walk};
use crate::{
    DataError, ImageSet,
    picture::{Fit, decode::decode},
};

/// Pictures that were named.
#[derive(Clone, Debug)]
pub struct Named {
    /// The pictures, without classes.
    pub set: ImageSet,
    /// Their files, one a picture.
    pub files: Vec<PathBuf>,
    /// Files of folders that cannot be used.
    pub rejected: Vec<Rejected>,
}

/// Reads picture files, and all picture files of folders and of the folders in them, as `u8 [n, channels, height, width]`.
///
/// PNG, JPEG, BMP, GIF (its first picture) and WebP, told by content. Each is turned as its EXIF orientation
/// says and brought to the shape. What cannot be used in a folder is passed over and named.
///
/// # Errors
/// When the shape is impossible, none or no usable picture is named, a folder cannot be read or holds no picture, or a
/// file that was itself named cannot be used: the first of them is told.
pub fn read_pictures(paths: &[PathBuf], fit: &Fit) -> Result<Named, DataError> {
    fit.check()?;
    if paths.is_empty() {
        let remedy = "name picture files or folders of them";
        return Err(DataError::invalid("pictures", "none was named", remedy));
    }
    let mut rejected = Vec::new();
    // Whether a file was named itself.
    let mut files: Vec<(PathBuf, bool)> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push((path.clone(), true));
            continue;
        }
        let found = some(path, walk(path)?)?;
        files.extend(found.files.into_iter().map(|entry| (path.join(entry.inside), false)));
        rejected.extend(found.rejected.into_iter().map(|one| Rejected { file: path.join(one.file), ..one }));
    }
    let read = |(path, _): &(PathBuf, bool)| {
        decode(path).map(|decoded| fit.apply(&decoded.picture, decoded.orientation))
    };
    let pictures: Vec<Result<Vec<u8>, DataError>> = files.par_iter().map(read).collect();
    let (mut bytes, mut used) = (Vec::new(), Vec::new());
    for ((file, named), picture) in files.into_iter().zip(pictures) {
        match picture {
            Ok(picture) => {
                bytes.extend(picture);
                used.push(file);
            }
            Err(error) if named => return Err(error),
            Err(error) => rejected.push(Rejected { file, reason: super::reason_of(error) }),
        }
    }
    if let (true, Some(first)) = (used.is_empty(), rejected.first()) {
        return Err(DataError::invalid(
            "pictures",
            format!("none can be used ({first})"),
            "name other files",
        ));
    }
    Ok(Named { set: ImageSet::new("pictures", fit.shape, bytes, None, vec![])?, files: used, rejected })
}
