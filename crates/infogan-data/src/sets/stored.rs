//! A data set in one file of this program's own: safetensors, both halves.
//!
//! | tensor | |
//! |---|---|
//! | `train.pictures`, `test.pictures` | U8 `[n, channels, height, width]` |
//! | `train.labels` … | U16 `[n]`, where there are classes |
//! | `train.factor.0` … | U16 `[n]` (categories) or F32 `[n]` (numbers) |
//!
//! The metadata `infogan` is JSON: name of the set, names of the classes, and of each factor with its number of values.

use std::{collections::HashMap, fs, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

const KEY: &str = "infogan";

/// What the tensors do not say.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    name: String,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    factors: Vec<AboutFactor>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct AboutFactor {
    name: String,
    /// Number of values; none for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
}

/// Writes both halves of a set to a file that does not exist yet. It appears whole or not at all.
///
/// # Errors
/// When the halves have not the same shape, classes and factors, or the file cannot be written.
pub fn write_stored(train: &ImageSet, test: &ImageSet, path: &Path) -> Result<(), DataError> {
    let about = about(train);
    if train.shape() != test.shape()
        || train.class_names() != test.class_names()
        || about.factors != self::about(test).factors
    {
        return Err(DataError::invalid(
            train.name(),
            "its halves have not the same shape, classes and factors",
            "store halves of one set",
        ));
    }
    let io = |error: String| DataError::Write { path: path.to_path_buf(), reason: error };
    let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (half, set) in [("train", train), ("test", test)] {
        let [channels, height, width] = set.shape();
        let n = set.len();
        parts.push((
            format!("{half}.pictures"),
            Dtype::U8,
            vec![n, channels, height, width],
            set.pictures().to_vec(),
        ));
        if let Some(labels) = set.labels() {
            parts.push((format!("{half}.labels"), Dtype::U16, vec![n], words(labels)));
        }
        for (number, factor) in set.factors().iter().enumerate() {
            let (kind, bytes) = match &factor.values {
                FactorValues::Categorical { values, .. } => (Dtype::U16, words(values)),
                FactorValues::Continuous(values) => {
                    (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
                }
            };
            parts.push((format!("{half}.factor.{number}"), kind, vec![n], bytes));
        }
    }
    let views = parts
        .iter()
        .map(|(name, kind, shape, bytes)| Ok((name, TensorView::new(*kind, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| io(error.to_string()))?;
    let text = serde_json::to_string(&about).map_err(|error| io(error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| io(error.to_string()))?;
    crate::write_beside(path, &bytes)
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn about(set: &ImageSet) -> About {
    let factor = |factor: &Factor| AboutFactor {
        name: factor.name.clone(),
        count: match factor.values {
            FactorValues::Categorical { count, .. } => Some(count),
            FactorValues::Continuous(_) => None,
        },
    };
    About {
        name: set.name().to_owned(),
        classes: set.class_names().to_vec(),
        factors: set.factors().iter().map(factor).collect(),
    }
}

/// Reads a half of a set.
///
/// # Errors
/// When the file cannot be read, is not such a file, or its parts do not fit each other.
pub fn load_stored(path: &Path, split: Split) -> Result<ImageSet, DataError> {
    let malformed = |reason: String| DataError::Malformed {
        path: path.to_path_buf(),
        reason,
        remedy: "make it again with 'infogan data convert' or 'infogan data synth'".to_owned(),
    };
    let bytes = fs::read(path).map_err(|source| DataError::Read { path: path.to_path_buf(), source })?;
    let (_, header) = SafeTensors::read_metadata(&bytes)
        .map_err(|error| malformed(format!("it is no safetensors file ({error})")))?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text =
        text.ok_or_else(|| malformed("it was not written by this program: it holds no data set".to_owned()))?;
    let about: About = serde_json::from_str(text)
        .map_err(|error| malformed(format!("its metadata are broken ({error})")))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| malformed(error.to_string()))?;
    let tensor = |name: &str, kinds: &[Dtype]| {
        let name = format!("{}.{name}", split.name());
        let found = tensors.tensor(&name).map_err(|_| malformed(format!("it has no tensor '{name}'")))?;
        if !kinds.contains(&found.dtype()) {
            return Err(malformed(format!("its tensor '{name}' is {:?}", found.dtype())));
        }
        Ok(found)
    };
    let words = |view: &TensorView<'_>| -> Vec<u16> {
        view.data().as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect()
    };
    let pictures = tensor("pictures", &[Dtype::U8])?;
    let [_, channels, height, width] = pictures.shape()[..] else {
        return Err(malformed(format!("its pictures have the shape {:?}", pictures.shape())));
    };
    let labels = if about.classes.is_empty() {
        None
    } else {
        Some(Labels { values: words(&tensor("labels", &[Dtype::U16])?), class_names: about.classes })
    };
    let mut factors = Vec::new();
    for (number, factor) in about.factors.into_iter().enumerate() {
        let kind = if factor.count.is_some() { Dtype::U16 } else { Dtype::F32 };
        let view = tensor(&format!("factor.{number}"), &[kind])?;
        let values = match factor.count {
            Some(count) => FactorValues::Categorical { count, values: words(&view) },
            None => {
                let numbers = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                FactorValues::Continuous(numbers.collect())
            }
        };
        factors.push(Factor { name: factor.name, values });
    }
    ImageSet::new(about.name, [channels, height, width], pictures.data().to_vec(), labels, factors)
        .map_err(|error| malformed(error.to_string()))
}

/// Whether a file begins as one of these does: safetensors with our metadata.
pub fn is_stored(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}
