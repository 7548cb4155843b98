//! All codes against all factors.

use serde::Serialize;

use super::{BINS, Joint, Variable, association_checked, check_lengths};
use crate::numeric;
use crate::{Error, Result};

/// Mutual information gap (Chen et al., *Isolating sources of disentanglement in variational autoencoders*, 2018).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mig {
    /// Per factor: (largest − second largest mutual information over the codes) / entropy of the factor, in [0, 1].
    /// `None` for a factor that is constant.
    pub per_factor: Vec<Option<f64>>,
    /// Mean over the factors that are not constant; `None` when all are.
    pub mean: Option<f64>,
}

/// Every code against every factor. The outer lists run over factors (rows), the inner ones over codes (columns).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorTable {
    /// Number of pictures.
    pub pictures: usize,
    /// Bins used for continuous variables, [`BINS`].
    pub bins: usize,
    /// Names of the codes.
    pub codes: Vec<String>,
    /// Names of the factors.
    pub factors: Vec<String>,
    /// Entropy of each factor in nats, after discretisation; at least its mutual information with any code.
    pub factor_entropy: Vec<f64>,
    /// `[factors][codes]`: [`super::association`].
    pub association: Vec<Vec<f64>>,
    /// `[factors][codes]`: [`super::mutual_information`] in nats, with [`BINS`] bins.
    pub mutual_information: Vec<Vec<f64>>,
    /// Mutual information gap.
    pub mig: Mig,
}

impl FactorTable {
    /// Scores every pair. All variables describe the same pictures; names serve the table and the error messages.
    ///
    /// # Errors
    /// No code, no factor, no picture, different lengths, categories out of range, values that are not finite.
    pub fn new(codes: &[(&str, Variable<'_>)], factors: &[(&str, Variable<'_>)]) -> Result<Self> {
        let names = |variables: &[(&str, Variable<'_>)]| -> Vec<String> {
            variables.iter().map(|&(name, _)| name.into()).collect()
        };
        let (code_names, factor_names) = (names(codes), names(factors));
        let (codes, factors) = (by_name("code", codes), by_name("factor", factors));
        check(&codes, &factors)?;
        let (mutual_information, factor_entropy) = information(&codes, &factors);
        let associations = |factor: &Titled<'_>| -> Vec<f64> {
            codes.iter().map(|code| association_checked(&code.variable, &factor.variable)).collect()
        };
        Ok(Self {
            pictures: codes[0].variable.len(),
            bins: BINS,
            codes: code_names,
            factors: factor_names,
            association: factors.iter().map(associations).collect(),
            mig: gap(&mutual_information, &factor_entropy),
            mutual_information,
            factor_entropy,
        })
    }
}

/// Mutual information gap of codes and factors that describe the same pictures in the same order, with [`BINS`] bins
/// for continuous variables. With a single code the second largest mutual information is 0.
///
/// # Errors
/// As [`FactorTable::new`]; messages name a variable by its position, counted from 0.
pub fn mig(codes: &[Variable<'_>], factors: &[Variable<'_>]) -> Result<Mig> {
    let (codes, factors) = (by_position("code", codes), by_position("factor", factors));
    check(&codes, &factors)?;
    let (information, entropy) = information(&codes, &factors);
    Ok(gap(&information, &entropy))
}

/// A variable and what error messages call it.
struct Titled<'a> {
    title: String,
    variable: Variable<'a>,
}

fn by_name<'a>(kind: &str, variables: &[(&str, Variable<'a>)]) -> Vec<Titled<'a>> {
    variables.iter().map(|&(name, variable)| Titled { title: format!("{kind} {name:?}"), variable }).collect()
}

fn by_position<'a>(kind: &str, variables: &[Variable<'a>]) -> Vec<Titled<'a>> {
    variables
        .iter()
        .enumerate()
        .map(|(position, &variable)| Titled { title: format!("{kind} {position}"), variable })
        .collect()
}

/// At least one code and one factor, all sound and equally long.
fn check(codes: &[Titled<'_>], factors: &[Titled<'_>]) -> Result<()> {
    for (name, list) in [("codes", codes), ("factors", factors)] {
        if list.is_empty() {
            return Err(Error::Empty { name: name.into() });
        }
    }
    let first = &codes[0];
    for other in codes.iter().chain(factors) {
        check_lengths(&first.title, &first.variable, &other.title, &other.variable)?;
        other.variable.check(&other.title)?;
    }
    Ok(())
}

/// Mutual information, `[factors][codes]`, and the entropy of each factor.
fn information(codes: &[Titled<'_>], factors: &[Titled<'_>]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let discretised = |list: &[Titled<'_>]| -> Vec<Vec<usize>> {
        list.iter().map(|t| t.variable.discretised(BINS)).collect()
    };
    let (codes, factors) = (discretised(codes), discretised(factors));
    let with_codes = |factor: &Vec<usize>| -> Vec<f64> {
        codes.iter().map(|code| Joint::new(code, factor).mutual_information()).collect()
    };
    (factors.iter().map(with_codes).collect(), factors.iter().map(|factor| Joint::entropy(factor)).collect())
}

fn gap(information: &[Vec<f64>], entropy: &[f64]) -> Mig {
    let one = |(with_codes, &entropy): (&Vec<f64>, &f64)| {
        let (mut largest, mut second) = (0.0, 0.0);
        for &value in with_codes {
            if value > largest {
                (largest, second) = (value, largest);
            } else if value > second {
                second = value;
            }
        }
        // A constant factor has the entropy 1 · ln 1, exactly 0.
        (entropy > 0.0).then(|| ((largest - second) / entropy).min(1.0))
    };
    let per_factor: Vec<Option<f64>> = information.iter().zip(entropy).map(one).collect();
    let counted = per_factor.iter().flatten().count();
    let mean = numeric::sum(per_factor.iter().flatten().copied()) / counted as f64;
    Mig { per_factor, mean: (counted > 0).then_some(mean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categorical(count: usize, values: &[usize]) -> Variable<'_> {
        Variable::Categorical { count, values }
    }

    /// All combinations of three factors, once: they are exactly independent.
    fn grid() -> (Vec<usize>, Vec<usize>, Vec<f64>) {
        let mut grid = (vec![], vec![], vec![]);
        for index in 0..4 * 3 * 20 {
            grid.0.push(index % 4);
            grid.1.push(index / 4 % 3);
            grid.2.push((index / 12) as f64 * 0.1 - 1.0);
        }
        grid
    }

    #[test]
    fn codes_that_are_the_factors_have_a_gap_of_one() {
        let (shape, style, angle) = grid();
        // The codes rename, reorder and rescale; one more is constant.
        let renamed: Vec<usize> = shape.iter().map(|value| (value * 3 + 1) % 4).collect();
        let scaled: Vec<f64> = angle.iter().map(|angle| 7.0 - 8.0 * angle).collect();
        let idle = vec![1; shape.len()];
        let factors = [
            ("shape", categorical(4, &shape)),
            ("style", categorical(3, &style)),
            ("angle", Variable::Continuous(&angle)),
        ];
        let codes = [
            ("c1", Variable::Continuous(&scaled)),
            ("c2", categorical(4, &renamed)),
            ("c3", categorical(2, &idle)),
            ("c4", categorical(9, &style)),
        ];
        let table = FactorTable::new(&codes, &factors).unwrap();
        for (factor, code) in [(0, 1), (1, 3), (2, 0)] {
            assert!((table.mig.per_factor[factor].unwrap() - 1.0).abs() < 1e-14);
            for other in 0..4 {
                let expected = if other == code { 1.0 } else { 0.0 };
                let entropy = table.factor_entropy[factor];
                let (association, information) =
                    (table.association[factor][other], table.mutual_information[factor][other]);
                assert!((association - expected).abs() < 1e-14, "{association}");
                assert!((information - expected * entropy).abs() < 1e-14, "{information}");
            }
        }
        assert!((table.mig.mean.unwrap() - 1.0).abs() < 1e-14);
        assert!((table.factor_entropy[2] - 20_f64.ln()).abs() < 1e-14);
        assert_eq!((table.pictures, table.bins), (240, 20));
        assert_eq!(table.codes, ["c1", "c2", "c3", "c4"]);
        assert_eq!(table.factors, ["shape", "style", "angle"]);
    }

    #[test]
    fn two_codes_that_share_a_factor_have_no_gap() {
        let (shape, style, _) = grid();
        let idle = vec![0; shape.len()];
        let twice = [categorical(4, &shape), categorical(4, &shape)];
        let factors = [categorical(4, &shape), categorical(3, &style), categorical(1, &idle)];
        let shared = mig(&twice, &factors).unwrap();
        assert_eq!(shared.per_factor, [Some(0.0), Some(0.0), None]);
        assert_eq!(shared.mean, Some(0.0));
        let single = mig(&twice[..1], &factors[..1]).unwrap();
        assert_eq!(single.mean, Some(1.0));
        let nothing_varies = mig(&twice, &factors[2..]).unwrap();
        assert_eq!((nothing_varies.per_factor, nothing_varies.mean), (vec![None], None));
    }

    #[test]
    fn bad_input_is_refused_by_name() {
        let good = ("c1", categorical(2, &[0, 1]));
        let short = ("angle", Variable::Continuous(&[0.5]));
        let message = FactorTable::new(&[good], &[good, short]).unwrap_err().to_string();
        assert_eq!(
            message,
            "code \"c1\" has 2 values and factor \"angle\" has 1; give one value per picture in both"
        );
        let message = mig(&[good.1], &[good.1, categorical(1, &[0, 1])]).unwrap_err().to_string();
        assert!(message.starts_with("factor 1: value 1 at position 1 is not below"), "{message}");
        assert!(matches!(mig(&[], &[good.1]), Err(Error::Empty { name }) if name == "codes"));
        assert!(matches!(mig(&[good.1], &[]), Err(Error::Empty { name }) if name == "factors"));
        let none = Variable::Continuous(&[]);
        assert!(matches!(mig(&[none], &[none]), Err(Error::Empty { name }) if name == "code 0"));
    }
}
