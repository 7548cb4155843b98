//! A user's own picture files, brought into the shape a network takes.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};
use rayon::prelude::*;

use crate::{DataError, ImageSet};

/// Endings of the files taken from a folder. A file named by the user is read whatever its name.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];
/// No picture may be wider or higher, in pixels.
const LARGEST_SIDE: u32 = 32_768;
/// No picture may need more memory while it is decoded.
const LARGEST_PICTURE: u64 = 512 << 20;

/// Reads picture files, and all picture files of folders, as `u8 [n, channels, height, width]`. With the set
/// come the files, one a picture.
///
/// PNG, JPEG, BMP, GIF (its first picture) and WebP, told by content. Each is turned as its EXIF orientation
/// says, laid over black where it is transparent, cut around its middle to the wanted proportions, and resized
/// with a triangle filter; a picture that already has the wanted size keeps its bytes. One channel is grey
/// (luma of Rec. 709), three are red, green and blue.
///
/// # Errors
/// When `shape` has other than 1 or 3 channels or a side of 0, a file cannot be read or decoded or is too
/// large, or a folder holds no pictures. The first such file, in order, is named.
pub fn read_pictures(paths: &[PathBuf], shape: [usize; 3]) -> Result<(ImageSet, Vec<PathBuf>), DataError> {
    let [channels, height, width] = shape;
    let sides = [height, width].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    if !matches!(channels, 1 | 3) || sides.iter().any(|&side| side == 0 || side > LARGEST_SIDE) {
        let reason = format!("pictures cannot be brought into the shape {shape:?}");
        return Err(DataError::invalid(
            "picture shape",
            reason,
            "use 1 or 3 channels and sides of 1 to 32768",
        ));
    }
    let files = picture_files(paths)?;
    let read = |path: &PathBuf| read_picture(path).map(|picture| fit(&picture, channels, sides));
    let pictures: Vec<Result<Vec<u8>, DataError>> = files.par_iter().map(read).collect();
    let mut bytes = Vec::with_capacity(files.len() * channels * height * width);
    for picture in pictures {
        bytes.extend(picture?);
    }
    Ok((ImageSet::new("pictures", shape, bytes, None, vec![])?, files))
}

/// The picture files meant by `paths`: files as they stand, folders replaced by the picture files in them
/// (by their ending: png, jpg, jpeg, bmp, gif, webp), sorted by name; folders in folders are not entered.
///
/// # Errors
/// When a folder cannot be read or holds no picture file, or `paths` is empty.
pub fn picture_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    if paths.is_empty() {
        let remedy = "name picture files or folders of them";
        return Err(DataError::invalid("pictures", "none was named", remedy));
    }
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |source| DataError::Read { path: path.clone(), source };
        let mut inside = Vec::new();
        for entry in path.read_dir().map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if is_picture(&file) && file.is_file() {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(DataError::Missing {
                what: "picture file".to_string(),
                dir: path.clone(),
                looked_for: ENDINGS.map(|ending| format!("*.{ending}")).to_vec(),
                remedy: "name a folder with pictures directly in it".to_string(),
            });
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

/// Whether the name ends like a picture's and does not start with a dot.
fn is_picture(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    !hidden && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

/// Decodes a file into RGB, turned upright and laid over black.
fn read_picture(path: &Path) -> Result<RgbImage, DataError> {
    let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
    let malformed = |reason: String| DataError::Malformed {
        path: path.to_path_buf(),
        reason,
        remedy: "give a whole PNG, JPEG, BMP, GIF or WebP picture, or leave this file out".to_string(),
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(malformed("it is a folder".to_string()));
    }
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(unreadable)?;
    if reader.format().is_none() {
        return Err(malformed("its content is no picture of a known kind".to_string()));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_PICTURE);
    reader.limits(limits);
    let undecodable = |error: image::ImageError| malformed(format!("it cannot be decoded ({error})"));
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(malformed(format!("it is {width} × {height} pixels")));
    }
    if decoder.total_bytes() > LARGEST_PICTURE {
        return Err(malformed(format!("it is too large ({width} × {height} pixels)")));
    }
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    picture.apply_orientation(orientation);
    Ok(over_black(picture))
}

/// Every colour times its opacity, rounded.
fn over_black(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        image::Rgb([red, green, blue].map(|c| ((u32::from(c) * u32::from(alpha) + 127) / 255) as u8))
    })
}

/// Cuts the largest middle part of the proportions of `[height, width]`, resizes it, and lays it out as
/// `[channels, height, width]`.
fn fit(picture: &RgbImage, channels: usize, [height, width]: [u32; 2]) -> Vec<u8> {
    let (has_width, has_height) = (u64::from(picture.width()), u64::from(picture.height()));
    let (wide, high) = (u64::from(width), u64::from(height));
    // Either side may be the one that is kept whole.
    let cut_width = has_width.min((has_height * wide).div_ceil(high)).max(1);
    let cut_height = has_height.min((has_width * high).div_ceil(wide)).max(1);
    let (left, top) = ((has_width - cut_width) / 2, (has_height - cut_height) / 2);
    let cut = imageops::crop_imm(picture, left as u32, top as u32, cut_width as u32, cut_height as u32);
    let resized = if (cut_width, cut_height) == (wide, high) {
        cut.to_image()
    } else {
        imageops::resize(&cut.to_image(), width, height, FilterType::Triangle)
    };
    if channels == 1 {
        return DynamicImage::ImageRgb8(resized).into_luma8().into_raw();
    }
    (0..3).flat_map(|channel| resized.pixels().map(move |pixel| pixel.0[channel])).collect()
}
