//! What the fuzz targets share: folders in memory, because the readers take paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::GrayImage;

/// A folder that is this process's own, in memory where the system has such a place; emptied when it is made.
pub fn folder(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = place.join(format!("infogan-fuzz-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder in memory");
    folder
}

/// A folder with `pictures/a.bmp` and `pictures/b.bmp`, for what lies beside pictures.
pub fn two_pictures(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::create_dir(folder.join("pictures")).expect("a folder in memory");
    for name in ["a.bmp", "b.bmp"] {
        GrayImage::new(1, 1).save(folder.join("pictures").join(name)).expect("a picture in memory");
    }
    folder
}

/// Writes a file of the folder.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).expect("a file in memory");
}

/// Two parts of the input, told apart by its first two bytes; nothing of fewer.
pub fn parts(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}
