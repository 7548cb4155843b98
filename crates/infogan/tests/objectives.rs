//! Losses against closed forms, and their gradients against finite differences of the formulas in `f64`.

mod common;

use burn::tensor::{Tensor, TensorData};
use common::toy;
use infogan::{
    game::Game,
    nn::read,
    objectives::{
        adversarial::{Loss, critic_loss, generator_loss},
        agreement::agreement,
        mutual_information::{Continuous, HALF_LN_TAU, categorical, continuous},
    },
};
use infogan_ops::device;
use proptest::prelude::*;

const LN_10: f64 = std::f64::consts::LN_10;

fn tensor(rows: usize, values: &[f64]) -> Tensor<2> {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let width = values.len() / rows;
    Tensor::from_data(TensorData::new(values, [rows, width]), &device::resolve("cpu").unwrap())
}

fn value(loss: Tensor<1>) -> f64 {
    f64::from(read(loss)[0])
}

/// Value and gradient of a loss of one tensor.
fn differentiate(rows: usize, values: &[f64], loss: impl Fn(Tensor<2>) -> Tensor<1>) -> (f64, Vec<f64>) {
    let x = tensor(rows, values).autodiff().require_grad();
    let loss = loss(x.clone());
    let mut tape = loss.backward();
    let gradient = x.grad_remove(&mut tape).unwrap();
    (value(loss), read(gradient).into_iter().map(f64::from).collect())
}

/// The central difference of a formula in `f64`.
fn difference(values: &[f64], formula: &dyn Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    (0..values.len())
        .map(|index| {
            let mut moved = values.to_vec();
            moved[index] += step;
            let above = formula(&moved);
            moved[index] -= 2.0 * step;
            (above - formula(&moved)) / (2.0 * step)
        })
        .collect()
}

/// A loss and its gradient agree with a formula at a point.
fn agree(
    rows: usize,
    values: &[f64],
    loss: impl Fn(Tensor<2>) -> Tensor<1>,
    formula: &dyn Fn(&[f64]) -> f64,
) {
    // The formula sees what the tensor sees: numbers rounded to f32.
    let values: Vec<f64> = values.iter().map(|&value| f64::from(value as f32)).collect();
    let (found, gradient) = differentiate(rows, &values, loss);
    let wanted = formula(&values);
    assert!(
        (found - wanted).abs() <= 2e-6 * (1.0 + wanted.abs()),
        "value {found}, formula {wanted} at {values:?}"
    );
    for (found, wanted) in gradient.iter().zip(difference(&values, formula)) {
        assert!((found - wanted).abs() <= 1e-5, "gradient {found}, formula {wanted} at {values:?}");
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Goodfellow et al.: −mean log D(x) − mean log(1 − D(G)), ε inside as OpenAI have it.
fn critic_formula(real: &[f64], fake: &[f64], epsilon: f64) -> f64 {
    -mean(real.iter().map(|&d| (sigmoid(d) + epsilon).ln()))
        - mean(fake.iter().map(|&d| (sigmoid(-d) + epsilon).ln()))
}

fn generator_formula(fake: &[f64], loss: Loss, epsilon: f64) -> f64 {
    match loss {
        Loss::NonSaturating => -mean(fake.iter().map(|&d| (sigmoid(d) + epsilon).ln())),
        Loss::Saturating => mean(fake.iter().map(|&d| (sigmoid(-d) + epsilon).ln())),
    }
}

/// Cross-entropy of rows of logits against categories.
fn categorical_formula(logits: &[f64], categories: &[usize], epsilon: f64) -> f64 {
    let width = logits.len() / categories.len();
    -mean(logits.chunks_exact(width).zip(categories).map(|(row, &category)| {
        let total: f64 = row.iter().map(|logit| logit.exp()).sum();
        (row[category].exp() / total + epsilon).ln()
    }))
}

/// Density of a normal, written with its standard deviation and not with the logarithm of its variance.
fn normal_formula(mean_: f64, deviation: f64, at: f64) -> f64 {
    let density =
        (-((at - mean_) / deviation).powi(2) / 2.0).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt());
    -density.ln()
}

/// I(c; c′) of the mean outer product of two softmaxes, made symmetric.
fn agreement_formula(one: &[f64], other: &[f64], rows: usize) -> f64 {
    let width = one.len() / rows;
    let softmax = |row: &[f64]| {
        let total: f64 = row.iter().map(|logit| logit.exp()).sum();
        row.iter().map(|logit| logit.exp() / total).collect::<Vec<f64>>()
    };
    let mut joint = vec![0.0; width * width];
    for (one, other) in one.chunks_exact(width).zip(other.chunks_exact(width)) {
        let (one, other) = (softmax(one), softmax(other));
        for (i, j) in (0..width).flat_map(|i| (0..width).map(move |j| (i, j))) {
            joint[i * width + j] += (one[i] * other[j] + one[j] * other[i]) / (2.0 * rows as f64);
        }
    }
    let marginal = |i: usize| joint[i * width..(i + 1) * width].iter().sum::<f64>();
    let cell = |(place, p): (usize, &f64)| p * (p / (marginal(place / width) * marginal(place % width))).ln();
    joint.iter().enumerate().map(cell).sum()
}

/// Views that agree with certainty on categories used alike tell all of them; a constant one tells nothing.
#[test]
fn agreement_is_the_information_that_two_views_share() {
    let sure: Vec<f64> = one_hot(&[0, 1, 2, 3, 0, 1, 2, 3], 4).iter().map(|hot| 60.0 * hot).collect();
    let full = value(agreement(tensor(8, &sure), tensor(8, &sure)));
    assert!((full - 4f64.ln()).abs() < 1e-5, "{full}");
    let flat = value(agreement(tensor(8, &[0.0; 32]), tensor(8, &sure)));
    assert!(flat.abs() < 1e-5, "{flat}");
    let shuffled: Vec<f64> = one_hot(&[0, 1, 2, 3, 1, 2, 3, 0], 4).iter().map(|hot| 60.0 * hot).collect();
    let half = value(agreement(tensor(8, &sure), tensor(8, &shuffled)));
    assert!(half < full - 0.5, "{half}");
}

fn one_hot(categories: &[usize], width: usize) -> Vec<f64> {
    categories.iter().flat_map(|&c| (0..width).map(move |k| f64::from(u8::from(k == c)))).collect()
}

#[test]
fn a_critic_that_knows_nothing_pays_two_ln_two() {
    let zeros = || tensor(6, &[0.0; 6]);
    for epsilon in [0.0, 1e-8] {
        assert!((value(critic_loss(zeros(), zeros(), epsilon)) - 2.0 * 2f64.ln()).abs() < 1e-6);
        let non_saturating = value(generator_loss(zeros(), Loss::NonSaturating, epsilon));
        let saturating = value(generator_loss(zeros(), Loss::Saturating, epsilon));
        assert!((non_saturating - 2f64.ln()).abs() < 1e-6);
        assert!((saturating + 2f64.ln()).abs() < 1e-6);
    }
}

#[test]
fn logits_of_zero_cost_the_logarithm_of_the_categories() {
    for width in [2, 3, 10, 20] {
        let categories: Vec<usize> = (0..7).map(|sample| sample % width).collect();
        let truth = || tensor(7, &one_hot(&categories, width));
        for epsilon in [0.0, 1e-8] {
            let found = value(categorical(tensor(7, &vec![0.0; 7 * width]), truth(), epsilon));
            assert!((found - (width as f64).ln()).abs() < 2e-6, "{width}: {found}");
        }
    }
}

/// Recipes §10: a net that applies softmax before the cross-entropy cannot go below 1.4612. Ours can.
#[test]
fn logits_are_no_probabilities() {
    let categories: Vec<usize> = (0..10).collect();
    let hot = one_hot(&categories, 10);
    let sure: Vec<f64> = hot.iter().map(|h| 40.0 * h).collect();
    assert!(value(categorical(tensor(10, &sure), tensor(10, &hot), 0.0)) < 1e-6);
    let softmax_twice = value(categorical(tensor(10, &hot), tensor(10, &hot), 0.0));
    assert!((softmax_twice - 1.4612).abs() < 5e-5, "{softmax_twice}");
}

#[test]
fn two_perfect_codes_of_fixed_deviation_cost_the_floor() {
    let codes = [0.3, -0.9, 0.0, 1.0, -0.2, 0.7];
    let perfect =
        |kind, raw: &[f64]| value(continuous(tensor(3, &codes), tensor(3, raw), tensor(3, &codes), kind));
    let found = perfect(Continuous::Fixed, &[5.0; 6]);
    assert!((found - 1.8379).abs() < 5e-5 && (found - 2.0 * HALF_LN_TAU).abs() < 1e-6, "{found}");
    assert_eq!(perfect(Continuous::SquaredError, &[5.0; 6]), 0.0);
    // A learned variance of 1 is the fixed one; a smaller one pays off when the mean is right: ½ raw per code.
    assert!((perfect(Continuous::Learned, &[0.0; 6]) - found).abs() < 1e-6);
    assert!((perfect(Continuous::Learned, &[-2.0; 6]) - (found - 2.0)).abs() < 1e-6);
}

#[test]
fn bounds_of_the_mnist_codes_end_at_ten_and_a_third() {
    let ceilings = |settings: &[&str]| {
        let mut all = vec![
            "latent=[{name='z',prior='uniform',width=4},{name='c1',prior='categorical',width=10},\
             {name='c2',prior='uniform',width=1},{name='c3',prior='uniform',width=1},\
             {name='c4',prior='normal',width=3}]",
            "terms.codes.recover=['c1','c2','c3']",
        ];
        all.extend(settings);
        Game::new(&toy(&all), [1, 8, 8], device::resolve("cpu").unwrap()).unwrap().ceilings()
    };
    let fixed = ceilings(&[]);
    let close = |name: &str, wanted: f64| (fixed[name] - wanted).abs() < 1e-12;
    assert!(close("c1", LN_10) && close("c2", 1.0 / 6.0) && close("c3", 1.0 / 6.0), "{fixed:?}");
    assert!(close("total", LN_10 + 1.0 / 3.0) && (fixed["total"] - 2.6359).abs() < 5e-5);
    assert_eq!(fixed.len(), 4);
    assert_eq!(ceilings(&["terms.codes.continuous='squared-error'"]), fixed);
    // Under a learned variance the bound of a continuous code has no end, so neither has the sum.
    let learned = ceilings(&["terms.codes.continuous='learned'"]);
    assert_eq!(learned.into_iter().collect::<Vec<_>>(), [("c1".to_owned(), fixed["c1"])]);
    let normal = ceilings(&["terms.codes.recover=['c4']"]);
    assert_eq!(normal.into_iter().collect::<Vec<_>>(), [("c4".to_owned(), 1.5)]);
}

/// E[½c²] is what the ceiling of a uniform code is the mean of: the bound of a perfect Q, from the functions.
#[test]
fn a_perfect_reader_reaches_the_ceiling() {
    let count = 20_001;
    let codes: Vec<f64> = (0..count).map(|k| -1.0 + 2.0 * k as f64 / (count - 1) as f64).collect();
    let zeros = vec![0.0; count];
    let score = |mean: &[f64]| {
        value(continuous(
            tensor(count, mean),
            tensor(count, &zeros),
            tensor(count, &codes),
            Continuous::Fixed,
        ))
    };
    let bound = score(&zeros) - score(&codes);
    assert!((bound - 1.0 / 6.0).abs() < 1e-4, "{bound}");
}

#[test]
fn the_generators_losses_agree_where_d_is_even_and_part_where_d_is_sure() {
    let slope = |logit: f64, loss| differentiate(1, &[logit], |x| generator_loss(x, loss, 0.0)).1[0];
    // d/dd −log σ(d) = σ(d) − 1; d/dd log(1 − σ(d)) = −σ(d).
    assert!((slope(0.0, Loss::NonSaturating) + 0.5).abs() < 1e-6);
    assert!((slope(0.0, Loss::Saturating) + 0.5).abs() < 1e-6);
    assert!((slope(-12.0, Loss::NonSaturating) + 1.0).abs() < 1e-4, "still pulls");
    assert!(slope(-12.0, Loss::Saturating).abs() < 1e-4, "has saturated");
    assert!(slope(-12.0, Loss::Saturating) < 0.0);
}

#[test]
fn epsilon_vanishes_where_it_should_and_shows_at_saturation() {
    let (real, fake) = ([1.2, -0.4, 0.9], [-1.0, 0.3, 0.1]);
    let loss = |epsilon| value(critic_loss(tensor(3, &real), tensor(3, &fake), epsilon));
    let exact = loss(0.0);
    let gaps: Vec<f64> = [1e-1, 1e-2, 1e-3].iter().map(|&epsilon| (loss(epsilon) - exact).abs()).collect();
    assert!(gaps[0] > 5.0 * gaps[1] && gaps[1] > 5.0 * gaps[2] && gaps[2] > 1e-4, "{gaps:?}");
    assert!((loss(1e-8) - exact).abs() < 1e-6);

    // Sure and wrong: exact losses grow with the logit and keep their slope, those with ε stop at −ln ε.
    let wrong = |epsilon| differentiate(1, &[-60.0], |x| generator_loss(x, Loss::NonSaturating, epsilon));
    let (exact, exact_slope) = wrong(0.0);
    let (soft, soft_slope) = wrong(1e-8);
    assert!((exact - 60.0).abs() < 1e-4 && (exact_slope[0] + 1.0).abs() < 1e-6);
    assert!((soft + 1e-8f64.ln()).abs() < 1e-4 && soft_slope[0].abs() < 1e-6, "{soft} {soft_slope:?}");
    let exact = value(critic_loss(tensor(1, &[0.0]), tensor(1, &[60.0]), 0.0));
    let soft = value(critic_loss(tensor(1, &[0.0]), tensor(1, &[60.0]), 1e-8));
    assert!((exact - 60.0 - 2f64.ln()).abs() < 1e-4 && (soft + 1e-8f64.ln() - 2f64.ln()).abs() < 1e-4);

    let hot = one_hot(&[0], 3);
    let wrong = |epsilon| value(categorical(tensor(1, &[-60.0, 0.0, 0.0]), tensor(1, &hot), epsilon));
    assert!((wrong(0.0) - 60.0 - 2f64.ln()).abs() < 1e-4 && (wrong(1e-8) + 1e-8f64.ln()).abs() < 1e-4);
}

/// No logit a float can hold makes the exact losses anything but a number.
#[test]
fn exact_losses_stay_finite() {
    for logit in [-1e30, -200.0, 200.0, 1e30] {
        let x = || tensor(1, &[logit]);
        let sure = |loss| differentiate(1, &[logit], |x| generator_loss(x, loss, 0.0));
        for (found, slope) in [sure(Loss::NonSaturating), sure(Loss::Saturating)] {
            assert!(found.is_finite() && slope[0].is_finite(), "{logit}: {found} {slope:?}");
        }
        assert!(value(critic_loss(x(), x(), 0.0)).is_finite());
    }
}

fn numbers(count: usize, limit: f64) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-limit..limit, count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agreement_and_its_gradient_follow_the_formula(
        one in proptest::collection::vec(-2.0..2.0f64, 12),
        other in proptest::collection::vec(-2.0..2.0f64, 12),
    ) {
        let fixed: Vec<f64> = other.iter().map(|&value| f64::from(value as f32)).collect();
        agree(4, &one, |x| agreement(x, tensor(4, &other).autodiff()), &|one| agreement_formula(one, &fixed, 4));
        agree(4, &one, |x| agreement(tensor(4, &other).autodiff(), x), &|one| agreement_formula(&fixed, one, 4));
    }

    #[test]
    fn adversarial_losses_and_their_gradients(logits in numbers(8, 6.0), soft: bool) {
        // A large ε, so that forgetting it would show.
        let epsilon = if soft { 1e-2 } else { 0.0 };
        let (real, fake) = logits.split_at(4);
        let (on_real, on_fake) = (tensor(4, real), tensor(4, fake));
        agree(4, real, |x| critic_loss(x, on_fake.clone(), epsilon), &|x| critic_formula(x, &rounded(fake), epsilon));
        agree(4, fake, |x| critic_loss(on_real.clone(), x, epsilon), &|x| critic_formula(&rounded(real), x, epsilon));
        for loss in [Loss::NonSaturating, Loss::Saturating] {
            agree(4, fake, |x| generator_loss(x, loss, epsilon), &|x| generator_formula(x, loss, epsilon));
        }
    }

    #[test]
    fn categorical_loss_and_its_gradient(
        logits in numbers(12, 5.0),
        categories in prop::collection::vec(0_usize..4, 3),
        soft: bool,
    ) {
        let epsilon = if soft { 1e-2 } else { 0.0 };
        let hot = tensor(3, &one_hot(&categories, 4));
        agree(3, &logits, |x| categorical(x, hot.clone(), epsilon), &|x| categorical_formula(x, &categories, epsilon));
    }

    #[test]
    fn continuous_losses_and_their_gradients(means in numbers(6, 2.0), raws in numbers(6, 2.0), codes in numbers(6, 1.0)) {
        let (mean_, raw, code) = (tensor(3, &means), tensor(3, &raws), tensor(3, &codes));
        let (means, raws, codes) = (rounded(&means), rounded(&raws), rounded(&codes));
        // Summed over the two codes, a mean over the three samples.
        let formula = |means: &[f64], raws: &[f64], kind: Continuous| {
            let of = |k: usize| match kind {
                Continuous::Fixed => normal_formula(means[k], 1.0, codes[k]),
                Continuous::SquaredError => (codes[k] - means[k]).powi(2) / 2.0,
                // The exponential of the output is the variance.
                Continuous::Learned => normal_formula(means[k], (raws[k] / 2.0).exp(), codes[k]),
            };
            (0..6).map(of).sum::<f64>() / 3.0
        };
        for kind in [Continuous::Fixed, Continuous::SquaredError, Continuous::Learned] {
            agree(3, &means, |x| continuous(x, raw.clone(), code.clone(), kind), &|x| formula(x, &raws, kind));
        }
        let learned = Continuous::Learned;
        agree(3, &raws, |x| continuous(mean_.clone(), x, code.clone(), learned), &|x| formula(&means, x, learned));
    }
}

fn rounded(values: &[f64]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value as f32)).collect()
}
