//! Every operation and all its gradients on every device of this machine beside the CPU, against the CPU's kernels.
//! Without such a device the tests say so and pass.
#![cfg(feature = "cube")]

mod common;

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};
use common::{
    ACTIVATIONS, distance, numbers,
    tape::{Any, Input, outcome},
    window,
};
use infogan_ops::{
    Activation, AdamOptions, Statistics, activate, adam, add, batch_norm, conv_transpose2d, conv2d,
    device::{self, DeviceError, KINDS},
    flatten, linear, squares_finite, unflatten,
};

/// A device and how far it may be from the CPU.
struct Tested {
    name: &'static str,
    device: Device,
    limit: f64,
}

/// The first device of every kind in this build that this machine has.
fn devices() -> &'static [Tested] {
    static ALL: OnceLock<Vec<Tested>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = Vec::new();
        for name in KINDS {
            match device::resolve(name) {
                Ok(device) => {
                    println!("testing {name}: {}", device::describe(&device));
                    // CUDA multiplies matrices in TF32, which keeps ten bits of a fraction.
                    all.push(Tested { name, device, limit: if name == "cuda" { 1e-3 } else { 1e-5 } });
                }
                Err(DeviceError::NotBuilt { .. }) => {}
                Err(error @ DeviceError::NoneFound { .. }) => println!("skipped: {error}"),
                Err(error) => panic!("{error}"),
            }
        }
        all
    })
}

fn close(tested: &Tested, what: &str, ours: &[f32], reference: &[f32]) {
    let reference: Vec<f64> = reference.iter().map(|x| f64::from(*x)).collect();
    let off = distance(ours, &reference);
    assert!(off <= tested.limit, "{what}: {} is {off:.1e} from the CPU", tested.name);
}

/// Compares devices for all inputs tracked, for each alone, and for none.
fn agree<const D: usize>(what: &str, shapes: &[&[usize]], operation: &dyn Fn(&[Any]) -> Tensor<D>) {
    for tested in devices() {
        let every = (0..shapes.len()).map(|only| vec![only]);
        for tracked in [(0..shapes.len()).collect(), Vec::new()].into_iter().chain(every) {
            let inputs: Vec<Input> = (shapes.iter().enumerate())
                .map(|(number, shape)| (shape.to_vec(), tracked.contains(&number)))
                .collect();
            let reference = outcome(&Device::flex(), &inputs, operation);
            let ours = outcome(&tested.device, &inputs, operation);
            assert_eq!(ours.len(), reference.len(), "{what}: gradients");
            for (number, (ours, reference)) in ours.iter().zip(&reference).enumerate() {
                close(tested, &format!("{what}, tracked {tracked:?}, number {number}"), ours, reference);
            }
        }
    }
}

/// Numbers on the device of the inputs.
fn beside(t: &[Any], values: Vec<f32>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), &t[0].flat.device().inner())
}

#[test]
fn convolutions() {
    let shapes = [
        (window(4, 2, 1, 1), [2, 64, 14, 14], 128, 1),
        (window(4, 2, 1, 1), [3, 1, 28, 28], 64, 1),
        (window(4, 2, 1, 1), [2, 5, 9, 11], 7, 1), // rows behind the last window
        (window(5, 2, 1, 2), [2, 3, 8, 8], 9, 1),  // uneven padding
        (window(5, 2, 2, 1), [2, 3, 8, 8], 9, 1),
        (window(3, 1, 1, 1), [2, 12, 6, 5], 8, 2), // groups
        (window(3, 3, 0, 0), [2, 4, 10, 10], 4, 4),
        (window(1, 1, 0, 0), [2, 17, 4, 4], 10, 1),
    ];
    for (number, (window, [batch, from, height, width], to, groups)) in shapes.into_iter().enumerate() {
        let what = format!("{window:?}, {from} to {to} channels in {groups} groups");
        let activation = ACTIVATIONS[number % 5];
        let (k, big) = (window.kernel, [batch, from, height, width]);
        let weight = [to, from / groups, k, k];
        agree::<4>(&format!("down, {what}"), &[&big, &weight, &[to]], &|t| {
            conv2d(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), window, groups, activation)
        });
        agree::<4>(&format!("down without bias, {what}"), &[&big, &weight], &|t| {
            conv2d(t[0].as_rank(), t[1].as_rank(), None, window, groups, Activation::Identity)
        });
        let small = [batch, to, window.down(height).unwrap(), window.down(width).unwrap()];
        agree::<4>(&format!("up, {what}"), &[&small, &weight, &[from]], &|t| {
            conv_transpose2d(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), window, groups, activation)
        });
        agree::<4>(&format!("up without bias, {what}"), &[&small, &weight], &|t| {
            conv_transpose2d(t[0].as_rank(), t[1].as_rank(), None, window, groups, Activation::Identity)
        });
    }
}

#[test]
fn linear_maps() {
    let shapes = [[64, 300, 70], [3, 40, 50], [33, 65, 1], [1, 7, 1], [8, 1024, 1]];
    for (number, [batch, inputs, outputs]) in shapes.into_iter().enumerate() {
        let activation = ACTIVATIONS[4 - number];
        let what = format!("linear {batch} × {inputs} to {outputs}");
        let (x, weight) = ([batch, inputs], [outputs, inputs]);
        agree::<2>(&what, &[&x, &weight, &[outputs]], &|t| {
            linear(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), activation)
        });
        agree::<2>(&format!("{what} without bias"), &[&x, &weight], &|t| {
            linear(t[0].as_rank(), t[1].as_rank(), None, activation)
        });
    }
}

fn norm<const D: usize>(t: &[Any], statistics: Statistics, activation: Activation) -> Tensor<D> {
    batch_norm(t[0].as_rank(), t[1].as_rank(), t[2].as_rank(), statistics, 1e-5, activation).0
}

#[test]
fn batch_norms() {
    for (number, groups) in [1, 2, 3].into_iter().enumerate() {
        let activation = ACTIVATIONS[number + 2];
        let statistics = || Statistics::Batch { groups };
        let what = |of: &str| format!("norm of {of} in {groups} groups");
        agree::<2>(&what("vectors"), &[&[48, 130], &[130], &[130]], &|t| norm(t, statistics(), activation));
        agree::<4>(&what("maps"), &[&[6, 20, 7, 5], &[20], &[20]], &|t| norm(t, statistics(), activation));
        for part in 0..groups {
            agree::<1>(&what("maps, moments"), &[&[6, 20, 7, 5], &[20], &[20]], &|t| {
                let x = t[0].as_rank::<4>();
                let (y, moments) =
                    batch_norm(x, t[1].as_rank(), t[2].as_rank(), statistics(), 1e-5, activation);
                let moments =
                    Tensor::cat(vec![moments[part].mean.clone(), moments[part].variance.clone()], 0);
                // Constants beside something tracked, so that there is a tape to walk.
                let tape = y.sum() * 0.0;
                tape.clone() + if tape.is_autodiff() { moments.autodiff() } else { moments }
            });
        }
    }
    let (mean, variance) = (numbers(5, 20), numbers(6, 20).iter().map(|x| x * x + 0.1).collect::<Vec<_>>());
    agree::<4>("norm by given statistics", &[&[6, 20, 7, 5], &[20], &[20]], &|t| {
        let statistics =
            Statistics::Given { mean: beside(t, mean.clone()), variance: beside(t, variance.clone()) };
        norm(t, statistics, Activation::Tanh)
    });
}

#[test]
fn layouts_activations_and_sums() {
    let convolved =
        |t: &[Any]| conv2d(t[0].as_rank(), t[1].as_rank(), None, window(3, 1, 1, 1), 1, Activation::Identity);
    let shapes: [&[usize]; 2] = [&[3, 4, 5, 6], &[7, 4, 3, 3]];
    agree::<2>("flatten", &shapes, &|t| flatten(convolved(t)));
    for activation in ACTIVATIONS {
        agree::<4>(&format!("flatten and back, {activation:?}"), &shapes, &|t| {
            activate(unflatten(flatten(convolved(t)), [7, 5, 6]), activation)
        });
    }
    agree::<4>("a residual block", &shapes, &|t| {
        add(convolved(t), activate(convolved(t), Activation::LeakyRelu(0.2)))
    });
    agree::<4>("half of a batch", &[&[4, 4, 5, 6], &[7, 4, 3, 3]], &|t| {
        let half = convolved(t).narrow(0, 2, 2);
        let (one, zero) = (beside(t, vec![1.0; 7]), beside(t, vec![0.0; 7]));
        batch_norm(half, one, zero, Statistics::Batch { groups: 1 }, 1e-5, Activation::Sigmoid).0
    });
}

#[test]
fn optimisers() {
    let options = AdamOptions { beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
    let count = 1000;
    let run = |device: &Device| -> Vec<Vec<f32>> {
        let tensor = |values: Vec<f32>| Tensor::<1>::from_data(TensorData::new(values, [count]), device);
        let zeros = || tensor(vec![0.0; count]);
        let mut state = (tensor(numbers(1, count)), zeros(), zeros());
        for step in 1..=5 {
            let gradient = tensor(numbers(1 + step, count));
            state = adam(state.0, gradient, state.1, state.2, step, 1e-3, &options);
        }
        [state.0, state.1, state.2].map(|x| x.into_data().try_into_vec().unwrap()).to_vec()
    };
    let reference = run(&Device::flex());
    for tested in devices() {
        for (what, (ours, reference)) in
            ["parameter", "first", "second"].iter().zip(run(&tested.device).iter().zip(&reference))
        {
            close(tested, &format!("adam, {what}"), ours, reference);
        }
        for (odd, finite) in
            [(1.0, true), (f32::NAN, false), (f32::INFINITY, false), (-f32::INFINITY, false), (1e30, false)]
        {
            let mut values = numbers(1, count);
            values[count / 2] = odd;
            let tensor = Tensor::<1>::from_data(TensorData::new(values, [count]), &tested.device);
            assert_eq!(squares_finite(&tensor), finite, "{odd} on {}", tested.name);
        }
    }
}
