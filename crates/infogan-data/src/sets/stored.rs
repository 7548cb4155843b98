//! A data set in one file of our own, both splits, names and factors included: safetensors.
//!
//! | tensor | type and shape |
//! |---|---|
//! | `train.pictures`, `test.pictures` | U8 `[n, channels, height, width]` |
//! | `train.labels`, `test.labels` | U16 `[n]`, where there are labels |
//! | `train.factor.0`, `test.factor.0`, … | U16 `[n]` (categorical) or F32 `[n]` (continuous) |
//!
//! The metadata hold one entry, `infogan`: JSON with the version of this form, the name of the set, the names of the classes,
//! and each factor's name and those of its values. The same set gives the same bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::{Deserialize, Serialize};

use crate::files::{NewFile, open, room, unreadable};
use crate::{DataError, Factor, FactorValues, ImageSet, Labels, Split};

const KEY: &str = "infogan";
const VERSION: u32 = 1;
/// Longest header read or written, in bytes.
const LONGEST_HEADER: u64 = 16 << 20;

/// What the tensors do not say.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    data_set: u32,
    name: String,
    /// None where there are no labels.
    classes: Option<Vec<String>>,
    factors: Vec<AboutFactor>,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutFactor {
    name: String,
    /// The names of the values; none where the factor is continuous.
    values: Option<Vec<String>>,
}

impl About {
    fn of(set: &ImageSet, name: &str) -> Self {
        let factor = |factor: &Factor| AboutFactor {
            name: factor.name.clone(),
            values: match &factor.values {
                FactorValues::Categorical { names, .. } => Some(names.clone()),
                FactorValues::Continuous(_) => None,
            },
        };
        Self {
            data_set: VERSION,
            name: name.to_string(),
            classes: set.labels().map(|_| set.class_names().to_vec()),
            factors: set.factors().iter().map(factor).collect(),
        }
    }
}

/// The values of one tensor.
enum Values<'a> {
    Bytes(&'a [u8]),
    Words(&'a [u16]),
    Numbers(&'a [f32]),
}

impl Values<'_> {
    fn kind(&self) -> Dtype {
        match self {
            Self::Bytes(_) => Dtype::U8,
            Self::Words(_) => Dtype::U16,
            Self::Numbers(_) => Dtype::F32,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Words(values) => 2 * values.len(),
            Self::Numbers(values) => 4 * values.len(),
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Bytes(values) => out.write_all(values),
            Self::Words(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes())),
            Self::Numbers(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes())),
        }
    }
}

/// Writes both splits of a set into a new file, under the name of the training split.
///
/// # Errors
/// When the splits differ in shape, classes or factors, something is at `path` already, or the file cannot be
/// written. Then nothing is left of it.
pub fn write_stored(train: &ImageSet, test: &ImageSet, path: &Path) -> Result<(), DataError> {
    let refuse =
        |reason: &str, remedy: &str| DataError::invalid(format!("data set {}", train.name()), reason, remedy);
    let about = About::of(train, train.name());
    if train.shape() != test.shape() || about != About::of(test, train.name()) {
        let reason = "its training and test split differ in shape, classes or factors";
        return Err(refuse(reason, "store splits of one set"));
    }
    let mut tensors = Vec::new();
    for (split, set) in [(Split::Train, train), (Split::Test, test)] {
        let n = set.len();
        let [channels, height, width] = set.shape();
        let mut add = |name: String, shape: Vec<usize>, values| {
            tensors.push((format!("{}.{name}", split.name()), shape, values));
        };
        add("pictures".into(), vec![n, channels, height, width], Values::Bytes(set.pictures()));
        if let Some(labels) = set.labels() {
            add("labels".into(), vec![n], Values::Words(labels));
        }
        for (number, factor) in set.factors().iter().enumerate() {
            let values = match &factor.values {
                FactorValues::Categorical { values, .. } => Values::Words(values),
                FactorValues::Continuous(values) => Values::Numbers(values),
            };
            add(format!("factor.{number}"), vec![n], values);
        }
    }
    // The widest first, so that every tensor begins at a multiple of its own width.
    tensors.sort_by_key(|(_, _, values)| std::cmp::Reverse(values.kind().bitsize()));
    let header = header(&about, &tensors).map_err(|reason| refuse(&reason, "shorten its names"))?;
    let new = NewFile::write(path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        tensors.iter().try_for_each(|(_, _, values)| values.write(out))
    })?;
    new.place()
}

/// The header of a file of these tensors, filled up to a multiple of eight bytes.
fn header(about: &About, tensors: &[(String, Vec<usize>, Values)]) -> Result<Vec<u8>, String> {
    let mut end = 0;
    let infos = tensors.iter().map(|(name, shape, values)| {
        let begin = end;
        end += values.size();
        let (dtype, shape) = (values.kind(), shape.clone());
        (name.clone(), TensorInfo { dtype, shape, data_offsets: (begin, end) })
    });
    let infos = infos.collect();
    let about = serde_json::to_string(about).map_err(|error| error.to_string())?;
    let metadata = Metadata::new(Some(HashMap::from([(KEY.to_string(), about)])), infos);
    let metadata = metadata.map_err(|error| error.to_string())?;
    let mut header = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() as u64 > LONGEST_HEADER {
        return Err(format!("its names need {} bytes of at most {LONGEST_HEADER}", header.len()));
    }
    Ok(header)
}

/// Reads a split of a set that [`write_stored`] wrote, under the set's own name.
///
/// # Errors
/// When the file cannot be read, is not of this form, is cut short or too long, or its parts do not fit each other.
pub fn load_stored(path: &Path, split: Split) -> Result<ImageSet, DataError> {
    let mut stored = Stored::open(path)?;
    let name = |what: &str| format!("{}.{what}", split.name());
    let (shape, pictures) = stored.tensor(&name("pictures"), Dtype::U8)?;
    let [n, channels, height, width] = shape[..] else {
        return Err(malformed(path, format!("its pictures are {shape:?}, not [n, channels, height, width]")));
    };
    let About { name: set, classes, factors, .. } = stored.about()?;
    let labels = match classes {
        None => None,
        Some(class_names) => Some(Labels { values: stored.words(&name("labels"))?, class_names }),
    };
    let mut read = |(number, factor): (usize, AboutFactor)| {
        let tensor = name(&format!("factor.{number}"));
        let values = match factor.values {
            Some(names) => FactorValues::Categorical { names, values: stored.words(&tensor)? },
            None => {
                let (_, bytes) = stored.tensor(&tensor, Dtype::F32)?;
                let (words, _) = bytes.as_chunks();
                FactorValues::Continuous(words.iter().map(|&word| f32::from_le_bytes(word)).collect())
            }
        };
        Ok(Factor { name: factor.name, values })
    };
    let factors = factors.into_iter().enumerate().map(&mut read).collect::<Result<_, DataError>>()?;
    let set = ImageSet::new(set, [channels, height, width], pictures, labels, factors)
        .map_err(|error| malformed(path, error.to_string()))?;
    if set.len() != n {
        return Err(malformed(path, format!("its pictures are {shape:?}, but hold {}", set.len())));
    }
    Ok(set)
}

/// An open file and its header.
struct Stored<'a> {
    path: &'a Path,
    file: BufReader<File>,
    /// Where the first tensor begins, in bytes.
    begin: u64,
    header: Metadata,
}

impl<'a> Stored<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let (mut file, length) = open(path)?;
        let Some(rest) = length.checked_sub(8) else {
            return Err(malformed(path, format!("its {length} bytes are no safetensors file")));
        };
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|source| unreadable(path, source))?;
        let size = u64::from_le_bytes(size);
        if size > rest.min(LONGEST_HEADER) {
            let reason = format!("it claims a header of {size} bytes: it is no safetensors file of ours");
            return Err(malformed(path, reason));
        }
        let mut text = vec![0; size as usize];
        file.read_exact(&mut text).map_err(|source| unreadable(path, source))?;
        let header: Metadata = serde_json::from_slice(&text)
            .map_err(|error| malformed(path, format!("it has no header of a safetensors file ({error})")))?;
        let begin = 8 + size;
        let promised = begin.checked_add(header.data_len() as u64);
        if promised != Some(length) {
            let reason = format!(
                "it is {length} bytes long, {begin} of them header, which says {} of data",
                header.data_len()
            );
            return Err(malformed(path, reason));
        }
        Ok(Self { path, file, begin, header })
    }

    fn about(&self) -> Result<About, DataError> {
        let text = self.header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let Some(text) = text else {
            return Err(malformed(self.path, "it is a safetensors file, but holds no data set".to_string()));
        };
        let about: About = serde_json::from_str(text)
            .map_err(|error| malformed(self.path, format!("its metadata make no sense ({error})")))?;
        if about.data_set != VERSION {
            let reason = format!("it is of version {}, and only {VERSION} is read", about.data_set);
            return Err(malformed(self.path, reason));
        }
        Ok(about)
    }

    /// Shape and bytes of a tensor.
    fn tensor(&mut self, name: &str, kind: Dtype) -> Result<(Vec<usize>, Vec<u8>), DataError> {
        let Some(info) = self.header.info(name) else {
            return Err(malformed(self.path, format!("it holds no tensor '{name}'")));
        };
        if info.dtype != kind {
            let reason = format!("its tensor '{name}' is of type {}, not {kind}", info.dtype);
            return Err(malformed(self.path, reason));
        }
        let (begin, end) = info.data_offsets;
        let length = (end - begin) as u64;
        let mut bytes = room(length).map_err(|reason| malformed(self.path, reason))?;
        let begin = self.begin + begin as u64;
        let read = self.file.seek(SeekFrom::Start(begin));
        let read = read.and_then(|_| (&mut self.file).take(length).read_to_end(&mut bytes));
        read.map_err(|source| unreadable(self.path, source))?;
        Ok((info.shape.clone(), bytes))
    }

    /// A tensor of whole numbers.
    fn words(&mut self, name: &str) -> Result<Vec<u16>, DataError> {
        let (_, bytes) = self.tensor(name, Dtype::U16)?;
        let (words, _) = bytes.as_chunks();
        Ok(words.iter().map(|&word| u16::from_le_bytes(word)).collect())
    }
}

fn malformed(path: &Path, reason: String) -> DataError {
    let remedy = "store the set again, or get the file again from where it came".to_string();
    DataError::Malformed { path: path.to_path_buf(), reason, remedy }
}
