//! What a path holds: which of the known forms of a data set.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use crate::files::unreadable;
use crate::idx::spellings;
use crate::picture::decode::has_ending;
use crate::sets::Layout;
use crate::sets::cifar::{CIFAR10, CIFAR100, load_cifar10_dir, load_cifar100_dir};
use crate::sets::stl10::{STL10, load_stl10_dir};
use crate::sets::stored::load_stored;
use crate::sets::svhn::{SVHN, load_svhn_dir};
use crate::{DataError, ImageSet, Split, load_idx_dir};

/// The forms in which data sets come as files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The files of MNIST and Fashion-MNIST: [`load_idx_dir`].
    Idx,
    /// CIFAR-10, binary: [`load_cifar10_dir`].
    Cifar10,
    /// CIFAR-100, binary: [`load_cifar100_dir`].
    Cifar100,
    /// STL-10, binary: [`load_stl10_dir`].
    Stl10,
    /// SVHN's cropped digits: [`load_svhn_dir`].
    Svhn,
    /// A file of our own form: [`load_stored`].
    Stored,
    /// A folder of picture files, perhaps with folders in it.
    Pictures,
}

/// The forms that are known by the files of a folder.
const LAYOUTS: [(Source, &Layout); 4] = [
    (Source::Cifar10, &CIFAR10),
    (Source::Cifar100, &CIFAR100),
    (Source::Stl10, &STL10),
    (Source::Svhn, &SVHN),
];

/// What looks like a data set and is none that can be read, and what to do about it.
const NEARLY: [(&str, &str); 7] = [
    (
        "cifar-10-batches-py",
        "it is CIFAR-10 as Python pickles: get the binary version, cifar-10-binary.tar.gz",
    ),
    (
        "cifar-100-python",
        "it is CIFAR-100 as Python pickles: get the binary version, cifar-100-binary.tar.gz",
    ),
    (
        "cifar-10-python.tar.gz",
        "it is CIFAR-10 as Python pickles: get the binary version, cifar-10-binary.tar.gz",
    ),
    (
        "cifar-100-python.tar.gz",
        "it is CIFAR-100 as Python pickles: get the binary version, cifar-100-binary.tar.gz",
    ),
    ("cifar-10-binary.tar.gz", "unpack it: tar -xzf cifar-10-binary.tar.gz"),
    ("cifar-100-binary.tar.gz", "unpack it: tar -xzf cifar-100-binary.tar.gz"),
    ("stl10_binary.tar.gz", "unpack it: tar -xzf stl10_binary.tar.gz"),
];

/// Names of a folder's entries told in an error.
const TOLD: usize = 8;

/// Which form of a data set a path holds, told by the names of its files alone. A folder with picture files or
/// folders in it, and with the files of no other form, is one of pictures.
///
/// # Errors
/// When there is nothing at the path, it holds the files of several forms or of none (the error says what was
/// looked for and what is there), or is a file and not a `.safetensors` one.
pub fn detect(path: &Path) -> Result<Source, DataError> {
    let about = path.metadata().map_err(|source| unreadable(path, source))?;
    if !about.is_dir() {
        return of_file(path);
    }
    let idx: Vec<String> =
        ["train", "t10k"].iter().flat_map(|prefix| spellings(prefix, "images", &["idx3", "idx4"])).collect();
    let mut found = Vec::new();
    if idx.iter().any(|name| path.join(name).is_file()) {
        found.push((Source::Idx, "idx"));
    }
    for (source, layout) in LAYOUTS {
        if layout.signs.iter().any(|name| layout.find(path, name).is_some()) {
            found.push((source, layout.set));
        }
    }
    match found[..] {
        [(source, _)] => return Ok(source),
        [] => {}
        _ => {
            let names: Vec<&str> = found.iter().map(|(_, name)| *name).collect();
            let reason = format!("it holds several data sets: {}", names.join(", "));
            return Err(DataError::invalid(
                path.display().to_string(),
                reason,
                "name the folder of one of them",
            ));
        }
    }
    let known = |(name, remedy): &(&str, &'static str)| path.join(name).exists().then_some(*remedy);
    let nearly = NEARLY.iter().find_map(known);
    let (pictures, held) = look_into(path)?;
    if pictures && nearly.is_none() {
        return Ok(Source::Pictures);
    }
    if held == EMPTY {
        return Err(DataError::invalid(path.display().to_string(), EMPTY, GET_ONE));
    }
    let signs = LAYOUTS.iter().flat_map(|(_, layout)| layout.signs).map(|name| (*name).to_string());
    let looked_for = ["train-images-idx3-ubyte".to_string()].into_iter().chain(signs);
    Err(DataError::Missing {
        what: "data set".to_string(),
        dir: path.to_path_buf(),
        looked_for: looked_for.chain(["picture files or folders of them".to_string()]).collect(),
        remedy: format!("{held}; {}", nearly.unwrap_or(GET_ONE)),
    })
}

fn of_file(path: &Path) -> Result<Source, DataError> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors")) {
        return Ok(Source::Stored);
    }
    let name = path.file_name().unwrap_or_default();
    let nearly = NEARLY.iter().find(|(nearly, _)| name == OsStr::new(nearly));
    Err(DataError::invalid(
        path.display().to_string(),
        "it is a single file and no .safetensors one",
        nearly.map_or("name the folder that the files of a data set lie in", |(_, remedy)| *remedy),
    ))
}

/// What is said of a folder with nothing in it, and what to do.
const EMPTY: &str = "it is empty";
const GET_ONE: &str = "name a folder that holds a data set, or get one with 'infogan data fetch NAME DIR'";

/// Whether a folder holds picture files or folders, and in words what it holds. Hidden entries do not count.
fn look_into(dir: &Path) -> Result<(bool, String), DataError> {
    let (mut first, mut count) = (BTreeSet::new(), 0_usize);
    for entry in dir.read_dir().map_err(|source| unreadable(dir, source))? {
        let path = entry.map_err(|source| unreadable(dir, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() || has_ending(&path) {
            return Ok((true, String::new()));
        }
        count += 1;
        first.insert(name);
        if first.len() > TOLD {
            first.pop_last();
        }
    }
    let names: Vec<String> = first.into_iter().collect();
    let held = match count {
        0 => EMPTY.to_string(),
        _ if count > names.len() => format!("it holds {} and {} more", names.join(", "), count - names.len()),
        _ => format!("it holds {}", names.join(", ")),
    };
    Ok((false, held))
}

impl Source {
    /// Reads a split of the data set at `path`.
    ///
    /// # Errors
    /// Those of the form's reader; always for [`Source::Pictures`], whose reader needs to know a shape.
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
                "a folder of pictures has neither splits nor one size",
                "read its pictures into a shape",
            )),
        }
    }
}
