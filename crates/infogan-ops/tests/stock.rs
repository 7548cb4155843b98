//! Operations on the tape three ways: our kernels, the stock bodies under our backward passes (what a GPU runs), and
//! Burn's own operations under Burn's own backward passes. Results and all gradients must agree.

mod common;

use std::sync::Mutex;

use burn::tensor::{
    Device, FloatDType, Tensor, TensorData, activation,
    module::{
        batch_norm as burn_batch_norm, batch_norm_train, conv_transpose2d as burn_up, conv2d as burn_down,
    },
    ops::{ConvOptions, ConvTransposeOptions},
};
use common::{
    ACTIVATIONS, LIMIT, distance, numbers,
    tape::{Any, Input, outcome},
    window,
};
use infogan_ops::{
    Activation, Statistics, Window, activate, add, batch_norm, conv_transpose2d, conv2d,
    extension::use_stock_bodies, flatten, linear, unflatten,
};

/// Whose bodies run belongs to the process: one comparison at a time.
static BODIES: Mutex<()> = Mutex::new(());

/// Compares the three ways for all inputs tracked, then for each alone.
fn agree<const D: usize>(
    what: &str,
    shapes: &[&[usize]],
    ours: &dyn Fn(&[Any]) -> Tensor<D>,
    burn: &dyn Fn(&[Any]) -> Tensor<D>,
) {
    let _alone = BODIES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for only in std::iter::once(None).chain((0..shapes.len()).map(Some)) {
        let inputs: Vec<Input> = (shapes.iter().enumerate())
            .map(|(number, shape)| (shape.to_vec(), only.is_none_or(|only| only == number)))
            .collect();
        let kernels = outcome(&Device::flex(), &inputs, ours);
        use_stock_bodies(true);
        let stock = outcome(&Device::flex(), &inputs, ours);
        use_stock_bodies(false);
        let reference = outcome(&Device::flex(), &inputs, burn);
        assert_eq!(kernels.len(), reference.len(), "{what}: gradients");
        assert_eq!(stock.len(), reference.len(), "{what}: gradients of stock bodies");
        for (number, reference) in reference.iter().enumerate() {
            let reference: Vec<f64> = reference.iter().map(|x| f64::from(*x)).collect();
            for (name, other) in [("kernels", &kernels), ("stock bodies", &stock)] {
                let off = distance(&other[number], &reference);
                assert!(
                    off <= LIMIT,
                    "{what}, tracked {only:?}: {name}, number {number}, is {off:.1e} from Burn"
                );
            }
        }
    }
}

fn burn_activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        Activation::LeakyRelu(slope) => activation::leaky_relu(x, slope),
        Activation::Tanh => activation::tanh(x),
        Activation::Sigmoid => activation::sigmoid(x),
    }
}

/// Burn's transposed convolution, cut to what an uneven window leaves.
fn burn_up_cut(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
) -> Tensor<4> {
    let even = window.before.min(window.after);
    let options = ConvTransposeOptions::new([window.stride; 2], [even; 2], [0, 0], [1, 1], groups);
    let y = burn_up(x, weight, bias, options);
    let [batch, channels, height, width] = y.dims();
    let (first, last) = (window.before - even, window.after - even);
    y.slice([0..batch, 0..channels, first..height - last, first..width - last])
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
        let padding = [(window.before, window.after); 2];
        let options = ConvOptions::new_with_padding([window.stride; 2], padding, [1, 1], groups);
        let (k, big) = (window.kernel, [batch, from, height, width]);
        let weight = [to, from / groups, k, k];
        agree::<4>(
            &format!("down, {what}"),
            &[&big, &weight, &[to]],
            &|t| conv2d(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), window, groups, activation),
            &|t| {
                let y = burn_down(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), options.clone());
                burn_activate(y, activation)
            },
        );
        agree::<4>(
            &format!("down without bias, {what}"),
            &[&big, &weight],
            &|t| conv2d(t[0].as_rank(), t[1].as_rank(), None, window, groups, Activation::Identity),
            &|t| burn_down(t[0].as_rank(), t[1].as_rank(), None, options.clone()),
        );
        let small = [batch, to, window.down(height).unwrap(), window.down(width).unwrap()];
        agree::<4>(
            &format!("up, {what}"),
            &[&small, &weight, &[from]],
            &|t| {
                conv_transpose2d(
                    t[0].as_rank(),
                    t[1].as_rank(),
                    Some(t[2].as_rank()),
                    window,
                    groups,
                    activation,
                )
            },
            &|t| {
                let y = burn_up_cut(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), window, groups);
                burn_activate(y, activation)
            },
        );
    }
}

#[test]
fn linear_maps() {
    for (number, [batch, inputs, outputs]) in
        [[64, 300, 70], [3, 40, 50], [33, 65, 1]].into_iter().enumerate()
    {
        let activation = ACTIVATIONS[4 - number];
        agree::<2>(
            &format!("linear {batch} × {inputs} to {outputs}"),
            &[&[batch, inputs], &[outputs, inputs], &[outputs]],
            &|t| linear(t[0].as_rank(), t[1].as_rank(), Some(t[2].as_rank()), activation),
            &|t| {
                let y = t[0].as_rank::<2>().matmul(t[1].as_rank::<2>().transpose());
                burn_activate(y + t[2].as_rank::<1>().unsqueeze::<2>(), activation)
            },
        );
    }
}

/// Burn's batch norm, group by group.
fn burn_norm<const D: usize>(t: &[Any], groups: usize, activation: Activation) -> Tensor<D> {
    let x = t[0].as_rank::<D>();
    let size = x.dims()[0] / groups;
    let parts = (0..groups).map(|group| {
        let part = x.clone().narrow(0, group * size, size);
        batch_norm_train(part, t[1].as_rank(), t[2].as_rank(), 1e-5).output
    });
    burn_activate(Tensor::cat(parts.collect(), 0), activation)
}

#[test]
fn batch_norms() {
    for (number, groups) in [1, 2, 3].into_iter().enumerate() {
        let activation = ACTIVATIONS[number + 2];
        let statistics = Statistics::Batch { groups };
        let norm = |x, t: &[Any]| (x, t[1].as_rank(), t[2].as_rank(), statistics.clone());
        agree::<2>(
            &format!("norm of vectors in {groups} groups"),
            &[&[48, 130], &[130], &[130]],
            &|t| {
                let (x, gamma, beta, statistics) = norm(t[0].as_rank::<2>(), t);
                batch_norm(x, gamma, beta, statistics, 1e-5, activation).0
            },
            &|t| burn_norm::<2>(t, groups, activation),
        );
        agree::<4>(
            &format!("norm of maps in {groups} groups"),
            &[&[6, 20, 7, 5], &[20], &[20]],
            &|t| {
                batch_norm(
                    t[0].as_rank::<4>(),
                    t[1].as_rank(),
                    t[2].as_rank(),
                    statistics.clone(),
                    1e-5,
                    activation,
                )
                .0
            },
            &|t| burn_norm::<4>(t, groups, activation),
        );
    }
    // Three dimensions have stock bodies only.
    agree::<3>(
        "norm of three dimensions",
        &[&[6, 9, 5], &[9], &[9]],
        &|t| {
            let statistics = Statistics::Batch { groups: 2 };
            batch_norm(
                t[0].as_rank::<3>(),
                t[1].as_rank(),
                t[2].as_rank(),
                statistics,
                1e-5,
                Activation::Tanh,
            )
            .0
        },
        &|t| burn_norm::<3>(t, 2, Activation::Tanh),
    );
    let (mean, variance) = (numbers(5, 20), numbers(6, 20).iter().map(|x| x * x + 0.1).collect::<Vec<_>>());
    let given =
        |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [20]), &Device::flex());
    agree::<4>(
        "norm by given statistics",
        &[&[6, 20, 7, 5], &[20], &[20]],
        &|t| {
            let statistics = Statistics::Given { mean: given(&mean), variance: given(&variance) };
            batch_norm(
                t[0].as_rank::<4>(),
                t[1].as_rank(),
                t[2].as_rank(),
                statistics,
                1e-5,
                Activation::Tanh,
            )
            .0
        },
        &|t| {
            let (mean, variance) = (given(&mean).autodiff(), given(&variance).autodiff());
            let lift = |x: Tensor<1>| if x.is_autodiff() { x } else { x.autodiff() };
            let x = t[0].as_rank::<4>();
            let x = if x.is_autodiff() { x } else { x.autodiff() };
            let y = burn_batch_norm(x, lift(t[1].as_rank()), lift(t[2].as_rank()), mean, variance, 1e-5);
            activation::tanh(y)
        },
    );
}

#[test]
fn moments_are_those_of_every_group_and_constants() {
    let x = Tensor::<1>::from_data(TensorData::new(numbers(1, 8 * 6), [48]), &Device::flex());
    let x = x.autodiff().require_grad().reshape([8, 6]);
    let one = || Tensor::<1>::ones([6], &Device::flex());
    let statistics = Statistics::Batch { groups: 2 };
    let (_, moments) = batch_norm(x.clone(), one(), one(), statistics, 1e-5, Activation::Relu);
    assert_eq!(moments.len(), 2);
    for (group, moments) in moments.into_iter().enumerate() {
        assert!(!moments.mean.is_autodiff() && !moments.variance.is_autodiff());
        assert_eq!(moments.samples, 4);
        let part = x.clone().inner().narrow(0, group * 4, 4);
        let mean = part.clone().mean_dim(0);
        let variance = (part - mean.clone()).square().mean_dim(0);
        for (ours, naive) in [(moments.mean, mean), (moments.variance, variance)] {
            let naive = naive.into_data().try_into_vec::<f32>().unwrap();
            let naive: Vec<f64> = naive.into_iter().map(f64::from).collect();
            assert!(distance(&ours.into_data().try_into_vec::<f32>().unwrap(), &naive) <= LIMIT);
        }
    }
}

#[test]
fn layouts_activations_and_sums() {
    // Through a convolution, so that maps lie channels last.
    let weight =
        |t: &[Any]| conv2d(t[0].as_rank(), t[1].as_rank(), None, window(3, 1, 1, 1), 1, Activation::Identity);
    let burn_weight = |t: &[Any]| {
        burn_down(t[0].as_rank(), t[1].as_rank(), None, ConvOptions::new([1, 1], [1, 1], [1, 1], 1))
    };
    let shapes: [&[usize]; 2] = [&[3, 4, 5, 6], &[7, 4, 3, 3]];
    agree::<2>("flatten", &shapes, &|t| flatten(weight(t)), &|t| burn_weight(t).flatten(1, 3));
    agree::<4>(
        "flatten and back",
        &shapes,
        &|t| activate(unflatten(flatten(weight(t)), [7, 5, 6]), Activation::Tanh),
        &|t| activation::tanh(burn_weight(t)),
    );
    agree::<4>(
        "a residual block",
        &shapes,
        &|t| add(weight(t), activate(weight(t), Activation::LeakyRelu(0.2))),
        &|t| burn_weight(t) + activation::leaky_relu(burn_weight(t), 0.2),
    );
    // Views of a batch: the halves of a shared pass.
    agree::<4>(
        "half of a batch",
        &[&[4, 4, 5, 6], &[7, 4, 3, 3]],
        &|t| {
            let both = weight(t);
            let half = both.narrow(0, 2, 2);
            let (one, zero) = (Tensor::ones([7], &Device::flex()), Tensor::zeros([7], &Device::flex()));
            batch_norm(half, one, zero, Statistics::Batch { groups: 1 }, 1e-5, Activation::Sigmoid).0
        },
        &|t| {
            let (one, zero) =
                (Tensor::<1>::ones([7], &Device::flex()), Tensor::<1>::zeros([7], &Device::flex()));
            let half = burn_weight(t).narrow(0, 2, 2);
            activation::sigmoid(batch_norm_train(half, one.autodiff(), zero.autodiff(), 1e-5).output)
        },
    );
}

/// Double precision is not a matter of our kernels, forward or backward.
#[test]
fn double_precision_takes_the_stock_bodies() {
    let all = |dtype: FloatDType| -> Vec<Vec<f32>> {
        let device = Device::flex();
        let input = |number: u64, count: usize| {
            let values = Tensor::<1>::from_data(TensorData::new(numbers(number, count), [count]), &device);
            values.cast(dtype).autodiff().require_grad()
        };
        let leaves = [input(1, 2 * 5 * 36), input(2, 7 * 5 * 9), input(3, 7), input(4, 7), input(5, 7)];
        let maps = conv2d(
            leaves[0].clone().reshape([2, 5, 6, 6]),
            leaves[1].clone().reshape([7, 5, 3, 3]),
            Some(leaves[2].clone()),
            window(3, 1, 1, 1),
            1,
            Activation::Tanh,
        );
        let own = Statistics::Batch { groups: 1 };
        let (y, _) = batch_norm(maps, leaves[3].clone(), leaves[4].clone(), own, 1e-5, Activation::Tanh);
        let gradients = (y.clone() * y.clone()).sum().backward();
        let read = |data: TensorData| data.convert::<f32>().try_into_vec::<f32>().expect("numbers");
        let mut all = vec![read(y.into_data())];
        all.extend(leaves.iter().map(|leaf| read(leaf.grad(&gradients).expect("a gradient").into_data())));
        all
    };
    let _alone = BODIES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (double, single) in all(FloatDType::F64).iter().zip(all(FloatDType::F32)) {
        let double: Vec<f64> = double.iter().map(|x| f64::from(*x)).collect();
        assert!(distance(&single, &double) <= LIMIT);
    }
}
