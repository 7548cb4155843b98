//! A user's own picture files, brought into the shape a network takes.

pub(crate) mod decode;
pub(crate) mod fit;

use std::path::PathBuf;

use rayon::prelude::*;

use crate::{DataError, ImageSet};
pub use fit::{Background, Fit, Resize};

/// Reads picture files, and all picture files of folders, as `u8 [n, channels, height, width]`. With the set
/// come the files, one a picture.
///
/// PNG, JPEG, BMP, GIF (its first picture) and WebP, told by content. Each is turned as its EXIF orientation
/// says and brought to the shape.
///
/// # Errors
/// When the shape is impossible, a file cannot be read or decoded or is too large, or a folder holds no pictures. The
/// first such file, in order, is named.
pub fn read_pictures(paths: &[PathBuf], fit: &Fit) -> Result<(ImageSet, Vec<PathBuf>), DataError> {
    fit.check()?;
    let files = picture_files(paths)?;
    let read = |path: &PathBuf| Ok(fit.apply(decode::decode(path)?.picture));
    let pictures: Vec<Result<Vec<u8>, DataError>> = files.par_iter().map(read).collect();
    let mut bytes = Vec::with_capacity(files.len() * fit.shape.iter().product::<usize>());
    for picture in pictures {
        bytes.extend(picture?);
    }
    Ok((ImageSet::new("pictures", fit.shape, bytes, None, vec![])?, files))
}

/// The picture files meant by `paths`: files as they stand, folders replaced by the picture files in them
/// (by their ending: png, jpg, jpeg, bmp, gif, webp), sorted by name; folders in folders are not entered.
///
/// # Errors
/// When a folder cannot be read or holds no picture file, or `paths` is empty.
pub fn picture_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    if paths.is_empty() {
        let remedy = "name picture files or folders of them";
        return Err(DataError::invalid("pictures", "none was named", remedy));
    }
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |source| DataError::Read { path: path.clone(), source };
        let mut inside = Vec::new();
        for entry in path.read_dir().map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && decode::has_ending(&file) && file.is_file() {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(DataError::Missing {
                what: "picture file".to_string(),
                dir: path.clone(),
                looked_for: decode::patterns(),
                remedy: "name a folder with pictures directly in it".to_string(),
            });
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}
