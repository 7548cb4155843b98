//! IDX files as they are and as they should not be.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use infogan_data::idx::FASHION_CLASSES;
use infogan_data::{DataError, ImageSet, Split, load_idx_dir};
use tempfile::TempDir;

fn header(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Two pictures of 2 × 3.
fn pictures() -> Vec<u8> {
    [header(&[2051, 2, 2, 3]), (0..12).collect()].concat()
}

fn labels() -> Vec<u8> {
    [header(&[2049, 2]), vec![7, 3]].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn train(pictures: &[u8], labels: &[u8]) -> Result<ImageSet, DataError> {
    let files = [("train-images-idx3-ubyte", pictures), ("train-labels-idx1-ubyte", labels)];
    load_idx_dir(folder(&files).path(), Split::Train)
}

fn assert_refused(result: Result<ImageSet, DataError>, file: &str, reason: &str) {
    let message = result.expect_err(reason).to_string();
    assert!(message.contains(file) && message.contains(reason), "{message}");
    assert!(message.contains("scripts/fetch-mnist.sh"), "no remedy in: {message}");
}

#[test]
fn every_spelling_gives_the_same_set() {
    let (pictures, labels) = (pictures(), labels());
    let set = train(&pictures, &labels).unwrap();
    assert_eq!(set.shape(), [1, 2, 3]);
    assert_eq!(set.picture(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!(set.labels(), Some(&[7, 3][..]));
    assert_eq!(set.class_names().len(), 10);

    let (gz_pictures, gz_labels) = (gzip(&pictures), gzip(&labels));
    for (split, files) in [
        (
            Split::Train,
            [("train-images-idx3-ubyte.gz", &gz_pictures), ("train-labels-idx1-ubyte.gz", &gz_labels)],
        ),
        (Split::Test, [("t10k-images.idx3-ubyte", &pictures), ("t10k-labels.idx1-ubyte", &labels)]),
        (Split::Test, [("t10k-images.idx3-ubyte.gz", &gz_pictures), ("t10k-labels-idx1-ubyte", &labels)]),
        // The name lies in both directions: the content decides.
        (Split::Train, [("train-images-idx3-ubyte", &gz_pictures), ("train-labels-idx1-ubyte.gz", &labels)]),
    ] {
        let files = files.map(|(name, bytes)| (name, bytes.as_slice()));
        assert_eq!(load_idx_dir(folder(&files).path(), split).unwrap(), set, "{files:?}");
    }
}

#[test]
fn a_missing_file_is_told_with_what_would_have_done() {
    let dir = folder(&[]);
    let result = load_idx_dir(dir.path(), Split::Test);
    assert_refused(result, &dir.path().display().to_string(), "t10k-images.idx3-ubyte.gz");
    let dir = folder(&[("train-images-idx3-ubyte", &pictures())]);
    assert_refused(load_idx_dir(dir.path(), Split::Train), "train labels", "train-labels-idx1-ubyte");
    assert_refused(
        load_idx_dir(Path::new("/no/such/folder"), Split::Train),
        "/no/such/folder",
        "train-images",
    );
}

#[test]
fn files_cut_at_any_byte_are_refused() {
    let (whole, file) = (pictures(), "train-images-idx3-ubyte");
    for end in 0..whole.len() {
        assert_refused(train(&whole[..end], &labels()), file, "it");
        assert_refused(train(&gzip(&whole[..end]), &labels()), file, "it ends");
    }
    let whole = gzip(&whole);
    for end in 0..whole.len() {
        assert!(train(&whole[..end], &labels()).is_err(), "gzip cut at {end}");
    }
}

#[test]
fn bytes_too_many_are_refused() {
    let long = [pictures(), vec![0]].concat();
    assert_refused(train(&long, &labels()), "train-images", "29 bytes long, its header says 28");
    assert_refused(train(&gzip(&long), &labels()), "train-images", "goes on after the 12 bytes");
    let long = [labels(), vec![0]].concat();
    assert_refused(train(&pictures(), &long), "train-labels", "11 bytes long");
}

#[test]
fn wrong_headers_are_refused() {
    assert_refused(train(&labels(), &labels()), "train-images", "starts with 2049");
    let swapped = [header(&[2049, 2, 2, 3]), vec![0; 12]].concat();
    assert_refused(train(&swapped, &labels()), "train-images", "starts with 2049");
    assert_refused(train(&pictures(), &pictures()), "train-labels", "starts with 2051");
    let empty = header(&[2051, 0, 28, 28]);
    assert_refused(train(&empty, &labels()), "train-images", "nothing in it");
    let more = [header(&[2049, 3]), vec![1, 2, 3]].concat();
    assert_refused(train(&pictures(), &more), "train-labels", "3 labels");
}

#[test]
fn a_header_that_promises_too_much_allocates_nothing() {
    for words in [[2051, u32::MAX, u32::MAX, u32::MAX], [2051, u32::MAX, 28, 28]] {
        let huge = [header(&words), vec![0; 100]].concat();
        assert_refused(train(&huge, &labels()), "train-images", "more than its");
        assert_refused(train(&gzip(&huge), &labels()), "train-images", "more than its");
    }
}

/// 20 MB of zeros after a header that says 12 bytes. The file is cut in its middle: reading that far would
/// give another error, so the answer shows that reading stopped at the thirteenth byte.
#[test]
fn a_gzip_bomb_is_not_unpacked() {
    let bomb = gzip(&[header(&[2051, 2, 2, 3]), vec![0; 20 << 20]].concat());
    let result = train(&bomb[..bomb.len() / 2], &labels());
    assert_refused(result, "train-images", "goes on after the 12 bytes");
}

#[test]
fn damaged_gzip_data_are_refused() {
    let whole = gzip(&[header(&[2051, 1, 16, 16]), (0..=255).collect()].concat());
    let label = [header(&[2049, 1]), vec![0]].concat();
    let set = train(&whole, &label).unwrap();
    // Past the ten bytes of the gzip header a flipped bit is noticed, unless it is one of the few that fill
    // up a byte and mean nothing.
    let mut noticed = 0;
    for place in 10..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 16;
        match train(&damaged, &label) {
            Ok(same) => assert_eq!(same, set, "byte {place} of {}", whole.len()),
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed + 2 >= whole.len() - 10, "{noticed} of {}", whole.len() - 10);
}

proptest::proptest! {
    /// Whatever the bytes are, the answer is a set or an error.
    #[test]
    fn no_bytes_panic(mut bytes: Vec<u8>, magic: bool, gz: bool) {
        if magic {
            bytes.splice(0..0, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
        }
        let bytes = if gz { gzip(&bytes) } else { bytes };
        let _ = train(&bytes, &[header(&[2049, 1]), vec![0]].concat());
    }
}

/// The real files, where `INFOGAN_MNIST` names their folder (scripts/fetch-mnist.sh DIR gets them). The
/// numbers are the canonical ones of MNIST: first labels, pictures a class, mean and standard deviation.
#[test]
fn real_mnist_has_its_known_statistics() {
    let Some(dir) = std::env::var_os("INFOGAN_MNIST") else {
        eprintln!("skipped: INFOGAN_MNIST does not name the folder of the MNIST files");
        return;
    };
    let train = load_idx_dir(Path::new(&dir), Split::Train).unwrap();
    let test = load_idx_dir(Path::new(&dir), Split::Test).unwrap();
    assert_eq!((train.len(), test.len(), train.shape()), (60_000, 10_000, [1, 28, 28]));
    assert_eq!((train.name(), test.name()), ("mnist", "mnist"));
    assert_eq!(train.labels().unwrap()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(test.labels().unwrap()[..5], [7, 2, 1, 0, 4]);
    let count = |class| train.labels().unwrap().iter().filter(|&&label| label == class).count();
    let counts: Vec<usize> = (0..10).map(count).collect();
    assert_eq!(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    let n = train.pictures().len() as f64;
    let moment =
        |power| train.pictures().iter().map(|&v| (f64::from(v) / 255.0).powi(power)).sum::<f64>() / n;
    let (mean, deviation) = (moment(1), (moment(2) - moment(1).powi(2)).sqrt());
    assert!((mean - 0.13066).abs() < 1e-5 && (deviation - 0.30811).abs() < 1e-5, "{mean} {deviation}");
}

/// The real Fashion-MNIST files, compressed, where `INFOGAN_FASHION_MNIST` names their folder
/// (scripts/fetch-fashion-mnist.sh DIR gets them).
#[test]
fn real_fashion_mnist_is_balanced() {
    let Some(dir) = std::env::var_os("INFOGAN_FASHION_MNIST") else {
        eprintln!("skipped: INFOGAN_FASHION_MNIST does not name the folder of the Fashion-MNIST files");
        return;
    };
    for (split, each) in [(Split::Train, 6000), (Split::Test, 1000)] {
        let set = load_idx_dir(Path::new(&dir), split).unwrap();
        assert_eq!(set.name(), "fashion-mnist");
        assert_eq!(set.class_names(), FASHION_CLASSES);
        assert_eq!((set.len(), set.shape()), (10 * each, [1, 28, 28]));
        for class in 0..10 {
            assert_eq!(set.labels().unwrap().iter().filter(|&&label| label == class).count(), each);
        }
    }
}
