//! What all sets of BasicProp and BasicProp++ have in common: two values, balanced and independent factors, and nothing in a
//! picture but its factors. Where their pixels are is tested beside their drawing.

use std::collections::HashMap;

use infogan_data::{
    Factor, FactorValues, ImageSet, Split,
    synth::{
        DRAWN, Drawn,
        basicprop_plus::{LOG2_RATIO, MEAN, SHIFT},
    },
};

fn sets() -> impl Iterator<Item = &'static Drawn> {
    DRAWN.iter().filter(|set| set.name.starts_with("basicprop-"))
}

fn draw(set: &Drawn, count: usize, seed: u64, split: Split) -> ImageSet {
    set.draw(count, 28, seed, split).unwrap()
}

/// The data sets are written down: they must never change by accident.
#[test]
fn the_bytes_are_those_of_always() {
    let pinned = [
        ("basicprop-line", "d883558a17c441723f685cfebe06961e810a1c0d92436b0e0d83332a247741f0"),
        ("basicprop-rectangles", "1227280a42c835f2494d09857b8a097d87daafa57e96a2ae58b85ce4d31aa17d"),
        ("basicprop-translation", "0f214243bb3ab622294ebb637b4b319454edc1ef3da231bf82e9f01a1a9314a4"),
        ("basicprop-diameters", "1a5b2b14d436268106f5eef17d631e164da5549543988e30bd09f990f06e95a5"),
        ("basicprop-colours", "4d9616418da469899dadc02966ed8d3c96f9bb15dac8aba8d87b1b7ec23e361e"),
        ("basicprop-shapes", "31431cfd8ebeb9e405b3e289ce9ca54b74df01889b878e47794ed3d8f909fc8c"),
    ];
    let hashes: Vec<(&str, String)> =
        sets().map(|set| (set.name, draw(set, 256, 0, Split::Train).content_hash().to_owned())).collect();
    assert_eq!(hashes, pinned.map(|(name, hash)| (name, hash.to_owned())));
}

#[test]
fn a_picture_depends_on_seed_split_and_number_alone() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for set in sets() {
        let many = draw(set, 300, 3, Split::Train);
        assert_eq!(many.name(), set.name);
        assert_eq!(many.shape(), [set.channels, 28, 28]);
        assert_eq!(draw(set, 120, 3, Split::Train), many.clone().take(120), "{}", set.name);
        assert_eq!(one.install(|| draw(set, 300, 3, Split::Train)), many, "{}", set.name);
        for other in [draw(set, 300, 3, Split::Test), draw(set, 300, 4, Split::Train)] {
            assert_ne!(other.pictures(), many.pictures(), "{}", set.name);
        }
        assert!(draw(set, 0, 3, Split::Train).is_empty());
        for size in [0, 27, 29] {
            let error = set.draw(10, size, 0, Split::Train).unwrap_err().to_string();
            assert!(error.contains("from 28 to 28"), "{error}");
        }
        assert!(set.draw(usize::MAX / 2, 28, 0, Split::Train).is_err());
    }
}

/// `value-noise` looks for exactly these two values; every picture has both.
#[test]
fn there_is_no_grey() {
    for set in sets() {
        let pictures = draw(set, 2000, 1, Split::Train);
        assert!(pictures.pictures().iter().all(|value| matches!(value, 0 | 255)), "{}", set.name);
        for index in 0..pictures.len() {
            assert!([0, 255].iter().all(|value| pictures.picture(index).contains(value)), "{}", set.name);
        }
    }
}

/// Number of cells of a factor, and the cell of each picture: its categories, its whole numbers, or ten equal parts.
fn cells(factor: &Factor) -> (usize, Vec<usize>) {
    let [low, width, count] = match (&factor.values, factor.name.as_str()) {
        (FactorValues::Categorical { names, values }, _) => {
            return (names.len(), values.iter().map(|&value| usize::from(value)).collect());
        }
        (_, "x" | "y") => [f32::from(SHIFT[0]), 1.0, f32::from(SHIFT[1] - SHIFT[0] + 1)],
        (_, "log2_ratio") => [LOG2_RATIO[0], (LOG2_RATIO[1] - LOG2_RATIO[0]) / 10.0, 10.0],
        (_, "mean") => [MEAN[0], (MEAN[1] - MEAN[0]) / 10.0, 10.0],
        (_, other) => panic!("{other} has no known range"),
    };
    let FactorValues::Continuous(values) = &factor.values else { unreachable!("categories are done") };
    let cell = |&value: &f32| ((value - low) / width) as usize;
    assert!(values.iter().all(|value| *value >= low && cell(value) < count as usize), "{}", factor.name);
    (count as usize, values.iter().map(cell).collect())
}

/// Every combination of values is equally frequent: χ² of counts that are so has mean k − 1 and variance 2 (k − 1).
#[test]
fn factors_are_balanced_and_independent() {
    const PICTURES: usize = 20_000;
    for set in sets() {
        let pictures = draw(set, PICTURES, 7, Split::Train);
        let (mut total, mut joint) = (1, vec![0; PICTURES]);
        for factor in pictures.factors() {
            let (count, own) = cells(factor);
            joint.iter_mut().zip(own).for_each(|(joint, own)| *joint = *joint * count + own);
            total *= count;
        }
        let mut counts = vec![0.0; total];
        joint.into_iter().for_each(|cell| counts[cell] += 1.0);
        let expected = PICTURES as f64 / total as f64;
        let square: f64 = counts.iter().map(|count: &f64| (count - expected).powi(2) / expected).sum();
        let freedom = (total - 1) as f64;
        let away = (square - freedom) / (2.0 * freedom).sqrt();
        println!("{}: {total} cells, {away:.2} deviations", set.name);
        assert!(counts.iter().all(|count| *count > 0.0), "{}: a combination never comes", set.name);
        assert!(away.abs() < 5.0, "{}: {away}", set.name);
    }
}

/// Equal factors, equal pictures, and the other way round: the factors are all that is in a picture, and each is seen.
#[test]
fn factors_are_what_is_seen() {
    for set in sets().filter(|set| set.name != "basicprop-diameters") {
        let pictures = draw(set, 5000, 2, Split::Test);
        let (mut factors, mut drawn) = (HashMap::new(), HashMap::new());
        for index in 0..pictures.len() {
            let shown: Vec<String> = pictures.factors().iter().map(|f| f.values.shown(index)).collect();
            let picture = pictures.picture(index);
            assert_eq!(factors.entry(picture).or_insert_with(|| shown.clone()), &shown, "{}", set.name);
            assert_eq!(*drawn.entry(shown).or_insert(picture), picture, "{}", set.name);
        }
    }
}

/// Continuous diameters on whole pixels: what is measured on the picture is near what was drawn.
#[test]
fn diameters_can_be_measured() {
    let set = sets().find(|set| set.name == "basicprop-diameters").unwrap();
    let pictures = draw(set, 5000, 2, Split::Test);
    let [log2_ratio, mean] = [0, 1].map(|which: usize| match &pictures.factors()[which].values {
        FactorValues::Continuous(values) => values.clone(),
        FactorValues::Categorical { .. } => panic!("factor {which} is a number"),
    });
    let mut worst = [0.0_f64; 2];
    for index in 0..pictures.len() {
        let rows = || pictures.picture(index).chunks_exact(28);
        let diameter = |area: usize| 2.0 * (area as f64 / std::f64::consts::PI).sqrt();
        let lit = |half: &[u8]| half.iter().filter(|value| **value == 255).count();
        let left = diameter(rows().map(|row| lit(&row[..14])).sum());
        let right = diameter(rows().map(|row| lit(&row[14..])).sum());
        let errors = [
            (left / right).log2() - f64::from(log2_ratio[index]),
            0.5 * (left + right) - f64::from(mean[index]),
        ];
        worst = [0, 1].map(|which: usize| worst[which].max(errors[which].abs()));
    }
    println!("largest errors: log₂ of the ratio {:.3}, mean {:.3} pixels", worst[0], worst[1]);
    assert!(worst[0] < 0.25 && worst[1] < 0.6, "{worst:?}");
}
