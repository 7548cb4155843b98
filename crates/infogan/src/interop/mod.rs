//! Weights that other programs wrote, read without running anything that is in the file.
//!
//! [`read_weights`] takes PyTorch's `.pth` and `.pt` (its zip format and the legacy one before it) and safetensors;
//! which of them a file is, its first bytes say. A `.pth` is a *pickle*: a program for a small stack machine that may
//! name any Python function. Ours knows the few functions that put tensors together and refuses every other by name.
//!
//! | file | reads |
//! |---|---|
//! | `archive` | zip archives whose entries lie uncompressed |
//! | `pickle`, `opcodes` | the stack machine and what it may name |
//! | `walk` | names of tensors in what the machine left |
//! | `storage` | numbers of a tensor out of the bytes it shares with others |
//! | `torch` | both of PyTorch's formats, from the four above |
//! | `plain` | safetensors |
//! | [`matching`] | which tensor of a file is which of a game |

mod archive;
mod error;
pub mod matching;
mod opcodes;
mod pickle;
mod plain;
mod storage;
mod torch;
mod walk;

pub use error::InteropError;
use error::{Attach, Fault};

use std::{io::ErrorKind, path::Path};

use crate::train::checkpoint::{FILE_LIMIT, HostTensor, read_file};

/// Longest name of a tensor, in bytes.
const NAME_LIMIT: usize = 512;
/// Most dimensions of a tensor.
const RANK_LIMIT: usize = 8;

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Its name, dots between the levels of nested dictionaries.
    pub name: String,
    /// Shape and values, whatever type they had in the file. A value may be infinite or NaN here.
    pub tensor: HostTensor,
}

/// All tensors of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// In the order of the file; safetensors keeps none, so there it is that of the modules' names, numbers by size.
    pub tensors: Vec<NamedTensor>,
}

/// Reads the tensors of a `.pth`, `.pt` or `.safetensors` file of at most 16 GiB. Nothing in the file is executed, and
/// no more memory is taken than its length allows (nine times that).
///
/// # Errors
/// [`InteropError`] with the file, what is wrong with it and what to do.
pub fn read_weights(path: &Path) -> Result<Weights, InteropError> {
    let bytes = read_file(path, FILE_LIMIT).map_err(|source| match source.kind() {
        ErrorKind::InvalidData => Fault::Damaged(source.to_string()).of(path),
        _ => InteropError::Io { path: path.to_owned(), source },
    })?;
    let tensors = decode(&bytes).attach(path)?;
    Ok(Weights { tensors })
}

/// The tensors in the bytes of a file.
fn decode(bytes: &[u8]) -> Result<Vec<NamedTensor>, Fault> {
    match kind(bytes) {
        Some(Kind::Zip) => torch::read_archive(bytes),
        Some(Kind::Legacy) => torch::read_legacy(bytes),
        Some(Kind::Safetensors) => plain::read(bytes),
        None => Err(Fault::Unknown),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Legacy,
    Safetensors,
}

/// The format, by content.
fn kind(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(Kind::Zip);
    }
    if bytes.starts_with(&torch::LEGACY_START) {
        return Some(Kind::Legacy);
    }
    // A length of eight bytes, then JSON.
    bytes.get(8).filter(|&&byte| byte == b'{').map(|_| Kind::Safetensors)
}

/// Refuses what cannot be the name of a tensor: it would be printed, and a terminal obeys control characters.
fn check_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.len() > NAME_LIMIT || name.chars().any(char::is_control) {
        let shown: String = name.chars().take(40).collect();
        return Err(Fault::Damaged(format!(
            "{shown:?} cannot name a tensor (1 to {NAME_LIMIT} bytes, no control characters)"
        )));
    }
    Ok(())
}

/// Elements of a shape, if it has not too many dimensions and the product can be counted.
fn elements(shape: &[usize]) -> Option<usize> {
    let product = || shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    if shape.len() > RANK_LIMIT { None } else { product() }
}

#[cfg(test)]
mod tests;
