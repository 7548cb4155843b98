//! Our kernels beside Burn's stock operations on shapes that no preset has, forward and backward:
//! `cargo run --release -p infogan-ops --example shapes`. A ratio below 1 would be a shape that became slower.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use infogan_ops::{Activation, Window, conv_transpose2d, conv2d, extension::use_stock_bodies, linear};

/// Median milliseconds of the calls of a twentieth of a second, of seven at least: threads are awake, as in a training.
fn median(mut body: impl FnMut()) -> f64 {
    body();
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.len() < 7 || begun.elapsed().as_secs_f64() < 0.05 {
        let begun = Instant::now();
        body();
        times.push(1e3 * begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn row(name: &str, mut body: impl FnMut()) {
    use_stock_bodies(true);
    let stock = median(&mut body);
    use_stock_bodies(false);
    let ours = median(&mut body);
    println!("{name:<58} {ours:8.3} ms, stock {stock:8.3} ms: {:6.2}×", stock / ours);
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Device::flex()).autodiff().require_grad()
}

fn main() {
    infogan_ops::kernels::keep_freed_memory();
    let act = Activation::Identity;
    for (batch, from, to, side, kernel, stride, groups) in [
        (64, 64, 64, 16, 3, 1, 1),
        (1, 64, 64, 32, 3, 1, 1),
        (32, 3, 64, 64, 5, 2, 1),
        (32, 64, 3, 32, 3, 1, 1),
        (16, 96, 96, 16, 1, 1, 1),
        (32, 64, 64, 16, 3, 1, 64),
        (32, 64, 64, 16, 3, 1, 4),
        (8, 5, 7, 33, 7, 3, 1),
        (2, 256, 512, 4, 4, 2, 1),
        (4, 1, 1, 128, 3, 1, 1),
    ] {
        let window = Window::same(kernel, stride);
        let name = format!("{batch}×{from}→{to}, {side}², k{kernel} s{stride}, {groups} groups");
        let (x, w) = (random([batch, from, side, side]), random([to, from / groups, kernel, kernel]));
        row(&format!("conv {name}"), || {
            conv2d(x.clone(), w.clone(), None, window, groups, act).sum().backward();
        });
        let w = random([from, to / groups, kernel, kernel]);
        row(&format!("upconv {name}"), || {
            conv_transpose2d(x.clone(), w.clone(), None, window, groups, act).sum().backward();
        });
    }
    for (batch, inputs, outputs) in [(1, 1024, 6272), (5, 300, 300), (2000, 128, 10), (64, 100, 1), (7, 3, 5)]
    {
        let (x, w) = (random([batch, inputs]), random([outputs, inputs]));
        row(&format!("linear {batch}×{inputs}→{outputs}"), || {
            linear(x.clone(), w.clone(), None, act).sum().backward();
        });
    }
}
