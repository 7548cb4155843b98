//! Which form of a data set a path holds.

use std::fs;
use std::path::Path;

use infogan_data::{Source, Split, detect, write_stored};
use tempfile::tempdir;

use crate::build::{Mat, cifar10, cifar100, idx, put, some_set, stl10, svhn};

fn refused(path: &Path, reasons: &[&str]) {
    let message = detect(path).expect_err("not refused").to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    for reason in reasons {
        assert!(message.contains(reason), "no '{reason}' in: {message}");
    }
}

#[test]
fn every_form_is_known_and_loaded() {
    type Form = (Source, &'static str, fn(&Path));
    let forms: [Form; 5] = [
        (Source::Idx, "", idx),
        (Source::Cifar10, "cifar-10-batches-bin", cifar10),
        (Source::Cifar100, "cifar-100-binary", cifar100),
        (Source::Stl10, "stl10_binary", stl10),
        (Source::Svhn, "svhn", |dir| svhn(dir, Mat::USUAL)),
    ];
    for (source, folder, make) in forms {
        let dir = tempdir().unwrap();
        let inside = dir.path().join(folder);
        make(&inside);
        for path in [dir.path(), &inside] {
            assert_eq!(detect(path).unwrap(), source);
            for split in [Split::Train, Split::Test] {
                assert!(!source.load(path, split).unwrap().is_empty());
            }
        }
        // One split is enough to be known; the other is then told missing by its reader.
        for name in
            ["data_batch_1.bin", "train.bin", "train_X.bin", "train_32x32.mat", "train-images-idx3-ubyte"]
        {
            let _ = fs::remove_file(inside.join(name));
        }
        assert_eq!(detect(dir.path()).unwrap(), source);
        assert!(source.load(dir.path(), Split::Train).unwrap_err().to_string().contains("looked for"));
    }
    let dir = tempdir().unwrap();
    let path = dir.path().join("set.SafeTensors");
    write_stored(&some_set(2, 1), &some_set(1, 1), &path).unwrap();
    assert_eq!(detect(&path).unwrap(), Source::Stored);
    assert_eq!(Source::Stored.load(&path, Split::Train).unwrap(), some_set(2, 1));
}

#[test]
fn pictures_and_folders_of_them_are_known() {
    let dir = tempdir().unwrap();
    put(dir.path(), "notes.txt", "");
    put(dir.path(), "a.JPEG", "");
    assert_eq!(detect(dir.path()).unwrap(), Source::Pictures);
    assert!(Source::Pictures.load(dir.path(), Split::Train).is_err());
    let dir = tempdir().unwrap();
    put(dir.path(), "cats/1.png", "");
    assert_eq!(detect(dir.path()).unwrap(), Source::Pictures);
}

#[test]
fn what_is_no_data_set_is_told_with_what_is_there() {
    let dir = tempdir().unwrap();
    refused(dir.path(), &["it is empty", "infogan data fetch"]);
    put(dir.path(), ".hidden.png", "");
    put(dir.path(), ".git/config", "");
    refused(dir.path(), &["it is empty"]);
    for k in (0..12).rev() {
        put(dir.path(), &format!("note{k:02}.txt"), "");
    }
    refused(dir.path(), &["note00.txt, note01.txt, note02.txt", "note07.txt and 4 more"]);
    refused(&dir.path().join("note03.txt"), &["single file", "name the folder"]);
    refused(&dir.path().join("nowhere"), &["cannot read"]);
}

#[test]
fn what_comes_near_is_told_what_to_do() {
    let dir = tempdir().unwrap();
    put(dir.path(), "cifar-10-batches-py/data_batch_1", "");
    refused(dir.path(), &["Python pickles", "cifar-10-binary.tar.gz"]);
    let dir = tempdir().unwrap();
    put(dir.path(), "stl10_binary.tar.gz", "");
    refused(dir.path(), &["unpack it: tar -xzf stl10_binary.tar.gz"]);
    refused(&dir.path().join("stl10_binary.tar.gz"), &["unpack it"]);
}

#[test]
fn two_sets_in_one_folder_are_not_chosen_between() {
    let dir = tempdir().unwrap();
    idx(dir.path());
    stl10(&dir.path().join("stl10_binary"));
    refused(dir.path(), &["several data sets: idx, stl10", "name the folder of one"]);
    assert_eq!(detect(&dir.path().join("stl10_binary")).unwrap(), Source::Stl10);
}
