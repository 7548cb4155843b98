//! What is written comes back.

use std::fs;
use std::path::Path;

use infogan_data::{
    DataError, ImageSet, Labels, Split, load_idx_dir, load_stored, write_idx_dir, write_stored,
};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::build::{assert_refused, some_set};

/// Names of everything in a folder, hidden files too.
fn entries(dir: &Path) -> Vec<String> {
    let names = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn refused(result: Result<(), DataError>, reason: &str) {
    let message = result.expect_err(reason).to_string();
    assert!(message.contains(reason), "{message}");
}

#[test]
fn a_stored_set_comes_back_whole() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("set.safetensors");
    let (train, test) = (some_set(5, 3), some_set(2, 3).with_name("other"));
    write_stored(&train, &test, &path).unwrap();
    assert_eq!(load_stored(&path, Split::Train).unwrap(), train);
    assert_eq!(load_stored(&path, Split::Test).unwrap(), test.with_name("some"));
    assert_eq!(entries(dir.path()), ["set.safetensors"]);

    let again = dir.path().join("again.safetensors");
    write_stored(&train, &some_set(2, 3), &again).unwrap();
    assert_eq!(fs::read(path).unwrap(), fs::read(again).unwrap(), "the same set, other bytes");
}

/// The file as the `safetensors` crate and anybody's reader sees it.
#[test]
fn a_stored_set_is_an_ordinary_safetensors_file() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("set.safetensors");
    write_stored(&some_set(5, 3), &some_set(1, 3), &path).unwrap();
    let bytes = fs::read(path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let pictures = tensors.tensor("train.pictures").unwrap();
    assert_eq!((pictures.shape(), pictures.data()), (&[5, 3, 2, 3][..], some_set(5, 3).pictures()));
    let labels = tensors.tensor("train.labels").unwrap();
    assert_eq!(
        (labels.dtype(), labels.data()),
        (safetensors::Dtype::U16, &[0, 0, 1, 0, 2, 0, 0, 0, 1, 0][..])
    );
    assert_eq!(tensors.tensor("test.factor.0").unwrap().data(), (-1.0_f32).to_le_bytes());
    let begin = bytes.as_ptr() as usize;
    for (name, view) in tensors.iter() {
        let place = view.data().as_ptr() as usize - begin;
        assert_eq!(place % (view.dtype().bitsize() / 8), 0, "{name} begins at {place}");
    }
}

#[test]
fn a_stored_set_without_labels_and_factors_comes_back() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("set.safetensors");
    let bare = |n: usize| ImageSet::new("bare", [4, 1, 2], vec![7; 8 * n], None, vec![]).unwrap();
    write_stored(&bare(2), &bare(0), &path).unwrap();
    assert_eq!(load_stored(&path, Split::Train).unwrap(), bare(2));
    assert!(load_stored(&path, Split::Test).unwrap().is_empty());
}

#[test]
fn what_does_not_belong_together_is_not_stored() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("set.safetensors");
    let set = some_set(2, 3);
    let unlabelled = ImageSet::new("x", set.shape(), set.pictures().to_vec(), None, vec![]).unwrap();
    let renamed = set.clone().with_class_names(["a", "b", "d"]).unwrap();
    for other in [some_set(2, 1), unlabelled, renamed] {
        refused(write_stored(&set, &other, &path), "differ in shape, classes or factors");
    }
    assert!(entries(dir.path()).is_empty());
    fs::write(&path, "mine").unwrap();
    refused(write_stored(&set, &set, &path), "there already");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    refused(write_stored(&set, &set, &dir.path().join("no/folder.safetensors")), "no/folder.safetensors");
    assert_eq!(entries(dir.path()), ["set.safetensors"]);
}

/// A header with these tensors and this much data behind it.
fn safetensors_file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn other_safetensors_files_are_refused() {
    let about =
        |text: &str| format!(r#""__metadata__":{{"infogan":{}}}"#, serde_json::to_string(text).unwrap());
    let fine = about(r#"{"data_set":1,"name":"s","classes":null,"factors":[]}"#);
    let labelled = about(r#"{"data_set":1,"name":"s","classes":["a"],"factors":[]}"#);
    let later = about(r#"{"data_set":2,"name":"s","classes":null,"factors":[]}"#);
    let pictures = |shape: &str, end: usize| {
        format!(r#""train.pictures":{{"dtype":"U8","shape":{shape},"data_offsets":[0,{end}]}}"#)
    };
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let load = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        load_stored(&path, Split::Train)
    };
    let good = pictures("[2,1,1,3]", 6);
    assert_eq!(load(&safetensors_file(&format!("{{{fine},{good}}}"), 6)).unwrap().len(), 2);
    let huge = "[1000000,1000,1000,3]";
    let bytes = good.replace("U8", "I8");
    for (header, data, reason) in [
        (format!("{{{good}}}"), 6, "holds no data set"),
        (format!("{{{later},{good}}}"), 6, "version 2"),
        (format!("{{{},{good}}}", about("{}")), 6, "metadata make no sense"),
        (format!("{{{labelled},{good}}}"), 6, "no tensor 'train.labels'"),
        (format!("{{{fine}}}"), 0, "no tensor 'train.pictures'"),
        (format!("{{{fine},{bytes}}}"), 6, "of type I8, not U8"),
        (format!("{{{fine},{}}}", pictures("[6]", 6)), 6, "not [n, channels, height, width]"),
        (format!("{{{fine},{}}}", pictures("[0,0,1,3]", 0)), 0, "empty or too large"),
        (format!("{{{fine},{good}}}"), 7, "bytes long"),
        (format!("{{{fine},{good}}}"), 5, "bytes long"),
        (format!("{{{fine},{}}}", pictures(huge, 3_000_000_000_000)), 6, "bytes long"),
        (format!("{{{fine},{}}}", pictures("[2,1,1,3]", 7)), 7, "no header"),
        (format!("{{{fine},{}}}", pictures(&format!("[{},2,2,2]", usize::MAX), 6)), 6, "no header"),
        ("[]".to_string(), 0, "no header"),
    ] {
        assert_refused(load(&safetensors_file(&header, data)), "a.safetensors", reason);
    }
    assert_refused(load(b""), "a.safetensors", "0 bytes");
    assert_refused(load(&u64::MAX.to_le_bytes()), "a.safetensors", "claims a header");
    assert_refused(load(&[&100_u64.to_le_bytes()[..], b"{}"].concat()), "a.safetensors", "claims a header");
    assert_refused(load_stored(dir.path(), Split::Train), dir.path().to_str().unwrap(), "");
}

#[test]
fn idx_is_written_as_it_is_read() {
    for channels in [1, 3] {
        let dir = tempdir().unwrap();
        let place = dir.path().join("new/folder");
        let (train, test) = (some_set(5, channels), some_set(2, channels));
        write_idx_dir(&train, &place, Split::Train).unwrap();
        write_idx_dir(&test, &place, Split::Test).unwrap();
        for (split, set) in [(Split::Train, &train), (Split::Test, &test)] {
            let read = load_idx_dir(&place, split).unwrap();
            assert_eq!((read.content_hash(), read.shape()), (set.content_hash(), set.shape()));
        }
        let kind = if channels == 1 { "idx3" } else { "idx4" };
        let names = ["t10k", "train"]
            .map(|prefix| [format!("{prefix}-images-{kind}-ubyte"), format!("{prefix}-labels-idx1-ubyte")]);
        assert_eq!(entries(&place), names.concat());

        refused(write_idx_dir(&train, &place, Split::Train), "there already");
        assert_eq!(entries(&place), names.concat());
    }
}

#[test]
fn what_idx_cannot_hold_is_not_written() {
    let dir = tempdir().unwrap();
    let bare = ImageSet::new("bare", [1, 1, 1], vec![1], None, vec![]).unwrap();
    let class_names = (0..300).map(|class| class.to_string()).collect();
    let labels = Labels { values: vec![256], class_names };
    let many = ImageSet::new("many", [1, 1, 1], vec![1], Some(labels), vec![]).unwrap();
    for (set, reason) in [
        (some_set(2, 2), "1 or 3 channels"),
        (some_set(0, 1), "no picture"),
        (bare, "needs a label"),
        (many, "no label above 255"),
    ] {
        refused(write_idx_dir(&set, dir.path(), Split::Train), reason);
    }
    assert!(entries(dir.path()).is_empty());

    // Labels under another spelling: pictures of one set beside labels of another would be read together.
    fs::write(dir.path().join("train-labels.idx1-ubyte.gz"), "mine").unwrap();
    refused(write_idx_dir(&some_set(2, 1), dir.path(), Split::Train), "train-labels.idx1-ubyte.gz");
    assert_eq!(entries(dir.path()), ["train-labels.idx1-ubyte.gz"]);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    refused(write_idx_dir(&some_set(2, 1), &file, Split::Train), "cannot write");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the sizes and names are.
    #[test]
    fn any_set_comes_back(
        n in 0..6_usize, more in 0..4_usize, shape in [1..4_usize, 1..4_usize, 1..4_usize],
        name in ".{0,20}", class in ".{0,20}", byte: u8,
    ) {
        let set = |n: usize| {
            let pictures = (0..n * shape.iter().product::<usize>()).map(|k| byte.wrapping_add(k as u8)).collect();
            let labels = Labels { values: vec![0; n], class_names: vec![class.clone()] };
            ImageSet::new(name.as_str(), shape, pictures, Some(labels), vec![]).unwrap()
        };
        let dir = tempdir().unwrap();
        let path = dir.path().join("set.safetensors");
        write_stored(&set(n), &set(more), &path).unwrap();
        prop_assert_eq!(load_stored(&path, Split::Train).unwrap(), set(n));
        prop_assert_eq!(load_stored(&path, Split::Test).unwrap(), set(more));
    }
}
