//! The drawn faces: their factors, their bytes, and that no attribute can be read from a few pixels.

use infogan_data::{
    FactorValues, ImageSet, Split,
    synth::{
        draw,
        portraits::{PortraitOptions, portraits},
    },
};

fn set(count: usize, size: usize, split: Split) -> ImageSet {
    portraits(&PortraitOptions { count, size, seed: 0 }, split).unwrap()
}

fn categories(set: &ImageSet, name: &str) -> (u16, Vec<u16>) {
    let factor = set.factors().iter().find(|factor| factor.name == name).unwrap();
    let FactorValues::Categorical { names, values } = &factor.values else { panic!("{name} is a number") };
    (names.len() as u16, values.clone())
}

/// The data set is written down: it must never change by accident.
#[test]
fn the_bytes_are_those_of_always() {
    assert_eq!(
        set(64, 32, Split::Train).content_hash(),
        "d7bd6c32a294c93dedbc1bc16ff98b149cd9549da894b4475205782b7e77da75"
    );
}

#[test]
fn more_than_the_memory_holds_is_refused_before_it_is_taken() {
    for name in ["glyphs", "portraits"] {
        let error = draw(name, 4_000_000_000, 512, 0, Split::Train).unwrap_err().to_string();
        assert!(error.contains("memory") && error.contains("smaller count"), "{error}");
    }
}

#[test]
fn a_picture_depends_on_its_number_alone() {
    let (few, many) = (set(5, 40, Split::Train), set(50, 40, Split::Train));
    assert_eq!(few.pictures(), &many.pictures()[..few.pictures().len()]);
    let other =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| set(50, 40, Split::Train));
    assert_eq!(other, many);
    // Another size shows the same faces.
    assert_eq!(set(50, 64, Split::Train).factors(), many.factors());
    assert_ne!(set(5, 40, Split::Test).pictures(), few.pictures());
    assert_ne!(draw("portraits", 5, 40, 1, Split::Train).unwrap().pictures(), few.pictures());
}

#[test]
fn attributes_are_equally_frequent_and_independent() {
    let set = set(6000, 16, Split::Train);
    let names = ["glasses", "hat", "beard", "hair_colour", "hair_length", "skin", "mouth", "background"];
    let columns: Vec<(u16, Vec<u16>)> = names.iter().map(|name| categories(&set, name)).collect();
    for (one, (count, values)) in columns.iter().enumerate() {
        for value in 0..*count {
            let share = values.iter().filter(|other| **other == value).count() as f64 / 6000.0;
            assert!((share - 1.0 / f64::from(*count)).abs() < 0.03, "{} {value}: {share}", names[one]);
        }
        for (other, (others, second)) in columns.iter().enumerate().take(one) {
            // Cramér's V of independent columns of this length is about 0.02.
            let mut table = vec![vec![0.0; usize::from(*others)]; usize::from(*count)];
            values.iter().zip(second).for_each(|(a, b)| table[usize::from(*a)][usize::from(*b)] += 1.0);
            let expected = 6000.0 / f64::from(count * others);
            let square: f64 =
                table.iter().flatten().map(|n: &f64| (n - expected) * (n - expected) / expected).sum();
            let v = (square / 6000.0 / f64::from(*count.min(others) - 1)).sqrt();
            assert!(v < 0.06, "{} and {}: {v}", names[one], names[other]);
        }
    }
    let numbers = set.factors().iter().filter(|factor| matches!(factor.values, FactorValues::Continuous(_)));
    assert!(numbers.count() >= 8);
}

/// Share of test pictures on which a logistic regression on all pixels is right.
fn linear(train: &ImageSet, test: &ImageSet, name: &str, value: u16) -> f64 {
    let of = |set: &ImageSet| -> Vec<f32> {
        categories(set, name).1.iter().map(|other| if *other == value { 1.0 } else { 0.0 }).collect()
    };
    let pixels = |set: &ImageSet, index: usize| -> Vec<f32> {
        set.picture(index).iter().map(|byte| f32::from(*byte) / 127.5 - 1.0).collect()
    };
    let volume: usize = train.shape().iter().product();
    let (mut weights, mut bias) = (vec![0.0_f32; volume], 0.0_f32);
    let score =
        |weights: &[f32], bias: f32, x: &[f32]| weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias;
    let (inputs, targets) = ((0..train.len()).map(|i| pixels(train, i)).collect::<Vec<_>>(), of(train));
    for epoch in 0..30 {
        let rate = 0.004 / (1.0 + 0.2 * epoch as f32);
        for (x, target) in inputs.iter().zip(&targets) {
            let error = 1.0 / (1.0 + (-score(&weights, bias, x)).exp()) - target;
            bias -= rate * error;
            weights.iter_mut().zip(x).for_each(|(w, x)| *w -= rate * (error * x + 1e-3 * *w));
        }
    }
    let targets = of(test);
    let right =
        (0..test.len()).filter(|&i| (score(&weights, bias, &pixels(test, i)) > 0.0) == (targets[i] > 0.5));
    right.count() as f64 / test.len() as f64
}

/// A linear classifier reads none of the first three off, though it sees all but the smile: control of them is worth
/// measuring.
#[test]
fn no_attribute_is_a_matter_of_a_few_pixels() {
    let (train, test) = (set(4000, 32, Split::Train), set(1000, 32, Split::Test));
    for (name, value) in [("glasses", 1), ("beard", 1), ("mouth", 1), ("hat", 1)] {
        let accuracy = linear(&train, &test, name, value);
        println!("{name}: {:.1} %", 100.0 * accuracy);
        let (count, values) = categories(&test, name);
        let most = values.iter().filter(|other| **other == value).count() as f64 / values.len() as f64;
        let chance = most.max(1.0 - most);
        assert!(name == "mouth" || accuracy > chance + 0.1, "{name} of {count} can be seen: {accuracy}");
        if name != "hat" {
            assert!(accuracy < 0.95, "{name}: {accuracy}");
        }
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for size in [0, 15, 513] {
        let error = draw("portraits", 1, size, 0, Split::Train).unwrap_err().to_string();
        assert!(error.contains("16 to 512"), "{error}");
    }
    assert!(draw("portraits", usize::MAX / 2, 64, 0, Split::Train).is_err());
    assert!(
        draw("landscapes", 1, 64, 0, Split::Train).unwrap_err().to_string().contains("glyphs, portraits")
    );
}
