//! Pictures snapped to black and white: what Evtimova and Drozdov (§6) name as another way to make generated pictures lie
//! where BasicProp's lie, whose values are 0 and 255 alone.

use burn::tensor::Tensor;
use infogan_data::Scale;

/// Pictures `[N, C, H, W]` with every value at the nearer end of its range. The gradient passes as if nothing had been done
/// (the straight-through estimator: Bengio et al. 2013, *Estimating or Propagating Gradients Through Stochastic Neurons*).
pub fn snap(pictures: Tensor<4>, scale: Scale) -> Tensor<4> {
    let values = if pictures.is_autodiff() { pictures.clone().inner() } else { pictures.clone() }; // [N, C, H, W]
    let (low, high) = (scale.apply(0), scale.apply(255));
    let upper = values.clone().greater_equal_elem((low + high) / 2.0);
    let ends = values.full_like(low).mask_fill(upper, high);
    let moves = ends - values; // what is added, as a constant
    pictures.clone() + if pictures.is_autodiff() { moves.autodiff() } else { moves }
}
