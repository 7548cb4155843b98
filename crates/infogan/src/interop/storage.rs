//! Numbers of a tensor out of a storage: the bytes that it may share with other tensors.

use half::{bf16, f16};

use super::{
    elements,
    error::{Fault, damaged},
};
use crate::train::checkpoint::HostTensor;

/// How much longer all tensors of a file together may be than the file, in bytes of `f32` for each byte. Numbers of
/// one byte become four; tensors that share their numbers (tied weights) are copied.
const GROWTH_LIMIT: usize = 8;

/// Types of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Dtype {
    /// The type that one of PyTorch's storage classes stands for.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub(super) fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// A number of up to eight bytes, lowest byte first, as the nearest `f32`.
    fn to_f32(self, raw: u64) -> f32 {
        match self {
            Self::F64 => f64::from_bits(raw) as f32,
            Self::F32 => f32::from_bits(raw as u32),
            Self::F16 => f16::from_bits(raw as u16).to_f32(),
            Self::Bf16 => bf16::from_bits(raw as u16).to_f32(),
            Self::I64 => raw.cast_signed() as f32,
            Self::I32 => (raw as u32).cast_signed() as f32,
            Self::I16 => f32::from((raw as u16).cast_signed()),
            Self::I8 => f32::from((raw as u8).cast_signed()),
            Self::U8 | Self::Bool => f32::from(raw as u8),
        }
    }
}

/// Numbers outside the pickle, by key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StorageRef {
    pub(super) dtype: Dtype,
    pub(super) key: String,
    /// How many numbers it claims to hold.
    pub(super) elements: usize,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TensorRef {
    pub(super) storage: StorageRef,
    /// First element.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Elements from one index to the next, for each dimension.
    pub(super) strides: Vec<usize>,
}

/// Turns views into tensors, and keeps count of the memory they take.
#[derive(Debug)]
pub(super) struct Budget {
    big_endian: bool,
    left: usize,
}

impl Budget {
    /// For a file of this many bytes.
    pub(super) fn new(file: usize, big_endian: bool) -> Self {
        Self { big_endian, left: file.saturating_mul(GROWTH_LIMIT) }
    }

    /// Takes memory for so many elements.
    pub(super) fn spend(&mut self, elements: usize) -> Result<(), Fault> {
        let left = elements.checked_mul(4).and_then(|bytes| self.left.checked_sub(bytes));
        match left {
            Some(left) => self.left = left,
            None => {
                return damaged(format!(
                    "its tensors claim more than {GROWTH_LIMIT} times the memory of the whole file"
                ));
            }
        }
        Ok(())
    }

    /// Row-major values of a view of `bytes`, which must be the whole storage.
    pub(super) fn gather(&mut self, name: &str, view: &TensorRef, bytes: &[u8]) -> Result<HostTensor, Fault> {
        let TensorRef { storage: StorageRef { dtype, elements: held, .. }, offset, shape, strides } = view;
        if held.checked_mul(dtype.width()) != Some(bytes.len()) {
            return damaged(format!(
                "the numbers of the tensor {name} claim {held} elements of {} bytes and have {} bytes",
                dtype.width(),
                bytes.len()
            ));
        }
        let Some(count) = elements(shape).filter(|_| shape.len() == strides.len()) else {
            return damaged(format!(
                "the tensor {name} has the impossible shape {shape:?}, strides {strides:?}"
            ));
        };
        let mut values = Vec::new();
        if count > 0 {
            let mut steps = shape.iter().zip(strides).map(|(&side, &stride)| (side - 1).checked_mul(stride));
            let last = steps.try_fold(*offset, |last, step| last.checked_add(step?));
            // An index that no dimension moves would make many elements of one.
            if last.is_none_or(|last| last >= *held) || count > *held {
                return damaged(format!(
                    "the tensor {name} of shape {shape:?} reaches beyond the {held} elements it is given"
                ));
            }
            self.spend(count)?;
            values.reserve_exact(count);
            let mut index = vec![0_usize; shape.len()];
            let mut at = *offset;
            for _ in 0..count {
                values.push(self.number(*dtype, bytes, at));
                for dimension in (0..shape.len()).rev() {
                    index[dimension] += 1;
                    at += strides[dimension];
                    if index[dimension] < shape[dimension] {
                        break;
                    }
                    at -= strides[dimension] * shape[dimension];
                    index[dimension] = 0;
                }
            }
        }
        Ok(HostTensor { shape: shape.clone(), values })
    }

    fn number(&self, dtype: Dtype, bytes: &[u8], at: usize) -> f32 {
        let width = dtype.width();
        let number = &bytes[at * width..(at + 1) * width];
        let fold = |raw: u64, byte: &u8| raw << 8 | u64::from(*byte);
        dtype.to_f32(if self.big_endian {
            number.iter().fold(0, fold)
        } else {
            number.iter().rev().fold(0, fold)
        })
    }
}
