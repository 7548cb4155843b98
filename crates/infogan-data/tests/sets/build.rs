//! Files of every form in their layout on disk, with pictures in which no two neighbours are alike: turned or
//! with channels swapped they are others.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use infogan_data::{DataError, Factor, FactorValues, ImageSet, Labels};

/// The value of a pixel: picture, channel, row and column all change it.
pub fn pixel(n: usize, channel: usize, row: usize, column: usize) -> u8 {
    (n * 41 + channel * 83 + row * 7 + column * 3 + row * column) as u8
}

/// A picture `[3, side, side]`, row by row.
pub fn picture(n: usize, side: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for channel in 0..3 {
        for row in 0..side {
            bytes.extend((0..side).map(|column| pixel(n, channel, row, column)));
        }
    }
    bytes
}

/// The same with its planes column by column, as in the files of STL-10 and SVHN.
pub fn picture_by_columns(n: usize, side: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for channel in 0..3 {
        for column in 0..side {
            bytes.extend((0..side).map(|row| pixel(n, channel, row, column)));
        }
    }
    bytes
}

pub fn put(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// One record in each training file, with label `batch` and picture `batch`; two in the other.
pub fn cifar10(dir: &Path) {
    for batch in 1..=5 {
        let record = [vec![batch as u8], picture(batch, 32)].concat();
        put(dir, &format!("data_batch_{batch}.bin"), record);
    }
    let test = [vec![9], picture(0, 32), vec![0], picture(9, 32)].concat();
    put(dir, "test_batch.bin", test);
    let names: String = (0..10).map(|class| format!("name {class}\n")).collect();
    // The real file ends in an empty line.
    put(dir, "batches.meta.txt", names + "\n");
}

pub fn cifar100(dir: &Path) {
    put(dir, "train.bin", [vec![19, 99], picture(1, 32), vec![0, 42], picture(2, 32)].concat());
    put(dir, "test.bin", [vec![7, 0], picture(3, 32)].concat());
    let names: String = (0..100).map(|class| format!("fine {class}\r\n")).collect();
    put(dir, "fine_label_names.txt", names);
    let names: String = (0..20).map(|class| format!("coarse {class}\n")).collect();
    put(dir, "coarse_label_names.txt", names);
}

pub fn stl10(dir: &Path) {
    put(dir, "train_X.bin", [picture_by_columns(0, 96), picture_by_columns(1, 96)].concat());
    put(dir, "train_y.bin", [10, 1]);
    put(dir, "test_X.bin", picture_by_columns(2, 96));
    put(dir, "test_y.bin", [4]);
    put(dir, "unlabeled_X.bin", picture_by_columns(3, 96));
    put(dir, "class_names.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
}

/// How a MATLAB file is written.
#[derive(Clone, Copy, Debug)]
pub struct Mat {
    pub big: bool,
    pub packed: bool,
    /// Short parts lie in their tags.
    pub short: bool,
}

impl Mat {
    pub const USUAL: Self = Self { big: false, packed: true, short: true };

    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self { big: bits & 1 > 0, packed: bits & 2 > 0, short: bits & 4 > 0 })
    }

    pub fn word(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn header(self) -> Vec<u8> {
        let mut bytes = vec![b' '; 128];
        bytes[..19].copy_from_slice(b"MATLAB 5.0 MAT-file");
        bytes[124..].copy_from_slice(if self.big { b"\x01\x00MI" } else { b"\x00\x01IM" });
        bytes
    }

    /// An element with its tag, filled up to eight bytes.
    pub fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.short && (1..=4).contains(&data.len()) {
            bytes.extend(self.word((data.len() as u32) << 16 | kind));
        } else {
            bytes.extend(self.word(kind));
            bytes.extend(self.word(data.len() as u32));
        }
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// An array of this class: 9 is bytes, 6 doubles. `values` is a whole element.
    pub fn array(self, class: u32, name: &str, sides: &[u32], values: &[u8]) -> Vec<u8> {
        let flags = [self.word(class), [0; 4]].concat();
        let sides: Vec<u8> = sides.iter().flat_map(|&side| self.word(side)).collect();
        let parts = [self.element(6, &flags), self.element(5, &sides), self.element(1, name.as_bytes())];
        self.element(14, &[parts.concat(), values.to_vec()].concat())
    }

    /// Elements of the file itself, each packed where this says so.
    pub fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        let pack = |element: &Vec<u8>| {
            if !self.packed {
                return element.clone();
            }
            let packed = zlib(element);
            // Packed elements are not filled up.
            [self.word(15).to_vec(), self.word(packed.len() as u32).to_vec(), packed].concat()
        };
        [self.header(), elements.iter().flat_map(pack).collect()].concat()
    }

    /// X of these pictures.
    pub fn pictures(self, numbers: &[usize]) -> Vec<u8> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|&n| picture_by_columns(n, 32)).collect();
        self.array(9, "X", &[32, 32, 3, numbers.len() as u32], &self.element(2, &bytes))
    }

    /// y of these digits, as bytes.
    pub fn digits(self, digits: &[u8]) -> Vec<u8> {
        self.array(9, "y", &[digits.len() as u32, 1], &self.element(2, digits))
    }
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three pictures with the digits 0, 1 and 9; one with the digit 5.
pub fn svhn(dir: &Path, mat: Mat) {
    put(dir, "train_32x32.mat", mat.file(&[mat.pictures(&[1, 2, 3]), mat.digits(&[10, 1, 9])]));
    put(dir, "test_32x32.mat", mat.file(&[mat.digits(&[5]), mat.pictures(&[4])]));
}

pub fn idx(dir: &Path) {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    for (prefix, n) in [("train", 3), ("t10k", 2)] {
        let bytes: Vec<u8> = (0..n * 6).map(|k| k as u8).collect();
        put(dir, &format!("{prefix}-images-idx3-ubyte"), [words(&[2051, n, 2, 3]), bytes].concat());
        let labels: Vec<u8> = (0..n as u8).collect();
        put(dir, &format!("{prefix}-labels-idx1-ubyte"), [words(&[2049, n]), labels].concat());
    }
}

/// A set of `n` pictures `[channels, 2, 3]` with three classes and a factor of either kind.
pub fn some_set(n: usize, channels: usize) -> ImageSet {
    let pictures = (0..n * channels * 6).map(|k| (k * 5) as u8).collect();
    let class_names = ["a", "b", "ç"].map(str::to_string).to_vec();
    let labels = Labels { values: (0..n).map(|k| (k % 3) as u16).collect(), class_names };
    let angle = FactorValues::Continuous((0..n).map(|k| k as f32 * 0.3 - 1.0).collect());
    let names = (0..700).map(|number| format!("hat {number}")).collect();
    let hat = FactorValues::Categorical { names, values: (0..n).map(|k| 699 - k as u16).collect() };
    let factors = [("angle", angle), ("hat", hat)];
    let factors = factors.map(|(name, values)| Factor { name: name.to_string(), values }).to_vec();
    ImageSet::new("some", [channels, 2, 3], pictures, Some(labels), factors).unwrap()
}

/// The message of an error, which must name the file and say this.
pub fn assert_refused(result: Result<ImageSet, DataError>, file: &str, reason: &str) {
    let message = result.expect_err(reason).to_string();
    assert!(message.contains(file) && message.contains(reason), "{file}, {reason}: {message}");
    assert!(message.contains("; "), "no remedy in: {message}");
}
