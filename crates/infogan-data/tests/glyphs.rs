//! The drawn digits: what they depend on, how hard they are, how they look in numbers.

use infogan_data::synth::glyphs::{ROTATION, SHIFT, SLANT, THICKNESS, WIDTH};
use infogan_data::{FactorValues, GlyphOptions, ImageSet, Split, glyphs};

fn draw(count: usize, size: usize, seed: u64, split: Split) -> ImageSet {
    glyphs(&GlyphOptions { count, size, seed }, split).unwrap()
}

fn continuous<'a>(set: &'a ImageSet, name: &str) -> &'a [f32] {
    match &set.factors().iter().find(|factor| factor.name == name).unwrap().values {
        FactorValues::Continuous(values) => values,
        FactorValues::Categorical { .. } => panic!("{name} is categorical"),
    }
}

fn categorical<'a>(set: &'a ImageSet, name: &str) -> (u16, &'a [u16]) {
    match &set.factors().iter().find(|factor| factor.name == name).unwrap().values {
        FactorValues::Categorical { names, values } => (names.len() as u16, values),
        FactorValues::Continuous(_) => panic!("{name} is continuous"),
    }
}

/// The share of test pictures whose nearest class mean (squared distance, means of the training pictures) is
/// that of their own digit.
fn nearest_class_mean(train: &ImageSet, test: &ImageSet) -> f64 {
    let volume: usize = train.shape().iter().product();
    let mut means = vec![vec![0.0_f64; volume]; 10];
    let mut counts = [0.0_f64; 10];
    for (index, &label) in train.labels().unwrap().iter().enumerate() {
        counts[usize::from(label)] += 1.0;
        for (mean, &value) in means[usize::from(label)].iter_mut().zip(train.picture(index)) {
            *mean += f64::from(value);
        }
    }
    for (mean, count) in means.iter_mut().zip(counts) {
        mean.iter_mut().for_each(|value| *value /= count);
    }
    let labels = test.labels().unwrap();
    let right = labels.iter().enumerate().filter(|&(index, &label)| {
        let picture = test.picture(index);
        let distance = |digit: &usize| -> f64 {
            means[*digit].iter().zip(picture).map(|(mean, &value)| (mean - f64::from(value)).powi(2)).sum()
        };
        let nearest = (0..10).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest == Some(usize::from(label))
    });
    right.count() as f64 / labels.len() as f64
}

#[test]
fn nearest_class_mean_is_under_ninety_percent() {
    for seed in [0, 1, 2] {
        let share =
            nearest_class_mean(&draw(10_000, 28, seed, Split::Train), &draw(2000, 28, seed, Split::Test));
        println!("nearest class mean, seed {seed}: {share:.4}");
        assert!(share > 0.4 && share < 0.9, "seed {seed}: {share}");
    }
}

#[test]
fn a_picture_depends_on_seed_split_and_number_alone() {
    let many = draw(500, 28, 3, Split::Train);
    assert_eq!(draw(120, 28, 3, Split::Train), many.clone().take(120));
    for other in [draw(500, 28, 3, Split::Test), draw(500, 28, 4, Split::Train)] {
        let shared = (0..500).filter(|&index| other.picture(index) == many.picture(index)).count();
        assert_eq!(shared, 0);
    }
    // The same hand at another size.
    assert_eq!(draw(500, 64, 3, Split::Train).factors(), many.factors());
}

/// The bytes are the same on every machine: their hash is written down. A change of the drawing is a change of
/// the data set, and runs before and after it cannot be compared: change this value only on purpose.
#[test]
fn the_bytes_are_pinned() {
    let set = draw(1000, 28, 0, Split::Train);
    assert_eq!(set.content_hash(), "6202271718dd6627a49ed16b03dcf104aad77efdb97667a5577198a6fcc9f927");
}

#[test]
fn threads_do_not_matter() {
    let all = draw(300, 28, 0, Split::Train);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| draw(300, 28, 0, Split::Train)), all);
}

#[test]
fn factors_fill_their_ranges_and_are_independent() {
    let set = draw(20_000, 8, 7, Split::Train);
    let ranges = [
        ("rotation", ROTATION),
        ("width", WIDTH),
        ("slant", SLANT),
        ("thickness", THICKNESS),
        ("shift_x", SHIFT),
        ("shift_y", SHIFT),
    ];
    let mut columns = Vec::new();
    for (name, [low, high]) in ranges {
        let values = continuous(&set, name);
        assert!(values.iter().all(|value| (low..high).contains(value)), "{name}");
        // On [0, 1] a uniform factor has mean 1/2 and variance 1/12.
        let unit: Vec<f64> = values.iter().map(|&v| f64::from((v - low) / (high - low))).collect();
        let mean = unit.iter().sum::<f64>() / unit.len() as f64;
        let variance = unit.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / unit.len() as f64;
        assert!(
            (mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.003,
            "{name}: {mean} {variance}"
        );
        columns.push(unit);
    }
    let (digits, digit) = categorical(&set, "digit");
    let (styles, style) = categorical(&set, "style");
    assert_eq!((digits, styles), (10, 4));
    assert_eq!(set.labels(), Some(digit));
    for value in 0..digits {
        let count = digit.iter().filter(|&&d| d == value).count();
        assert!((1800..2200).contains(&count), "digit {value}: {count}");
    }
    for value in 0..styles {
        let count = style.iter().zip(digit).filter(|&(&s, &d)| s == value && d == 7).count();
        assert!((400..600).contains(&count), "style {value}: {count}");
    }
    columns.push(digit.iter().map(|&d| f64::from(d) / 9.0).collect());
    columns.push(style.iter().map(|&s| f64::from(s) / 3.0).collect());
    for (place, a) in columns.iter().enumerate() {
        for b in &columns[..place] {
            let covariance: f64 = a.iter().zip(b).map(|(x, y)| (x - 0.5) * (y - 0.5)).sum::<f64>();
            assert!((covariance / a.len() as f64 * 12.0).abs() < 0.03, "two factors move together");
        }
    }
}

/// What the factors say is what the pictures show: ink grows with thickness, the centre of mass follows the
/// shift, and the digit 1 leans as rotation and slant say.
#[test]
fn pictures_show_their_factors() {
    let set = draw(4000, 28, 5, Split::Train);
    let moments: Vec<[f64; 4]> =
        (0..set.len()).map(|index| centre_and_lean(set.picture(index), 28)).collect();
    let digit = set.labels().unwrap();
    let of = |name: &str, d: u16| -> Vec<f64> {
        let values = continuous(&set, name);
        (0..set.len()).filter(|&i| digit[i] == d).map(|i| f64::from(values[i])).collect()
    };
    let seen = |k: usize, d: u16| -> Vec<f64> {
        (0..set.len()).filter(|&i| digit[i] == d).map(|i| moments[i][k]).collect()
    };
    for d in [0, 8] {
        assert!(correlation(&of("thickness", d), &seen(0, d)) > 0.9, "ink of {d}");
        assert!(correlation(&of("shift_x", d), &seen(1, d)) > 0.9, "x of {d}");
        assert!(correlation(&of("shift_y", d), &seen(2, d)) > 0.9, "y of {d}");
    }
    // A clockwise turn moves the top to the right, as a positive slant does.
    let expected: Vec<f64> = of("rotation", 1)
        .iter()
        .zip(of("slant", 1))
        .map(|(rotation, slant)| rotation.to_radians().tan() + slant)
        .collect();
    let agreement = correlation(&expected, &seen(3, 1));
    assert!(agreement > 0.95, "lean of 1: {agreement}");
}

/// Ink, centre (x, y), and how far the top leans to the right per height.
fn centre_and_lean(picture: &[u8], size: usize) -> [f64; 4] {
    let at = |place: usize| ((place % size) as f64, (place / size) as f64, f64::from(picture[place]) / 255.0);
    let ink: f64 = (0..picture.len()).map(|place| at(place).2).sum();
    let mean = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
        (0..picture.len()).map(&at).map(|(x, y, ink)| value(x, y) * ink).sum::<f64>() / ink
    };
    let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
    let together = mean(&|px, py| (px - x) * (py - y));
    let upright = mean(&|_, py| (py - y).powi(2));
    [ink, x, y, -together / upright]
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let product: f64 = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum();
    let spread = |values: &[f64], m: f64| values.iter().map(|v| (v - m).powi(2)).sum::<f64>();
    product / (spread(a, ma) * spread(b, mb)).sqrt()
}

/// No digit is cut off, none is empty, and every size shows the same picture.
#[test]
fn digits_stay_inside_at_every_size() {
    for size in [28, 32, 64] {
        let set = draw(3000, size, 11, Split::Test);
        let mut cut = 0;
        for index in 0..set.len() {
            let picture = set.picture(index);
            let border = (0..size).flat_map(|k| {
                [k, (size - 1) * size + k, k * size, k * size + size - 1].map(|place| picture[place])
            });
            cut += usize::from(border.max() > Some(127));
            let share = picture.iter().map(|&v| f64::from(v)).sum::<f64>() / 255.0 / picture.len() as f64;
            assert!((0.03..0.3).contains(&share), "picture {index} at {size}: {share} of it is ink");
        }
        assert_eq!(cut, 0, "digits cut off at size {size}");
    }
    let (small, large) = (draw(50, 28, 1, Split::Train), draw(50, 56, 1, Split::Train));
    for index in 0..50 {
        let difference: f64 = (0..28 * 28)
            .map(|place| {
                let (row, column) = (place / 28, place % 28);
                let corner = 2 * row * 56 + 2 * column;
                let four = [0, 1, 56, 57].map(|step| f64::from(large.picture(index)[corner + step]));
                (four.iter().sum::<f64>() / 4.0 - f64::from(small.picture(index)[place])).abs()
            })
            .sum();
        assert!(difference / 784.0 < 4.0, "picture {index}: {}", difference / 784.0);
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    for (count, size, reason) in
        [(1, 0, "size from 8"), (1, 1 << 40, "size from 8"), (usize::MAX, 28, "too many")]
    {
        let error = glyphs(&GlyphOptions { count, size, seed: 0 }, Split::Train).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(draw(0, 28, 0, Split::Train).is_empty());
}
