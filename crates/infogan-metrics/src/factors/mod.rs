//! How well codes follow known factors of the pictures.
//!
//! A code is what Q reads from a picture; a factor is what the picture was drawn with. Both are a [`Variable`],
//! one value per picture. [`association`] and [`mutual_information`] look at one pair, [`mig`] and [`FactorTable`]
//! at all of them; [`factor_vae`] asks which code stands still when a factor does.

mod joint;
mod table;
pub mod vote;

pub use table::{FactorTable, Mig, mig};
pub use vote::{FactorVae, draw_votes, factor_vae};

use crate::clustering::check_categories;
use crate::numeric::{self, Sum};
use crate::{Error, Result};
use joint::Joint;

/// Bins for continuous variables in [`mig`] and [`FactorTable`]: 20 of equal width between the smallest and the
/// largest value, as in the evaluation of InfoGAN-CR (Lin et al., 2020).
pub const BINS: usize = 20;

/// More bins than this mean a slip, not a histogram.
const MAX_BINS: usize = 65_536;

/// One value per picture of a code or of a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Variable<'a> {
    /// Values in 0..count without order.
    Categorical {
        /// Number of categories; some may never occur.
        count: usize,
        /// One category per picture.
        values: &'a [usize],
    },
    /// Finite real values. An angle that wraps around must be given as its sine and cosine.
    Continuous(&'a [f64]),
}

impl Variable<'_> {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        match self {
            Self::Categorical { values, .. } => values.len(),
            Self::Continuous(values) => values.len(),
        }
    }

    /// Whether there is no picture at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check(&self, name: &str) -> Result<()> {
        if self.is_empty() {
            return Err(Error::Empty { name: name.into() });
        }
        match self {
            Self::Categorical { count, values } => check_categories(name, values, *count),
            Self::Continuous(values) => match values.iter().position(|value| !value.is_finite()) {
                None => Ok(()),
                Some(index) => Err(Error::NotFinite { name: name.into(), index, value: values[index] }),
            },
        }
    }

    /// The variable as categories: as it is, or in `bins` bins.
    fn discretised(&self, bins: usize) -> Vec<usize> {
        match self {
            Self::Categorical { values, .. } => values.to_vec(),
            Self::Continuous(values) => equal_width_bins(values, bins),
        }
    }
}

/// Strength of the relation between a code and a factor, in [0, 1]:
///
/// | code, factor | measure |
/// |---|---|
/// | both continuous | absolute Pearson correlation ([`pearson`] keeps the sign) |
/// | one of each | correlation ratio η: root of the variance between categories over the whole variance |
/// | both categorical | Cramér's V **without** bias correction, over the categories that occur |
///
/// The measures are not comparable with each other. η and V are biased upwards on few pictures. A variable that is
/// constant has no relation to anything: 0.
///
/// # Errors
/// Empty input, different lengths, categories out of range, values that are not finite.
pub fn association(code: Variable<'_>, factor: Variable<'_>) -> Result<f64> {
    check_pair(&code, &factor)?;
    Ok(association_checked(&code, &factor))
}

/// Pearson's correlation of two continuous variables, in [−1, 1]. 0 when one of them is constant.
///
/// # Errors
/// Empty input, different lengths, values that are not finite.
pub fn pearson(code: &[f64], factor: &[f64]) -> Result<f64> {
    check_pair(&Variable::Continuous(code), &Variable::Continuous(factor))?;
    Ok(pearson_checked(code, factor))
}

/// Mutual information of a code and a factor in nats, the plug-in estimate on counts.
///
/// Continuous variables are first cut into `bins` bins of equal width between their smallest and largest value (each
/// closed on the left, the last on both sides). The estimate is biased upwards, by about
/// (rows − 1)(columns − 1) / 2N for N pictures: compare numbers only between equal N and equal bins.
///
/// # Errors
/// As [`association`], and bins outside 1 to 65,536.
pub fn mutual_information(code: Variable<'_>, factor: Variable<'_>, bins: usize) -> Result<f64> {
    check_pair(&code, &factor)?;
    if !(1..=MAX_BINS).contains(&bins) {
        return Err(Error::OutOfDomain { name: "bins", value: bins as f64, expected: "from 1 to 65536" });
    }
    let joint = Joint::new(&code.discretised(bins), &factor.discretised(bins));
    Ok(joint.mutual_information())
}

fn check_pair(code: &Variable<'_>, factor: &Variable<'_>) -> Result<()> {
    check_lengths("code", code, "factor", factor)?;
    code.check("code")?;
    factor.check("factor")
}

fn check_lengths(
    first: &str,
    first_variable: &Variable<'_>,
    second: &str,
    second_variable: &Variable<'_>,
) -> Result<()> {
    if first_variable.len() == second_variable.len() {
        return Ok(());
    }
    Err(Error::LengthsDiffer {
        first: first.into(),
        first_len: first_variable.len(),
        second: second.into(),
        second_len: second_variable.len(),
    })
}

fn association_checked(code: &Variable<'_>, factor: &Variable<'_>) -> f64 {
    use Variable::{Categorical, Continuous};
    match (code, factor) {
        (Continuous(code), Continuous(factor)) => pearson_checked(code, factor).abs(),
        (Categorical { values, .. }, Continuous(reals)) | (Continuous(reals), Categorical { values, .. }) => {
            correlation_ratio(values, reals)
        }
        (Categorical { values: code, .. }, Categorical { values: factor, .. }) => {
            Joint::new(code, factor).cramers_v()
        }
    }
}

fn pearson_checked(first: &[f64], second: &[f64]) -> f64 {
    let (Some(first), Some(second)) = (deviations(first), deviations(second)) else {
        return 0.0;
    };
    let product = |a: &[f64], b: &[f64]| numeric::sum(a.iter().zip(b).map(|(a, b)| a * b));
    // One root for both: a list against itself is then exactly 1.
    let scale = (product(&first, &first) * product(&second, &second)).sqrt();
    (product(&first, &second) / scale).clamp(-1.0, 1.0)
}

fn correlation_ratio(categories: &[usize], values: &[f64]) -> f64 {
    let Some(deviations) = deviations(values) else {
        return 0.0;
    };
    let mut groups = std::collections::BTreeMap::<usize, (f64, Sum)>::new();
    for (&category, &deviation) in categories.iter().zip(&deviations) {
        let (count, sum) = groups.entry(category).or_default();
        *count += 1.0;
        sum.add(deviation);
    }
    if groups.len() == 1 {
        return 0.0;
    }
    let between = numeric::sum(groups.values().map(|(count, sum)| sum.value() * sum.value() / count));
    let whole = numeric::sum(deviations.iter().map(|deviation| deviation * deviation));
    (between / whole).sqrt().min(1.0)
}

/// Deviations from the mean, up to a common factor; `None` for a constant.
fn deviations(values: &[f64]) -> Option<Vec<f64>> {
    // Not by the variance: the mean of equal values may be off by a rounding error.
    if values.iter().all(|value| value == &values[0]) {
        return None;
    }
    let values = numeric::normalised(values);
    let mean = numeric::sum(values.iter().copied()) / values.len() as f64;
    // Scaled again, since values far from zero may differ by little.
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    Some(numeric::normalised(&centred))
}

/// Bin of each value. The edges are low + i·width, as NumPy's `histogram` draws them, so that values on an edge fall
/// to the same side. A constant falls into one bin.
fn equal_width_bins(values: &[f64], bins: usize) -> Vec<usize> {
    let values = numeric::normalised(values);
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low == high {
        return vec![0; values.len()];
    }
    let width = (high - low) / bins as f64;
    let inner_edges: Vec<f64> = (1..bins).map(|edge| edge as f64 * width + low).collect();
    values.iter().map(|value| inner_edges.partition_point(|edge| edge <= value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_on_the_left_and_the_last_on_both_sides() {
        let values: Vec<f64> = [0.0, 0.24, 0.25, 0.5, 0.74, 0.75, 0.99, 1.0].to_vec();
        assert_eq!(equal_width_bins(&values, 4), [0, 0, 1, 2, 2, 3, 3, 3]);
        assert_eq!(equal_width_bins(&[0.3; 3], 20), [0, 0, 0]);
        assert_eq!(equal_width_bins(&[-1e308, 1e308, 0.0], 2), [0, 1, 1]);
        assert_eq!(equal_width_bins(&[5.0, 7.0], 1), [0, 0]);
    }

    #[test]
    fn association_has_its_closed_forms() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let falling: Vec<f64> = x.iter().map(|x| 5.0 - 3.0 * x).collect();
        assert!((pearson(&x, &falling).unwrap() + 1.0).abs() < 1e-15);
        let one = Variable::Continuous(&x);
        assert_eq!(association(one, one), Ok(1.0));
        // Groups {1, 2} and {3, 4}: between 4 · 1, whole 5.
        let halves = Variable::Categorical { count: 2, values: &[0, 0, 1, 1] };
        let eta = association(halves, one).unwrap();
        assert!((eta - 0.8_f64.sqrt()).abs() < 1e-15, "{eta}");
        assert_eq!(association(one, halves), Ok(eta));
        let other = Variable::Categorical { count: 5, values: &[4, 4, 1, 1] };
        assert_eq!(association(halves, other), Ok(1.0));
        let across = Variable::Categorical { count: 2, values: &[0, 1, 0, 1] };
        assert_eq!(association(halves, across), Ok(0.0));
    }

    #[test]
    fn constants_have_no_relation_to_anything() {
        let x = [0.1, 0.2, 0.3];
        let flat = [0.1; 3];
        assert_eq!(pearson(&x, &flat), Ok(0.0));
        let single = Variable::Categorical { count: 4, values: &[2; 3] };
        let flat = Variable::Continuous(&flat);
        for other in [Variable::Continuous(&x), flat, single] {
            assert_eq!(association(single, other), Ok(0.0));
            assert_eq!(association(flat, other), Ok(0.0));
            assert_eq!(mutual_information(single, other, BINS), Ok(0.0));
            assert_eq!(mutual_information(flat, other, BINS), Ok(0.0));
        }
    }

    #[test]
    fn extreme_values_stay_finite() {
        let huge = [-1.7e308, 1.7e308, 1.0e308];
        let tiny = [-5e-324, 5e-324, 5e-324];
        let r = pearson(&huge, &tiny).unwrap();
        assert!(r > 0.9 && r <= 1.0, "{r}");
        let close = [1e9, 1e9 + 1e-6, 1e9 + 2e-6];
        assert!((pearson(&close, &[0.0, 1.0, 2.0]).unwrap() - 1.0).abs() < 0.05);
    }

    #[test]
    fn bad_input_is_refused_with_the_place() {
        let x = [0.0, f64::NAN];
        assert_eq!(
            pearson(&[0.0, 1.0], &x).unwrap_err().to_string(),
            "factor: value NaN at position 1 is not finite; leave such pictures out or look why"
        );
        let bad = Variable::Categorical { count: 2, values: &[0, 2] };
        let good = Variable::Continuous(&[0.0, 1.0]);
        assert!(matches!(association(bad, good), Err(Error::CategoryOutOfRange { index: 1, .. })));
        assert!(matches!(association(good, Variable::Continuous(&[0.0])), Err(Error::LengthsDiffer { .. })));
        assert!(matches!(pearson(&[], &[]), Err(Error::Empty { .. })));
        for bins in [0, usize::MAX] {
            assert!(matches!(
                mutual_information(good, good, bins),
                Err(Error::OutOfDomain { name: "bins", .. })
            ));
        }
    }
}
