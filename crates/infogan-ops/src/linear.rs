use burn::tensor::Tensor;

/// Linear map. `x` `[N, in]`, `weight` `[out, in]`, `bias` `[out]` → `[N, out]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let [out, _] = weight.dims();
    let y = if out == 1 {
        // Not a matrix product: Burn's fused kernels get `[N, K] × [K, 1]` wrong (tracel-ai/burn #5122).
        (x * weight).sum_dim(1) // [N, 1]
    } else {
        x.matmul(weight.transpose()) // [N, out]
    };
    match bias {
        Some(bias) => y + bias.unsqueeze::<2>(), // [1, out]
        None => y,
    }
}
