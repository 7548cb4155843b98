//! Ten thousand damaged pictures: each is read or named with its reason, and nothing panics, hangs or fills the memory.
//!
//! `INFOGAN_DAMAGED=N` makes another number.

use std::{fs, io::Cursor, path::Path};

use image::{DynamicImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use infogan_data::{
    caught_panics, check_folder,
    random::{Stream, Streams},
};

/// Whole pictures of every kind of file and pixels, with their endings.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let colour =
        DynamicImage::ImageRgb8(RgbImage::from_fn(24, 20, |x, y| Rgb([x as u8 * 9, y as u8 * 11, 40])));
    let clear =
        DynamicImage::ImageRgba8(RgbaImage::from_fn(24, 20, |x, y| Rgba([x as u8, y as u8, 9, x as u8 * 9])));
    let grey = DynamicImage::ImageLuma8(colour.to_luma8());
    let deep =
        DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(24, 20, |x, y| Luma([(x * 2000 + y) as u16])));
    let file = |picture: &DynamicImage, kind: ImageFormat| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, kind).unwrap();
        bytes.into_inner()
    };
    // Kinds that the encoders here do not write: CMYK, progressive, palettes, animations, turned by EXIF.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pictures");
    let mut others: Vec<_> = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    others.sort();
    let others = others.iter().filter_map(|path| {
        let ending = ENDINGS.into_iter().find(|ending| path.extension().is_some_and(|own| own == *ending))?;
        Some((ending, fs::read(path).unwrap()))
    });
    let mut samples = vec![
        ("png", file(&colour, ImageFormat::Png)),
        ("png", file(&clear, ImageFormat::Png)),
        ("png", file(&deep, ImageFormat::Png)),
        ("jpg", file(&colour, ImageFormat::Jpeg)),
        ("jpeg", file(&grey, ImageFormat::Jpeg)),
        ("bmp", file(&colour, ImageFormat::Bmp)),
        ("bmp", file(&clear, ImageFormat::Bmp)),
        ("gif", file(&clear, ImageFormat::Gif)),
        ("webp", file(&colour, ImageFormat::WebP)),
        ("webp", file(&clear, ImageFormat::WebP)),
    ];
    samples.extend(others);
    samples
}

const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Harm done to a file.
fn damaged(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len() as u32;
    match random.below(11) {
        0 => bytes.truncate(random.below(length) as usize),
        1 => bytes.clear(),
        2 => {
            // Bits anywhere.
            for _ in 0..1 + random.below(20) {
                bytes[random.below(length) as usize] ^= 1 << random.below(8);
            }
        }
        3 => {
            // Bytes of the header, where sizes and kinds stand.
            for _ in 0..1 + random.below(6) {
                bytes[random.below(length.min(64)) as usize] = random.below(256) as u8;
            }
        }
        4 => {
            // A side of 100,000 pixels and more, wherever one may stand.
            let at = random.below(length.min(40).saturating_sub(4)) as usize;
            let side = [100_000_u32, 1 << 31, u32::MAX][random.below(3) as usize];
            let side = if random.below(2) == 0 { side.to_be_bytes() } else { side.to_le_bytes() };
            bytes[at..at + 4].copy_from_slice(&side);
        }
        5 => {
            // A piece repeated, as by a broken download.
            let (from, many) = (random.below(length) as usize, random.below(200) as usize);
            let piece = bytes[from..(from + many).min(bytes.len())].to_vec();
            let at = random.below(length) as usize;
            bytes.splice(at..at, piece);
        }
        6 => {
            let at = random.below(length) as usize;
            bytes[at..].fill(0);
        }
        7 => {
            // Two pieces of the file in each other's place, as chunks and markers are.
            let from = random.below(length) as usize;
            let by = random.below(length - from as u32) as usize;
            bytes[from..].rotate_left(by);
        }
        8 => {
            // A length that lies, wherever one may stand.
            let at = random.below(length.saturating_sub(4).max(1)) as usize;
            let lie = [0_u32, 1, 0xff, 0xffff, 0x7fff_ffff, u32::MAX][random.below(6) as usize];
            let end = (at + 4).min(bytes.len());
            bytes[at..end].copy_from_slice(&lie.to_be_bytes()[..end - at]);
        }
        9 => {
            // The beginning of one, then nothing but its end mark.
            bytes.truncate(random.below(length) as usize);
            bytes.extend([0xff, 0xd9]);
        }
        _ => bytes.iter_mut().skip(16).for_each(|byte| *byte = random.below(256) as u8),
    }
    bytes
}

/// Small files that say they are enormous.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [&kind[..], data].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&body);
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc.sum().to_be_bytes()].concat()
    };
    let png = |side: u32, rows: usize| {
        let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &vec![0; rows]).unwrap();
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &header),
            chunk(b"IDAT", &encoder.finish().unwrap()),
            chunk(b"IEND", &[]),
        ]
        .concat()
    };
    let mut bmp = b"BM".to_vec();
    bmp.extend([[0; 4], [0; 4], 54_u32.to_le_bytes(), 40_u32.to_le_bytes()].concat());
    bmp.extend([30_000_i32.to_le_bytes(), 30_000_i32.to_le_bytes()].concat());
    bmp.extend([1, 0, 24, 0]);
    bmp.resize(54, 0);
    let gif = [
        &b"GIF89a"[..],
        &[
            0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff,
            0xff, 0, 2, 1, 0, 0, 0x3b,
        ],
    ]
    .concat();
    // A profile of 400 million bytes.
    let header = [&4_u32.to_be_bytes()[..], &4_u32.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..400 {
        std::io::Write::write_all(&mut encoder, &vec![0; 1_000_000]).unwrap();
    }
    let profile = [&b"x\0\0"[..], &encoder.finish().unwrap()].concat();
    let profile =
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"iCCP", &profile), &png(4, 20)[33..]]
            .concat();
    // A few hundred bytes that claim 12,000 × 12,000, with an end mark.
    let mut jpeg = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(16, 16).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let mut jpeg = jpeg.into_inner();
    let frame = jpeg.windows(2).position(|window| window == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9]
        .copy_from_slice(&[12_000_u16.to_be_bytes(), 12_000_u16.to_be_bytes()].concat());
    // The same, made long by what is no picture.
    let padded = [&jpeg[..], &vec![0; 400_000]].concat();
    // Packed in runs, of which there are none.
    let mut runs = bmp.clone();
    runs[18..26].copy_from_slice(&[12_000_i32.to_le_bytes(), 12_000_i32.to_le_bytes()].concat());
    runs[28] = 8;
    runs[30] = 1;
    runs.extend([0; 1024]);
    runs.extend([0, 1]);
    vec![
        ("png", png(4, 30_000_000)),
        ("png", profile),
        ("jpg", jpeg),
        ("jpg", padded),
        ("bmp", runs),
        ("png", png(100_000, 1000)),
        ("png", png(30_000, 8_000_000)),
        ("bmp", bmp),
        ("gif", gif),
    ]
}

/// Highest memory of this process so far, in bytes, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[test]
fn damaged_pictures_are_read_or_named() {
    let count: usize =
        std::env::var("INFOGAN_DAMAGED").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let dir = tempfile::tempdir().unwrap();
    let mut random = Streams::new(5).root("damage");
    let samples = samples();
    let put = |number: usize, ending: &str, bytes: &[u8]| {
        let folder = dir.path().join(format!("class {}", number % 10));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number:05}.{ending}")), bytes).unwrap();
    };
    let bombs = bombs();
    for number in 0..count {
        let (ending, bytes) = &samples[random.below(samples.len() as u32) as usize];
        // Now and then under another's name.
        let ending = if random.below(10) == 0 { ENDINGS[random.below(6) as usize] } else { ending };
        match bombs.get(number) {
            Some((ending, bomb)) => put(number, ending, bomb),
            None => put(number, ending, &damaged(bytes, &mut random)),
        }
    }
    let whole = samples.len();
    for (number, (ending, bytes)) in samples.iter().enumerate() {
        put(count + number, ending, bytes);
    }
    strange(dir.path());
    let before = peak();
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    let grown = peak().zip(before).map(|(after, before)| (after - before) >> 20);
    println!(
        "{count} damaged: {} read, {} named; {} panics of decoders caught; memory grew by {grown:?} MiB",
        report.ok - whole,
        report.rejected.len(),
        caught_panics()
    );
    // A flipped bit often leaves a picture; what is not read is named, with a reason, once.
    let files = count + whole;
    let named = report.rejected.iter().filter(|one| one.file.to_string_lossy().contains("class")).count();
    assert_eq!(
        report.ok + named + report.ignored,
        files,
        "every file is read, named, or no picture by name and content"
    );
    assert!(report.rejected.iter().all(|one| !one.reason.is_empty()));
    assert_eq!(report.ignored, 0, "every file had the name of a picture");
    assert!(named > count / 3, "only {named} of {count} are named");
    for bomb in 0..bombs.len().min(count) {
        let name = format!("{bomb:05}.");
        let found = report.rejected.iter().any(|one| one.file.to_string_lossy().contains(&name));
        // The first two, of 4 × 4 pixels, are read without what they have beside their pixels.
        assert!(found != (bomb < 2), "bomb {bomb}: {found}");
    }
    assert!(grown.is_none_or(|grown| grown < 1100), "memory grew by {grown:?} MiB");
}

/// Folders with the names of pictures, links in circles, names that are no text.
fn strange(dir: &Path) {
    fs::create_dir(dir.join("folder.png")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        symlink("..", dir.join("folder.png/up.png")).unwrap();
        symlink("me.png", dir.join("me.png")).unwrap();
        for number in 0..200 {
            symlink(format!("loop {}.png", (number + 1) % 200), dir.join(format!("loop {number}.png")))
                .unwrap();
            symlink(dir, dir.join(format!("folder.png/again {number}"))).unwrap();
            fs::create_dir_all(dir.join(format!("folder.png/{number}.jpg/{number}.gif"))).unwrap();
        }
        fs::create_dir_all(dir.join("deep/".repeat(40))).unwrap();
        std::os::unix::net::UnixListener::bind(dir.join("socket.gif")).map(drop).unwrap();
        symlink("/dev/zero", dir.join("endless.png")).unwrap();
        fs::write(dir.join(std::ffi::OsStr::from_bytes(b"\xff\xfe.jpg")), b"nothing").unwrap();
    }
}
