//! Speed of every kernel on the shapes of the `mnist` preset, beside the peak of the multiply:
//! `cargo run --release -p infogan-ops --example kernels [LEVEL] [THREADS]`.

use std::{mem::MaybeUninit, time::Instant};

use infogan_ops::{
    Activation,
    kernels::{
        adam,
        conv::{self, Geometry, Map},
        level::{self, Level},
        linear, norm, pointwise,
    },
};

/// Median seconds of a few calls.
fn seconds(mut body: impl FnMut()) -> f64 {
    body();
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let begun = Instant::now();
            body();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5).collect()
}

fn row(name: &str, seconds: f64, multiplies: f64, bytes: f64) {
    println!(
        "{name:<34} {:8.3} ms {:7.0} GFLOP/s {:6.1} GB/s",
        seconds * 1e3,
        2e-9 * multiplies / seconds,
        1e-9 * bytes / seconds
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let Some(name) = arguments.next().filter(|name| name != "auto") {
        let level = Level::ALL.into_iter().find(|level| level.name() == name).expect("a level");
        assert!(level::force(Some(level)), "this processor has no {name}");
    }
    if let Some(threads) = arguments.next() {
        let threads = threads.parse().expect("a number of threads");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("a pool");
    }
    println!("{} threads, {}", rayon::current_num_threads(), level::level().name());
    println!("peak of the multiply in the first cache, one thread: {:.0} GFLOP/s", 2e-9 * peak());

    for batch in [128, 256] {
        for (name, channels, side) in [("64↔128, 14↔7", [64, 128], 14), ("1↔64, 28↔14", [1, 64], 28)]
        {
            let g = Geometry {
                batch,
                big: Map { height: side, width: side, channels: channels[0] },
                small: Map { height: side / 2, width: side / 2, channels: channels[1] },
                kernel: 4,
                stride: 2,
                before: 1,
                groups: 1,
            };
            let (big, small) = (numbers(batch * g.big.count()), numbers(batch * g.small.count()));
            let weight = numbers(g.weights());
            let multiplies = (batch * g.small.area() * g.weights()) as f64;
            let bytes = 4.0 * (big.len() + small.len()) as f64;
            let mut out = vec![MaybeUninit::uninit(); big.len().max(small.len()).max(weight.len())];
            let time = seconds(|| {
                conv::down(&g, &big, &weight, None, Activation::Identity, &mut out[..small.len()])
            });
            row(&format!("down   {name} batch {batch}"), time, multiplies, bytes);
            let time =
                seconds(|| conv::up(&g, &small, &weight, None, Activation::Identity, &mut out[..big.len()]));
            row(&format!("up     {name} batch {batch}"), time, multiplies, bytes);
            let time = seconds(|| conv::weight(&g, &big, &small, &mut out[..weight.len()]));
            row(&format!("weight {name} batch {batch}"), time, multiplies, bytes);
        }
        for (inputs, outputs) in [(6272, 1024), (1024, 6272), (1024, 1)] {
            let s = linear::Sizes { batch, inputs, outputs };
            let (x, dy, weight) =
                (numbers(batch * inputs), numbers(batch * outputs), numbers(inputs * outputs));
            let mut out = vec![MaybeUninit::uninit(); weight.len().max(x.len()).max(dy.len())];
            let multiplies = (batch * inputs * outputs) as f64;
            let bytes = 4.0 * (x.len() + dy.len() + weight.len()) as f64;
            let name = format!("{inputs}→{outputs} batch {batch}");
            let time = seconds(|| {
                linear::forward(&s, &x, &weight, None, Activation::Identity, &mut out[..dy.len()])
            });
            row(&format!("linear {name}"), time, multiplies, bytes);
            let time = seconds(|| linear::input(&s, &dy, &weight, &mut out[..x.len()]));
            row(&format!("linear, input {name}"), time, multiplies, bytes);
            let time = seconds(|| linear::weight(&s, &x, &dy, &mut out[..weight.len()]));
            row(&format!("linear, weight {name}"), time, multiplies, bytes);
        }
        for (rows, channels) in [(batch * 196, 64), (batch * 49, 128), (batch, 6272)] {
            let s = norm::Sizes { groups: batch / 128, rows: rows / (batch / 128), channels };
            let (x, dy) = (numbers(rows * channels), numbers(rows * channels));
            let (gamma, beta) = (numbers(channels), numbers(channels));
            let mut out = vec![MaybeUninit::uninit(); x.len()];
            let bytes = 4.0 * x.len() as f64;
            let time = seconds(|| {
                let moments = norm::moments(&s, &x);
                norm::forward(&s, &x, &gamma, &beta, &moments, 1e-5, Activation::Relu, &mut out);
            });
            row(&format!("norm {rows}×{channels}"), time, 0.0, 3.0 * bytes);
            let moments = norm::moments(&s, &x);
            let time = seconds(|| {
                norm::backward(&s, &x, &dy, &gamma, &beta, &moments, true, 1e-5, Activation::Relu, &mut out);
            });
            row(&format!("norm, backward {rows}×{channels}"), time, 0.0, 5.0 * bytes);
        }
    }
    let count = 6272 * 1024;
    let (mut p, mut m, mut v, g) = (numbers(count), numbers(count), vec![0.1; count], numbers(count));
    let update =
        adam::Update { first: [0.5, 0.5], second: [0.999, 0.001], step: 1e-3, root: 1.0, epsilon: 1e-8 };
    let time = seconds(|| adam::update(&update, &mut p, &g, &mut m, &mut v));
    row("adam 6272×1024", time, 0.0, 28.0 * count as f64);
    let time = seconds(|| assert!(pointwise::squares_finite(&g)));
    row("check 6272×1024", time, 0.0, 4.0 * count as f64);
    let mut out = vec![MaybeUninit::uninit(); 128 * 6272];
    let time = seconds(|| pointwise::transpose(128, 128, 49, &g[..128 * 6272], &mut out));
    row("channels last, 128 of 128×49", time, 0.0, 8.0 * out.len() as f64);
    let time = seconds(|| pointwise::activate(&g[..128 * 784], Activation::Sigmoid, &mut out[..128 * 784]));
    row("sigmoid 128×784", time, 0.0, 8.0 * 128.0 * 784.0);
}

/// Multiply-adds a second of a full tile on data in the first cache: what all multiplies are measured against.
fn peak() -> f64 {
    use infogan_ops::kernels::tile::{ROWS, Run, Tiling};
    let tiling = Tiling::current();
    let depth = tiling.depth();
    let (left, right) = (numbers(ROWS * depth), numbers(depth * tiling.width()));
    let mut product = numbers(ROWS * tiling.width());
    let run = Run { left: std::array::from_fn(|i| left[i * depth..].as_ptr()), right: right.as_ptr() };
    let start = product.as_mut_ptr();
    let targets = std::array::from_fn(|i| start.wrapping_add(i * tiling.width()));
    let tile = tiling.tile(ROWS, tiling.vectors);
    let calls = 20_000;
    let time = seconds(|| {
        for _ in 0..calls {
            // SAFETY: rows, panel and product are as long as the tile takes them to be.
            #[allow(unsafe_code)]
            unsafe {
                tile(&[run], depth, 1, &targets, true);
            }
        }
    });
    (calls * depth * ROWS * tiling.width()) as f64 / time
}
