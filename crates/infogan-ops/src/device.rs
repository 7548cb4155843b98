//! Where tensors live.

mod probe;

use burn::tensor::Device;

use crate::{
    extension::use_stock_bodies,
    kernels::level::{self, Level},
};

/// Kinds of device beside the CPU, in the order in which `auto` tries them. Each is also the name of the cargo feature
/// that builds it in.
pub const KINDS: [&str; 4] = ["cuda", "metal", "vulkan", "webgpu"];

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The name is not one this program knows.
    #[error(
        "unknown device '{name}': there are 'cpu', 'auto', 'cuda', 'metal', 'vulkan' and 'webgpu', the last four also \
         with a number, as in 'vulkan:1'"
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// What follows the colon is not a number.
    #[error("device '{name}': '{index}' is not a number; devices are counted from 0, as in '{kind}:0'")]
    Index {
        /// What was asked for.
        name: String,
        /// Its kind.
        kind: &'static str,
        /// What follows the colon.
        index: String,
    },
    /// The program was built without it.
    #[error(
        "device '{name}': this program was built without {kind}; build it with 'cargo build --release --features \
         {kind}', or use 'cpu'"
    )]
    NotBuilt {
        /// What was asked for.
        name: String,
        /// The cargo feature.
        kind: &'static str,
    },
    /// This machine has none of its kind.
    #[error("device '{name}': this machine shows no {kind} device; install its driver, or use 'cpu'")]
    NoneFound {
        /// What was asked for.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// This machine has some of its kind, not that many.
    #[error("device '{name}': this machine has {found}; use one of them, or 'cpu'")]
    NoSuchIndex {
        /// What was asked for.
        name: String,
        /// What there is.
        found: String,
    },
    /// The driver failed.
    #[error("device '{name}': its driver failed ({reason}); update the driver, or use 'cpu'")]
    Broken {
        /// What was asked for.
        name: String,
        /// What it failed with.
        reason: String,
    },
}

/// Resolves the name of a device, without autodiff, and sees that it computes: `cpu`, a kind of [`KINDS`] alone or with
/// a number (`vulkan:1`), or `auto`: the best that this build and machine have. A kind without a number is its first
/// device, and discrete cards come first; `auto` takes no graphics driver that computes on the CPU, for `cpu` is faster.
///
/// # Errors
/// [`DeviceError`], when there is no such device or it does not work.
pub fn resolve(name: &str) -> Result<Device, DeviceError> {
    match name {
        "cpu" => return Ok(Device::flex()),
        "auto" => return Ok(probe::best().unwrap_or_else(Device::flex)),
        _ => {}
    }
    let (kind, index) = name.split_once(':').map_or((name, None), |(kind, index)| (kind, Some(index)));
    let kind = (KINDS.into_iter().find(|known| *known == kind))
        .ok_or_else(|| DeviceError::Unknown { name: name.to_owned() })?;
    let index = match index {
        None => 0,
        Some(index) => index.parse().map_err(|_| DeviceError::Index {
            name: name.to_owned(),
            kind,
            index: index.to_owned(),
        })?,
    };
    probe::named(name, kind, index)
}

/// What a device is, in a few words.
pub fn describe(device: &Device) -> &'static str {
    probe::describe(device)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str) -> String {
        resolve(name).expect_err(name).to_string()
    }

    #[test]
    fn the_cpu_is_always_there() {
        assert!(is_host(&resolve("cpu").unwrap()));
        assert!(resolve("auto").is_ok());
    }

    #[test]
    fn names_and_numbers_are_checked() {
        for name in ["abacus", "", "cpu:0", "auto:0", "Vulkan", "abacus:0"] {
            let message = message(name);
            assert!(message.contains(&format!("'{name}'")) && message.contains("'cpu'"), "{message}");
        }
        for (name, index) in [("cuda:x", "x"), ("vulkan:", ""), ("metal:-1", "-1"), ("webgpu:0:1", "0:1")] {
            let message = message(name);
            assert!(message.contains(&format!("'{name}'")), "{message}");
            assert!(message.contains(&format!("'{index}' is not a number")), "{message}");
        }
    }

    #[test]
    fn what_is_not_there_says_what_to_do() {
        for kind in KINDS {
            for name in [kind.to_owned(), format!("{kind}:99")] {
                let Err(error) = resolve(&name) else { continue };
                let (message, built) = (error.to_string(), probe::is_built(kind));
                assert!(message.contains(&format!("'{name}'")) && message.contains("'cpu'"), "{message}");
                assert_eq!(matches!(error, DeviceError::NotBuilt { .. }), !built, "{message}");
                assert_eq!(message.contains(&format!("--features {kind}")), !built, "{message}");
            }
            assert!(resolve(&format!("{kind}:99")).is_err());
        }
    }

    #[test]
    fn a_panic_of_a_driver_is_an_error() {
        let reason = probe::guarded(|| panic!("no such\n  symbol")).unwrap_err();
        assert_eq!(reason, "no such symbol");
        // Also where it happens on a thread of the driver's own.
        let reason = probe::guarded(|| {
            std::thread::spawn(|| panic!("device {}", "lost")).join().unwrap();
        });
        assert_eq!(reason.unwrap_err(), "device lost");
        assert_eq!(probe::guarded(|| 3).unwrap(), 3);
    }
}
