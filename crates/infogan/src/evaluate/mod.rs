//! A run in, pictures and scores out.

mod request;
mod score;
mod trained;

pub use request::{CodeSetting, apply, interpolate, parse_code, parse_codes};
pub use score::{CodeScore, FactorScore, Scores, score};
pub use trained::{CodeValue, Encoding, Trained};
