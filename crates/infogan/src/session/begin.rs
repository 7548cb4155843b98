//! Weights of another run or program, with which a training begins.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{
    Error,
    config::InitFrom,
    interop::{
        NamedTensor, Weights,
        matching::{Matching, match_weights},
        read_weights,
    },
    nn::ParameterSpec,
    train::checkpoint,
};

/// Where weights come from and how they are matched.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// A run, whose newest checkpoint is taken; or a `.pth`, `.pt` or `.safetensors` file.
    pub from: PathBuf,
    /// Pairs of a parameter (`network.path`) and a tensor of the file.
    pub map: Vec<(String, String)>,
}

impl Begin {
    /// Reads the weights and finds what fits these networks.
    ///
    /// # Errors
    /// When nothing can be read, or nothing fits.
    pub(super) fn read(
        &self,
        networks: &[(String, Vec<ParameterSpec>)],
    ) -> Result<(Matching, InitFrom), Error> {
        let weights =
            if self.from.is_dir() { of_run(&self.from, networks)? } else { read_weights(&self.from)? };
        let matching = match_weights(networks, &weights, &self.map).map_err(Error::Usage)?;
        if matching.matched.is_empty() {
            let shown: Vec<String> =
                matching.left.iter().take(8).map(|(name, shape)| format!("  {name} {shape:?}")).collect();
            return Err(Error::Usage(format!(
                "{}: none of its {} tensors is one of these networks by name and shape, and none by order; name pairs \
                 with --map NETWORK.PATH=TENSOR, or choose the networks that they belong to. It holds:\n{}",
                self.from.display(),
                weights.tensors.len(),
                shown.join("\n")
            )));
        }
        let mut hasher = Sha256::new();
        for (network, section) in matching.sections.iter().chain(&matching.statistics) {
            for (path, tensor) in section {
                hasher.update(format!("{network}.{path} {:?}\n", tensor.shape));
                tensor.values.iter().for_each(|value| hasher.update(value.to_le_bytes()));
                if let Some(value) = tensor.values.iter().find(|value| !value.is_finite()) {
                    let from = self.from.display();
                    return Err(Error::Usage(format!(
                        "{from}: '{network}.{path}' holds {value}; nothing can be begun with it"
                    )));
                }
            }
        }
        let sha256 = checkpoint::hex(&hasher.finalize());
        Ok((matching, InitFrom { name: self.from.display().to_string(), sha256 }))
    }
}

/// The networks of the newest checkpoint of a run, as one list of tensors.
fn of_run(run: &Path, networks: &[(String, Vec<ParameterSpec>)]) -> Result<Weights, Error> {
    let (_, newest) = checkpoint::latest(run)?.ok_or_else(|| {
        Error::Usage(format!("{}: is no run with a checkpoint, nor a file of weights", run.display()))
    })?;
    let wanted = |section: &str| networks.iter().any(|(network, _)| network == section);
    let snapshot = checkpoint::load_sections(&newest, wanted)?;
    let tensors = snapshot.sections.into_iter().flat_map(|(network, section)| {
        section
            .into_iter()
            .map(move |(path, tensor)| NamedTensor { name: format!("{network}.{path}"), tensor })
    });
    Ok(Weights { tensors: tensors.collect() })
}
