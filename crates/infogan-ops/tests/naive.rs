//! Every kernel against its naive twin, over shapes drawn at random and chosen ones, at every level of instructions.

mod common;

use std::sync::Mutex;

use common::*;
use infogan_ops::{
    Activation,
    kernels::{
        adam, conv,
        level::{self, Level},
        linear, norm, pointwise,
    },
};
use proptest::prelude::*;

/// The level belongs to the process: one test at a time may set it.
static LEVEL: Mutex<()> = Mutex::new(());

fn at_every_level(body: impl Fn(Level)) {
    let _alone = LEVEL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for level in Level::ALL {
        if level::force(Some(level)) {
            body(level);
        }
    }
    level::force(None);
}

fn check_conv(g: &conv::Geometry, activation: Activation, biased: bool) {
    let big = numbers(1, g.batch * g.big.count());
    let small = numbers(2, g.batch * g.small.count());
    let weight = numbers(3, g.weights());
    let bias = numbers(4, g.small.channels.max(g.big.channels));
    let bias_of = |channels: usize| biased.then(|| &bias[..channels]);
    let down_ours =
        run(small.len(), |out| conv::down(g, &big, &weight, bias_of(g.small.channels), activation, out));
    close(
        &format!("down {g:?}"),
        g.taps() * g.group().0,
        &down_ours,
        &down(g, &big, &weight, bias_of(g.small.channels), activation),
    );
    let up_ours =
        run(big.len(), |out| conv::up(g, &small, &weight, bias_of(g.big.channels), activation, out));
    close(
        &format!("up {g:?}"),
        g.taps() * g.group().1,
        &up_ours,
        &up(g, &small, &weight, bias_of(g.big.channels), activation),
    );
    let weight_ours = run(weight.len(), |out| conv::weight(g, &big, &small, out));
    close(&format!("weight {g:?}"), g.batch * g.small.area(), &weight_ours, &conv_weight(g, &big, &small));
}

#[test]
fn convolutions_of_chosen_shapes() {
    let shapes = [
        geometry(3, [28, 28], [1, 64], 1, (4, 2, 1, 1)), // MNIST's first
        geometry(2, [14, 14], [64, 128], 1, (4, 2, 1, 1)), // and second
        geometry(2, [32, 32], [3, 64], 1, (4, 2, 1, 1)), // colour
        geometry(1, [9, 7], [70, 33], 1, (4, 2, 1, 1)),  // odd sides and channels
        geometry(2, [8, 8], [130, 17], 1, (3, 1, 1, 1)), // runs longer than a stretch
        geometry(1, [4, 4], [513, 9], 1, (4, 2, 1, 1)),  // and longer than the zeros
        geometry(33, [7, 5], [5, 7], 1, (5, 2, 1, 2)),   // TensorFlow's uneven padding
        geometry(2, [6, 6], [4, 4], 3, (3, 1, 1, 1)),    // groups
        geometry(2, [6, 6], [1, 1], 40, (3, 2, 1, 1)),   // every channel by itself
        geometry(2, [6, 6], [20, 12], 2, (4, 2, 1, 1)),  // groups with runs
        geometry(2, [11, 11], [9, 3], 1, (2, 4, 0, 0)),  // pixels that no tap meets
        geometry(2, [5, 5], [16, 16], 1, (1, 1, 0, 0)),  // one tap
        geometry(2, [1, 1], [24, 8], 1, (4, 2, 2, 2)),   // mostly padding
        geometry(1, [40, 3], [2, 300], 1, (3, 1, 2, 0)), // many small channels
        geometry(13, [8, 8], [64, 64], 1, (4, 2, 1, 1)), // images in turns, the last block short
        geometry(26, [4, 4], [64, 130], 1, (4, 2, 1, 1)), // and the weight's gradient tap by tap
        geometry(26, [6, 6], [64, 24], 2, (3, 1, 1, 1)),
    ];
    at_every_level(|_| {
        for (number, shape) in shapes.iter().enumerate() {
            let shape = shape.expect("a shape that fits");
            check_conv(&shape, ACTIVATIONS[number % 5], number % 3 != 0);
        }
    });
}

/// What does not fit is refused: nothing of a result may stay unwritten.
#[test]
fn impossible_convolutions_are_refused() {
    let whole = geometry(1, [5, 5], [4, 4], 2, (3, 1, 1, 1)).expect("a shape that fits");
    let refused = |g: &conv::Geometry, bias: usize| {
        let (big, small) = (numbers(1, g.batch * g.big.count()), numbers(2, g.batch * g.small.count()));
        let (weight, bias) = (numbers(3, g.weights()), numbers(4, bias));
        let act = Activation::Relu;
        let caught = |body: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err();
        [
            caught(&|| drop(run(small.len(), |out| conv::down(g, &big, &weight, Some(&bias), act, out)))),
            caught(&|| drop(run(big.len(), |out| conv::up(g, &small, &weight, Some(&bias), act, out)))),
            caught(&|| drop(run(weight.len(), |out| conv::weight(g, &big, &small, out)))),
        ]
    };
    assert_eq!(refused(&whole, 8), [false; 3]);
    assert_eq!(refused(&whole, 7), [true, true, false]);
    let mut odd = whole;
    odd.small.channels = 9;
    assert_eq!(refused(&odd, 9), [true; 3]);
    odd = whole;
    odd.big.channels = 9;
    assert_eq!(refused(&odd, 9), [true; 3]);
}

fn check_linear(s: &linear::Sizes, activation: Activation) {
    let x = numbers(1, s.batch * s.inputs);
    let dy = numbers(2, s.batch * s.outputs);
    let weight = numbers(3, s.inputs * s.outputs);
    let bias = numbers(4, s.outputs);
    let ours = run(dy.len(), |out| linear::forward(s, &x, &weight, Some(&bias), activation, out));
    close(
        &format!("{s:?}"),
        s.inputs,
        &ours,
        &finish(linear(s, &x, &weight), s.outputs, Some(&bias), activation),
    );
    let ours = run(dy.len(), |out| linear::forward(s, &x, &weight, None, Activation::Identity, out));
    close(&format!("{s:?}"), s.inputs, &ours, &linear(s, &x, &weight));
    close(
        &format!("input {s:?}"),
        s.outputs,
        &run(x.len(), |out| linear::input(s, &dy, &weight, out)),
        &linear_input(s, &dy, &weight),
    );
    close(
        &format!("weight {s:?}"),
        s.batch,
        &run(weight.len(), |out| linear::weight(s, &x, &dy, out)),
        &linear_weight(s, &x, &dy),
    );
}

#[test]
fn linear_maps_of_chosen_shapes() {
    at_every_level(|_| {
        for (number, [batch, inputs, outputs]) in [
            [1, 74, 100],
            [4, 300, 7],
            [128, 74, 65],
            [33, 129, 1],
            [5, 1, 5],
            [600, 40, 31],
            [64, 1100, 12],
            [520, 40, 530],
        ]
        .into_iter()
        .enumerate()
        {
            check_linear(&linear::Sizes { batch, inputs, outputs }, ACTIVATIONS[number % 5]);
        }
    });
}

fn check_norm(s: &norm::Sizes, activation: Activation, offset: f32) {
    let count = s.groups * s.rows * s.channels;
    let x: Vec<f32> = numbers(1, count).into_iter().map(|x| x + offset).collect();
    let (gamma, beta) = (numbers(3, s.channels), numbers(4, s.channels));
    let epsilon = 1e-5;
    let moments = norm::moments(s, &x);
    for group in 0..s.groups {
        for channel in 0..s.channels {
            let (mean, variance) = moments_of(s, &x, group, channel);
            let at = group * s.channels + channel;
            assert!((f64::from(moments.mean[at]) - mean).abs() <= 1e-6 * mean.abs().max(1.0), "{s:?}");
            assert!((f64::from(moments.variance[at]) - variance).abs() <= 1e-5 * variance.max(1e-3), "{s:?}");
        }
    }
    let given = norm::Moments {
        mean: numbers(5, s.groups * s.channels).into_iter().map(|x| x + offset).collect(),
        variance: numbers(6, s.groups * s.channels).into_iter().map(|x| x.abs() + 0.1).collect(),
    };
    for given in [None, Some(&given)] {
        let by = given.unwrap_or(&moments);
        let ours = run(count, |out| norm::forward(s, &x, &gamma, &beta, by, epsilon, activation, out));
        close(&format!("{s:?}"), 1, &ours, &norm(s, &x, &gamma, &beta, given, epsilon, activation));
        // At a kink of the activation one rounding decides: no gradient comes from there.
        let mut dy = numbers(2, count);
        let before = norm(s, &x, &gamma, &beta, given, epsilon, Activation::Identity);
        dy.iter_mut().zip(&before).filter(|(_, z)| z.abs() <= 1e-5).for_each(|(dy, _)| *dy = 0.0);
        let mut others = None;
        let own = given.is_none();
        let dx = run(count, |out| {
            others = Some(norm::backward(s, &x, &dy, &gamma, &beta, by, own, epsilon, activation, out));
        });
        let (dgamma, dbeta) = others.expect("gradients");
        let reference = norm_gradients(s, &x, &dy, &gamma, &beta, given, epsilon, activation);
        close(&format!("dx {s:?}"), 1, &dx, &reference[0]);
        close(&format!("dgamma {s:?}"), s.groups * s.rows, &dgamma, &reference[1]);
        close(&format!("dbeta {s:?}"), s.groups * s.rows, &dbeta, &reference[2]);
    }
}

#[test]
fn batch_norm_of_chosen_shapes() {
    at_every_level(|_| {
        for (number, [groups, rows, channels]) in
            [[1, 128, 70], [2, 300, 64], [3, 7, 5], [1, 2, 1], [2, 513, 130], [1, 16, 600]]
                .into_iter()
                .enumerate()
        {
            for activation in [ACTIVATIONS[number % 5], Activation::LeakyRelu(0.2)] {
                check_norm(&norm::Sizes { groups, rows, channels }, activation, 0.0);
            }
        }
        // Far from zero, sums of squares must not cancel.
        check_norm(&norm::Sizes { groups: 1, rows: 600, channels: 3 }, Activation::Tanh, 10.0);
    });
}

#[test]
fn activations_and_their_slopes() {
    // Dense around zero, and out to where everything saturates.
    let x: Vec<f32> = (-4000..=4000).map(|i| i as f32 * 1e-3 * (1.0 + (i as f32 / 900.0).powi(4))).collect();
    let dy = numbers(7, x.len());
    at_every_level(|level| {
        for activation in ACTIVATIONS {
            let y = run(x.len(), |out| pointwise::activate(&x, activation, out));
            let naive: Vec<f64> = x.iter().map(|&x| value_of(f64::from(x), activation)).collect();
            for ((y, naive), x) in y.iter().zip(&naive).zip(&x) {
                let off = (f64::from(*y) - naive).abs();
                assert!(
                    off <= 4e-7 * naive.abs().max(1e-30) || off <= 1e-37,
                    "{activation:?}({x}) at {level:?}: {y}, {naive}"
                );
            }
            let dx = run(x.len(), |out| pointwise::activate_backward(&y, &dy, activation, out));
            let naive: Vec<f64> = x
                .iter()
                .zip(&dy)
                .map(|(&x, &dy)| f64::from(dy) * slope_at(f64::from(x), activation))
                .collect();
            close(&format!("{activation:?}"), 1, &dx, &naive);
        }
    });
}

#[test]
fn what_is_not_a_number_stays_so() {
    let x = [f32::NAN, 1.0, f32::INFINITY, f32::NEG_INFINITY];
    at_every_level(|_| {
        for activation in ACTIVATIONS {
            let y = run(4, |out| pointwise::activate(&x, activation, out));
            assert!(
                y[0].is_nan() && !y[1].is_nan() && !y[2].is_nan() && !y[3].is_nan(),
                "{activation:?}: {y:?}"
            );
        }
        for (value, finite) in
            [(1.0, true), (1e18, true), (1e25, false), (f32::NAN, false), (f32::INFINITY, false)]
        {
            for place in [0, 63, 64, 40_000] {
                let mut values = numbers(1, 40_001);
                values[place] = value;
                assert_eq!(pointwise::squares_finite(&values), finite, "{value} at {place}");
            }
        }
        let s = norm::Sizes { groups: 1, rows: 4, channels: 1 };
        let moments = norm::moments(&s, &[1.0, f32::NAN, 2.0, 3.0]);
        assert!(moments.mean[0].is_nan() && moments.variance[0].is_nan());
    });
}

#[test]
fn sums_transposition_and_adam() {
    at_every_level(|_| {
        for (rows, channels) in [(1000, 3), (513, 70), (5, 1)] {
            let x = numbers(1, rows * channels);
            let naive: Vec<f64> =
                (0..channels).map(|c| (0..rows).map(|r| f64::from(x[r * channels + c])).sum()).collect();
            close("column sums", rows, &pointwise::column_sums(&x, channels), &naive);
        }
        for [batch, rows, columns] in [[3, 49, 128], [1, 5, 300], [2, 17, 1]] {
            let x = numbers(1, batch * rows * columns);
            let turned = run(x.len(), |out| pointwise::transpose(batch, rows, columns, &x, out));
            for (at, value) in turned.iter().enumerate() {
                let (n, column, row) = (at / (rows * columns), at / rows % columns, at % rows);
                assert_eq!(*value, x[(n * rows + row) * columns + column]);
            }
        }
        let count = 70_001;
        let (mut p, g, mut m) = (numbers(1, count), numbers(2, count), numbers(3, count));
        let mut v: Vec<f32> = numbers(4, count).iter().map(|v| v * v).collect();
        let update =
            adam::Update { first: [0.5, 0.5], second: [0.999, 0.001], step: 0.01, root: 0.3, epsilon: 1e-8 };
        let mut naive = [Vec::new(), Vec::new(), Vec::new()];
        for i in 0..count {
            let (p, g) = (f64::from(p[i]), f64::from(g[i]));
            let first = 0.5 * f64::from(m[i]) + 0.5 * g;
            let second = 0.999 * f64::from(v[i]) + 0.001 * g * g;
            naive[0].push(p - 0.01 * first / (second.sqrt() / 0.3 + 1e-8));
            naive[1].push(first);
            naive[2].push(second);
        }
        adam::update(&update, &mut p, &g, &mut m, &mut v);
        for (ours, naive) in [p, m, v].iter().zip(&naive) {
            close("adam", 1, ours, naive);
        }
        let sum = run(count, |out| pointwise::add(&g, &g, out));
        assert!(sum.iter().zip(&g).all(|(sum, g)| *sum == g + g));
    });
}

fn any_activation() -> impl Strategy<Value = Activation> {
    (0..5usize).prop_map(|number| ACTIVATIONS[number])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_of_any_shape(
        (batch, height, width) in (1..30usize, 1..11usize, 1..11usize),
        (from, to, groups) in (1..23usize, 1..23usize, 1..4usize),
        (kernel, stride, before, after) in (1..6usize, 1..5usize, 0..4usize, 0..4usize),
        activation in any_activation(),
        biased: bool,
    ) {
        let shape = geometry(batch, [height, width], [from, to], groups, (kernel, stride, before, after));
        prop_assume!(shape.is_some());
        let shape = shape.expect("assumed");
        at_every_level(|_| check_conv(&shape, activation, biased));
    }

    #[test]
    fn linear_maps_of_any_shape(
        batch in 1..140usize, inputs in 1..200usize, outputs in 1..110usize, activation in any_activation()
    ) {
        at_every_level(|_| check_linear(&linear::Sizes { batch, inputs, outputs }, activation));
    }

    #[test]
    fn batch_norm_of_any_shape(
        groups in 1..4usize, rows in 4..300usize, channels in 1..140usize, activation in any_activation()
    ) {
        at_every_level(|_| check_norm(&norm::Sizes { groups, rows, channels }, activation, 0.0));
    }
}
