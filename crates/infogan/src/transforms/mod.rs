//! What happens to pictures before the critic sees them. A transform is data in the configuration and a function here; its
//! random numbers come from an address, so that a resumed run and another number of threads see the same.

mod instance_noise;
mod snap;
mod value_noise;

pub use instance_noise::instance_noise;
pub use snap::snap;
pub use value_noise::value_noise;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use infogan_data::{
    Scale,
    random::{Address, Streams},
};

use crate::config::{Pictures, TransformConfig};

/// When pictures pass: where their random numbers come from.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The streams of the run.
    pub streams: Streams,
    /// Range of the pixels.
    pub scale: Scale,
    /// Step, phase and repeat.
    pub address: Address,
}

/// Applies all transforms of a configuration, in the order of their names, to pictures `[N, C, H, W]` of one side.
pub fn apply(
    transforms: &BTreeMap<String, TransformConfig>,
    side: Pictures,
    pictures: Tensor<4>,
    moment: Moment,
) -> Tensor<4> {
    transforms.iter().fold(pictures, |pictures, (name, transform)| match transform {
        TransformConfig::InstanceNoise(noise) if noise.on.contains(&side) => {
            let deviation = noise.deviation * noise.left(u64::from(moment.address.step));
            instance_noise(pictures, deviation, &format!("{name} on {}", side.name()), moment)
        }
        TransformConfig::ValueNoise(noise) if noise.on.contains(&side) => {
            value_noise(pictures, noise, &format!("{name} on {}", side.name()), moment)
        }
        TransformConfig::Snap(settings) if settings.on.contains(&side) => snap(pictures, moment.scale),
        TransformConfig::InstanceNoise(_) | TransformConfig::ValueNoise(_) | TransformConfig::Snap(_) => {
            pictures
        }
    })
}
