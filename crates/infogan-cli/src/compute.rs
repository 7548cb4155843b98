//! Threads, device and kernels, before anything is computed.

use infogan_ops::device;

use crate::{args::Compute, failure::Failure};

impl Compute {
    /// Makes them those of this process.
    pub fn prepare(&self) -> Result<(), Failure> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(usize::from(threads))
                .build_global()
                .map_err(|error| Failure::usage(format!("--threads {threads}: {error}")))?;
        }
        device::use_kernels(&self.kernels).map_err(|error| Failure::usage(format!("--kernels: {error}")))
    }

    /// Threads in number.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(rayon::current_num_threads, usize::from)
    }
}
