//! Heads: what of a factor can be read from a picture.

use infogan_data::synth::heads::{AZIMUTH, ELEVATION, EYE_DISTANCE, Head, JAW, LIGHTING, NOSE_LENGTH, WIDTH};

use crate::{assert_uniform, centre, correlation, difference, mean, set, values};

const SIZE: usize = 32;

fn picture(head: &Head) -> Vec<u8> {
    head.picture(SIZE).unwrap()
}

#[test]
fn a_picture_is_that_of_its_factors() {
    let set = set("heads", 50);
    let columns = ["azimuth", "elevation", "lighting", "width", "nose_length", "eye_distance", "jaw"]
        .map(|name| values(&set, name));
    for index in 0..set.len() {
        let [azimuth, elevation, lighting, width, nose_length, eye_distance, jaw] =
            columns.each_ref().map(|column| column[index]);
        let head = Head { azimuth, elevation, lighting, width, nose_length, eye_distance, jaw };
        assert_eq!(picture(&head), set.picture(index));
    }
    assert!(Head::default().picture(15).is_err());
}

#[test]
fn factors_fill_their_ranges() {
    let set = set("heads", 6000);
    for (name, range) in [
        ("azimuth", AZIMUTH),
        ("elevation", ELEVATION),
        ("lighting", LIGHTING),
        ("width", WIDTH),
        ("nose_length", NOSE_LENGTH),
        ("eye_distance", EYE_DISTANCE),
        ("jaw", JAW),
    ] {
        assert_uniform(&set, name, range);
    }
}

/// The share of the variance of `target` that a parabola of `x` explains.
fn parabola(x: &[f64], target: &[f64]) -> f64 {
    let middle = mean(x);
    let straight: Vec<f64> = x.iter().map(|value| value - middle).collect();
    let square: Vec<f64> = straight.iter().map(|value| value * value).collect();
    let [a, b, both] =
        [correlation(&straight, target), correlation(&square, target), correlation(&straight, &square)];
    (a * a + b * b - 2.0 * a * b * both) / (1.0 - both * both)
}

/// A code that only makes pictures brighter has learned nothing of the pose: the mean pixel tells neither to which side
/// a head is turned nor from which it is lit. How far it is turned shows a little, for a profile is larger than a face.
#[test]
fn the_pose_cannot_be_read_from_the_brightness() {
    let set = set("heads", 6000);
    let brightness: Vec<f64> =
        (0..set.len()).map(|index| centre(SIZE, |place| f64::from(set.picture(index)[place]))[0]).collect();
    let factor = |name: &str| values(&set, name).into_iter().map(f64::from).collect::<Vec<f64>>();
    let turned = factor("azimuth").into_iter().map(f64::abs).collect();
    for (name, target, limit) in [
        ("azimuth", factor("azimuth"), 0.01),
        ("lighting", factor("lighting"), 0.01),
        ("width", factor("width"), 0.05),
        ("elevation", factor("elevation"), 0.06),
        ("size of the azimuth", turned, 0.2),
    ] {
        let (straight, square) = (correlation(&brightness, &target), parabola(&brightness, &target));
        println!("{name} from the mean pixel: correlation {straight:.4}, R² of a parabola {square:.4}");
        assert!(square < limit && straight.abs() < limit.sqrt(), "{name}: {straight} {square}");
    }
}

#[test]
fn every_factor_changes_the_picture() {
    let head = Head { azimuth: 20.0, ..Head::default() };
    for (name, one, other, least) in [
        ("azimuth", Head { azimuth: -20.0, ..head }, head, 8.0),
        ("elevation", Head { elevation: -15.0, ..head }, Head { elevation: 15.0, ..head }, 8.0),
        ("lighting", Head { lighting: -30.0, ..head }, Head { lighting: 30.0, ..head }, 8.0),
        ("width", Head { width: 0.9, ..head }, Head { width: 1.1, ..head }, 6.0),
        ("nose_length", Head { nose_length: 0.8, ..head }, Head { nose_length: 1.2, ..head }, 0.3),
        ("eye_distance", Head { eye_distance: 0.9, ..head }, Head { eye_distance: 1.1, ..head }, 0.3),
        ("jaw", Head { jaw: 0.9, ..head }, Head { jaw: 1.1, ..head }, 0.3),
    ] {
        let change = difference(&picture(&one), &picture(&other));
        println!("{name}: {change:.2} of 255");
        assert!(change > least, "{name}: {change}");
    }
}

/// Where a longer nose changes the picture is where the nose is.
fn nose(head: Head) -> [f64; 2] {
    let [short, long] = [0.8, 1.2].map(|nose_length| picture(&Head { nose_length, ..head }));
    let [_, x, y] = centre(SIZE, |place| f64::from(short[place].abs_diff(long[place])));
    [x, y]
}

#[test]
fn the_nose_points_where_azimuth_and_elevation_say() {
    let across =
        [-75.0, -45.0, -15.0, 15.0, 45.0, 75.0].map(|azimuth| nose(Head { azimuth, ..Head::default() })[0]);
    assert!(across.windows(2).all(|pair| pair[0] + 1.0 < pair[1]), "{across:?}");
    assert!(across[5] - across[0] > 16.0, "{across:?}");
    let down =
        [30.0, 15.0, 0.0, -15.0, -30.0].map(|elevation| nose(Head { elevation, ..Head::default() })[1]);
    assert!(down.windows(2).all(|pair| pair[0] + 0.5 < pair[1]), "{down:?}");
}

#[test]
fn the_lit_side_is_the_bright_one() {
    let lean = |lighting: f32| {
        let picture = picture(&Head { lighting, ..Head::default() });
        centre(SIZE, |place| f64::from(picture[place]))[1]
    };
    let places = [-60.0, -30.0, 0.0, 30.0, 60.0].map(lean);
    assert!(places.windows(2).all(|pair| pair[0] + 0.1 < pair[1]), "{places:?}");
    // Neither side is preferred: left and right are mirror images.
    let head = Head { azimuth: 35.0, lighting: -20.0, ..Head::default() };
    let mirrored = picture(&Head { azimuth: -35.0, lighting: 20.0, ..head });
    let turned: Vec<u8> = mirrored.chunks(SIZE).flat_map(|row| row.iter().rev().copied()).collect();
    assert!(difference(&picture(&head), &turned) < 0.5);
}
