//! Draws a sheet of glyphs to look at: `cargo run --release -p infogan-data --example glyph_sheet OUT.png [SIZE]`.
//! One row a digit; the columns are grouped by style.

use infogan_data::{FactorValues, GlyphOptions, Split, glyphs};

const COLUMNS: usize = 24;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: glyph_sheet OUT.png [SIZE]")?;
    let size: usize = arguments.next().map_or(Ok(28), |size| size.parse())?;
    let set = glyphs(&GlyphOptions { count: 4000, size, seed: 0 }, Split::Train)?;
    let labels = set.labels().unwrap_or_default();
    let FactorValues::Categorical { values: styles, .. } = &set.factors()[1].values else {
        return Err("the second factor is the style".into());
    };
    let cell = size as u32 + 1;
    let mut sheet = image::GrayImage::from_pixel(cell * COLUMNS as u32, cell * 10, image::Luma([60]));
    for digit in 0..10_u16 {
        for column in 0..COLUMNS {
            let style = (column * 4 / COLUMNS) as u16;
            let mut chosen = (0..set.len()).filter(|&i| labels[i] == digit && styles[i] == style);
            let Some(index) = chosen.nth(column % (COLUMNS / 4)) else {
                continue;
            };
            for (place, &value) in set.picture(index).iter().enumerate() {
                let (x, y) = (place as u32 % size as u32, place as u32 / size as u32);
                sheet.put_pixel(column as u32 * cell + x, u32::from(digit) * cell + y, image::Luma([value]));
            }
        }
    }
    Ok(sheet.save(path)?)
}
