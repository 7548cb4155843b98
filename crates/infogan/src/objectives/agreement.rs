//! Agreement of a classifier with itself on two views of the same pictures, as mutual information (Ji et al. 2019, *Invariant
//! Information Clustering*, eq. 2 and 3). It needs no label: what two views of a picture have in common is what it shows.

use burn::tensor::{Tensor, activation};

/// Keeps logarithms finite where a pair of categories never occurs.
const LEAST: f64 = 1e-8;

/// I(c; c′) in nats between the categories of pictures and of the same pictures seen otherwise, over the batch: at most ln K,
/// reached where views agree, with certainty, and all categories are used alike. Logits `[N, K]` each → `[1]`.
pub fn agreement(one: Tensor<2>, other: Tensor<2>) -> Tensor<1> {
    let count = one.dims()[0] as f64;
    let (one, other) = (activation::softmax(one, 1), activation::softmax(other, 1)); // [N, K]
    let joint = one.transpose().matmul(other) / count; // [K, K]
    // Which view is which says nothing.
    let joint = ((joint.clone() + joint.transpose()) / 2.0).clamp_min(LEAST);
    let (rows, columns) = (joint.clone().sum_dim(1), joint.clone().sum_dim(0)); // [K, 1], [1, K]
    (joint.clone() * (joint.log() - rows.log() - columns.log())).sum()
}
