#![no_main]
//! Folders of pictures with any names: files, folders, links and pictures, as the input says line by line.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Component, Path, PathBuf},
    sync::LazyLock,
};

use image::{GrayImage, ImageFormat};
use infogan_data::{Fit, FolderOptions, load_folder};
use infogan_fuzz_data::folder;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("names"));
static PICTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = std::io::Cursor::new(Vec::new());
    GrayImage::new(1, 1).write_to(&mut bytes, ImageFormat::Bmp).expect("written to memory");
    bytes.into_inner()
});

/// A path that stays in the folder, or none.
fn inside(root: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = Path::new(OsStr::from_bytes(name));
    let plain = |part| matches!(part, Component::Normal(_));
    (!name.as_os_str().is_empty() && name.components().all(plain)).then(|| root.join(name))
}

fuzz_target!(|input: &[u8]| {
    let root = FOLDER.join("root");
    let _ = fs::remove_dir_all(&root);
    let _ = fs::create_dir(&root);
    for line in input.split(|&byte| byte == b'\n').take(24) {
        let Some((kind, name)) = line.split_first() else { continue };
        let Some(path) = inside(&root, name.split(|&byte| byte == b'>').next().unwrap_or_default()) else {
            continue;
        };
        let _ = path.parent().map(fs::create_dir_all);
        let _ = match kind {
            b'p' => fs::write(&path, PICTURE.as_slice()),
            b'd' => fs::create_dir(&path),
            // A link stays in the folder too: `NAME>WHERE`.
            b'l' => {
                let to = name.split(|&byte| byte == b'>').nth(1).and_then(|to| inside(&root, to));
                to.map_or(Ok(()), |to| symlink(to, &path))
            }
            _ => fs::write(&path, name),
        };
    }
    let options = FolderOptions { fit: Fit::to([1, 1, 1]), labels: None };
    if let Ok(read) = load_folder(&root, &options, &|_, _| ()) {
        assert!(read.report.ok > 0);
    }
});
