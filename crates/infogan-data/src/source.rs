//! What a path holds: which of the known forms of a data set.

use std::path::Path;

use crate::{
    DataError, ImageSet, Split, load_idx_dir,
    picture::decode,
    sets::{
        cifar::{load_cifar10_dir, load_cifar100_dir},
        stl10::load_stl10_dir,
        stored::{is_stored, load_stored},
        svhn::load_svhn_dir,
    },
};

/// Forms in which pictures come as files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// MNIST's files.
    Idx,
    /// CIFAR-10's binary files.
    Cifar10,
    /// CIFAR-100's binary files.
    Cifar100,
    /// STL-10's binary files.
    Stl10,
    /// SVHN's cropped digits.
    Svhn,
    /// A file of this program's own.
    Stored,
    /// A folder of picture files: [`crate::load_folder`].
    Pictures,
}

/// Files by which a form is known, in the folder or in the one that its archive makes.
const SIGNS: [(Source, &[&str]); 5] = [
    (Source::Cifar10, &["data_batch_1.bin", "cifar-10-batches-bin/data_batch_1.bin"]),
    (Source::Cifar100, &["fine_label_names.txt", "cifar-100-binary/train.bin"]),
    (Source::Stl10, &["train_X.bin", "stl10_binary/train_X.bin"]),
    (Source::Svhn, &["train_32x32.mat", "svhn/train_32x32.mat"]),
    (
        Source::Idx,
        &[
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
            "train-images.idx3-ubyte",
            "train-images.idx3-ubyte.gz",
            "t10k-images-idx3-ubyte",
            "t10k-images-idx3-ubyte.gz",
        ],
    ),
];

/// Which form of a data set a path holds. A folder without the files of any is one of pictures.
///
/// # Errors
/// When there is nothing, or a file of another kind.
pub fn detect(path: &Path) -> Result<Source, DataError> {
    if is_stored(path) {
        return Ok(Source::Stored);
    }
    if path.is_dir() {
        let has = |names: &[&str]| names.iter().any(|name| path.join(name).is_file());
        if let Some((source, _)) = SIGNS.iter().find(|(_, names)| has(names)) {
            return Ok(*source);
        }
        // Pictures, or folders that may hold some.
        let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
        let entries = path.read_dir().map_err(unreadable)?.flatten().map(|entry| entry.path());
        if entries.into_iter().any(|entry| entry.is_dir() || could_be_picture(&entry)) {
            return Ok(Source::Pictures);
        }
        let signs = SIGNS.iter().map(|(_, names)| names[0].to_owned());
        return Err(DataError::Missing {
            what: "data set".to_owned(),
            dir: path.to_path_buf(),
            looked_for: signs.chain(decode::patterns()).collect(),
            remedy: "name the folder of the files, or get a set with 'infogan data fetch NAME DIR'"
                .to_owned(),
        });
    }
    if let Err(source) = path.metadata() {
        return Err(DataError::Read { path: path.to_path_buf(), source });
    }
    Err(DataError::invalid(
        path.display().to_string(),
        "it is a single file and no data set of this program",
        "name the folder of the files, or a .safetensors file of 'infogan data'",
    ))
}

/// Whether a file is a picture by its name or its content.
fn could_be_picture(path: &Path) -> bool {
    decode::has_ending(path)
        || (path.is_file()
            && decode::beginning_of(path).is_ok_and(|beginning| decode::kind_of(&beginning).is_some()))
}

impl Source {
    /// Reads a half of the set.
    ///
    /// # Errors
    /// When files are missing or broken; for [`Source::Pictures`], which [`crate::load_folder`] reads.
    pub fn load(self, path: &Path, split: Split) -> Result<ImageSet, DataError> {
        match self {
            Self::Idx => load_idx_dir(path, split),
            Self::Cifar10 => load_cifar10_dir(path, split),
            Self::Cifar100 => load_cifar100_dir(path, split),
            Self::Stl10 => load_stl10_dir(path, split),
            Self::Svhn => load_svhn_dir(path, split),
            Self::Stored => load_stored(path, split),
            Self::Pictures => Err(DataError::invalid(
                path.display().to_string(),
                "a folder of pictures has no files of its halves",
                "read it with load_folder",
            )),
        }
    }
}
