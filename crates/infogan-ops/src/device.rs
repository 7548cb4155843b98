//! Where tensors live.

use burn::tensor::Device;

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
