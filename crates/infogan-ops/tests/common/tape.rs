//! An operation on the tape: its result and all its gradients, as numbers.

use burn::tensor::{Device, Tensor, TensorData};

use super::numbers;

/// An input of an operation: its shape and whether it is tracked.
pub type Input = (Vec<usize>, bool);

/// A tensor whose rank is not in its type.
#[derive(Clone)]
pub struct Any {
    pub flat: Tensor<1>,
    pub shape: Vec<usize>,
}

impl Any {
    pub fn as_rank<const D: usize>(&self) -> Tensor<D> {
        let shape: [usize; D] = self.shape.as_slice().try_into().expect("the rank");
        self.flat.clone().reshape(shape)
    }
}

/// Result and gradients of an operation, each row-major.
pub fn outcome<const D: usize>(
    device: &Device,
    inputs: &[Input],
    operation: &dyn Fn(&[Any]) -> Tensor<D>,
) -> Vec<Vec<f32>> {
    let tensors: Vec<Any> = (inputs.iter().enumerate())
        .map(|(number, (shape, tracked))| {
            let count = shape.iter().product();
            let values = numbers(number as u64 + 1, count);
            let flat = Tensor::<1>::from_data(TensorData::new(values, [count]), device);
            let flat = if *tracked { flat.autodiff().require_grad() } else { flat };
            Any { flat, shape: shape.clone() }
        })
        .collect();
    let y = operation(&tensors);
    let values = |data: TensorData| data.try_into_vec::<f32>().expect("numbers");
    let mut all = vec![values(y.clone().into_data())];
    if inputs.iter().any(|(_, tracked)| *tracked) {
        // A loss whose gradient differs from element to element.
        let shape = y.dims();
        let count = shape.iter().product();
        let weights = Tensor::<1>::from_data(TensorData::new(numbers(99, count), [count]), device);
        let gradients = (y * weights.reshape(shape).autodiff()).sum().backward();
        for tensor in &tensors {
            if let Some(gradient) = tensor.flat.grad(&gradients) {
                all.push(values(gradient.into_data()));
            }
        }
    }
    all
}
