//! Chairs: what of a factor can be seen in a picture.

use infogan_data::{
    random::Streams,
    synth::chairs::{Chair, HEIGHT, Kind, ROTATION, SHADE, WIDTH},
};

use crate::{assert_uniform, difference, set, values};

const SIZE: usize = 64;

fn picture(chair: &Chair) -> Vec<u8> {
    chair.picture(SIZE).unwrap()
}

#[test]
fn a_picture_is_that_of_its_factors() {
    let set = set("chairs", 50);
    let columns = ["type", "rotation", "width", "height", "shade"].map(|name| values(&set, name));
    let labels = set.labels().unwrap();
    for index in 0..set.len() {
        let [kind, rotation, width, height, shade] = columns.each_ref().map(|column| column[index]);
        assert_eq!(kind, f32::from(labels[index]));
        let kind = Kind::ALL[kind as usize];
        assert_eq!(picture(&Chair { kind, rotation, width, height, shade }), set.picture(index));
    }
    assert!(Chair::of(Kind::Stool).picture(31).is_err());
}

#[test]
fn factors_fill_their_ranges() {
    let set = set("chairs", 6000);
    for (name, range) in [("rotation", ROTATION), ("width", WIDTH), ("height", HEIGHT), ("shade", SHADE)] {
        assert_uniform(&set, name, range);
    }
    for kind in 0..Kind::ALL.len() {
        let count = values(&set, "type").iter().filter(|value| **value == kind as f32).count();
        assert!((650..850).contains(&count), "{:?}: {count}", Kind::ALL[kind]);
    }
}

#[test]
fn every_factor_changes_the_picture() {
    for kind in Kind::ALL {
        let chair = Chair { rotation: 40.0, ..Chair::of(kind) };
        for (name, one, other, least) in [
            ("rotation by 30", chair, Chair { rotation: 70.0, ..chair }, 3.0),
            ("rotation by 180", chair, Chair { rotation: 220.0, ..chair }, 3.0),
            ("width", Chair { width: 0.85, ..chair }, Chair { width: 1.15, ..chair }, 3.0),
            ("height", Chair { height: 0.95, ..chair }, Chair { height: 1.05, ..chair }, 1.0),
            ("shade", Chair { shade: 0.55, ..chair }, Chair { shade: 0.75, ..chair }, 1.0),
        ] {
            let change = difference(&picture(&one), &picture(&other));
            println!("{kind:?}, {name}: {change:.2} of 255");
            assert!(change > least, "{kind:?}, {name}: {change}");
        }
        // The circle closes.
        let near = difference(
            &picture(&Chair { rotation: 359.9, ..chair }),
            &picture(&Chair { rotation: 0.1, ..chair }),
        );
        assert!(near < 1.5, "{kind:?}: {near}");
    }
}

/// At a given rotation the mean picture of a type tells it from the others, whatever its width, height and shade.
#[test]
fn types_can_be_told_apart() {
    for rotation in [35.0, 160.0, 280.0] {
        let mut stream = Streams::new(1).root("chairs told apart");
        let mut any = |kind| {
            let [width, height, shade] = [WIDTH, HEIGHT, SHADE].map(|[low, high]| stream.uniform(low, high));
            picture(&Chair { kind, rotation, width, height, shade })
        };
        let means = Kind::ALL.map(|kind| {
            let mut mean = vec![0.0; SIZE * SIZE];
            for _ in 0..40 {
                mean.iter_mut().zip(any(kind)).for_each(|(sum, byte)| *sum += f64::from(byte) / 40.0);
            }
            mean
        });
        let mut right = 0;
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            for _ in 0..20 {
                let picture = any(kind);
                let distance = |kind: &usize| -> f64 {
                    means[*kind]
                        .iter()
                        .zip(&picture)
                        .map(|(mean, byte)| (mean - f64::from(*byte)).powi(2))
                        .sum()
                };
                let nearest = (0..means.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                right += usize::from(nearest == Some(number));
            }
        }
        println!("nearest mean of a type at {rotation}: {right} of 160");
        assert!(right > 130, "at {rotation}: {right} of 160");
    }
}

/// The columns that show a chair, and whether it touches the edge.
fn columns(picture: &[u8]) -> (usize, bool) {
    let dark = |place: usize| picture[place] < 250;
    let shown = (0..SIZE).filter(|column| (0..SIZE).any(|row| dark(row * SIZE + column))).count();
    let edge =
        (0..SIZE).any(|k| [k, (SIZE - 1) * SIZE + k, k * SIZE, k * SIZE + SIZE - 1].into_iter().any(dark));
    (shown, edge)
}

#[test]
fn chairs_grow_wider_and_stay_inside() {
    for kind in Kind::ALL {
        for rotation in (0..360).step_by(15) {
            let largest = Chair { rotation: rotation as f32, width: 1.3, height: 1.1, ..Chair::of(kind) };
            assert!(!columns(&picture(&largest)).1, "{kind:?} is cut off at {rotation}");
        }
        let shown =
            [0.7, 1.0, 1.3].map(|width| columns(&picture(&Chair { width, ..Chair::of(kind) })).0 as f64);
        // A little less than 1.3 / 0.7: rods keep their thickness.
        let ratio = shown[2] / shown[0];
        assert!((1.45..2.0).contains(&ratio) && shown[1] > shown[0], "{kind:?}: {shown:?}");
    }
}
