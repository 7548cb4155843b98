//! Noise in the place of one exact value: the foreground and background noise of BasicProp (Evtimova and Drozdov, §6).

use burn::tensor::{Tensor, TensorData};
use infogan_data::random::numbers;

use super::Moment;
use crate::config::ValueNoiseConfig;

/// Pictures `[N, C, H, W]` whose values that stand for exactly `settings.value` are each replaced by a whole number drawn
/// evenly from `settings.from` up to but not including `settings.to`. Gradients pass where nothing was replaced.
pub fn value_noise(
    pictures: Tensor<4>,
    settings: &ValueNoiseConfig,
    purpose: &str,
    moment: Moment,
) -> Tensor<4> {
    let shape = pictures.dims();
    let [batch, channels, height, width] = shape;
    let &ValueNoiseConfig { value, from, to, .. } = settings;
    let scale = moment.scale;
    let span = u32::from(to.saturating_sub(from));
    let drawn =
        numbers(moment.streams, purpose, moment.address, batch, channels * height * width, |stream| {
            // Below 256 by validation.
            scale.apply((u32::from(from) + stream.below(span)) as u8)
        });
    let noise = Tensor::from_data(TensorData::new(drawn, shape), &pictures.device()); // [N, C, H, W]
    let replaced = pictures.clone().equal_elem(scale.apply(value)); // [N, C, H, W] of truth values
    pictures.mask_where(replaced, noise)
}
