//! Writes samples of every kind to begin fuzzing with, those of fuzz/model too: `cargo run --example seeds FOLDER`, a
//! folder in it a target.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::Path,
    process::Command,
    sync::Arc,
};

use image::{DynamicImage, ImageFormat, RgbaImage};
use infogan_data::{GlyphOptions, Split, glyphs, write_idx_dir, write_stored};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};

type Fallible = Result<(), Box<dyn std::error::Error>>;

fn main() -> Fallible {
    let root = std::env::args().nth(1).ok_or("usage: seeds FOLDER")?;
    let root = Path::new(&root);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let seed = |target: &str, name: &str, bytes: &[u8]| -> Fallible {
        fs::create_dir_all(root.join(target))?;
        Ok(fs::write(root.join(target).join(name), bytes)?)
    };
    // Two parts, the length of the first before them.
    let two = |first: &[u8], second: &[u8]| [&(first.len() as u16).to_le_bytes(), first, second].concat();

    let scratch = root.join(".scratch");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    let train = glyphs(&GlyphOptions { count: 2, size: 8, seed: 0 }, Split::Train)?;
    let test = glyphs(&GlyphOptions { count: 1, size: 8, seed: 0 }, Split::Test)?;
    write_idx_dir(&train, &scratch, Split::Test)?;
    let pictures = fs::read(scratch.join("t10k-images-idx3-ubyte"))?;
    let labels = fs::read(scratch.join("t10k-labels-idx1-ubyte"))?;
    seed("idx", "plain", &two(&labels, &pictures))?;
    seed("idx", "compressed", &two(&gzip(&labels)?, &gzip(&pictures)?))?;
    let stored = scratch.join("set.safetensors");
    write_stored(&train, &test, &stored)?;
    seed("stored", "glyphs", &fs::read(&stored)?)?;
    seed("cifar", "ten", &vec![3; 2 * 3073])?;
    seed("cifar", "hundred", &vec![3; 3074])?;
    seed("stl10", "one", &two(&[7], &vec![9; 3 * 96 * 96]))?;
    let compressed = fs::read(fixtures.join("svhn_scipy.mat"))?;
    seed("mat", "compressed", &compressed)?;
    seed("mat", "plain", &unpacked(&compressed)?)?;

    seed("table", "csv", b"file,label,glasses,age\na.bmp,x,yes,30.5\nb.bmp,y,no,-2\n")?;
    seed("table", "semicolons", b"\xef\xbb\xbfimage;class\n\"a.bmp\";1\nb.bmp;2\n")?;
    seed("table", "list", br#"[{"file":"a.bmp","hat":true},{"file":"b.bmp","hat":false}]"#)?;
    seed("table", "object", br#"{"a.bmp":{"hat":1},"b.bmp":{"hat":-1}}"#)?;
    seed("table", "celeba", b"2\nMale  Young\na.bmp -1  1\nb.bmp  1 -1\n")?;
    seed("table", "parquet", &parquet_table()?)?;
    seed("partition", "list", b"a.bmp 0\nb.bmp 2\n")?;
    seed("partition", "csv", b"image_id,partition\r\na.bmp,0\r\nb.bmp,1\r\n")?;

    let lines =
        [&b"pa/1.png\npa/2.jpg\npb/3.png"[..], b"ptrain/a/1.png\nptest/a/2.png", b"lz>a\npa/1.png\nda.png"];
    for (number, lines) in lines.iter().enumerate() {
        seed("names", &number.to_string(), lines)?;
    }

    let clear =
        RgbaImage::from_fn(17, 9, |x, y| image::Rgba([x as u8 * 15, y as u8 * 28, 90, 255 - x as u8]));
    let clear = DynamicImage::ImageRgba8(clear);
    let forms = [
        ("rgba", clear.clone()),
        ("rgb", clear.to_rgb8().into()),
        ("grey", clear.to_luma8().into()),
        ("grey-alpha", clear.to_luma_alpha8().into()),
        ("deep", clear.to_rgba16().into()),
        ("deep-grey", clear.to_luma16().into()),
    ];
    for (name, picture) in &forms {
        for kind in
            [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP]
        {
            let mut bytes = Cursor::new(Vec::new());
            // Not every form has every kind of pixels.
            if picture.write_to(&mut bytes, kind).is_ok() {
                seed("picture", &format!("{name}.{}", kind.extensions_str()[0]), bytes.get_ref())?;
            }
        }
    }
    // Kinds that the encoders here do not write, where the repository has them.
    for entry in fs::read_dir(fixtures.join("pictures")).into_iter().flatten().flatten() {
        if entry.path().is_file() {
            seed("picture", &entry.file_name().to_string_lossy(), &fs::read(entry.path())?)?;
        }
    }
    fs::remove_dir_all(&scratch)?;

    // Those of fuzz/model, which would need Burn to be made.
    let root_of_all = fixtures.join("..");
    for (folder, target) in
        [("fixtures/weights", "weights"), ("attacks", "weights"), ("crates/infogan/presets", "config")]
    {
        for entry in fs::read_dir(root_of_all.join(folder))? {
            let path = entry?.path();
            let (name, bytes) =
                (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), fs::read(&path)?);
            if bytes.len() < 16_384 && target == "config" {
                seed(target, &name, &two(b"train.batch=16", &bytes))?;
            } else if bytes.len() < 16_384 {
                seed(target, &name, &bytes)?;
            }
        }
    }
    let line = br#"{"step":20,"images":1280,"losses":{"critic":1.25},"bounds":{"c1":1.5},"monitors":{"critic_real":0.7}}"#;
    seed(
        "log",
        "lines",
        &[line, &b"\n"[..], &line.map(|byte| if byte == b'2' { b'4' } else { byte }), b"\n"].concat(),
    )?;
    let header = br#"{"0.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let tensors =
        [&(header.len() as u64).to_le_bytes()[..], header, &1_f32.to_le_bytes(), &(-1_f32).to_le_bytes()]
            .concat();
    seed("checkpoint", "tensors", &[&[2], &tensors[..]].concat())?;
    let zeros = "0".repeat(64);
    let meta = format!(
        r#"{{"format": "infogan-checkpoint", "version": 1, "step": 1, "config_hash": "{zeros}", "versions": {{}}, "counters": {{}},
"files": {{"generator.safetensors": {{"bytes": {}, "sha256": "{zeros}", "derived": []}}}}, "checksum": "{zeros}"}}"#,
        tensors.len()
    );
    seed("checkpoint", "manifest", &[&[1], meta.as_bytes()].concat())?;
    Ok(())
}

/// A MATLAB file whose elements lie uncompressed: a header of 128 bytes, then elements of type 15 (compressed) and their
/// lengths.
fn unpacked(file: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (header, mut rest) = file.split_at_checked(128).ok_or("no header")?;
    let mut out = header.to_vec();
    while let Some((tag, after)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes(tag[4..].try_into()?) as usize;
        let (element, after) = after.split_at_checked(length).ok_or("cut off")?;
        flate2::read::ZlibDecoder::new(element).read_to_end(&mut out)?;
        rest = after;
    }
    Ok(out)
}

/// As the system's gzip writes it.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut child = Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no pipe")?.write_all(bytes)?;
    Ok(child.wait_with_output()?.stdout)
}

fn parquet_table() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let schema = parse_message_type("message t { required binary file (UTF8); required int64 hat; }")?;
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default())?;
    let mut group = writer.next_row_group()?;
    if let Some(mut column) = group.next_column()? {
        let names = ["a.bmp", "b.bmp"].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
        column.close()?;
    }
    if let Some(mut column) = group.next_column()? {
        column.typed::<Int64Type>().write_batch(&[1, 0], None, None)?;
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}
