//! One section as the bytes of one safetensors file, and back.
//!
//! The `safetensors` crate writes and checks the format. Stricter here: a tensor described twice, another type
//! than `F32`, more than eight dimensions, a value that is not finite and a header above 16 MiB are refused.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use safetensors::{Dtype, SafeTensors, View};
use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

use super::{HostSection, HostTensor};

/// Longest header read or written, in bytes.
pub(super) const HEADER_LIMIT: u64 = 16 << 20;
/// Largest file read or written, in bytes.
pub(crate) const FILE_LIMIT: u64 = 16 << 30;
/// Most dimensions of a tensor.
pub(super) const RANK_LIMIT: usize = 8;
/// Longest name of a tensor, in bytes.
pub(super) const NAME_LIMIT: usize = 512;

struct Borrowed<'a>(&'a HostTensor);

impl View for Borrowed<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        4 * self.0.values.len()
    }
}

/// The bytes of a file that holds these tensors. The same tensors give the same bytes: names are sorted.
pub(super) fn encode<'a>(
    tensors: impl Iterator<Item = (&'a String, &'a HostTensor)>,
) -> Result<Vec<u8>, String> {
    // Some readers in Python ask for this entry before they hand the tensors to PyTorch.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let views = tensors.map(|(name, tensor)| (name.as_str(), Borrowed(tensor)));
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())?;
    header(&bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(format!("needs a file of more than {FILE_LIMIT} bytes"));
    }
    Ok(bytes)
}

/// The tensors of a file as it describes them, every one of them once and inside the file, without gap or overlap.
pub(crate) fn checked_tensors(bytes: &[u8]) -> Result<SafeTensors<'_>, String> {
    let header = header(bytes)?;
    let mut json = serde_json::Deserializer::from_slice(header);
    json.deserialize_map(UniqueKeys)
        .and_then(|()| json.end())
        .map_err(|error| format!("its header is damaged: {error}"))?;
    SafeTensors::deserialize(bytes).map_err(|error| error.to_string())
}

/// The tensors of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<HostSection, String> {
    let tensors = checked_tensors(bytes)?;
    let mut section = HostSection::new();
    for (name, view) in tensors.iter() {
        let (dtype, shape) = (view.dtype(), view.shape());
        if dtype != Dtype::F32 {
            return Err(format!("tensor {name} has type {dtype}, and only F32 is read"));
        }
        if shape.len() > RANK_LIMIT || name.len() > NAME_LIMIT {
            return Err(format!("tensor {name:.80} has too many dimensions or too long a name"));
        }
        let (words, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
        if !all_finite(&values) {
            return Err(format!("tensor {name} holds a value that is not finite"));
        }
        section.insert(name.to_owned(), HostTensor { shape: shape.to_vec(), values });
    }
    Ok(section)
}

/// Whether there is neither a NaN nor an infinity.
pub(super) fn all_finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// The JSON at the start of the file, its length checked against the limit and the file.
fn header(bytes: &[u8]) -> Result<&[u8], String> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err("is shorter than 8 bytes".to_owned());
    };
    let length = u64::from_le_bytes(*length);
    if length > HEADER_LIMIT {
        return Err(format!("its header claims {length} bytes, and at most {HEADER_LIMIT} are read"));
    }
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    header.ok_or_else(|| format!("its header claims {length} bytes, which the file does not have"))
}

/// Refuses a key that comes twice: the crate would keep the last and say nothing.
struct UniqueKeys;

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object that describes tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format!("tensor {name} is described twice")));
            }
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tensors_tests.rs"]
mod tests;
