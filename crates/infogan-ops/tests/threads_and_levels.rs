//! The number of threads never shows in a result; the level of instructions does, in the multiply too.

mod common;

use common::*;
use infogan_ops::{
    Activation,
    kernels::{
        conv,
        level::{self, Level},
        linear, norm, pointwise,
    },
};

fn with_threads<T: Send>(threads: usize, body: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(body)
}

/// Bits of the results of every kernel on shapes large enough to be cut.
fn everything() -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    let mut keep = |values: Vec<f32>| all.push(values.into_iter().map(f32::to_bits).collect());
    for g in [
        geometry(5, [28, 28], [1, 64], 1, (4, 2, 1, 1)),
        geometry(5, [14, 14], [64, 128], 1, (4, 2, 1, 1)),
        geometry(5, [15, 9], [20, 7], 2, (3, 1, 1, 1)),
        geometry(26, [8, 8], [64, 64], 1, (4, 2, 1, 1)),
    ] {
        let g = g.expect("a shape that fits");
        let (big, small) = (numbers(1, g.batch * g.big.count()), numbers(2, g.batch * g.small.count()));
        let weight = numbers(3, g.weights());
        let bias = numbers(4, g.big.channels.max(g.small.channels));
        let act = Activation::LeakyRelu(0.1);
        keep(run(small.len(), |out| {
            conv::down(&g, &big, &weight, Some(&bias[..g.small.channels]), act, out)
        }));
        keep(run(big.len(), |out| conv::up(&g, &small, &weight, Some(&bias[..g.big.channels]), act, out)));
        keep(run(weight.len(), |out| conv::weight(&g, &big, &small, out)));
        keep(pointwise::column_sums(&small, g.small.channels));
    }
    for [batch, inputs, outputs] in [[130, 700, 300], [2, 500, 900], [300, 200, 1]] {
        let s = linear::Sizes { batch, inputs, outputs };
        let (x, dy) = (numbers(1, batch * inputs), numbers(2, batch * outputs));
        let weight = numbers(3, inputs * outputs);
        keep(run(dy.len(), |out| linear::forward(&s, &x, &weight, None, Activation::Tanh, out)));
        keep(run(x.len(), |out| linear::input(&s, &dy, &weight, out)));
        keep(run(weight.len(), |out| linear::weight(&s, &x, &dy, out)));
    }
    for [groups, rows, channels] in [[2, 1500, 64], [2, 128, 700]] {
        let s = norm::Sizes { groups, rows, channels };
        let count = groups * rows * channels;
        let (x, dy) = (numbers(1, count), numbers(2, count));
        let (gamma, beta) = (numbers(3, channels), numbers(4, channels));
        let moments = norm::moments(&s, &x);
        let act = Activation::Relu;
        keep(run(count, |out| norm::forward(&s, &x, &gamma, &beta, &moments, 1e-5, act, out)));
        let mut others = None;
        keep(run(count, |out| {
            others = Some(norm::backward(&s, &x, &dy, &gamma, &beta, &moments, true, 1e-5, act, out));
        }));
        let (dgamma, dbeta) = others.expect("gradients");
        keep(dgamma);
        keep(dbeta);
    }
    all
}

/// One test, because the level belongs to the process.
#[test]
fn threads_never_show_and_levels_do() {
    let mut by_level = Vec::new();
    for level in Level::ALL {
        if !level::force(Some(level)) {
            assert!(level > level::best());
            println!("skipped: {} (this processor lacks it)", level.name());
            continue;
        }
        let one = with_threads(1, everything);
        for threads in [2, 3, 7] {
            assert!(with_threads(threads, everything) == one, "{threads} threads differ at {}", level.name());
        }
        by_level.push((level, fused(), chained()));
    }
    level::force(None);

    for (level, fused, chained) in by_level {
        // Only a fused multiply-add sees what lies below the rounding of the product.
        let expected = match level {
            Level::Baseline if cfg!(not(target_arch = "aarch64")) => 0.0,
            _ => f32::powi(2.0, -24),
        };
        assert_eq!(fused, expected, "{}", level.name());
        // Sixteen lanes sum 128 numbers by themselves, eight lanes 512: only then are the ones not lost beside 2²⁴.
        let big = f32::powi(2.0, 24);
        match level {
            Level::Avx512 => assert_eq!(chained, big + 128.0),
            Level::Avx2 => assert_eq!(chained, big),
            Level::Baseline => {}
        }
    }
}

/// −round(x²) + x·x for x = 1 + 2⁻¹², in a product of two steps.
fn fused() -> f32 {
    let x = 1.0 + f32::powi(2.0, -12);
    let s = linear::Sizes { batch: 64, inputs: 2, outputs: 8 };
    let weight: Vec<f32> = [-(x * x), x].repeat(8);
    let samples: Vec<f32> = [1.0, x].repeat(64);
    let y = run(64 * 8, |out| linear::forward(&s, &samples, &weight, None, Activation::Identity, out));
    assert!(y.iter().all(|value| *value == y[0]));
    y[0]
}

/// 2²⁴ and 255 ones.
fn chained() -> f32 {
    let s = linear::Sizes { batch: 64, inputs: 256, outputs: 8 };
    let mut row = vec![1.0; 256];
    row[0] = f32::powi(2.0, 24);
    let y = run(64 * 8, |out| {
        linear::forward(&s, &vec![1.0; 64 * 256], &row.repeat(8), None, Activation::Identity, out);
    });
    y[0]
}
