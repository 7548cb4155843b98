//! Sprites: area, place and symmetry are those that the factors say.

use infogan_data::synth::sprites::{Outline, PLACES, ROTATIONS, SCALES, Sprite};

use crate::{centre, difference, set, values};

const SIZE: usize = 64;

fn picture(sprite: &Sprite) -> Vec<u8> {
    sprite.picture(SIZE).unwrap()
}

fn sprite(shape: Outline) -> Sprite {
    Sprite { shape, scale: 1.0, rotation: 0.0, place: [0.5; 2] }
}

/// White pixels, and the mean column and row of them.
fn measure(picture: &[u8]) -> [f64; 3] {
    centre(SIZE, |place| f64::from(picture[place]) / 255.0)
}

#[test]
fn a_picture_is_that_of_its_factors() {
    let set = set("sprites", 50);
    let columns = ["shape", "scale", "rotation", "x", "y"].map(|name| values(&set, name));
    let labels = set.labels().unwrap();
    for index in 0..set.len() {
        let [shape, scale, rotation, x, y] = columns.each_ref().map(|column| column[index]);
        assert_eq!(shape, f32::from(labels[index]));
        let shape = Outline::ALL[shape as usize];
        assert_eq!(picture(&Sprite { shape, scale, rotation, place: [x, y] }), set.picture(index));
    }
    assert!(sprite(Outline::Heart).picture(31).is_err());
}

#[test]
fn every_value_is_equally_frequent() {
    let set = set("sprites", 12_000);
    for (name, count, [low, high]) in [
        ("shape", 3, [0.0, 2.0]),
        ("scale", SCALES, [0.5, 1.0]),
        ("rotation", ROTATIONS, [0.0, 351.0]),
        ("x", PLACES, [0.0, 1.0]),
        ("y", PLACES, [0.0, 1.0]),
    ] {
        let mut found = values(&set, name);
        found.sort_by(f32::total_cmp);
        assert_eq!([found[0], found[found.len() - 1]], [low, high], "{name}");
        let runs: Vec<usize> = found.chunk_by(|a, b| a == b).map(<[f32]>::len).collect();
        assert_eq!(runs.len(), usize::from(count), "{name}");
        let expected = found.len() as f64 / f64::from(count);
        // Five standard deviations of a count.
        let most = 5.0 * expected.sqrt();
        assert!(runs.iter().all(|run| (*run as f64 - expected).abs() < most), "{name}: {runs:?}");
    }
}

#[test]
fn the_area_is_that_of_the_scale_alone() {
    for shape in Outline::ALL {
        for scale in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
            for turn in 0..ROTATIONS {
                let rotation = f32::from(turn) * 9.0;
                let [area, ..] = measure(&picture(&Sprite { scale, rotation, ..sprite(shape) }));
                let expected = 400.0 * f64::from(scale * scale);
                assert!(
                    (area / expected - 1.0).abs() < 0.03,
                    "{shape:?} {scale} {rotation}: {area} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_centre_of_mass_is_where_x_and_y_say() {
    for shape in Outline::ALL {
        for (step, rotation) in
            (0..=10).zip([0.0, 9.0, 45.0, 90.0, 117.0, 180.0, 189.0, 225.0, 270.0, 306.0, 351.0])
        {
            let place = [step as f32 / 10.0, 1.0 - step as f32 / 10.0];
            let shown = picture(&Sprite { rotation, place, ..sprite(shape) });
            let [_, x, y] = measure(&shown);
            let [left, top] = place.map(|place| 16.0 + 32.0 * f64::from(place));
            assert!((x - left).abs() < 0.15 && (y - top).abs() < 0.15, "{shape:?} {place:?}: {x} {y}");
            let edge = (0..SIZE).any(|k| {
                [k, (SIZE - 1) * SIZE + k, k * SIZE, k * SIZE + SIZE - 1]
                    .into_iter()
                    .any(|place| shown[place] > 0)
            });
            assert!(!edge, "{shape:?} is cut off at {place:?}");
        }
    }
}

#[test]
fn shapes_differ_and_turn_as_their_symmetry_says() {
    for (number, shape) in Outline::ALL.into_iter().enumerate() {
        let apart = |rotation: f32| {
            difference(&picture(&Sprite { rotation, ..sprite(shape) }), &picture(&sprite(shape)))
        };
        // The smallest rotation that shows the same again.
        let same = [90, 180, 360][number];
        for degrees in (9..360).step_by(9) {
            let change = apart(degrees as f32);
            assert_eq!(change < 0.2, degrees % same == 0, "{shape:?} by {degrees}: {change}");
        }
        for other in &Outline::ALL[..number] {
            for degrees in (0..360).step_by(9) {
                let turned = picture(&Sprite { rotation: degrees as f32, ..sprite(*other) });
                let change = difference(&turned, &picture(&sprite(shape)));
                assert!(change > 2.0, "{shape:?} and {other:?} by {degrees}: {change}");
            }
        }
    }
}
