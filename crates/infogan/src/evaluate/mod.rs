//! A run in, pictures and scores out.

mod score;
mod trained;

pub use score::{CodeScore, FactorScore, Scores, score};
pub use trained::{CodeValue, Encoding, Trained};
