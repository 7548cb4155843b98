//! The usual binary sets, their files written here byte by byte as their authors have them, and damaged.

use std::{fs, io::Write, path::Path};

use infogan_data::{
    Factor, FactorValues, ImageSet, Labels, Source, Split, detect, load_idx_dir, load_stored, write_idx_dir,
    write_stored,
};
use proptest::prelude::*;

/// A value that tells channel, row and column apart.
fn pixel(picture: usize, channel: usize, row: usize, column: usize) -> u8 {
    (picture * 31 + channel * 101 + row * 7 + column * 3) as u8
}

fn is_right(set: &ImageSet, picture: usize, number: usize) {
    let [channels, height, width] = set.shape();
    let mut values = set.picture(picture).iter();
    for (channel, row, column) in
        (0..channels).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
    {
        assert_eq!(values.next(), Some(&pixel(number, channel, row, column)), "{channel} {row} {column}");
    }
}

/// Planes of a picture, row by row.
fn planes(number: usize, side: usize) -> Vec<u8> {
    let place = |at: usize| (at / (side * side), at / side % side, at % side);
    (0..3 * side * side)
        .map(place)
        .map(|(channel, row, column)| pixel(number, channel, row, column))
        .collect()
}

/// Planes of a picture, column by column.
fn turned(number: usize, side: usize) -> Vec<u8> {
    let place = |at: usize| (at / (side * side), at % side, at / side % side);
    (0..3 * side * side)
        .map(place)
        .map(|(channel, row, column)| pixel(number, channel, row, column))
        .collect()
}

fn write_cifar10(dir: &Path) {
    let folder = dir.join("cifar-10-batches-bin");
    fs::create_dir_all(&folder).unwrap();
    for batch in 1..=5 {
        let records: Vec<u8> =
            (0..2).flat_map(|k| [vec![(batch + k) as u8], planes(2 * batch + k, 32)].concat()).collect();
        fs::write(folder.join(format!("data_batch_{batch}.bin")), records).unwrap();
    }
    fs::write(folder.join("test_batch.bin"), [vec![9], planes(0, 32)].concat()).unwrap();
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    fs::write(folder.join("batches.meta.txt"), names).unwrap();
}

fn write_cifar100(dir: &Path) {
    for (name, count) in [("train.bin", 3), ("test.bin", 1)] {
        let records: Vec<u8> =
            (0..count).flat_map(|k| [vec![k as u8 + 17, k as u8 + 97], planes(k, 32)].concat()).collect();
        fs::write(dir.join(name), records).unwrap();
    }
    let names: String = (0..100).map(|class| format!("class {class}\n")).collect();
    fs::write(dir.join("fine_label_names.txt"), names).unwrap();
}

fn write_stl10(dir: &Path) {
    for (name, count) in [("train", 2), ("test", 1)] {
        let pictures: Vec<u8> = (0..count).flat_map(|k| turned(k, 96)).collect();
        fs::write(dir.join(format!("{name}_X.bin")), pictures).unwrap();
        fs::write(dir.join(format!("{name}_y.bin")), (0..count).map(|k| 10 - k as u8).collect::<Vec<_>>())
            .unwrap();
    }
}

/// Elements of a MATLAB file in one byte order.
struct Mat(bool);

impl Mat {
    fn word(&self, word: u32) -> [u8; 4] {
        if self.0 { word.to_be_bytes() } else { word.to_le_bytes() }
    }

    fn element(&self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut all = [self.word(kind), self.word(data.len() as u32)].concat();
        all.extend(data);
        all.resize(all.len().next_multiple_of(8), 0);
        all
    }

    /// Up to four bytes in the tag itself.
    fn short(&self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut all = self.word((data.len() as u32) << 16 | kind).to_vec();
        all.extend(data);
        all.resize(8, 0);
        all
    }

    fn array(&self, name: &str, class: u32, sides: &[u32], values: Vec<u8>) -> Vec<u8> {
        let sides: Vec<u8> = sides.iter().flat_map(|side| self.word(*side)).collect();
        let parts = [
            self.element(6, &[self.word(class), [0; 4]].concat()),
            self.element(5, &sides),
            self.short(1, name.as_bytes()),
            values,
        ];
        self.element(14, &parts.concat())
    }

    fn file(&self, arrays: &[Vec<u8>], packed: bool) -> Vec<u8> {
        let mut all = vec![b' '; 124];
        all.extend(if self.0 { *b"\x01\x00MI" } else { *b"\x00\x01IM" });
        for array in arrays {
            if packed {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(array).unwrap();
                let packed = encoder.finish().unwrap();
                all.extend([self.word(15), self.word(packed.len() as u32)].concat());
                all.extend(packed);
            } else {
                all.extend(array);
            }
        }
        all
    }
}

fn svhn_file(big: bool, packed: bool, doubles: bool) -> Vec<u8> {
    let mat = Mat(big);
    let pictures: Vec<u8> = (0..3).flat_map(|k| turned(k, 32)).collect();
    let digits = [10.0_f64, 1.0, 9.0];
    let y = if doubles {
        let bytes: Vec<u8> =
            digits.iter().flat_map(|d| if big { d.to_be_bytes() } else { d.to_le_bytes() }).collect();
        mat.array("y", 6, &[3, 1], mat.element(9, &bytes))
    } else {
        mat.array("y", 9, &[3, 1], mat.short(2, &digits.map(|digit| digit as u8)))
    };
    let text = mat.array("note", 4, &[1, 1], mat.short(4, b"a\0"));
    mat.file(&[text, mat.array("X", 9, &[32, 32, 3, 3], mat.element(2, &pictures)), y], packed)
}

#[test]
fn cifar_is_read() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path());
    assert_eq!(detect(dir.path()).unwrap(), Source::Cifar10);
    let train = Source::Cifar10.load(dir.path(), Split::Train).unwrap();
    assert_eq!((train.len(), train.shape()), (10, [3, 32, 32]));
    is_right(&train, 9, 11);
    assert_eq!(train.labels(), Some(&[1, 2, 2, 3, 3, 4, 4, 5, 5, 6][..]));
    assert_eq!(train.class_names()[3], "cat");
    let test = Source::Cifar10.load(&dir.path().join("cifar-10-batches-bin"), Split::Test).unwrap();
    assert_eq!(test.labels(), Some(&[9][..]));

    let dir = tempfile::tempdir().unwrap();
    write_cifar100(dir.path());
    assert_eq!(detect(dir.path()).unwrap(), Source::Cifar100);
    let train = Source::Cifar100.load(dir.path(), Split::Train).unwrap();
    is_right(&train, 2, 2);
    assert_eq!(train.labels(), Some(&[97, 98, 99][..]));
    assert_eq!(train.factors()[0].values, FactorValues::Categorical { count: 20, values: vec![17, 18, 19] });
}

#[test]
fn stl10_is_turned_and_counted_from_one() {
    let dir = tempfile::tempdir().unwrap();
    write_stl10(dir.path());
    assert_eq!(detect(dir.path()).unwrap(), Source::Stl10);
    let train = Source::Stl10.load(dir.path(), Split::Train).unwrap();
    assert_eq!(train.shape(), [3, 96, 96]);
    is_right(&train, 1, 1);
    assert_eq!(train.labels(), Some(&[9, 8][..]));
}

#[test]
fn svhn_is_read_in_every_form_of_its_file() {
    for (big, packed, doubles) in
        [(false, true, false), (false, false, true), (true, true, true), (true, false, false)]
    {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("train_32x32.mat"), svhn_file(big, packed, doubles)).unwrap();
        assert_eq!(detect(dir.path()).unwrap(), Source::Svhn);
        let set = Source::Svhn.load(dir.path(), Split::Train).unwrap();
        (0..3).for_each(|picture| is_right(&set, picture, picture));
        assert_eq!(set.labels(), Some(&[0, 1, 9][..]));
        let error = Source::Svhn.load(dir.path(), Split::Test).unwrap_err().to_string();
        assert!(error.contains("test_32x32.mat") && error.contains("fetch svhn"), "{error}");
    }
}

fn some_set(channels: usize, count: usize) -> ImageSet {
    let pictures = (0..count * channels * 6).map(|at| (at * 37) as u8).collect();
    let labels = Labels {
        values: (0..count).map(|k| (k % 2) as u16).collect(),
        class_names: vec!["a".into(), "b".into()],
    };
    let factors = vec![
        Factor {
            name: "angle".into(),
            values: FactorValues::Continuous((0..count).map(|k| k as f32 / 3.0).collect()),
        },
        Factor {
            name: "hat".into(),
            values: FactorValues::Categorical {
                count: 2,
                values: (0..count).map(|k| (k % 2) as u16).collect(),
            },
        },
    ];
    ImageSet::new("some", [channels, 2, 3], pictures, Some(labels), factors).unwrap()
}

#[test]
fn stored_sets_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.safetensors");
    let (train, test) = (some_set(3, 5), some_set(3, 2));
    write_stored(&train, &test, &path).unwrap();
    assert_eq!(detect(&path).unwrap(), Source::Stored);
    assert_eq!(load_stored(&path, Split::Train).unwrap(), train);
    assert_eq!(Source::Stored.load(&path, Split::Test).unwrap(), test);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing beside it");
    let error = write_stored(&train, &some_set(1, 2), &path).unwrap_err().to_string();
    assert!(error.contains("same shape"), "{error}");
    let nowhere = dir.path().join("no/folder/set.safetensors");
    assert!(write_stored(&train, &test, &nowhere).unwrap_err().to_string().contains("cannot be written"));
}

#[test]
fn idx_is_written_as_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let set = some_set(1, 4);
    write_idx_dir(&set, dir.path(), Split::Test).unwrap();
    assert_eq!(detect(dir.path()).unwrap(), Source::Idx);
    let read = load_idx_dir(dir.path(), Split::Test).unwrap();
    assert_eq!((read.pictures(), read.labels()), (set.pictures(), set.labels()));
    let error = write_idx_dir(&some_set(3, 4), dir.path(), Split::Train).unwrap_err().to_string();
    assert!(error.contains("grey"), "{error}");
}

#[test]
fn what_holds_no_set_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = detect(dir.path()).unwrap_err().to_string();
    assert!(error.contains("train-images-idx3-ubyte") && error.contains("*.png"), "{error}");
    fs::create_dir(dir.path().join("class")).unwrap();
    assert_eq!(detect(dir.path()).unwrap(), Source::Pictures);
    let file = dir.path().join("a.zip");
    fs::write(&file, b"PK").unwrap();
    assert!(detect(&file).unwrap_err().to_string().contains("a.zip"));
    assert!(detect(&dir.path().join("nowhere")).unwrap_err().to_string().contains("nowhere"));
}

/// Every set as its name, its form, and the file that is damaged.
fn write_all(dir: &Path) -> Vec<(Source, &'static str)> {
    write_cifar10(dir);
    write_stl10(dir);
    fs::write(dir.join("train_32x32.mat"), svhn_file(false, true, true)).unwrap();
    fs::create_dir(dir.join("hundred")).unwrap();
    write_cifar100(&dir.join("hundred"));
    write_stored(&some_set(3, 5), &some_set(3, 2), &dir.join("set.safetensors")).unwrap();
    vec![
        (Source::Cifar10, "cifar-10-batches-bin/data_batch_3.bin"),
        (Source::Cifar10, "cifar-10-batches-bin/batches.meta.txt"),
        (Source::Cifar100, "hundred/train.bin"),
        (Source::Stl10, "train_X.bin"),
        (Source::Stl10, "train_y.bin"),
        (Source::Svhn, "train_32x32.mat"),
        (Source::Stored, "set.safetensors"),
    ]
}

fn load(source: Source, dir: &Path) -> Result<ImageSet, String> {
    let path = match source {
        Source::Stored => dir.join("set.safetensors"),
        Source::Cifar100 => dir.join("hundred"),
        _ => dir.to_path_buf(),
    };
    source.load(&path, Split::Train).map_err(|error| error.to_string())
}

#[test]
fn what_is_cut_or_goes_on_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (source, name) in write_all(dir.path()) {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        let longer = [&whole[..], b"\x01"].concat();
        for damaged in [&whole[..whole.len().saturating_sub(12)], &whole[..1], b"", &longer] {
            fs::write(&path, damaged).unwrap();
            let file = Path::new(name).file_name().unwrap().to_str().unwrap();
            let error = load(source, dir.path());
            let error = error.err().unwrap_or_else(|| panic!("{name} of {} bytes is read", damaged.len()));
            assert!(error.contains(file), "{error}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        // Without its names a set has numbers for names.
        assert!(load(source, dir.path()).is_err() || name.ends_with(".txt"), "{name} is a folder");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, whole).unwrap();
        assert!(load(source, dir.path()).is_ok());
    }
}

#[test]
fn labels_that_there_are_not_are_named() {
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path());
    for (source, name, at) in [
        (Source::Cifar10, "cifar-10-batches-bin/data_batch_3.bin", 0),
        (Source::Cifar100, "hundred/train.bin", 0),
        (Source::Cifar100, "hundred/train.bin", 1),
        (Source::Stl10, "train_y.bin", 1),
    ] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        damaged[at] = 200;
        fs::write(&path, damaged).unwrap();
        let error = load(source, dir.path()).unwrap_err();
        assert!(error.contains("label 200"), "{error}");
        fs::write(&path, whole).unwrap();
    }
}

/// A few bytes that unpack to a great many: the limit of deflate itself bounds them.
#[test]
fn a_bomb_does_not_explode() {
    let mat = Mat(false);
    let array = mat.array("X", 9, &[32, 32, 3, 20_000], mat.element(2, &vec![0; 61_440_000]));
    let mut packed = mat.file(&[array], true);
    // And one that says it holds more than it does.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("train_32x32.mat");
    fs::write(&path, &packed).unwrap();
    assert!(Source::Svhn.load(dir.path(), Split::Train).unwrap_err().to_string().contains("no array 'y'"));
    packed[132..136].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(&path, &packed).unwrap();
    assert!(Source::Svhn.load(dir.path(), Split::Train).unwrap_err().to_string().contains("ends inside"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a byte becomes: a set or an error that names the file.
    #[test]
    fn a_changed_byte_is_no_panic(which in 0..7usize, at: prop::sample::Index, byte: u8, cut in 0..4usize) {
        let dir = tempfile::tempdir().unwrap();
        let (source, name) = write_all(dir.path())[which];
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len().min(4096));
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.saturating_sub(2));
        fs::write(&path, bytes).unwrap();
        if let Err(error) = load(source, dir.path()) {
            let file = Path::new(name).file_name().unwrap().to_str().unwrap();
            prop_assert!(error.contains(file), "{}", error);
        }
    }
}
