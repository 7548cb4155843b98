//! CIFAR-10 and CIFAR-100 in their binary form (Krizhevsky 2009): records of one label (two in CIFAR-100: coarse, then
//! fine) and 3,072 bytes, the red, green and blue plane of 32×32 pixels, row by row.

use std::path::Path;

use super::{class_names, find, malformed, records};
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// One of the two sets, as its files are.
struct Form {
    name: &'static str,
    folder: &'static str,
    /// Labels before the pixels, the class last.
    labels: usize,
    classes: usize,
    names: &'static str,
    train: &'static [&'static str],
    test: &'static str,
}

const CIFAR10: Form = Form {
    name: "cifar10",
    folder: "cifar-10-batches-bin",
    labels: 1,
    classes: 10,
    names: "batches.meta.txt",
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
};

const CIFAR100: Form = Form {
    name: "cifar100",
    folder: "cifar-100-binary",
    labels: 2,
    classes: 100,
    names: "fine_label_names.txt",
    train: &["train.bin"],
    test: "test.bin",
};

/// Coarse classes of CIFAR-100.
const COARSE: u16 = 20;

/// Reads a split of CIFAR-10: `u8 [n, 3, 32, 32]` with classes.
///
/// # Errors
/// When a file is missing, cannot be read, or holds no whole records or labels that there are not.
pub fn load_cifar10_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    load(&CIFAR10, dir, split)
}

/// Reads a split of CIFAR-100: the fine classes as classes, the coarse ones as the factor `coarse`.
///
/// # Errors
/// As [`load_cifar10_dir`].
pub fn load_cifar100_dir(dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    load(&CIFAR100, dir, split)
}

fn load(form: &Form, dir: &Path, split: Split) -> Result<ImageSet, DataError> {
    let files = match split {
        Split::Train => form.train,
        Split::Test => &[form.test],
    };
    let (mut pictures, mut values, mut coarse) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let path = find(dir, form.folder, file, form.name)?;
        let bytes = records(&path, form.labels + PIXELS)?;
        for record in bytes.chunks_exact(form.labels + PIXELS) {
            let (labels, pixels) = record.split_at(form.labels);
            let class = usize::from(labels[form.labels - 1]);
            if class >= form.classes {
                return Err(malformed(
                    &path,
                    format!("it has the label {class} of {} classes", form.classes),
                ));
            }
            if form.labels == 2 {
                coarse.push(u16::from(labels[0]));
                if u16::from(labels[0]) >= COARSE {
                    return Err(malformed(
                        &path,
                        format!("it has the coarse label {} of {COARSE}", labels[0]),
                    ));
                }
            }
            values.push(class as u16);
            pictures.extend_from_slice(pixels);
        }
    }
    let class_names = class_names(find(dir, form.folder, form.names, form.name).ok(), form.classes)?;
    let factors = (form.labels == 2).then(|| Factor {
        name: "coarse".to_owned(),
        values: FactorValues::Categorical { count: COARSE, values: coarse },
    });
    let labels = Labels { values, class_names };
    ImageSet::new(form.name, SHAPE, pictures, Some(labels), factors.into_iter().collect())
}
