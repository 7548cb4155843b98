//! Picture files of every kind, and files that are none.

use std::fs;
use std::path::PathBuf;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use infogan_data::{Fit, Named, read_pictures};

fn ramp() -> GrayImage {
    GrayImage::from_fn(28, 28, |x, y| Luma([(x * 9 + y) as u8]))
}

/// A picture of the wanted size comes through byte by byte, whatever the kind of file and its name.
#[test]
fn kinds_without_loss_keep_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let grey = DynamicImage::ImageLuma8(ramp());
    let colour = DynamicImage::ImageRgb8(grey.to_rgb8());
    let mut paths = Vec::new();
    for (name, picture, format) in [
        ("a.png", &grey, ImageFormat::Png),
        ("b.bmp", &colour, ImageFormat::Bmp),
        ("c.webp", &colour, ImageFormat::WebP),
        ("d.jpg", &grey, ImageFormat::Png), // the content decides
        ("e", &grey, ImageFormat::Png),
    ] {
        let path = dir.path().join(name);
        picture.save_with_format(&path, format).unwrap();
        paths.push(path);
    }
    let Named { set, files, .. } = read_pictures(&paths, &Fit::to([1, 28, 28])).unwrap();
    assert_eq!(files, paths);
    for (index, path) in paths.iter().enumerate() {
        assert_eq!(set.picture(index), ramp().as_raw().as_slice(), "{}", path.display());
    }
}

#[test]
fn kinds_with_loss_come_close() {
    let dir = tempfile::tempdir().unwrap();
    let smooth = DynamicImage::ImageRgb8(RgbImage::from_fn(32, 32, |x, y| Rgb([(x * 4 + y * 3) as u8; 3])));
    for (name, format) in [("a.jpg", ImageFormat::Jpeg), ("b.gif", ImageFormat::Gif)] {
        let path = dir.path().join(name);
        smooth.save_with_format(&path, format).unwrap();
        let Named { set, .. } = read_pictures(&[path], &Fit::to([1, 32, 32])).unwrap();
        let wanted = smooth.to_luma8();
        let worst = set.picture(0).iter().zip(wanted.as_raw()).map(|(&a, &b)| a.abs_diff(b)).max();
        assert!(worst < Some(12), "{name}: {worst:?}");
    }
}

#[test]
fn colours_are_planes_and_transparency_is_black() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    let mut picture = RgbaImage::from_pixel(2, 2, Rgba([200, 100, 50, 255]));
    picture.put_pixel(1, 0, Rgba([200, 100, 50, 0]));
    picture.put_pixel(0, 1, Rgba([200, 100, 50, 128]));
    picture.save(&path).unwrap();
    let Named { set, .. } = read_pictures(std::slice::from_ref(&path), &Fit::to([3, 2, 2])).unwrap();
    assert_eq!(set.picture(0), [200, 0, 100, 200, 100, 0, 50, 100, 50, 0, 25, 50]);
    let Named { set, .. } = read_pictures(&[path], &Fit::to([1, 2, 2])).unwrap();
    let luma = (0.2126 * 200.0 + 0.7152 * 100.0 + 0.0722 * 50.0) as u8;
    assert!(set.picture(0)[0].abs_diff(luma) <= 1, "{:?}", set.picture(0));
    assert_eq!(set.picture(0)[1], 0);

    let path = dir.path().join("grey-alpha.png");
    image::GrayAlphaImage::from_pixel(2, 2, LumaA([255, 51])).save(&path).unwrap();
    let Named { set, .. } = read_pictures(&[path], &Fit::to([1, 2, 2])).unwrap();
    assert_eq!(set.picture(0), [51; 4]);
}

/// The middle square of a wide picture, its halves kept apart; then averages when it is made smaller.
#[test]
fn pictures_are_cut_around_the_middle_and_resized() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.png");
    // White margins of 20 at both sides of a square 40 × 40 whose left half is 40 and right half 160.
    let wide = GrayImage::from_fn(80, 40, |x, _| match x {
        0..20 | 60.. => Luma([255]),
        20..40 => Luma([40]),
        _ => Luma([160]),
    });
    wide.save(&path).unwrap();
    let Named { set, .. } = read_pictures(std::slice::from_ref(&path), &Fit::to([1, 40, 40])).unwrap();
    assert_eq!(set.picture(0)[..20], [40; 20]);
    assert_eq!(set.picture(0)[20..40], [160; 20]);
    let Named { set, .. } = read_pictures(std::slice::from_ref(&path), &Fit::to([1, 8, 8])).unwrap();
    let row = &set.picture(0)[..8];
    assert_eq!((row[0], row[7]), (40, 160), "{row:?}");
    assert!(row.windows(2).all(|pair| pair[0] <= pair[1]), "{row:?}");
    // Other proportions: the whole picture is the largest part that is twice as wide as high.
    let Named { set, .. } = read_pictures(&[path], &Fit::to([1, 40, 80])).unwrap();
    assert_eq!(set.picture(0), wide.as_raw().as_slice());
}

#[test]
fn folders_are_read_by_name_and_other_files_left() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["c.png", "a.PNG", "b.png", ".hidden.png"] {
        ramp().save_with_format(dir.path().join(name), ImageFormat::Png).unwrap();
    }
    fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
    fs::create_dir(dir.path().join("d.png")).unwrap();
    ramp().save(dir.path().join("d.png/inside.png")).unwrap();
    fs::write(dir.path().join("broken.png"), "no picture").unwrap();
    let Named { set, files, rejected } =
        read_pictures(&[dir.path().to_path_buf()], &Fit::to([1, 14, 14])).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.PNG", "b.png", "c.png", "inside.png"]);
    assert_eq!(set.len(), 4);
    assert_eq!(rejected[0].file, dir.path().join("broken.png"));
    assert!(set.labels().is_none());
}

#[test]
fn bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    ramp().save(path("good.png")).unwrap();
    let good = fs::read(path("good.png")).unwrap();
    fs::write(path("cut.png"), &good[..good.len() / 2]).unwrap();
    fs::write(path("text.png"), "not a picture").unwrap();
    fs::write(path("text"), "not a picture").unwrap();
    fs::write(path("empty.png"), "").unwrap();
    fs::create_dir(path("empty")).unwrap();
    // A PNG that says it is 60,000 × 60,000 pixels (bytes 16 to 24 of the file).
    let mut huge = good.clone();
    huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    huge[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    fs::write(path("huge.png"), huge).unwrap();
    for name in ["cut.png", "text.png", "text", "empty.png", "empty", "huge.png", "absent.png"] {
        let error =
            read_pictures(&[path("good.png"), path(name)], &Fit::to([1, 28, 28])).unwrap_err().to_string();
        assert!(error.contains(&path(name).display().to_string()), "{name}: {error}");
    }
    // Of several, the first in order is told.
    let error =
        read_pictures(&[path("text"), path("cut.png")], &Fit::to([1, 28, 28])).unwrap_err().to_string();
    assert!(error.contains("no picture of a known kind"), "{error}");
    for shape in [[2, 28, 28], [1, 0, 28], [1, 28, usize::MAX]] {
        let error = read_pictures(&[path("good.png")], &Fit::to(shape)).unwrap_err().to_string();
        assert!(error.contains("1 or 3 channels"), "{error}");
    }
    let none: [PathBuf; 0] = [];
    assert!(read_pictures(&none, &Fit::to([1, 28, 28])).unwrap_err().to_string().contains("none was named"));
}

proptest::proptest! {
    /// Whatever the sizes are, every picture comes out in the wanted shape, and a flat one stays flat.
    #[test]
    fn any_size_fits(from in (1_u32..40, 1_u32..40), to in (1_usize..40, 1_usize..40)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flat.png");
        GrayImage::from_pixel(from.0, from.1, Luma([77])).save(&path).unwrap();
        let Named { set, .. } = read_pictures(&[path], &Fit::to([1, to.0, to.1])).unwrap();
        proptest::prop_assert_eq!(set.pictures(), vec![77; to.0 * to.1]);
    }
}

/// Every kind of file that `fixtures/pictures.py` makes reads as Pillow reads it: CMYK and YCCK, all turns of EXIF, palettes,
/// transparency, 16 bits and one, the first picture of animations.
#[test]
fn pictures_are_what_pillow_reads() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pictures");
    let golden: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("golden.json")).unwrap()).unwrap();
    for (name, known) in golden.as_object().unwrap() {
        let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
        let (width, height) = (number(&known["size"][0]), number(&known["size"][1]));
        let Named { set, .. } = read_pictures(&[folder.join(name)], &Fit::to([3, height, width])).unwrap();
        let worst = known["pixels"].as_array().unwrap().iter().enumerate().map(|(place, value)| {
            let (pixel, channel) = (place / 3, place % 3);
            number(value).abs_diff(usize::from(set.picture(0)[channel * width * height + pixel]))
        });
        let (worst, limit) = (worst.max().unwrap(), number(&known["difference"]));
        assert!(worst <= limit, "{name}: {worst} levels of {limit}");
    }
}

/// What was cut off anywhere before the last pixel is refused and not filled in.
#[test]
fn cut_pictures_are_refused() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pictures");
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.extension().is_some_and(|ending| ending == "json") {
            continue;
        }
        let whole = fs::read(&path).unwrap();
        let cut = dir.path().join(name);
        // What follows the pixels of the first picture may be missing.
        let needed = if path.extension().is_some_and(|ending| ending == "jpg") {
            whole.len()
        } else {
            whole.len() * 2 / 5
        };
        for length in (0..needed).step_by(5).chain([needed - 1]) {
            fs::write(&cut, &whole[..length]).unwrap();
            let read = read_pictures(std::slice::from_ref(&cut), &Fit::to([3, 8, 8]));
            assert!(read.is_err(), "{} cut to {length} of {} bytes was read", path.display(), whole.len());
        }
    }
}

/// Pictures of which every byte counts, cut near their end.
#[test]
fn pictures_without_their_last_rows_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let noise = |x: u32, y: u32| {
        (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)).wrapping_mul(747_796_405) >> 24
    };
    let noisy =
        RgbImage::from_fn(64, 64, |x, y| Rgb([noise(x, y) as u8, noise(y, x) as u8, noise(x + 99, y) as u8]));
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.jpg", ImageFormat::Jpeg),
        ("a.bmp", ImageFormat::Bmp),
        ("a.gif", ImageFormat::Gif),
        ("a.webp", ImageFormat::WebP),
    ] {
        let path = dir.path().join(name);
        DynamicImage::ImageRgb8(noisy.clone()).save_with_format(&path, format).unwrap();
        let whole = fs::read(&path).unwrap();
        assert!(read_pictures(std::slice::from_ref(&path), &Fit::to([3, 8, 8])).is_ok(), "{name}");
        for percent in [20, 60, 90, 98] {
            fs::write(&path, &whole[..whole.len() * percent / 100]).unwrap();
            let read = read_pictures(std::slice::from_ref(&path), &Fit::to([3, 8, 8]));
            assert!(read.is_err(), "{name} cut to {percent} % was read");
        }
    }
}
