//! MATLAB files in all their spellings.

use std::path::Path;

use infogan_data::{DataError, ImageSet, Split, load_svhn_dir, load_svhn_extra_dir};
use tempfile::tempdir;

use crate::build::{Mat, assert_refused, picture, picture_by_columns, put, svhn, zlib};

fn load(bytes: &[u8]) -> Result<ImageSet, DataError> {
    let dir = tempdir().unwrap();
    put(dir.path(), "train_32x32.mat", bytes);
    load_svhn_dir(dir.path(), Split::Train)
}

fn refused(bytes: &[u8], reason: &str) {
    assert_refused(load(bytes), "train_32x32.mat", reason);
}

#[test]
fn every_spelling_gives_the_same_set() {
    for mat in Mat::all() {
        let dir = tempdir().unwrap();
        svhn(&dir.path().join("svhn"), mat);
        let train = load_svhn_dir(dir.path(), Split::Train).unwrap();
        assert_eq!((train.name(), train.shape(), train.len()), ("svhn", [3, 32, 32], 3));
        for place in 0..3 {
            assert!(train.picture(place) == picture(place + 1, 32), "{mat:?}, picture {place}");
        }
        assert_eq!(train.labels(), Some(&[0, 1, 9][..]), "{mat:?}");
        let test = load_svhn_dir(&dir.path().join("svhn"), Split::Test).unwrap();
        assert_eq!((test.picture(0), test.labels()), (&picture(4, 32)[..], Some(&[5][..])));
    }
}

/// Values as every type of number, other arrays around them, and a last side that was dropped.
#[test]
fn what_other_programs_write_is_read() {
    let one = picture_by_columns(8, 32);
    for mat in Mat::all() {
        let number = |mut bytes: Vec<u8>| {
            if mat.big {
                bytes.reverse();
            }
            bytes
        };
        let values: [(u32, Vec<u8>); 8] = [
            (1, vec![10]),
            (2, vec![10]),
            (3, number(10_i16.to_le_bytes().to_vec())),
            (4, number(10_u16.to_le_bytes().to_vec())),
            (5, number(10_i32.to_le_bytes().to_vec())),
            (6, number(10_u32.to_le_bytes().to_vec())),
            (7, number(10_f32.to_le_bytes().to_vec())),
            (9, number(10_f64.to_le_bytes().to_vec())),
        ];
        for (kind, bytes) in values {
            let elements = [
                // Text, an opaque object whose parts are others, and a name that begins like one of ours.
                mat.array(4, "note", &[1, 2], &mat.element(16, b"hi")),
                mat.element(14, &[mat.element(6, &[mat.word(17), [0; 4]].concat()), vec![7; 16]].concat()),
                mat.array(9, "X2", &[1, 1], &mat.element(2, &[1])),
                mat.array(9, "X", &[32, 32, 3], &mat.element(2, &one)),
                mat.array(6, "y", &[1, 1], &mat.element(kind, &bytes)),
            ];
            let set = load(&mat.file(&elements)).unwrap();
            assert_eq!((set.picture(0), set.labels()), (&picture(8, 32)[..], Some(&[0][..])), "type {kind}");
        }
    }
}

/// `fixtures/svhn_scipy.py` wrote this file with SciPy.
#[test]
fn a_file_of_scipy_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/svhn_scipy.mat");
    let dir = tempdir().unwrap();
    put(dir.path(), "extra_32x32.mat", std::fs::read(path).unwrap());
    let set = load_svhn_extra_dir(dir.path()).unwrap();
    assert_eq!((set.name(), set.len(), set.labels()), ("svhn-extra", 2, Some(&[0, 7][..])));
    for n in 0..2 {
        let mut values = set.picture(n).iter();
        for channel in 0..3 {
            for row in 0..32 {
                for column in 0..32 {
                    let value = n * 128 + channel * 40 + row * 2 + usize::from(column == 5);
                    assert_eq!(values.next(), Some(&(value as u8)), "{n} {channel} {row} {column}");
                }
            }
        }
    }
}

#[test]
fn other_files_are_told_apart() {
    refused(b"", "ends inside");
    refused(&Mat::USUAL.header(), "no array 'X'");
    refused(&[b' '; 300], "no MATLAB file of version 5");
    let mut hdf5 = vec![b' '; 512];
    hdf5[..19].copy_from_slice(b"MATLAB 7.3 MAT-file");
    refused(&hdf5, "version 7.3");
}

#[test]
fn contents_that_are_no_digits_are_refused() {
    for mat in Mat::all() {
        let (x, y) = (mat.pictures(&[1, 2]), mat.digits(&[10, 1]));
        refused(&mat.file(std::slice::from_ref(&x)), "no array 'y'");
        refused(&mat.file(&[x.clone(), x.clone(), y.clone()]), "'X' twice");
        refused(&mat.file(&[x.clone(), mat.digits(&[10])]), "X holds 2 pictures");
        refused(&mat.file(&[x.clone(), mat.digits(&[10, 11])]), "holds 11");
        refused(&mat.file(&[x.clone(), mat.digits(&[0, 1])]), "holds 0");
        let half =
            [0.5_f64, 1.0].map(|value| if mat.big { value.to_be_bytes() } else { value.to_le_bytes() });
        let halves = mat.array(6, "y", &[2, 1], &mat.element(9, &half.concat()));
        refused(&mat.file(&[x.clone(), halves]), "values that are no bytes");
        let negative = mat.array(8, "y", &[2, 1], &mat.element(1, &[1, 0xff]));
        refused(&mat.file(&[x.clone(), negative]), "values that are no bytes");
        let text = mat.array(4, "y", &[1, 2], &mat.element(16, b"12"));
        refused(&mat.file(&[x.clone(), text]), "no array of real numbers");
        let complex = mat.array(9 | 0x800, "y", &[2, 1], &mat.element(2, &[1, 2]));
        refused(&mat.file(&[x, complex]), "no array of real numbers");
        let flat = mat.array(9, "X", &[3072, 1], &mat.element(2, &picture(0, 32)));
        refused(&mat.file(&[flat, y.clone()]), "not [32, 32, 3, n]");
        let none = mat.array(9, "X", &[32, 32, 3, 0], &mat.element(2, &[]));
        refused(&mat.file(&[none, y]), "no picture");
    }
}

#[test]
fn sides_that_lie_are_refused() {
    for mat in Mat::all() {
        for sides in [
            &[32, 32, 3, 2][..],
            &[32, 32, 3, u32::MAX],
            &[u32::MAX, 32, 3, 1],
            &[i32::MAX as u32; 8],
            &[3072],
        ] {
            let x = mat.array(9, "X", sides, &mat.element(2, &picture(0, 32)));
            refused(&mat.file(&[x, mat.digits(&[1])]), "sides");
        }
        let x = mat.array(9, "X", &[1; 9], &mat.element(2, &[1]));
        refused(&mat.file(&[x]), "an array has sides");
        // Values that claim more than the file has, with sides to match.
        let claim = [mat.word(2).to_vec(), mat.word(3072 << 10).to_vec(), vec![0; 3072]].concat();
        let x = mat.array(9, "X", &[32, 32, 3, 1 << 10], &claim);
        refused(&mat.file(&[x]), "goes beyond the end");
    }
}

/// 60 MB of zeros in an element that promises 3,232 bytes. The packed data are cut in their middle: reading that
/// far would give another error, so the answer shows that unpacking stopped where the promise ends.
#[test]
fn a_zlib_bomb_is_not_unpacked() {
    let mat = Mat { packed: false, ..Mat::USUAL };
    let x = mat.array(9, "X", &[32, 32, 3, 1], &mat.element(2, &picture(0, 32)));
    let bomb = zlib(&[x.clone(), vec![0; 60 << 20]].concat());
    let cut = &bomb[..bomb.len() / 2];
    let file = [mat.header(), mat.word(15).to_vec(), mat.word(cut.len() as u32).to_vec(), cut.to_vec()];
    refused(&file.concat(), "packed data go on after the");

    // A promise that no packed data of this length can keep.
    let mut x = x;
    x[4..8].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    let packed = zlib(&x);
    let file = [mat.header(), mat.word(15).to_vec(), mat.word(packed.len() as u32).to_vec(), packed];
    refused(&file.concat(), "cannot hold the 1073741824");
}

#[test]
fn packed_data_are_checked_to_their_last_byte() {
    let mat = Mat::USUAL;
    let element = mat.pictures(&[1]);
    let packed = |bytes: &[u8]| {
        let tag = [mat.word(15), mat.word(bytes.len() as u32)].concat();
        [mat.header(), tag, bytes.to_vec()].concat()
    };
    let mut wrong = zlib(&element);
    *wrong.last_mut().unwrap() ^= 1;
    refused(&packed(&wrong), "packed data are damaged");
    refused(&packed(&[zlib(&element), vec![0; 3]].concat()), "goes on after its end");
    let short = zlib(&element[..element.len() - 8]);
    refused(&packed(&short), "ends inside");
}
