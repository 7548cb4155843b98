//! Small numerical helpers shared by the scores.

/// A sum that carries its rounding error along (Neumaier's variant of Kahan summation), so that a score over a
/// million pictures is as exact as one over ten.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    total: f64,
    carry: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, value: f64) {
        let next = self.total + value;
        self.carry += if self.total.abs() >= value.abs() {
            (self.total - next) + value
        } else {
            (value - next) + self.total
        };
        self.total = next;
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.carry
    }
}

/// Compensated sum of an iterator.
pub(crate) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum.value()
}

/// Plug-in entropy in nats of the distribution with these counts, which add up to `total`.
pub(crate) fn entropy(counts: impl IntoIterator<Item = u64>, total: u64) -> f64 {
    let total = total as f64;
    sum(counts
        .into_iter()
        .filter(|&count| count > 0)
        .map(|count| count as f64 / total * (total / count as f64).ln()))
}

/// One cell of a joint table: its count and the counts of its row and its column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) count: u64,
    pub(crate) row: u64,
    pub(crate) column: u64,
}

/// Plug-in mutual information in nats of a joint table. Exactly 0 for exactly independent counts: both products
/// are then the same number, and so is their rounding.
pub(crate) fn mutual_information(cells: impl IntoIterator<Item = Cell>, total: u64) -> f64 {
    let total = total as f64;
    let information = sum(cells.into_iter().filter(|cell| cell.count > 0).map(|cell| {
        let count = cell.count as f64;
        count / total * (count * total / (cell.row as f64 * cell.column as f64)).ln()
    }));
    information.max(0.0)
}

/// The values divided by a power of two, so that the largest magnitude lies in [1, 2). Exact (but for values some
/// 10³⁰⁰ times smaller than the largest); keeps squares and sums of any finite values finite.
pub(crate) fn normalised(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    // Keeping only the exponent bits rounds down to a power of two.
    let power = f64::from_bits(largest.to_bits() & 0x7FF0_0000_0000_0000).max(f64::MIN_POSITIVE);
    values.iter().map(|value| value / power).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_plain_addition_loses() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum([]), 0.0);
    }

    #[test]
    fn normalising_is_exact_and_tames_extremes() {
        assert_eq!(normalised(&[3.0, -0.7, 0.0]), [1.5, -0.35, 0.0]);
        let values = normalised(&[f64::MAX, -f64::MAX]);
        assert!(values[0] < 2.0 && values[0] > 1.9 && values[1] == -values[0]);
        assert_eq!(normalised(&[5e-324, 0.0])[1], 0.0);
        assert!(normalised(&[5e-324])[0] > 0.0);
        assert_eq!(normalised(&[0.0, 0.0]), [0.0, 0.0]);
    }
}
