//! Many pictures on one sheet.

use super::{Picture, PictureError, font};

/// Grey between the cells: dark, yet apart from a black picture.
const BACKGROUND: u8 = 44;
const INK: u8 = 208;
/// Small pictures are enlarged until a cell is about this many pixels.
const VISIBLE: usize = 56;
/// A sheet is not enlarged past this side.
const LARGEST_SIDE: usize = 4096;

/// A grid of equal cells, filled row by row, with a thin gap, and labels when they are given.
#[derive(Clone, Debug)]
pub struct Sheet {
    cells: Vec<Picture>,
    columns: usize,
    row_labels: Vec<String>,
    column_labels: Vec<String>,
    factor: Option<usize>,
}

impl Sheet {
    /// A sheet of `cells` with so many `columns`; the last row may be short.
    ///
    /// # Errors
    /// [`PictureError::Shape`] when there are no cells, no columns, or the cells are not all of one size. Grey
    /// and coloured cells may be mixed.
    pub fn new(cells: Vec<Picture>, columns: usize) -> Result<Self, PictureError> {
        let Some(first) = cells.first() else {
            return Err(PictureError::shape("a sheet needs at least one picture"));
        };
        if columns == 0 {
            return Err(PictureError::shape("a sheet needs at least one column"));
        }
        let size = (first.width, first.height);
        if let Some(other) = cells.iter().find(|cell| (cell.width, cell.height) != size) {
            return Err(PictureError::shape(format!(
                "cells of a sheet have one size; got {}×{} beside {}×{}",
                other.width, other.height, size.0, size.1
            )));
        }
        let columns = columns.min(cells.len());
        Ok(Self { cells, columns, row_labels: Vec::new(), column_labels: Vec::new(), factor: None })
    }

    /// Labels left of the rows, from the top. Missing ones stay empty, spare ones are not drawn.
    #[must_use]
    pub fn row_labels(mut self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.row_labels = labels.into_iter().take(self.rows()).map(Into::into).collect();
        self
    }

    /// Labels over the columns, from the left. One that is wider than its cell is cut.
    #[must_use]
    pub fn column_labels(mut self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.column_labels = labels.into_iter().take(self.columns).map(Into::into).collect();
        self
    }

    /// Enlarges every cell by this factor instead of choosing one.
    #[must_use]
    pub fn enlarge(mut self, factor: usize) -> Self {
        self.factor = Some(factor.max(1));
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.cells.len().div_ceil(self.columns)
    }

    /// The drawn sheet: grey when all cells are grey.
    ///
    /// # Errors
    /// [`PictureError::Shape`] when the sheet would be larger than memory can address.
    pub fn picture(&self) -> Result<Picture, PictureError> {
        let layout = self.layout()?;
        let channels = if self.cells.iter().all(|cell| cell.channels == 1) { 1 } else { 3 };
        let bytes = super::bytes_of(layout.width, layout.height, channels)?;
        let mut sheet = Picture::new(layout.width, layout.height, channels, vec![BACKGROUND; bytes])?;
        for (index, cell) in self.cells.iter().enumerate() {
            let (left, top) = layout.cell(index % self.columns, index / self.columns);
            let cell = if channels == 3 { cell.to_rgb() } else { cell.clone() };
            sheet.paste(&cell.enlarge(layout.factor), left, top);
        }
        self.draw_labels(&mut sheet, &layout);
        Ok(sheet)
    }

    /// The sheet as a PNG file.
    ///
    /// # Errors
    /// As [`Sheet::picture`] and [`Picture::to_png_bytes`].
    pub fn to_png_bytes(&self) -> Result<Vec<u8>, PictureError> {
        self.picture()?.to_png_bytes()
    }

    fn draw_labels(&self, sheet: &mut Picture, layout: &Layout) {
        let high = font::HEIGHT * layout.text;
        for (row, label) in self.row_labels.iter().enumerate() {
            let (left, top) = layout.cell(0, row);
            // Right-aligned, centred on the row.
            let start = left.saturating_sub(layout.pad + font::width(label) * layout.text);
            let middle = top + (layout.cell_height.saturating_sub(high)) / 2;
            font::draw(sheet, label, (start, middle), layout.text, INK);
        }
        let room = (layout.cell_width / layout.column_text + 1) / font::ADVANCE;
        for (column, label) in self.column_labels.iter().enumerate() {
            let shown: String = label.chars().take(room).collect();
            let (left, top) = layout.cell(column, 0);
            let wide = font::width(&shown) * layout.column_text;
            let start = left + (layout.cell_width.saturating_sub(wide)) / 2;
            let base = top.saturating_sub(layout.pad + font::HEIGHT * layout.column_text);
            font::draw(sheet, &shown, (start, base), layout.column_text, INK);
        }
    }

    fn layout(&self) -> Result<Layout, PictureError> {
        let (cell_width, cell_height) = self.cells.first().map_or((1, 1), |cell| (cell.width, cell.height));
        let rows = self.rows();
        let factor = self.factor.unwrap_or_else(|| {
            let wanted = VISIBLE.div_ceil(cell_width.max(cell_height));
            let longest = (self.columns * cell_width).max(rows * cell_height);
            wanted.min((LARGEST_SIDE / longest.max(1)).max(1))
        });
        let (cell_width, cell_height) =
            (cell_width.saturating_mul(factor), cell_height.saturating_mul(factor));
        let gap = (cell_width.min(cell_height) / 28).clamp(1, 4);
        let margin = gap * 2;
        // Labels twice as large as the font when the cells leave room for it.
        let text = if cell_height >= 2 * font::HEIGHT + 2 { 2 } else { 1 };
        let widest_column = widest(&self.column_labels);
        let column_text = if widest_column * text <= cell_width { text } else { 1 };
        let pad = 3 * text;
        let side = |labelled: bool, extent: usize| if labelled { extent + 2 * pad } else { margin };
        let left = side(!self.row_labels.is_empty(), widest(&self.row_labels) * text);
        let top = side(!self.column_labels.is_empty(), font::HEIGHT * column_text);
        let length = |before: usize, cells: usize, cell: usize| {
            cell.checked_add(gap)
                .and_then(|pitch| pitch.checked_mul(cells))
                .and_then(|inner| inner.checked_add(before + margin))
                .map(|outer| outer - gap)
                .ok_or_else(|| PictureError::shape("the sheet is too large; show fewer pictures"))
        };
        Ok(Layout {
            width: length(left, self.columns, cell_width)?,
            height: length(top, rows, cell_height)?,
            left,
            top,
            cell_width,
            cell_height,
            factor,
            gap,
            pad,
            text,
            column_text,
        })
    }
}

fn widest(labels: &[String]) -> usize {
    labels.iter().map(|label| font::width(label)).max().unwrap_or(0)
}

/// Where things are, in pixels.
struct Layout {
    width: usize,
    height: usize,
    left: usize,
    top: usize,
    cell_width: usize,
    cell_height: usize,
    factor: usize,
    gap: usize,
    /// Around labels.
    pad: usize,
    text: usize,
    column_text: usize,
}

impl Layout {
    fn cell(&self, column: usize, row: usize) -> (usize, usize) {
        (self.left + column * (self.cell_width + self.gap), self.top + row * (self.cell_height + self.gap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(side: usize, value: u8) -> Picture {
        Picture::new(side, side, 1, vec![value; side * side]).unwrap()
    }

    fn at(picture: &Picture, x: usize, y: usize) -> &[u8] {
        let start = (y * picture.width() + x) * picture.channels();
        &picture.pixels()[start..start + picture.channels()]
    }

    #[test]
    fn cells_lie_row_by_row_with_gaps() {
        let cells = (1..=5).map(|value| grey(4, value * 10)).collect();
        let sheet = Sheet::new(cells, 2).unwrap().enlarge(1).picture().unwrap();
        // Margin 2, cells of 4, gap of 1.
        assert_eq!((sheet.width(), sheet.height()), (2 + 4 + 1 + 4 + 2, 2 + 3 * 4 + 2 + 2));
        assert_eq!(at(&sheet, 2, 2), [10]);
        assert_eq!(at(&sheet, 6, 2), [BACKGROUND]);
        assert_eq!(at(&sheet, 7, 2), [20]);
        assert_eq!(at(&sheet, 5, 10), [30]);
        assert_eq!(at(&sheet, 2, 12), [50]);
        assert_eq!(at(&sheet, 7, 12), [BACKGROUND], "the last row is short");
    }

    #[test]
    fn small_pictures_are_enlarged_large_ones_not() {
        let sheet = |side| Sheet::new(vec![grey(side, 0)], 1).unwrap().layout().unwrap().factor;
        assert_eq!((sheet(28), sheet(32), sheet(64), sheet(8)), (2, 2, 1, 7));
        let many = Sheet::new(vec![grey(28, 0); 100], 100).unwrap().layout().unwrap();
        assert_eq!(many.factor, 1, "a long sheet keeps its size");
    }

    #[test]
    fn labels_are_drawn_outside_the_cells() {
        let cells = vec![grey(28, 0); 4];
        let plain = Sheet::new(cells.clone(), 2).unwrap().picture().unwrap();
        let sheet = Sheet::new(cells, 2).unwrap().row_labels(["c1=3", "c1=4", "spare"]);
        let sheet = sheet.column_labels(["-2.0", "a label that is far too long"]);
        assert_eq!(sheet.row_labels.len(), 2);
        let layout = sheet.layout().unwrap();
        let drawn = sheet.picture().unwrap();
        assert!(drawn.width() > plain.width() && drawn.height() > plain.height());
        let count = |inside: fn(usize, usize, &Layout) -> bool| {
            (0..drawn.height())
                .flat_map(|y| (0..drawn.width()).map(move |x| (x, y)))
                .filter(|&(x, y)| inside(x, y, &layout) && at(&drawn, x, y) == [INK])
                .count()
        };
        assert!(count(|x, _, layout| x < layout.left) > 50);
        assert!(count(|_, y, layout| y < layout.top) > 50);
        assert_eq!(count(|x, y, layout| x >= layout.left && y >= layout.top), 0);
    }

    #[test]
    fn grey_and_colour_mix() {
        let red = Picture::new(1, 1, 3, vec![200, 0, 0]).unwrap();
        let sheet = Sheet::new(vec![grey(1, 90), red], 2).unwrap().enlarge(3).picture().unwrap();
        assert_eq!(sheet.channels(), 3);
        assert_eq!(at(&sheet, 2, 2), [90, 90, 90]);
        assert_eq!(at(&sheet, 6, 2), [200, 0, 0]);
    }

    #[test]
    fn impossible_sheets_are_errors() {
        assert!(Sheet::new(vec![], 3).is_err());
        assert!(Sheet::new(vec![grey(2, 0)], 0).is_err());
        let error = Sheet::new(vec![grey(2, 0), grey(3, 0)], 2).unwrap_err();
        assert!(error.to_string().contains("3×3 beside 2×2"), "{error}");
        assert!(Sheet::new(vec![grey(2, 0)], 1).unwrap().enlarge(usize::MAX).picture().is_err());
    }

    #[test]
    fn the_file_is_the_picture() {
        let sheet = Sheet::new(vec![grey(5, 7), grey(5, 250)], 9).unwrap().row_labels(["x"]);
        let decoded = super::super::tests::decode(&sheet.to_png_bytes().unwrap());
        assert_eq!(decoded, sheet.picture().unwrap());
    }
}
