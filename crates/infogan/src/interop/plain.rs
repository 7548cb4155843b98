//! Safetensors of any program: the header is checked as strictly as in checkpoints, more types are read.

use safetensors::Dtype as Type;

use super::{
    NamedTensor, check_name, elements,
    error::{Fault, refused},
    storage::{Budget, Dtype, StorageRef, TensorRef},
};
use crate::train::checkpoint::checked_tensors;

/// The tensors of a file. The format keeps no order, so they come by module, `main.2` before `main.10`, and in a module
/// as PyTorch has them: that is the order of a `Sequential`.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<NamedTensor>, Fault> {
    let tensors = checked_tensors(bytes).map_err(Fault::Damaged)?;
    let mut budget = Budget::new(bytes.len(), false);
    let mut found = Vec::new();
    for (name, view) in tensors.iter() {
        check_name(name)?;
        let Some(dtype) = dtype(view.dtype()) else {
            return refused(format!("the tensor {name} has the type {}, which is not read", view.dtype()));
        };
        let shape = view.shape().to_vec();
        let count = elements(&shape).ok_or_else(|| {
            Fault::Damaged(format!("the tensor {name} has too many dimensions: {}", shape.len()))
        })?;
        let mut strides = vec![1_usize; shape.len()];
        for dimension in (1..shape.len()).rev() {
            // A tensor of no elements may have any other sides.
            strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension].max(1));
        }
        let storage = StorageRef { dtype, key: String::new(), elements: count };
        let view_of_all = TensorRef { storage, offset: 0, shape, strides };
        let tensor = budget.gather(name, &view_of_all, view.data())?;
        found.push(NamedTensor { name: name.to_owned(), tensor });
    }
    found.sort_by(|left, right| order(&left.name).cmp(&order(&right.name)));
    Ok(found)
}

fn dtype(of: Type) -> Option<Dtype> {
    Some(match of {
        Type::F64 => Dtype::F64,
        Type::F32 => Dtype::F32,
        Type::F16 => Dtype::F16,
        Type::BF16 => Dtype::Bf16,
        Type::I64 => Dtype::I64,
        Type::I32 => Dtype::I32,
        Type::I16 => Dtype::I16,
        Type::I8 => Dtype::I8,
        Type::U8 => Dtype::U8,
        Type::BOOL => Dtype::Bool,
        _ => return None,
    })
}

/// The parts of a module's name, whole numbers first and by size; then the tensor in it, in PyTorch's order.
fn order(name: &str) -> (Vec<(u64, &str)>, usize, &str) {
    const WITHIN: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];
    let (module, tensor) = name.rsplit_once('.').unwrap_or(("", name));
    let parts = module.split('.').map(|part| (part.parse().unwrap_or(u64::MAX), part)).collect();
    (parts, WITHIN.iter().position(|&known| known == tensor).unwrap_or(WITHIN.len()), tensor)
}
