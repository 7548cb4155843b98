//! A run in, pictures and scores out.

mod checkerboard;
mod factors;
mod request;
mod score;
mod trained;

pub use checkerboard::CheckerboardScore;
pub use factors::{FactorByCode, FactorScore};
pub use request::{CodeSetting, apply, interpolate, parse_code, parse_codes};
pub use score::{CategoryScore, CodeScore, Scores, score};
pub use trained::{CodeValue, Encoding, Trained};
