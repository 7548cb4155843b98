//! The usual binary data sets, as their authors publish them.

pub(crate) mod cifar;
pub(crate) mod mat;
pub(crate) mod stl10;
pub(crate) mod stored;
pub(crate) mod svhn;

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::DataError;

/// A file of a set: `dir/name`, or `dir/folder/name` where the archive was unpacked into a folder of its own.
fn find(dir: &Path, folder: &str, name: &str, set: &str) -> Result<PathBuf, DataError> {
    let places = [dir.join(name), dir.join(folder).join(name)];
    places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| DataError::Missing {
        what: format!("file of {set}"),
        dir: dir.to_path_buf(),
        looked_for: vec![name.to_owned(), format!("{folder}/{name}")],
        remedy: format!("name the folder of its files, or get them with 'infogan data fetch {set} DIR'"),
    })
}

fn malformed(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        reason: reason.into(),
        remedy: "get the file again ('infogan data fetch')".to_owned(),
    }
}

/// All of a file of whole records. Memory is taken for what the file has, not for what something says of it.
fn records(path: &Path, record: usize) -> Result<Vec<u8>, DataError> {
    let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length == 0 || length % record as u64 != 0 {
        return Err(malformed(
            path,
            format!("its {length} bytes are no whole number of records of {record}"),
        ));
    }
    let room = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes.try_reserve_exact(room).is_err() {
        return Err(malformed(path, format!("its {length} bytes do not fit into memory")));
    }
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() != room {
        return Err(malformed(path, "it changed while it was read"));
    }
    Ok(bytes)
}

/// Names of classes, one a line, from a file beside the pictures; numbers where there is no such file.
fn class_names(path: Option<PathBuf>, count: usize) -> Result<Vec<String>, DataError> {
    let Some(path) = path else { return Ok((0..count).map(|class| class.to_string()).collect()) };
    let text = fs::read_to_string(&path).map_err(|source| DataError::Read { path: path.clone(), source })?;
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.len() != count {
        return Err(malformed(&path, format!("it names {} classes, not {count}", names.len())));
    }
    Ok(names)
}
