use burn::{backend::Dispatch, tensor::Tensor};

use crate::{
    Activation,
    extension::{Kernels, NormFrame},
};

/// Which mean and variance batch norm divides by.
// The larger variant is two handles, made once a layer and pass: a box would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Statistics {
    /// Those of the batch itself. The batch is cut into this many equal groups, each with statistics of its own,
    /// so that real and generated pictures can share one pass. The batch size must be a multiple of it.
    Batch {
        /// Number of groups.
        groups: usize,
    },
    /// Given ones, `[C]` each.
    Given {
        /// Mean per channel.
        mean: Tensor<1>,
        /// Variance per channel, without ε.
        variance: Tensor<1>,
    },
}

/// Mean and biased variance per channel of one group, `[C]` each, cut from the tape.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Mean per channel.
    pub mean: Tensor<1>,
    /// Biased (population) variance per channel, without ε.
    pub variance: Tensor<1>,
    /// Samples in the group.
    pub samples: usize,
}

/// Batch normalisation over all dimensions but the second (Ioffe and Szegedy, 2015), then the activation.
///
/// `x` `[N, C, …]`, `gamma` and `beta` `[C]` → the result and, for [`Statistics::Batch`], the moments of each group
/// in order.
pub fn batch_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: Statistics,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<D>, Vec<Moments>) {
    let [batch, channels] = [x.dims()[0], x.dims()[1]];
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    match statistics {
        Statistics::Given { mean, variance } => {
            let frame = NormFrame { groups: 1, epsilon, activation };
            let (mean, variance) = (mean.into_dispatch(), variance.into_dispatch());
            let y = Dispatch::norm_given(x, gamma, beta, mean, variance, frame);
            (Tensor::from_dispatch(y), Vec::new())
        }
        Statistics::Batch { groups } => {
            let frame = NormFrame { groups, epsilon, activation };
            let (y, mean, variance) = Dispatch::norm(x, gamma, beta, frame);
            let [mean, variance] = [mean, variance].map(|t| Tensor::<1>::from_dispatch(t).inner()); // [groups · C]
            let part = |all: &Tensor<1>, group: usize| all.clone().narrow(0, group * channels, channels);
            let moments = (0..groups)
                .map(|group| Moments {
                    mean: part(&mean, group),
                    variance: part(&variance, group),
                    samples: batch / groups,
                })
                .collect();
            (Tensor::from_dispatch(y), moments)
        }
    }
}
