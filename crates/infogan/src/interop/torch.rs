//! PyTorch's files: since version 1.6 a zip archive, before that pickles and numbers one after the other.

use std::collections::BTreeMap;

use super::{
    NamedTensor,
    archive::{Archive, clip},
    error::{Fault, damaged, refused},
    opcodes::Value,
    pickle::Pickle,
    storage::{Budget, StorageRef, TensorRef},
    walk,
};

/// First bytes of the legacy format: protocol 2, and the number that PyTorch chose.
pub(super) const LEGACY_START: [u8; 14] =
    [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// Version of the legacy format.
const LEGACY_PROTOCOL: i128 = 1001;

/// Tensors of a zip archive: `NAME/data.pkl`, `NAME/data/KEY` for every storage, perhaps `NAME/byteorder`.
pub(super) fn read_archive(bytes: &[u8]) -> Result<Vec<NamedTensor>, Fault> {
    let archive = Archive::new(bytes)?;
    let mut roots = archive.names().filter_map(|name| name.strip_suffix("data.pkl"));
    let (Some(root), None) = (roots.next(), roots.next()) else {
        return refused("is a zip archive without one data.pkl, so PyTorch did not write it");
    };
    let big_endian = match archive.get(&format!("{root}byteorder")) {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(_) => return damaged("its entry byteorder says neither little nor big"),
    };
    let pickle = Pickle::read(archive.get(&format!("{root}data.pkl")).unwrap_or_default())?;
    let mut budget = Budget::new(bytes.len(), big_endian);
    let views = walk::tensors(&pickle)?;
    gather(views, &mut budget, |storage| match archive.get(&format!("{root}data/{}", storage.key)) {
        Some(bytes) => Ok(bytes),
        None => damaged(format!("has no entry data/{}", clip(&storage.key).escape_debug())),
    })
}

/// Tensors of a legacy file: magic number, version, system, the object, keys of the storages; then each storage as
/// its number of elements and the elements.
pub(super) fn read_legacy(bytes: &[u8]) -> Result<Vec<NamedTensor>, Fault> {
    let mut rest = bytes;
    let mut next = || {
        let pickle = Pickle::read(rest)?;
        rest = &rest[pickle.length..];
        Ok(pickle)
    };
    let (_, version, system, object, keys) = (next()?, next()?, next()?, next()?, next()?);
    if *version.root() != Value::Int(LEGACY_PROTOCOL) {
        return refused("is of a version of PyTorch's legacy format that is not known here");
    }
    let big_endian = is_big_endian(&system);
    let mut claimed = BTreeMap::new();
    for value in &object.values {
        if let Value::Storage(storage) = value
            && claimed.insert(storage.key.as_str(), storage).is_some_and(|other| other != storage)
        {
            return damaged(format!("claims two things of the storage {}", storage.key.escape_debug()));
        }
    }
    let Value::List(listed) = keys.root() else { return damaged("lacks the list of its storages") };
    let mut storages: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for &key in listed {
        let Value::Text(key) = &keys.values[key] else { return damaged("names a storage by no text") };
        let Some(storage) = claimed.get(key.as_str()) else {
            return damaged(format!("lists the storage {}, which nothing uses", clip(key).escape_debug()));
        };
        let numbers = split_storage(&mut rest, storage, big_endian)?;
        if storages.insert(key, numbers).is_some() {
            return damaged(format!("lists the storage {} twice", key.escape_debug()));
        }
    }
    let mut budget = Budget::new(bytes.len(), big_endian);
    let views = walk::tensors(&object)?;
    gather(views, &mut budget, |storage| match storages.get(storage.key.as_str()) {
        Some(bytes) => Ok(*bytes),
        None => damaged(format!("does not list the storage {}", storage.key.escape_debug())),
    })
}

/// Takes one storage from the front.
fn split_storage<'a>(rest: &mut &'a [u8], storage: &StorageRef, big_endian: bool) -> Result<&'a [u8], Fault> {
    let parts = rest.split_first_chunk::<8>().and_then(|(count, after)| {
        let count = if big_endian { u64::from_be_bytes(*count) } else { u64::from_le_bytes(*count) };
        let length = storage.elements.checked_mul(storage.dtype.width())?;
        (count == storage.elements as u64).then(|| after.split_at_checked(length))?
    });
    let Some((numbers, after)) = parts else {
        return damaged(format!(
            "the storage {} does not have the {} elements that it is said to have",
            storage.key.escape_debug(),
            storage.elements
        ));
    };
    *rest = after;
    Ok(numbers)
}

/// What the dictionary about the writing machine says; little where it says nothing.
fn is_big_endian(system: &Pickle) -> bool {
    let Value::Dict(pairs) = system.root() else { return false };
    pairs.iter().any(|&(key, value)| {
        system.values[key] == Value::Text("little_endian".to_owned())
            && system.values[value] == Value::Bool(false)
    })
}

/// Tensors of views, each from the bytes of its storage.
fn gather<'a>(
    views: Vec<(String, TensorRef)>,
    budget: &mut Budget,
    bytes: impl Fn(&StorageRef) -> Result<&'a [u8], Fault>,
) -> Result<Vec<NamedTensor>, Fault> {
    let tensor = |(name, view): (String, TensorRef)| {
        let tensor = budget.gather(&name, &view, bytes(&view.storage)?)?;
        Ok(NamedTensor { name, tensor })
    };
    views.into_iter().map(tensor).collect()
}
