//! `infogan data preview`: a sheet of a data set.

use std::process::ExitCode;

use infogan::run::pictures::{Picture, Sheet, write_png};
use infogan_data::ImageSet;

use super::{args::PreviewArgs, read};
use crate::{
    failure::{Failure, print},
    look::only,
};

/// Rows of classes on a sheet.
const MOST_CLASSES: usize = 40;
/// Pictures in a row: more are too wide for a page.
const MOST_COLUMNS: usize = 24;

/// Draws the training half: rows of each class where there are classes, otherwise the pictures as they come.
pub fn preview(args: &PreviewArgs) -> Result<ExitCode, Failure> {
    only(&args.out, &["png"])?;
    let set = read(&args.reading)?.train;
    write_png(&args.out, &sheet(&set, args.n as usize)?.picture()?)?;
    print(&format!("{}\n", args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn sheet(set: &ImageSet, wanted: usize) -> Result<Sheet, Failure> {
    let [channels, height, width] = set.shape();
    let cell = |index: usize| Picture::from_byte_planes(set.shape(), set.picture(index));
    let Some(labels) = set.labels().filter(|_| set.class_names().len() <= MOST_CLASSES) else {
        let columns = (wanted as f64).sqrt().ceil() as usize;
        // From everywhere in the set, not only from its beginning.
        let count = wanted.min(set.len());
        let cells = (0..count).map(|k| cell(k * set.len() / count)).collect::<Result<Vec<_>, _>>()?;
        return Ok(Sheet::new(cells, columns)?);
    };
    let classes = set.class_names();
    let each = wanted.div_ceil(classes.len().max(1)).max(1);
    let columns = each.min(MOST_COLUMNS);
    let blank = || Picture::new(width, height, channels, vec![0; channels * height * width]);
    let (mut cells, mut names) = (Vec::new(), Vec::new());
    for (class, name) in classes.iter().enumerate() {
        let members: Vec<usize> =
            (0..set.len()).filter(|&index| usize::from(labels[index]) == class).take(each).collect();
        for (row, members) in members.chunks(columns).enumerate() {
            for column in 0..columns {
                cells.push(members.get(column).map_or_else(blank, |&index| cell(index))?);
            }
            names.push(if row == 0 { name.clone() } else { String::new() });
        }
    }
    Ok(Sheet::new(cells, columns)?.row_labels(names))
}
