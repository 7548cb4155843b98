//! Entropies of latent priors and variational bounds on mutual information, all in nats.
//!
//! The bound is that of InfoGAN (Chen et al., 2016, equation 4): I(c; G(z, c)) ≥ H(c) + E[ln Q(c | x)].

use crate::numeric;
use crate::{Error, Result};

/// Plug-in entropy of a categorical variable from how often each category was met, in nats.
///
/// # Errors
/// [`Error::Empty`] when all counts are zero.
pub fn entropy_categorical(counts: &[u64]) -> Result<f64> {
    // In f64 throughout: 128-bit counts of counts are of no use to anybody.
    let total = numeric::sum(counts.iter().map(|&count| count as f64));
    if total == 0.0 {
        return Err(Error::Empty { name: "counts".into() });
    }
    Ok(numeric::sum(
        counts
            .iter()
            .filter(|&&count| count > 0)
            .map(|&count| count as f64 / total * (total / count as f64).ln()),
    ))
}

/// Differential entropy of the uniform distribution on [low, high): ln(high − low), in nats. Negative for
/// intervals shorter than 1.
///
/// # Errors
/// [`Error::OutOfDomain`] when an end is not finite or `high` is not above `low`.
pub fn entropy_uniform(low: f64, high: f64) -> Result<f64> {
    finite("low", low)?;
    if high.is_finite() && high > low {
        // Halves first: high − low may overflow where its logarithm does not.
        Ok((0.5 * high - 0.5 * low).ln() + std::f64::consts::LN_2)
    } else {
        Err(Error::OutOfDomain { name: "high", value: high, expected: "finite and above low" })
    }
}

/// Variational lower bound on the mutual information of one continuous code and the pictures, in nats, when Q is
/// a Gaussian around its mean with the best fixed standard deviation: H(c) − ½ ln(2πe·s²).
///
/// - `residual_mean_square`: s², the mean of (code − Q's mean)² over pictures drawn with that code;
/// - `prior_entropy`: H(c), the differential entropy of the code's prior, in nats ([`entropy_uniform`]).
///
/// Minimising E[(c − μ)²/(2σ²) + ln σ + ½ ln 2π] over σ gives σ² = s², hence the formula. It may be negative
/// (a useless Q does worse than no Q) and grows without limit as s² goes to 0.
///
/// # Errors
/// [`Error::OutOfDomain`] unless s² is finite and above 0 and the entropy is finite.
pub fn gaussian_bound(residual_mean_square: f64, prior_entropy: f64) -> Result<f64> {
    if !(residual_mean_square.is_finite() && residual_mean_square > 0.0) {
        return Err(Error::OutOfDomain {
            name: "residual_mean_square",
            value: residual_mean_square,
            expected: "finite and above 0",
        });
    }
    finite("prior_entropy", prior_entropy)?;
    // ½ (ln 2π + 1 + ln s²): the logarithms are added so that a tiny s² does not underflow.
    let noise_entropy = 0.5 * (std::f64::consts::TAU.ln() + 1.0 + residual_mean_square.ln());
    Ok(prior_entropy - noise_entropy)
}

/// Variational lower bound on the mutual information of a categorical code and the pictures, in nats:
/// H(c) − mean cross entropy of Q's prediction with the code that drew the picture.
///
/// # Errors
/// [`Error::OutOfDomain`] unless the cross entropy is finite and not negative and the entropy is finite.
pub fn categorical_bound(mean_cross_entropy: f64, entropy: f64) -> Result<f64> {
    if !(mean_cross_entropy.is_finite() && mean_cross_entropy >= 0.0) {
        return Err(Error::OutOfDomain {
            name: "mean_cross_entropy",
            value: mean_cross_entropy,
            expected: "finite and not negative",
        });
    }
    finite("entropy", entropy)?;
    Ok(entropy - mean_cross_entropy)
}

fn finite(name: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::OutOfDomain { name, value, expected: "finite" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-14, "{left} against {right}");
    }

    #[test]
    fn entropies_have_their_closed_forms() {
        close(entropy_categorical(&[7; 10]).unwrap(), 10_f64.ln());
        close(entropy_categorical(&[1, 0, 3]).unwrap(), 0.25 * 4_f64.ln() + 0.75 * (4.0_f64 / 3.0).ln());
        assert_eq!(entropy_categorical(&[0, 9]), Ok(0.0));
        close(entropy_categorical(&[u64::MAX, u64::MAX]).unwrap(), 2_f64.ln());
        close(entropy_uniform(-1.0, 1.0).unwrap(), 2_f64.ln());
        close(entropy_uniform(0.0, 0.5).unwrap(), -(2_f64.ln()));
        assert!(entropy_uniform(-f64::MAX, f64::MAX).unwrap() > 700.0);
    }

    /// A code seen through a channel that scales and adds Gaussian noise has I = ½ ln(1 + signal/noise). With
    /// Q's mean the best linear guess, the residual is signal·noise/(signal + noise) and the bound is tight.
    #[test]
    fn gaussian_bound_is_tight_for_a_gaussian_channel() {
        for (signal, noise) in [(1.0_f64, 0.25_f64), (4.0, 3.0), (0.5, 10.0)] {
            let prior = 0.5 * (std::f64::consts::TAU * std::f64::consts::E * signal).ln();
            let residual = signal * noise / (signal + noise);
            close(gaussian_bound(residual, prior).unwrap(), 0.5 * (1.0 + signal / noise).ln());
        }
    }

    /// Guessing the middle of a uniform prior costs the difference of the two entropies: ½ ln(πe/6).
    #[test]
    fn gaussian_bound_of_a_blind_guess_is_below_zero() {
        let bound = gaussian_bound(1.0 / 3.0, entropy_uniform(-1.0, 1.0).unwrap()).unwrap();
        let expected = -0.5 * (std::f64::consts::PI * std::f64::consts::E / 6.0).ln();
        close(bound, expected);
    }

    #[test]
    fn categorical_bound_runs_from_zero_to_the_entropy() {
        let entropy = 10_f64.ln();
        assert_eq!(categorical_bound(0.0, entropy), Ok(entropy));
        assert_eq!(categorical_bound(entropy, entropy), Ok(0.0));
        assert!(categorical_bound(3.0, entropy).unwrap() < 0.0);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for refused in [
            entropy_categorical(&[]),
            entropy_categorical(&[0, 0]),
            entropy_uniform(1.0, 1.0),
            entropy_uniform(f64::NAN, 1.0),
            entropy_uniform(0.0, f64::INFINITY),
            gaussian_bound(0.0, 0.7),
            gaussian_bound(f64::NAN, 0.7),
            gaussian_bound(1.0, f64::INFINITY),
            categorical_bound(-0.1, 1.0),
            categorical_bound(f64::NAN, 1.0),
            categorical_bound(1.0, f64::NAN),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
        let message = gaussian_bound(-1.0, 0.7).unwrap_err().to_string();
        assert_eq!(message, "residual_mean_square is -1; it must be finite and above 0");
    }
}
