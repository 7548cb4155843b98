use super::*;

fn tensor(shape: &[usize], values: &[f32]) -> HostTensor {
    HostTensor { shape: shape.to_vec(), values: values.to_vec() }
}

fn example() -> HostSection {
    HostSection::from([
        ("b.weight".to_owned(), tensor(&[2, 2], &[1.0, -0.0, f32::MIN_POSITIVE / 2.0, f32::MAX])),
        ("a.scale".to_owned(), tensor(&[], &[0.5])),
        ("c.empty".to_owned(), tensor(&[0, 3], &[])),
    ])
}

/// A file with this header and this many bytes of zeros behind it.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let section = HostSection::from([("w".to_owned(), tensor(&[1, 2], &[1.0, -2.0]))]);
    let bytes = encode(section.iter()).unwrap();
    let header = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let padded = header.len().next_multiple_of(8);
    let mut expected = file(&format!("{header:padded$}"), 0);
    expected.extend([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]);
    assert_eq!(bytes, expected);
}

#[test]
fn bits_survive() {
    let back = decode(&encode(example().iter()).unwrap()).unwrap();
    let bits = |section: &HostSection| -> Vec<(String, Vec<usize>, Vec<u32>)> {
        let each = section.iter();
        each.map(|(name, tensor)| {
            let bits = tensor.values.iter().map(|value| value.to_bits()).collect();
            (name.clone(), tensor.shape.clone(), bits)
        })
        .collect()
    };
    assert_eq!(bits(&back), bits(&example()));
    let none = encode(HostSection::new().iter()).unwrap();
    assert!(decode(&none).unwrap().is_empty());
}

/// Every file that is wrong in one way is refused with the reason.
#[test]
fn attacks_are_refused() {
    let one = |entry: &str| format!(r#"{{"w":{{{entry}}}}}"#);
    let whole = r#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#;
    assert!(decode(&file(&one(whole), 8)).is_ok(), "the file that the others are made from");
    let deep = format!("{}{}", r#"{"w":"#.repeat(500), "}".repeat(500));
    let dimensions = ["1"; 9].join(",");
    let attacks: Vec<(&str, Vec<u8>)> = vec![
        ("shorter than 8", vec![1, 2, 3]),
        ("claims", u64::MAX.to_le_bytes().to_vec()),
        ("at most", [(HEADER_LIMIT + 1).to_le_bytes().as_slice(), &[b' '; 64]].concat()),
        ("does not have", [100_u64.to_le_bytes().as_slice(), b"{}"].concat()),
        ("header", file("", 0)),
        ("header", file("[]", 0)),
        ("header", file("{", 0)),
        ("header", file("{}{}", 0)),
        ("header", file(&deep, 0)),
        ("twice", file(&format!(r#"{{"w":{{{whole}}},"w":{{{whole}}}}}"#), 8)),
        ("duplicate", file(&one(&format!(r#"{whole},"dtype":"F32""#)), 8)),
        ("only F32", file(&one(r#""dtype":"F64","shape":[1],"data_offsets":[0,8]"#), 8)),
        ("F31", file(&one(r#""dtype":"F31","shape":[2],"data_offsets":[0,8]"#), 8)),
        (
            "dimensions",
            file(&one(&format!(r#""dtype":"F32","shape":[{dimensions}],"data_offsets":[0,4]"#)), 4),
        ),
        // More tensor than bytes, more bytes than tensor, outside, backwards, below zero, overflowing.
        ("", file(&one(r#""dtype":"F32","shape":[3],"data_offsets":[0,8]"#), 8)),
        ("", file(&one(whole), 12)),
        ("", file(&one(whole), 4)),
        ("", file(&one(r#""dtype":"F32","shape":[2],"data_offsets":[4,12]"#), 12)),
        ("", file(&one(r#""dtype":"F32","shape":[2],"data_offsets":[8,0]"#), 8)),
        ("", file(&one(r#""dtype":"F32","shape":[2],"data_offsets":[-8,0]"#), 8)),
        ("", file(&one(r#""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]"#), 8)),
        // Two tensors over the same bytes, and a hole between two.
        ("", file(&format!(r#"{{"v":{{{whole}}},"w":{{{whole}}}}}"#), 8)),
        (
            "",
            file(
                &format!(r#"{{"v":{{{whole}}},"w":{{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}}}"#),
                16,
            ),
        ),
    ];
    for (at, (reason, bytes)) in attacks.iter().enumerate() {
        let refusal = decode(bytes).expect_err(&format!("attack {at} was read"));
        assert!(refusal.contains(reason), "attack {at}: {refusal:?} does not say {reason:?}");
    }
    let mut not_text = file(&one(whole), 8);
    not_text[10] = 0xFF;
    assert!(decode(&not_text).is_err());
    let mut infinite = encode(example().iter()).unwrap();
    let end = infinite.len();
    infinite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(decode(&infinite).unwrap_err().contains("b.weight holds a value that is not finite"));
}

#[test]
fn no_cut_and_no_noise_is_a_panic() {
    let bytes = encode(example().iter()).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 0x15;
        let _ = decode(&altered);
    }
}
