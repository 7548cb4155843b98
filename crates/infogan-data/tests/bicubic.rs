//! Bicubic interpolation against Pillow (fixtures/bicubic.py).

use std::path::Path;

use infogan_data::{ImageSet, Labels};
use serde_json::Value;

fn numbers<T: TryFrom<u64>>(value: &Value) -> Vec<T> {
    let number = |value: &Value| T::try_from(value.as_u64().unwrap()).ok().unwrap();
    value.as_array().unwrap().iter().map(number).collect()
}

#[test]
fn pictures_become_what_pillow_makes_of_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bicubic.json");
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in &cases {
        let (from, to) = (numbers::<usize>(&case["from"]), numbers::<usize>(&case["to"]));
        let set = ImageSet::new("golden", [1, from[0], from[1]], numbers(&case["picture"]), None, vec![]);
        let resized = set.unwrap().bicubic(to[0], to[1]).unwrap();
        assert_eq!(resized.shape(), [1, to[0], to[1]]);
        let golden = numbers::<u8>(&case["resized"]);
        let worst = resized.pictures().iter().zip(&golden).map(|(ours, theirs)| ours.abs_diff(*theirs)).max();
        // Within one level of 255; ours come out the same to the byte.
        assert_eq!(worst, Some(0), "{from:?} to {to:?}");
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn channels_and_labels_stay_what_they_are() {
    let labels = Labels { values: vec![1, 0], class_names: vec!["a".into(), "b".into()] };
    // Two pictures of three even channels each.
    let bytes: Vec<u8> = (0..6).flat_map(|plane| [plane * 40; 4]).collect();
    let set = ImageSet::new("even", [3, 2, 2], bytes, Some(labels), vec![]).unwrap();
    let large = set.bicubic(4, 4).unwrap();
    let expected: Vec<u8> = (0..6).flat_map(|plane| [plane * 40; 16]).collect();
    assert_eq!((large.shape(), large.pictures()), ([3, 4, 4], &expected[..]));
    assert_eq!((large.labels(), large.class_names()), (set.labels(), set.class_names()));
    assert_ne!(large.content_hash(), set.content_hash());
    assert_eq!(set.bicubic(2, 2).unwrap(), set);
    assert!(set.bicubic(0, 4).unwrap_err().to_string().contains("0×4"));
    assert!(set.bicubic(usize::MAX / 2, 1).is_err());
}
