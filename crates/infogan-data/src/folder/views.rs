//! Renderings whose names say where an object was seen from: `image_NNN_pPPP_tTTT_rRRR.png`, as those of Aubry et al.'s
//! chairs in `rendered_chairs/<object>/renders/`. P is the elevation and T the rotation in degrees; R, the distance, is
//! the same for all.

use std::path::Path;

use super::{table::Table, walk::Entry};

/// A table of elevation and rotation, if all files are such renderings. Their folders are objects then, or hold nothing
/// but renderings: no classes.
pub fn table(files: &[Entry]) -> Option<Table> {
    let row = |entry: &Entry| {
        let parts = entry.inside.components().map(|part| part.as_os_str().to_str());
        let path = parts.collect::<Option<Vec<_>>>()?.join("/");
        let (elevation, rotation) = view(&entry.inside)?;
        Some(vec![path, elevation.to_string(), rotation.to_string()])
    };
    let rows = files.iter().map(row).collect::<Option<Vec<_>>>()?;
    Table::new(["file", "elevation", "rotation"].map(str::to_owned).to_vec(), rows).ok()
}

/// Elevation and rotation that a name tells.
fn view(file: &Path) -> Option<(i32, i32)> {
    let parts: Vec<&str> = file.file_stem()?.to_str()?.split('_').collect();
    let ["image", number, elevation, rotation, distance] = parts[..] else { return None };
    let degrees = |part: &str, letter: char| part.strip_prefix(letter)?.parse::<i32>().ok();
    number.parse::<u32>().ok()?;
    degrees(distance, 'r')?;
    Some((degrees(elevation, 'p')?, degrees(rotation, 't')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_view() {
        assert_eq!(view(Path::new("a/renders/image_031_p020_t348_r096.png")), Some((20, 348)));
        for other in
            ["image_031.png", "photo_031_p020_t348_r096.png", "image_x_p020_t348_r096.png", "image_1_p2_t_r9"]
        {
            assert_eq!(view(Path::new(other)), None, "{other}");
        }
    }
}
