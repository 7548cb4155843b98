//! What a folder of pictures came to.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use crate::shown;

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Path within the folder.
    #[serde(serialize_with = "as_shown")]
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.file), self.reason)
    }
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
    /// What a table says of the pictures, by attribute: its values with their counts, or the range of its numbers.
    pub attributes: BTreeMap<String, String>,
    /// Pictures of every size, as `width×height`.
    pub sizes: BTreeMap<String, usize>,
    /// Pictures of every kind of file and pixels.
    pub modes: BTreeMap<String, usize>,
    /// Files that hold the same pixels.
    #[serde(serialize_with = "groups_as_shown")]
    pub duplicates: Vec<Vec<PathBuf>>,
    /// Files that are no pictures and do not claim to be.
    pub ignored: usize,
}

fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown(path))
}

fn groups_as_shown<S: Serializer>(groups: &[Vec<PathBuf>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(groups.iter().map(|group| group.iter().map(shown).collect::<Vec<_>>()))
}
