//! Instance noise (Sønderby et al. 2017, *Amortised MAP Inference for Image Super-resolution*, §3.2.3): real and generated
//! pictures are blurred into each other, so that the critic cannot tell them by what it has learned by heart.

use burn::tensor::{Tensor, TensorData};
use infogan_data::random::{Stream, numbers};

use super::Moment;

/// Pictures `[N, C, H, W]` with normal noise of this deviation on every value. Each picture has a stream of its own.
pub fn instance_noise(pictures: Tensor<4>, deviation: f64, purpose: &str, moment: Moment) -> Tensor<4> {
    if deviation == 0.0 {
        return pictures;
    }
    let shape = pictures.dims();
    let [batch, channels, height, width] = shape;
    let width = channels * height * width;
    let noise = numbers(moment.streams, purpose, moment.address, batch, width, Stream::normal);
    let noise = Tensor::from_data(TensorData::new(noise, shape), &pictures.device()); // [N, C, H, W]
    pictures + noise * deviation
}
