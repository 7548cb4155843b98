//! Losses as pure functions of tensors. Every one is a mean over the batch, in nats.

pub mod adversarial;
pub mod agreement;
pub mod mutual_information;
