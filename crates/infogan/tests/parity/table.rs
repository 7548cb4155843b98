//! Measured distances beside their limits.

use std::fmt::Write as _;

/// √Σx².
pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// ‖values − reference‖ / ‖reference‖.
pub fn distance(values: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(values.len(), reference.len());
    let difference: Vec<f64> =
        values.iter().zip(reference).map(|(value, reference)| value - reference).collect();
    norm(&difference) / norm(reference)
}

/// |value − reference| / |reference|.
pub fn off(value: f64, reference: f64) -> f64 {
    distance(&[value], &[reference])
}

/// Collects distances, prints them in one piece, and fails if one is beyond its limit.
pub struct Table {
    text: String,
    faults: Vec<String>,
}

impl Table {
    pub fn new(title: &str) -> Self {
        let text = format!("\n{title:<58} {:>9} {:>9} {:>9}\n", "distance", "PyTorch's", "limit");
        Self { text, faults: Vec::new() }
    }

    /// A distance, that of PyTorch's float32 from the same reference where it is known, and the limit.
    pub fn row(&mut self, what: &str, distance: f64, theirs: Option<f64>, limit: f64) {
        let theirs = theirs.map_or(String::new(), |theirs| format!("{theirs:.1e}"));
        let line = format!("  {what:<56} {distance:>9.1e} {theirs:>9} {limit:>9.1e}");
        let within = distance <= limit; // false for NaN
        writeln!(self.text, "{line}{}", if within { "" } else { "  BEYOND" }).unwrap();
        if !within {
            self.faults.push(line);
        }
    }

    /// Shows everything, then judges.
    pub fn finish(self) {
        print!("{}", self.text);
        assert!(self.faults.is_empty(), "beyond the limit:\n{}", self.faults.join("\n"));
    }
}
