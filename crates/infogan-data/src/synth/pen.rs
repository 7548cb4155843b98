//! A round pen: strokes become polylines, polylines become covered pixels.

/// A point: x to the right, y down.
pub type Point = [f32; 2];

/// One movement of the pen in the unit box of a glyph.
#[derive(Clone, Copy, Debug)]
pub enum Stroke {
    /// Straight from point to point.
    Line(&'static [Point]),
    /// A smooth curve through all points (cubic Hermite pieces with Catmull-Rom tangents).
    Curve(&'static [Point]),
    /// The same, closed.
    Loop(&'static [Point]),
}

/// Straight pieces that stand for one curved piece between two neighbouring points.
const PIECES: usize = 6;

impl Stroke {
    /// Calls `emit` with the ends of every straight piece, in order.
    pub fn for_each_piece(self, mut emit: impl FnMut(Point, Point)) {
        match self {
            Self::Line(points) => points.windows(2).for_each(|ends| emit(ends[0], ends[1])),
            Self::Curve(points) => {
                for start in 1..points.len() {
                    let before = if start >= 2 { points[start - 2] } else { points[0] };
                    let after = points[(start + 1).min(points.len() - 1)];
                    curve_piece([before, points[start - 1], points[start], after], &mut emit);
                }
            }
            Self::Loop(points) => {
                let n = points.len();
                for start in 0..n {
                    let corners = [start + n - 1, start, start + 1, start + 2].map(|k| points[k % n]);
                    curve_piece(corners, &mut emit);
                }
            }
        }
    }
}

/// The piece between the two middle points, its tangents half the way between the neighbours.
fn curve_piece([before, from, to, after]: [Point; 4], emit: &mut impl FnMut(Point, Point)) {
    let mut last = from;
    for piece in 1..=PIECES {
        let t = piece as f32 / PIECES as f32;
        let (t2, t3) = (t * t, t * t * t);
        let (keep, go) = (2.0 * t3 - 3.0 * t2 + 1.0, 3.0 * t2 - 2.0 * t3);
        let (leave, arrive) = (0.5 * (t3 - 2.0 * t2 + t), 0.5 * (t3 - t2));
        let mut next = [0.0; 2];
        for axis in 0..2 {
            next[axis] = keep * from[axis]
                + go * to[axis]
                + leave * (to[axis] - before[axis])
                + arrive * (after[axis] - from[axis]);
        }
        emit(last, next);
        last = next;
    }
}

/// The squared distance from every pixel centre of a square picture to the nearest stroke, as far as the
/// pen reaches.
pub struct Canvas {
    size: usize,
    radius: f32,
    nearest: Vec<f32>,
}

impl Canvas {
    /// An empty canvas of `size` × `size` pixels for a pen of `thickness` pixels.
    pub fn new(size: usize, thickness: f32) -> Self {
        Self { size, radius: 0.5 * thickness, nearest: vec![f32::INFINITY; size * size] }
    }

    /// Draws one straight piece; pixel (row, column) has its centre at (column + 0.5, row + 0.5).
    pub fn line(&mut self, from: Point, to: Point) {
        let reach = self.radius + 0.5;
        let columns = pixels(from[0], to[0], reach, self.size);
        let rows = pixels(from[1], to[1], reach, self.size);
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = along[0] * along[0] + along[1] * along[1];
        let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
        for row in rows {
            let line = &mut self.nearest[row * self.size..][..self.size];
            let y = row as f32 + 0.5 - from[1];
            for (column, nearest) in line.iter_mut().enumerate().take(columns.end).skip(columns.start) {
                let x = column as f32 + 0.5 - from[0];
                let t = ((x * along[0] + y * along[1]) * inverse).clamp(0.0, 1.0);
                let (dx, dy) = (x - t * along[0], y - t * along[1]);
                *nearest = nearest.min(dx * dx + dy * dy);
            }
        }
    }

    /// Writes the picture, white on black: a pixel is covered by radius + 1/2 - distance, cut to [0, 1].
    pub fn write(&self, picture: &mut [u8]) {
        for (value, &squared) in picture.iter_mut().zip(&self.nearest) {
            // The square root of the standard library is correctly rounded, hence the same everywhere.
            let coverage = (self.radius + 0.5 - squared.sqrt()).clamp(0.0, 1.0);
            *value = (coverage * 255.0 + 0.5) as u8;
        }
    }
}

/// The pixels between two coordinates, with a margin, inside the picture.
fn pixels(from: f32, to: f32, margin: f32, size: usize) -> std::ops::Range<usize> {
    let first = (from.min(to) - margin).max(0.0) as usize;
    let end = (from.max(to) + margin + 1.0).max(0.0) as usize;
    first.min(size)..end.min(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_radius_plus_half_minus_distance() {
        let mut canvas = Canvas::new(5, 2.0);
        canvas.line([0.5, 2.5], [2.5, 2.5]);
        let mut picture = [9; 25];
        canvas.write(&mut picture);
        let rows: Vec<&[u8]> = picture.chunks(5).collect();
        // Row 2 lies on the stroke; rows 1 and 3 at distance 1 are half covered; column 4 at distance 2 is black.
        assert_eq!(rows[2], [255, 255, 255, 128, 0]);
        assert_eq!(rows[1], [128, 128, 128, 22, 0]); // 1.5 - √2 = 0.0858
        assert_eq!(rows[3], rows[1]);
        assert_eq!(rows[0], [0; 5]);
    }

    #[test]
    fn strokes_off_the_canvas_leave_it_black() {
        let mut canvas = Canvas::new(4, 3.0);
        canvas.line([-30.0, -20.0], [-10.0, -9.0]);
        canvas.line([30.0, 20.0], [10.0, 9.0]);
        let mut picture = [9; 16];
        canvas.write(&mut picture);
        assert_eq!(picture, [0; 16]);
    }

    #[test]
    fn curves_pass_through_their_points() {
        static POINTS: [Point; 4] = [[0.0, 0.0], [1.0, 0.5], [1.5, 2.0], [0.0, 3.0]];
        for (stroke, pieces) in [(Stroke::Curve(&POINTS), 3), (Stroke::Loop(&POINTS), 4)] {
            let mut line = vec![POINTS[0]];
            stroke.for_each_piece(|from, to| {
                assert_eq!(line.last(), Some(&from), "the pieces join");
                line.push(to);
            });
            assert_eq!(line.len(), 1 + pieces * PIECES);
            for point in POINTS {
                assert!(line.iter().any(|p| (p[0] - point[0]).abs() + (p[1] - point[1]).abs() < 1e-6));
            }
        }
    }
}
