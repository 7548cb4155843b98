use std::path::PathBuf;

use proptest::prelude::*;
use safetensors::{Dtype, tensor::TensorView};

use super::*;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/weights").join(name)
}

/// Names, shapes and bits of values: NaN and −0 count as they are.
type Known = Vec<(String, Vec<usize>, Vec<u32>)>;

fn golden() -> Known {
    let text = std::fs::read_to_string(fixture("golden.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let size = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let bits = |value: &serde_json::Value| (value.as_f64().unwrap() as f32).to_bits();
    let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
    (list(&golden["kinds"]).iter())
        .map(|kind| {
            let name = kind["name"].as_str().unwrap().to_owned();
            (
                name,
                list(&kind["shape"]).iter().map(size).collect(),
                list(&kind["values"]).iter().map(bits).collect(),
            )
        })
        .collect()
}

fn bits(tensors: &[NamedTensor]) -> Known {
    let of = |NamedTensor { name, tensor }: &NamedTensor| {
        (name.clone(), tensor.shape.clone(), tensor.values.iter().map(|value| value.to_bits()).collect())
    };
    tensors.iter().map(of).collect()
}

#[test]
fn every_kind_of_tensor_is_read_to_the_bit_in_every_format_of_pytorch() {
    let golden = golden();
    assert!(golden.iter().any(|(name, shape, _)| name == "turned" && shape == &[4, 3]));
    for name in ["kinds.pth", "kinds-legacy.pth", "kinds-protocol4.pth"] {
        let weights = read_weights(&fixture(name)).unwrap();
        assert_eq!(bits(&weights.tensors), golden, "{name}");
    }
}

#[test]
fn a_pickled_module_is_refused_with_its_name_and_the_remedy() {
    let error = read_weights(&fixture("pickled-module.pt")).unwrap_err().to_string();
    for part in
        ["pickled-module.pt", "__main__.Critic", "nothing in it was run", "torch.save(model.state_dict()"]
    {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn what_is_no_file_of_weights_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_weights(&path).unwrap_err().to_string()
    };
    assert!(write("a.pth", b"").contains("a.pth: is neither"));
    assert!(write("b.pth", b"hello, world").contains("b.pth: is neither"));
    let absent = read_weights(&folder.path().join("c.pth")).unwrap_err().to_string();
    assert!(absent.contains("c.pth: could not read the file") && absent.contains("check that"), "{absent}");
    let directory = read_weights(folder.path()).unwrap_err().to_string();
    assert!(directory.contains("is not a regular file"), "{directory}");
}

#[test]
fn safetensors_are_read_in_every_type_and_in_the_order_of_modules() {
    let bytes: Vec<u8> = [0x3c00_u16, 0xc000].iter().flat_map(|half| half.to_le_bytes()).collect();
    let brain: Vec<u8> = [0x3f80_u16, 0xc000].iter().flat_map(|half| half.to_le_bytes()).collect();
    let long: Vec<u8> = [1_i64, -2].iter().flat_map(|long| long.to_le_bytes()).collect();
    let double: Vec<u8> = [1.0_f64, -2.0].iter().flat_map(|double| double.to_le_bytes()).collect();
    let view = |dtype, bytes| TensorView::new(dtype, vec![2, 1], bytes).unwrap();
    let views = [
        ("main.10.weight", view(Dtype::F16, &bytes)),
        ("main.2.bias", view(Dtype::BF16, &brain)),
        ("main.2.weight", view(Dtype::BF16, &brain)),
        ("main.1.weight", view(Dtype::I64, &long)),
        ("a", view(Dtype::F64, &double)),
    ];
    let file = safetensors::serialize(views, None).unwrap();
    let tensors = decode(&file).unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["a", "main.1.weight", "main.2.weight", "main.2.bias", "main.10.weight"]);
    for NamedTensor { tensor, .. } in tensors {
        assert_eq!(tensor, HostTensor { shape: vec![2, 1], values: vec![1.0, -2.0] });
    }
}

#[test]
fn sides_beside_a_zero_may_be_of_any_size() {
    let header =
        format!(r#"{{"a":{{"dtype":"F32","shape":[0,{0},{0},2],"data_offsets":[0,0]}}}}"#, 1_u64 << 40);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    assert!(decode(&file).unwrap()[0].tensor.values.is_empty());
}

#[test]
fn every_cut_is_refused() {
    for name in ["kinds.pth", "kinds-legacy.pth", "kinds-protocol4.pth"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{name} cut to {length} bytes was read");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A damaged file is refused or read, and what is read takes no more memory than is promised.
    #[test]
    fn damage_is_no_panic(
        name in prop::sample::select(vec!["kinds.pth", "kinds-legacy.pth", "kinds-protocol4.pth"]),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        for (place, byte) in places {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(tensors) = decode(&bytes) {
            let numbers: usize = tensors.iter().map(|tensor| tensor.tensor.values.len()).sum();
            prop_assert!(4 * numbers <= 8 * bytes.len());
        }
    }

    /// So is a pickle of nothing but operations that there are.
    #[test]
    fn no_order_of_operations_is_a_panic(
        codes in prop::collection::vec(prop::sample::select(b"(01NKX]})tease\x85\x86\x87q\x94hQR\x81b\x88\x93.".to_vec()), 1..60),
    ) {
        let mut bytes = codes.clone();
        bytes.push(b'.');
        if let Ok(pickle) = pickle::Pickle::read(&bytes) {
            let _ = walk::tensors(&pickle);
        }
    }
}
