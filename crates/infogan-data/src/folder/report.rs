//! What a folder of pictures came to.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Serialize, Serializer};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Path within the folder.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// What was found in a folder of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Pictures that can be used.
    pub ok: usize,
    /// Files that cannot, by name.
    pub rejected: Vec<Rejected>,
    /// What is worth a second look.
    pub warnings: Vec<String>,
    /// Pictures of every class.
    pub classes: BTreeMap<String, usize>,
    /// Pictures of every size, as `width×height`.
    pub sizes: BTreeMap<String, usize>,
    /// Pictures of every kind of file and pixels.
    pub modes: BTreeMap<String, usize>,
    /// Files that hold the same pixels.
    #[serde(serialize_with = "groups_as_text")]
    pub duplicates: Vec<Vec<PathBuf>>,
    /// Files that are no pictures and do not claim to be.
    pub ignored: usize,
}

/// Names that are not UTF-8 are shown as well as they can be.
fn as_text<S: Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn groups_as_text<S: Serializer>(groups: &[Vec<PathBuf>], serializer: S) -> Result<S::Ok, S::Error> {
    let text = |group: &Vec<PathBuf>| -> Vec<String> {
        group.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    serializer.collect_seq(groups.iter().map(text))
}
