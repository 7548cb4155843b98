//! Everything a training must remember. What is not in here does not exist after a restart.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::checkpoint::{HostSection, Snapshot};
use crate::nn::{Entry, NetState, Section, vector_section};

/// The counter that every task has: generator steps done.
pub const STEP: &str = "step";

/// Parameters and optimiser moments by section and path, and counters. A section is a file of a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whole numbers by name.
    pub counters: BTreeMap<String, u64>,
    /// Networks and optimisers by name.
    pub sections: BTreeMap<String, Section>,
}

impl State {
    /// Steps done.
    pub fn step(&self) -> u64 {
        self.counters.get(STEP).copied().unwrap_or(0)
    }

    /// What a network's passes go on from.
    pub fn passes(&self, network: &str) -> NetState {
        NetState::default().with_vectors(self.sections.get(&vector_section(network)))
    }

    /// Takes over what training passes of a network changed.
    pub fn take_over(&mut self, network: &str, passes: NetState) {
        if let Some(vectors) = self.sections.get_mut(&vector_section(network)) {
            *vectors = passes.into_vectors();
        }
    }

    /// Copies everything to the host.
    pub fn sections_to_host(&self) -> BTreeMap<String, HostSection> {
        let host = |section: &Section| {
            section.iter().map(|(path, entry)| (path.clone(), entry.to_host())).collect::<HostSection>()
        };
        self.sections.iter().map(|(name, section)| (name.clone(), host(section))).collect()
    }

    /// Takes over a checkpoint whose sections, paths, shapes and counters are those of `self`.
    ///
    /// # Errors
    /// A sentence naming the first thing that is missing, left over or of another shape.
    pub fn restore(&mut self, snapshot: &Snapshot, device: &Device) -> Result<(), String> {
        for name in snapshot.sections.keys() {
            if !self.sections.contains_key(name) {
                return Err(format!("the checkpoint holds '{name}', which this configuration has not"));
            }
        }
        for name in snapshot.counters.keys() {
            if !self.counters.contains_key(name) {
                return Err(format!("the checkpoint counts '{name}', which this configuration does not"));
            }
        }
        for (name, value) in &mut self.counters {
            *value =
                *snapshot.counters.get(name).ok_or(format!("the checkpoint lacks the counter '{name}'"))?;
        }
        for (name, section) in &mut self.sections {
            let host = snapshot.sections.get(name).ok_or(format!("the checkpoint lacks '{name}'"))?;
            if let Some(path) = host.keys().find(|&path| !section.contains_key(path)) {
                return Err(format!("'{name}' holds '{path}', which this configuration has not"));
            }
            for (path, entry) in section {
                let tensor = host.get(path).ok_or(format!("'{name}' lacks '{path}'"))?;
                if tensor.shape != entry.shape {
                    return Err(format!("'{path}' of '{name}' is {:?}, not {:?}", tensor.shape, entry.shape));
                }
                *entry = Entry::from_host(tensor, device);
            }
        }
        Ok(())
    }
}
