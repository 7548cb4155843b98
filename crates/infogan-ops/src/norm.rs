use burn::tensor::{
    Tensor,
    module::{batch_norm as stock_batch_norm, batch_norm_train},
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

/// Batch normalisation over all dimensions but the second (Ioffe and Szegedy, 2015).
///
/// `x` `[N, C, …]`, `gamma` and `beta` `[C]` → the normalised batch and, for [`Statistics::Batch`], the moments
/// of each group in order.
pub fn batch_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: Statistics,
    epsilon: f64,
) -> (Tensor<D>, Vec<Moments>) {
    match statistics {
        Statistics::Given { mean, variance } => {
            (stock_batch_norm(x, gamma, beta, mean, variance, epsilon), Vec::new())
        }
        Statistics::Batch { groups } => {
            let mut outputs = Vec::with_capacity(groups);
            let mut moments = Vec::with_capacity(groups);
            let size = x.dims()[0] / groups.max(1);
            for group in 0..groups {
                let part = if groups == 1 { x.clone() } else { x.clone().narrow(0, group * size, size) };
                let out = batch_norm_train(part, gamma.clone(), beta.clone(), epsilon);
                outputs.push(out.output);
                moments.push(Moments {
                    mean: out.mean.inner(),
                    variance: out.variance.inner(),
                    samples: size,
                });
            }
            let y = if groups == 1 { outputs.remove(0) } else { Tensor::cat(outputs, 0) };
            (y, moments)
        }
    }
}
