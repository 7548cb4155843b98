//! Files of every form, damaged: a set or an error that names the file, never a panic.

use std::fs;
use std::path::{Path, PathBuf};

use infogan_data::{ImageSet, Source, Split, write_stored};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::build::{Mat, cifar10, cifar100, idx, some_set, stl10, svhn};

/// A file of a form, read with its training split.
struct Case {
    source: Source,
    file: &'static str,
    mat: Mat,
}

const PLAIN: Mat = Mat { packed: false, ..Mat::USUAL };
const BIG: Mat = Mat { big: true, packed: false, short: false };

const fn case(source: Source, file: &'static str) -> Case {
    Case { source, file, mat: Mat::USUAL }
}

const CASES: [Case; 13] = [
    case(Source::Idx, "train-images-idx3-ubyte"),
    case(Source::Idx, "train-labels-idx1-ubyte"),
    case(Source::Cifar10, "data_batch_3.bin"),
    case(Source::Cifar10, "batches.meta.txt"),
    case(Source::Cifar100, "train.bin"),
    case(Source::Cifar100, "fine_label_names.txt"),
    case(Source::Stl10, "train_X.bin"),
    case(Source::Stl10, "train_y.bin"),
    case(Source::Stl10, "class_names.txt"),
    case(Source::Svhn, "train_32x32.mat"),
    Case { source: Source::Svhn, file: "train_32x32.mat", mat: PLAIN },
    Case { source: Source::Svhn, file: "train_32x32.mat", mat: BIG },
    case(Source::Stored, "set.safetensors"),
];

/// A folder with whole files of a form.
struct Place {
    dir: TempDir,
    source: Source,
    path: PathBuf,
}

impl Place {
    fn new(case: &Case) -> Self {
        let dir = tempdir().unwrap();
        match case.source {
            Source::Idx => idx(dir.path()),
            Source::Cifar10 => cifar10(dir.path()),
            Source::Cifar100 => cifar100(dir.path()),
            Source::Stl10 => stl10(dir.path()),
            Source::Svhn => svhn(dir.path(), case.mat),
            Source::Stored => {
                write_stored(&some_set(3, 3), &some_set(2, 3), &dir.path().join(case.file)).unwrap();
            }
            Source::Pictures => unreachable!("not among the cases"),
        }
        let path = dir.path().join(case.file);
        Self { dir, source: case.source, path }
    }

    /// The set, or an error that must name the file.
    fn load(&self) -> Option<ImageSet> {
        let place: &Path = if self.source == Source::Stored { &self.path } else { self.dir.path() };
        match self.source.load(place, Split::Train) {
            Ok(set) => Some(set),
            Err(error) => {
                let message = error.to_string();
                let file = self.path.file_name().unwrap().to_str().unwrap();
                assert!(message.contains(file), "{file} is not named: {message}");
                None
            }
        }
    }

    fn load_from(&self, bytes: &[u8]) -> Option<ImageSet> {
        fs::write(&self.path, bytes).unwrap();
        self.load()
    }
}

#[test]
fn files_cut_or_lengthened_are_refused() {
    for case in &CASES {
        let place = Place::new(case);
        let whole = fs::read(&place.path).unwrap();
        assert!(place.load().is_some(), "{}", case.file);
        let is_text = case.file.ends_with(".txt");
        let cuts = [0, 1, whole.len() / 3, whole.len() / 2 - 1, whole.len() - 9, whole.len() - 1];
        // A list of names may do without its last line's end, and ends where it ends.
        let cuts = &cuts[..if is_text { 4 } else { 6 }];
        for &cut in cuts.iter().filter(|&&cut| cut < whole.len()) {
            assert!(place.load_from(&whole[..cut]).is_none(), "{} of {} bytes", case.file, cut);
        }
        if !is_text {
            for tail in [&[0][..], &[1], &[0; 8]] {
                assert!(place.load_from(&[&whole, tail].concat()).is_none(), "{} and {tail:?}", case.file);
            }
        }
        assert!(place.load_from(&whole).is_some());
    }
}

#[test]
fn headers_are_read_byte_by_byte() {
    for case in CASES.iter().filter(|case| matches!(case.source, Source::Svhn | Source::Stored | Source::Idx))
    {
        let place = Place::new(case);
        let whole = fs::read(&place.path).unwrap();
        // The first 116 bytes of a MATLAB file are free text.
        let begin = if case.source == Source::Svhn { 116 } else { 0 };
        for at in begin..whole.len().min(256) {
            for value in [0, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                place.load_from(&damaged);
            }
        }
    }
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    for case in &CASES {
        let place = Place::new(case);
        fs::remove_file(&place.path).unwrap();
        // Names of classes are not needed.
        let needed = !case.file.ends_with(".txt");
        assert_eq!(place.load().is_none(), needed, "{} is missing", case.file);
        fs::create_dir(&place.path).unwrap();
        assert_eq!(place.load().is_none(), needed, "{} is a folder", case.file);
    }
}

#[test]
fn labels_out_of_range_are_refused() {
    for (case, at, value) in [(2, 0, 10), (4, 0, 20), (4, 1, 100), (7, 0, 0), (7, 1, 11)] {
        let place = Place::new(&CASES[case]);
        let mut bytes = fs::read(&place.path).unwrap();
        bytes[at] = value;
        assert!(place.load_from(&bytes).is_none(), "{} with {value} at {at}", CASES[case].file);
    }
}

#[test]
fn names_that_are_none_are_refused() {
    for case in CASES.iter().filter(|case| case.file.ends_with(".txt")) {
        let place = Place::new(case);
        assert!(place.load_from(b"one\ntwo\n").is_none());
        assert!(place.load_from(&b"\xff\n".repeat(10)).is_none());
        assert!(place.load_from(&vec![b'a'; 1 << 20]).is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_damaged(
        which in 0..CASES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        near_the_start: bool,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let place = Place::new(&CASES[which]);
        let mut bytes = fs::read(&place.path).unwrap();
        let reach = if near_the_start { bytes.len().min(256) } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(reach)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        place.load_from(&bytes);
    }

    /// Numbers of 0, of all ones, and near the lengths of files, anywhere in the parts of a MATLAB file.
    #[test]
    fn whatever_a_matlab_file_claims(
        at in 128..320_usize, word in prop_oneof![Just(0), Just(u32::MAX), Just(1 << 31), 0..20_000_u32, any::<u32>()],
        big: bool,
    ) {
        let mat = if big { BIG } else { PLAIN };
        let place = Place::new(&Case { source: Source::Svhn, file: "train_32x32.mat", mat });
        let mut bytes = fs::read(&place.path).unwrap();
        bytes[at..at + 4].copy_from_slice(&mat.word(word));
        place.load_from(&bytes);
    }
}
