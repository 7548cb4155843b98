//! Whole files, read as they should be.

use std::fs;

use infogan_data::sets::{cifar::CIFAR10_CLASSES, stl10::STL10_CLASSES};
use infogan_data::{
    FactorValues, ImageSet, Split, load_cifar10_dir, load_cifar100_dir, load_idx_dir, load_stl10_dir,
    load_stl10_unlabeled_dir,
};
use tempfile::tempdir;

use crate::build::{cifar10, cifar100, idx, picture, put, stl10};

/// The set holds the pictures of these numbers.
fn assert_pictures(set: &ImageSet, numbers: &[usize]) {
    assert_eq!(set.len(), numbers.len());
    let [_, _, side] = set.shape();
    for (place, &number) in numbers.iter().enumerate() {
        assert!(set.picture(place) == picture(number, side), "picture {place} is not number {number}");
    }
}

#[test]
fn cifar10_is_read_in_order_with_its_names() {
    let dir = tempdir().unwrap();
    cifar10(&dir.path().join("cifar-10-batches-bin"));
    let train = load_cifar10_dir(dir.path(), Split::Train).unwrap();
    assert_eq!((train.name(), train.shape()), ("cifar10", [3, 32, 32]));
    assert_pictures(&train, &[1, 2, 3, 4, 5]);
    assert_eq!(train.labels(), Some(&[1, 2, 3, 4, 5][..]));
    assert_eq!((train.class_names().len(), train.class_names()[9].as_str()), (10, "name 9"));

    let inside = dir.path().join("cifar-10-batches-bin");
    let test = load_cifar10_dir(&inside, Split::Test).unwrap();
    assert_pictures(&test, &[0, 9]);
    assert_eq!(test.labels(), Some(&[9, 0][..]));

    fs::remove_file(inside.join("batches.meta.txt")).unwrap();
    assert_eq!(load_cifar10_dir(&inside, Split::Test).unwrap().class_names(), CIFAR10_CLASSES);
}

#[test]
fn cifar100_has_fine_classes_and_a_coarse_factor() {
    let dir = tempdir().unwrap();
    cifar100(dir.path());
    let train = load_cifar100_dir(dir.path(), Split::Train).unwrap();
    assert_pictures(&train, &[1, 2]);
    assert_eq!(train.labels(), Some(&[99, 42][..]));
    assert_eq!((train.class_names().len(), train.class_names()[99].as_str()), (100, "fine 99"));
    assert_eq!(train.factors()[0].name, "coarse");
    let names = (0..20).map(|number| format!("coarse {number}")).collect();
    assert_eq!(train.factors()[0].values, FactorValues::Categorical { names, values: vec![19, 0] });
    let test = load_cifar100_dir(dir.path(), Split::Test).unwrap();
    assert_pictures(&test, &[3]);
    assert_eq!(test.labels(), Some(&[0][..]));
}

#[test]
fn stl10_is_turned_and_counted_from_one() {
    let dir = tempdir().unwrap();
    stl10(&dir.path().join("stl10_binary"));
    let train = load_stl10_dir(dir.path(), Split::Train).unwrap();
    assert_eq!((train.name(), train.shape()), ("stl10", [3, 96, 96]));
    assert_pictures(&train, &[0, 1]);
    assert_eq!(train.labels(), Some(&[9, 0][..]));
    assert_eq!(train.class_names()[9], "j");
    let inside = dir.path().join("stl10_binary");
    assert_pictures(&load_stl10_dir(&inside, Split::Test).unwrap(), &[2]);
    let unlabelled = load_stl10_unlabeled_dir(&inside).unwrap();
    assert_pictures(&unlabelled, &[3]);
    assert_eq!((unlabelled.name(), unlabelled.labels()), ("stl10-unlabeled", None));
    fs::remove_file(inside.join("class_names.txt")).unwrap();
    assert_eq!(load_stl10_dir(&inside, Split::Test).unwrap().class_names(), STL10_CLASSES);
}

/// Four sides are count, channels, rows, columns.
#[test]
fn idx_may_have_three_channels() {
    let dir = tempdir().unwrap();
    idx(dir.path());
    fs::remove_file(dir.path().join("train-images-idx3-ubyte")).unwrap();
    let header: Vec<u8> = [2052_u32, 3, 3, 2, 1].iter().flat_map(|word| word.to_be_bytes()).collect();
    put(dir.path(), "train-images-idx4-ubyte", [header, (0..18).collect()].concat());
    let set = load_idx_dir(dir.path(), Split::Train).unwrap();
    assert_eq!((set.name(), set.shape(), set.len()), ("idx", [3, 2, 1], 3));
    assert_eq!(set.picture(1), [6, 7, 8, 9, 10, 11]);

    let header: Vec<u8> = [2052_u32, 3, 2, 1, 3].iter().flat_map(|word| word.to_be_bytes()).collect();
    put(dir.path(), "train-images-idx4-ubyte", [header, (0..18).collect()].concat());
    let error = load_idx_dir(dir.path(), Split::Train).unwrap_err().to_string();
    assert!(error.contains("train-images-idx4-ubyte") && error.contains("1 or 3 channels"), "{error}");
}
