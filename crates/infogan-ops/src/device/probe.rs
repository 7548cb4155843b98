//! Which devices this build and machine have. Drivers are foreign code: what they panic with becomes an error.

use std::{
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::{Arc, Mutex, PoisonError},
};

use burn::tensor::{Device, DeviceType, Tensor};

use super::{DeviceError, KINDS};

/// What Burn calls a kind, where it is built in.
fn type_of(kind: &str) -> Option<DeviceType> {
    match kind {
        #[cfg(feature = "cuda")]
        "cuda" => Some(DeviceType::Cuda),
        #[cfg(feature = "metal")]
        "metal" => Some(DeviceType::Metal),
        #[cfg(feature = "vulkan")]
        "vulkan" => Some(DeviceType::Vulkan),
        // Burn's own `WebGpu` is the browser's; this is the same layer over whatever the system has.
        #[cfg(feature = "webgpu")]
        "webgpu" => Some(DeviceType::Wgpu),
        _ => None,
    }
}

/// Whether this build has a kind.
#[cfg(test)]
pub(super) fn is_built(kind: &str) -> bool {
    type_of(kind).is_some()
}

/// The best device that works.
pub(super) fn best() -> Option<Device> {
    let working = |kind: &str| {
        let found =
            guarded(|| Device::enumerate(type_of(kind)?).into_iter().find(|device| !is_software(device)));
        // A driver that fails is one that is not there: the user asked for whatever works.
        found.ok().flatten().filter(|device| try_out(device).is_ok())
    };
    KINDS.into_iter().find_map(working)
}

/// One device of a kind.
pub(super) fn named(name: &str, kind: &'static str, index: usize) -> Result<Device, DeviceError> {
    let name = || name.to_owned();
    let wanted = type_of(kind).ok_or_else(|| DeviceError::NotBuilt { name: name(), kind })?;
    let broken = |reason| DeviceError::Broken { name: name(), reason };
    let found: Vec<Device> = guarded(|| Device::enumerate(wanted).into_iter().collect()).map_err(broken)?;
    if found.is_empty() {
        return Err(DeviceError::NoneFound { name: name(), kind });
    }
    let device = found.get(index).cloned().ok_or_else(|| DeviceError::NoSuchIndex {
        name: name(),
        found: (found.iter().enumerate())
            .map(|(index, device)| format!("'{kind}:{index}' ({})", describe(device)))
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    try_out(&device).map_err(broken)?;
    Ok(device)
}

/// Computes a little: drivers and compilers fail on first use, not when they are listed.
fn try_out(device: &Device) -> Result<(), String> {
    let values = guarded(|| {
        let x = Tensor::<1>::from_floats([0.0, 0.5], device);
        // tanh, because on CUDA it needs files of the toolkit that sums do not.
        (x.clone().tanh() + x).into_data().try_into_vec::<f32>()
    })?;
    match values.as_deref() {
        Ok([zero, half]) if *zero == 0.0 && (half - 0.962_117).abs() < 1e-4 => Ok(()),
        other => Err(format!("0 + tanh 0 and 0.5 + tanh 0.5 came out as {other:?}")),
    }
}

/// Runs what may panic here or on a driver's thread, and gives the first panic's message in one line. Nothing of it
/// reaches the terminal.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // The hook belongs to the process: one at a time.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let first = Arc::new(Mutex::new(None));
    let usual = panic::take_hook();
    panic::set_hook(Box::new({
        let first = first.clone();
        move |info: &PanicHookInfo<'_>| {
            let message = info.payload_as_str().unwrap_or("no reason given");
            let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
            first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line);
        }
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(usual);
    let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.map_err(|_| first.unwrap_or_else(|| "no reason given".to_owned()))
}

/// Whether a device is a graphics driver that computes on the CPU.
fn is_software(device: &Device) -> bool {
    describe(device) == SOFTWARE
}

const SOFTWARE: &str = "software on the CPU";

/// What a device is, in a few words.
pub(super) fn describe(device: &Device) -> &'static str {
    #[cfg(any(feature = "metal", feature = "vulkan", feature = "webgpu"))]
    {
        use burn::backend::{CubeDevice, DispatchDevice, WgpuDeviceKind};
        let inner = device.clone().inner();
        if let DispatchDevice::Cube(CubeDevice::Wgpu(device)) = inner.as_dispatch() {
            return match device.kind {
                WgpuDeviceKind::DiscreteGpu(_) => "discrete GPU",
                WgpuDeviceKind::IntegratedGpu(_) => "integrated GPU",
                WgpuDeviceKind::VirtualGpu(_) => "virtual GPU",
                WgpuDeviceKind::Cpu => SOFTWARE,
                _ => "GPU",
            };
        }
    }
    if super::is_host(device) { "CPU" } else { "GPU" }
}
