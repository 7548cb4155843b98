//! Where tensors live.

use burn::tensor::Device;

use crate::{
    extension::use_stock_bodies,
    kernels::level::{self, Level},
};

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The name is not one this program knows.
    #[error("unknown device '{name}': this build offers {offered}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What exists.
        offered: String,
    },
}

/// Resolves the name of a device, without autodiff. This build has `cpu`; `auto` means the best there is.
///
/// # Errors
/// [`DeviceError::Unknown`] for any other name.
pub fn resolve(name: &str) -> Result<Device, DeviceError> {
    match name {
        "cpu" | "auto" => Ok(Device::flex()),
        _ => Err(DeviceError::Unknown { name: name.to_owned(), offered: "'cpu' and 'auto'".to_owned() }),
    }
}

/// Whether tensors of this device are plain host memory.
pub fn is_host(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Why kernels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KernelsError {
    /// The name is not one this program knows.
    #[error("there are no kernels '{0}'; there are auto, baseline, avx2, avx512 and stock")]
    Unknown(String),
    /// The processor has not got them.
    #[error("this processor has no {wanted}; the most it has is {best}")]
    Absent {
        /// What was asked for.
        wanted: &'static str,
        /// What there is.
        best: &'static str,
    },
}

/// Chooses the kernels of this process on the CPU: `auto`, a level of instructions, or `stock`.
///
/// # Errors
/// [`KernelsError`] for an unknown name and for instructions that the processor lacks.
pub fn use_kernels(name: &str) -> Result<(), KernelsError> {
    use_stock_bodies(name == "stock");
    let level = match name {
        "auto" | "stock" => None,
        name => Some(
            Level::ALL
                .into_iter()
                .find(|level| level.name() == name)
                .ok_or_else(|| KernelsError::Unknown(name.to_owned()))?,
        ),
    };
    if level::force(level) {
        return Ok(());
    }
    Err(KernelsError::Absent { wanted: level.unwrap_or_else(level::best).name(), best: level::best().name() })
}
