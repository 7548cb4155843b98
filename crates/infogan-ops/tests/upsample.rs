//! Nearest-neighbour upsampling: every pixel becomes a square, and gradients come back summed over it.

use burn::tensor::{Device, Tensor, TensorData};
use infogan_ops::{Activation, Window, conv2d, upsample};

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Different numbers, `[2, 3, 2, 4]`.
fn maps() -> Tensor<4> {
    let values: Vec<f32> = (0..48).map(|place| place as f32).collect();
    Tensor::from_data(TensorData::new(values, [2, 3, 2, 4]), &Device::flex())
}

/// The element of `[N, C, H, W]` numbers.
fn at(values: &[f32], [channels, height, width]: [usize; 3], [n, c, y, x]: [usize; 4]) -> f32 {
    values[((n * channels + c) * height + y) * width + x]
}

#[test]
fn pixels_become_squares_and_squares_of_gradients_are_summed() {
    // Once as rows of numbers and once channels-last, as a convolution (here with the identity) leaves maps.
    let identity: Vec<f32> = (0..9).map(|place| if place % 4 == 0 { 1.0 } else { 0.0 }).collect();
    let identity = Tensor::from_data(TensorData::new(identity, [3, 3, 1, 1]), &Device::flex());
    let convolved = conv2d(maps(), identity, None, Window::same(1, 1), 1, Activation::Identity);
    for maps in [maps(), convolved] {
        for factor in [2, 3] {
            let small = maps.clone().autodiff().require_grad();
            let large = upsample(small.clone(), factor);
            assert_eq!(large.dims(), [2, 3, 2 * factor, 4 * factor]);
            let (before, after) = (numbers(maps.clone()), numbers(large.clone().inner()));
            let weights: Vec<f32> = (0..after.len()).map(|place| (place % 7) as f32).collect();
            let given = Tensor::from_data(TensorData::new(weights.clone(), large.dims()), &Device::flex());
            let mut tape = (large * given.autodiff()).sum().backward();
            let gradient = numbers(small.grad_remove(&mut tape).unwrap());
            let mut expected = vec![0.0; before.len()];
            for place in (0..2 * 3 * 2 * factor * 4 * factor).map(|place| {
                let (x, rest) = (place % (4 * factor), place / (4 * factor));
                let (y, rest) = (rest % (2 * factor), rest / (2 * factor));
                [rest / 3, rest % 3, y, x]
            }) {
                let [n, c, y, x] = place;
                let from = [n, c, y / factor, x / factor];
                let large = [3, 2 * factor, 4 * factor];
                assert_eq!(at(&after, large, place), at(&before, [3, 2, 4], from));
                let index = ((n * 3 + c) * 2 + y / factor) * 4 + x / factor;
                expected[index] += at(&weights, large, place);
            }
            assert_eq!(gradient, expected);
        }
    }
}
