//! How well a categorical code sorts pictures into their classes.
//!
//! Everything starts from a [`Contingency`] table. [`hungarian`] and [`majority`] learn which label each code stands
//! for, on labelled training pictures; [`accuracy`] and [`error`] apply that [`Matching`] to the table of other
//! pictures. [`nmi`] and [`ari`] need no matching and follow scikit-learn's conventions, degenerate cases included.

mod matching;

pub use matching::{Matching, MatchingKind, accuracy, error, hungarian, majority};

use crate::numeric::{self, Cell};
use crate::{Error, Result};

/// The most codes, and the most classes, that a contingency table takes.
pub const MAX_CATEGORIES: usize = 4096;

/// How often each code met each label: k rows (codes) × classes columns (labels). Never empty.
/// Made by [`contingency`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    k: usize,
    classes: usize,
    counts: Vec<u64>,
    by_code: Vec<u64>,
    by_label: Vec<u64>,
    total: u64,
}

/// Counts pairs: `codes[i]` in 0..k and `labels[i]` in 0..classes are the code and the label of picture i.
///
/// # Errors
/// No pictures at all, lists of different lengths, a value not below its count, or more than [`MAX_CATEGORIES`].
pub fn contingency(codes: &[usize], labels: &[usize], k: usize, classes: usize) -> Result<Contingency> {
    if codes.len() != labels.len() {
        return Err(Error::LengthsDiffer {
            first: "codes".into(),
            first_len: codes.len(),
            second: "labels".into(),
            second_len: labels.len(),
        });
    }
    if codes.is_empty() {
        return Err(Error::Empty { name: "codes".into() });
    }
    for (name, count) in [("codes", k), ("labels", classes)] {
        if count > MAX_CATEGORIES {
            return Err(Error::TooManyCategories { name: name.into(), count, limit: MAX_CATEGORIES });
        }
    }
    check_categories("codes", codes, k)?;
    check_categories("labels", labels, classes)?;
    let mut table = Contingency {
        k,
        classes,
        counts: vec![0; k * classes],
        by_code: vec![0; k],
        by_label: vec![0; classes],
        total: codes.len() as u64,
    };
    for (&code, &label) in codes.iter().zip(labels) {
        table.counts[code * classes + label] += 1;
        table.by_code[code] += 1;
        table.by_label[label] += 1;
    }
    Ok(table)
}

impl Contingency {
    /// Number of codes (rows).
    pub fn k(&self) -> usize {
        self.k
    }

    /// Number of classes (columns).
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of pictures with this code and this label; 0 outside the table.
    pub fn count(&self, code: usize, label: usize) -> u64 {
        if code < self.k && label < self.classes { self.counts[code * self.classes + label] } else { 0 }
    }

    /// Number of pictures with each code, k values.
    pub fn by_code(&self) -> &[u64] {
        &self.by_code
    }

    /// Number of pictures with each label, one value per class.
    pub fn by_label(&self) -> &[u64] {
        &self.by_label
    }

    /// Number of pictures, at least 1.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Entropy of code usage in nats: ln k when all codes are used alike, 0 when only one is used.
    pub fn code_entropy(&self) -> f64 {
        numeric::entropy(self.by_code.iter().copied(), self.total)
    }

    /// Entropy of the labels in nats.
    pub fn label_entropy(&self) -> f64 {
        numeric::entropy(self.by_label.iter().copied(), self.total)
    }

    fn row(&self, code: usize) -> &[u64] {
        &self.counts[code * self.classes..(code + 1) * self.classes]
    }
}

/// Mutual information of code and label in nats (plug-in estimate, biased upwards on few pictures).
pub fn mutual_information(table: &Contingency) -> f64 {
    let cells = (0..table.k).flat_map(|code| {
        let row = table.by_code[code];
        table.row(code).iter().zip(&table.by_label).map(move |(&count, &column)| Cell { count, row, column })
    });
    numeric::mutual_information(cells, table.total)
}

/// Normalised mutual information in [0, 1]: mutual information over the arithmetic mean of the two entropies,
/// scikit-learn's default.
///
/// One code and one label in use: 1 (the two agree perfectly). Only one of the two constant: 0.
pub fn nmi(table: &Contingency) -> f64 {
    let used = |counts: &[u64]| counts.iter().filter(|&&count| count > 0).count();
    match (used(&table.by_code), used(&table.by_label)) {
        (1, 1) => 1.0,
        (1, _) | (_, 1) => 0.0,
        _ => {
            let mean = 0.5 * (table.code_entropy() + table.label_entropy());
            (mutual_information(table) / mean).min(1.0)
        }
    }
}

/// Adjusted Rand index (Hubert and Arabie, 1985) in [−½, 1]: agreement over pairs of pictures, 0 in expectation for
/// random codes. 1 whenever the two partitions are the same, trivial ones included, as in scikit-learn.
pub fn ari(table: &Contingency) -> f64 {
    // Counts of ordered pairs, exact in i128: their products stay below N⁴, which fits up to 2³¹ pictures.
    let squares =
        |counts: &[u64]| -> i128 { counts.iter().map(|&count| i128::from(count) * i128::from(count)).sum() };
    let total = i128::from(table.total);
    let same_both = squares(&table.counts);
    let only_code = squares(&table.by_code) - same_both;
    let only_label = squares(&table.by_label) - same_both;
    if only_code == 0 && only_label == 0 {
        return 1.0;
    }
    let together = same_both - total;
    let apart = total * total - same_both - only_code - only_label;
    let numerator = 2 * (together * apart - only_code * only_label);
    let denominator =
        (together + only_label) * (only_label + apart) + (together + only_code) * (only_code + apart);
    numerator as f64 / denominator as f64
}

/// Refuses the first value that is not below `count`.
pub(crate) fn check_categories(name: &str, values: &[usize], count: usize) -> Result<()> {
    match values.iter().position(|&value| value >= count) {
        None => Ok(()),
        Some(index) => {
            Err(Error::CategoryOutOfRange { name: name.into(), index, value: values[index], count })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_what_was_given() {
        let table = contingency(&[0, 2, 2, 0], &[1, 0, 1, 1], 3, 2).unwrap();
        assert_eq!(table.counts, [0, 2, 0, 0, 1, 1]);
        assert_eq!((table.by_code(), table.by_label()), (&[2, 0, 2][..], &[1, 3][..]));
        assert_eq!((table.total(), table.k(), table.classes()), (4, 3, 2));
        assert_eq!((table.count(2, 0), table.count(3, 0)), (1, 0));
        assert!((table.code_entropy() - 2_f64.ln()).abs() < 1e-15);
    }

    /// Worked by hand from the table [[2, 1], [0, 3]]: 2 of 15 expected pairs and so on.
    #[test]
    fn rand_index_of_a_small_table() {
        let table = contingency(&[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1, 1, 1], 2, 2).unwrap();
        // Unordered pairs: together in both 1 + 3 = 4, in codes 3 + 3 = 6, in labels 1 + 6 = 7, of 15.
        let (index, expected, most) = (4.0, 6.0 * 7.0 / 15.0, 6.5);
        assert!((ari(&table) - (index - expected) / (most - expected)).abs() < 1e-15);
    }

    #[test]
    fn exact_independence_scores_exactly_zero() {
        let (codes, labels): (Vec<_>, Vec<_>) =
            (0..3 * 7 * 5).map(|index| (index % 3, index / 3 % 7)).unzip();
        let table = contingency(&codes, &labels, 3, 7).unwrap();
        assert_eq!((mutual_information(&table), nmi(&table)), (0.0, 0.0));
    }

    #[test]
    fn bad_input_is_refused_with_the_place() {
        assert_eq!(
            contingency(&[0, 5], &[0, 0], 5, 2).unwrap_err().to_string(),
            "codes: value 5 at position 1 is not below the number of categories, 5; \
             count from 0 or raise the number of categories"
        );
        assert!(matches!(contingency(&[], &[], 2, 2), Err(Error::Empty { .. })));
        assert!(matches!(
            contingency(&[0], &[0, 1], 2, 2),
            Err(Error::LengthsDiffer { first_len: 1, second_len: 2, .. })
        ));
        assert!(matches!(contingency(&[0], &[1], 1, 1), Err(Error::CategoryOutOfRange { value: 1, .. })));
        assert!(matches!(
            contingency(&[0], &[0], usize::MAX, usize::MAX),
            Err(Error::TooManyCategories { .. })
        ));
        assert!(contingency(&[0], &[0], 0, 1).is_err());
    }
}
