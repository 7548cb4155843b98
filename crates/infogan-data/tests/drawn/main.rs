//! The drawn stand-ins for sets of the papers: what they have in common here, what each shows in its own file.

mod chairs;
mod heads;
mod sprites;

use infogan_data::{
    Factor, FactorValues, ImageSet, Split,
    synth::{chairs::Chair, chairs::Kind, draw, find, heads::Head, sprites::Outline, sprites::Sprite},
};

const NAMES: [&str; 3] = ["heads", "chairs", "sprites"];

fn set(name: &str, count: usize) -> ImageSet {
    draw(name, count, find(name).unwrap().size, 0, Split::Train).unwrap()
}

/// The values of a factor as numbers.
fn values(set: &ImageSet, name: &str) -> Vec<f32> {
    column(set.factors().iter().find(|factor| factor.name == name).unwrap())
}

fn column(factor: &Factor) -> Vec<f32> {
    match &factor.values {
        FactorValues::Continuous(values) => values.clone(),
        FactorValues::Categorical { values, .. } => values.iter().map(|&value| f32::from(value)).collect(),
    }
}

/// Mean absolute difference of two pictures, in steps of 255.
fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u32 = one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / one.len() as f64
}

/// Total, and mean column and row, of what `weight` gives for every pixel.
fn centre(size: usize, weight: impl Fn(usize) -> f64) -> [f64; 3] {
    let (mut total, mut x, mut y) = (0.0, 0.0, 0.0);
    for place in 0..size * size {
        let weight = weight(place);
        total += weight;
        x += weight * ((place % size) as f64 + 0.5);
        y += weight * ((place / size) as f64 + 0.5);
    }
    [total, x / total, y / total]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let centred = |values: &[f64]| values.iter().map(|value| value - mean(values)).collect::<Vec<_>>();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (centred(one), centred(other));
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

/// Whether values fill this range evenly: on [0, 1] their mean is 1/2 and their variance 1/12.
fn assert_uniform(set: &ImageSet, name: &str, [low, high]: [f32; 2]) {
    let values = values(set, name);
    assert!(values.iter().all(|value| (low..high).contains(value)), "{name}");
    let unit: Vec<f64> = values.iter().map(|value| f64::from((value - low) / (high - low))).collect();
    let variance = mean(&unit.iter().map(|value| (value - 0.5).powi(2)).collect::<Vec<_>>());
    assert!((mean(&unit) - 0.5).abs() < 0.02, "{name}: {}", mean(&unit));
    assert!((variance - 1.0 / 12.0).abs() < 0.005, "{name}: {variance}");
}

/// A change of the drawing is a change of the data set, and runs before and after it cannot be compared: change these
/// values only on purpose.
#[test]
fn the_bytes_are_pinned() {
    let hashes = [
        "44fdfd36a4d5fff2f14864123da5b80741c5c76ec0b749111fc81f8f17f10796",
        "2f72a0478f2090435c19d6889d4130bc3c8bbf87ee21355602609d14b50030d8",
        "f0b7360931ccbaa5ada7205aa113101ea55690ad526145b175a3c92108a8bdf0",
    ];
    let found = NAMES.map(|name| set(name, 100).content_hash().to_owned());
    assert_eq!(found, hashes);
}

#[test]
fn a_picture_depends_on_seed_split_and_number_alone() {
    for name in NAMES {
        let size = find(name).unwrap().size;
        let many = set(name, 60);
        assert_eq!(set(name, 20), many.clone().take(20), "{name}");
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| set(name, 60)), many, "{name}");
        for (seed, split) in [(0, Split::Test), (1, Split::Train)] {
            let other = draw(name, 60, size, seed, split).unwrap();
            let shared = (0..60).filter(|&index| other.picture(index) == many.picture(index)).count();
            assert_eq!(shared, 0, "{name}");
        }
    }
}

/// Another size shows the same, as sharp as its pixels allow.
#[test]
fn sizes_show_the_same() {
    for name in NAMES {
        let [small, large] = [32, 64].map(|size| draw(name, 40, size, 3, Split::Train).unwrap());
        assert_eq!(small.factors(), large.factors(), "{name}");
        for index in 0..40 {
            let halved: Vec<u8> = (0..32 * 32)
                .map(|place| {
                    let corner = place / 32 * 128 + place % 32 * 2;
                    let four = [0, 1, 64, 65].map(|step| u32::from(large.picture(index)[corner + step]));
                    (four.iter().sum::<u32>() / 4) as u8
                })
                .collect();
            let apart = difference(&halved, small.picture(index));
            assert!(apart < 2.5, "{name} {index}: {apart}");
        }
    }
}

#[test]
fn factors_are_independent() {
    for name in NAMES {
        let set = draw(name, 6000, 32, 0, Split::Train).unwrap();
        let columns: Vec<Vec<f64>> =
            set.factors().iter().map(|factor| column(factor).into_iter().map(f64::from).collect()).collect();
        for (place, one) in columns.iter().enumerate() {
            for (other, second) in columns.iter().enumerate().take(place) {
                let together = correlation(one, second);
                assert!(together.abs() < 0.05, "{name}: factors {other} and {place}: {together}");
            }
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    for (name, sizes) in [("heads", [15, 129]), ("chairs", [31, 129]), ("sprites", [31, usize::MAX])] {
        for size in sizes {
            let error = draw(name, 1, size, 0, Split::Train).unwrap_err().to_string();
            assert!(error.contains("choose a size from"), "{error}");
        }
        for count in [usize::MAX, 4_000_000_000] {
            assert!(draw(name, count, 128, 0, Split::Train).is_err(), "{name}");
        }
        assert!(draw(name, 0, 32, 0, Split::Train).unwrap().is_empty());
    }
}

/// Factors of the caller's choice may be anything: a picture comes back, if an odd one.
#[test]
fn impossible_factors_do_no_harm() {
    for odd in [0.0, -1.0, 1e-30, 1e30, f32::INFINITY, f32::NAN] {
        let head = Head { azimuth: odd, width: odd, jaw: odd, ..Head::default() };
        assert_eq!(head.picture(32).unwrap().len(), 32 * 32);
        for kind in Kind::ALL {
            let chair = Chair { rotation: odd, width: odd, height: odd, ..Chair::of(kind) };
            assert_eq!(chair.picture(32).unwrap().len(), 32 * 32);
        }
        for shape in Outline::ALL {
            let sprite = Sprite { shape, scale: odd, rotation: odd, place: [odd; 2] };
            assert_eq!(sprite.picture(32).unwrap().len(), 32 * 32);
        }
    }
}
