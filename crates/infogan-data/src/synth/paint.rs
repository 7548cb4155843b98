//! Flat shapes in colour with soft edges: what a small face is made of.

/// Red, green, blue in [0, 1].
pub type Colour = [f32; 3];

/// A point: x to the right, y down.
pub type Point = [f32; 2];

/// A shape: signed distances from its edge (negative inside, exact to first order near the edge), and a box around it.
#[derive(Clone, Copy)]
pub struct Shape<F> {
    distance: F,
    low: Point,
    high: Point,
}

/// Where a figure stands on the canvas, whose side is 1: shapes are given in coordinates of the figure.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Place of the figure's origin.
    pub middle: Point,
    /// Length of the figure's unit.
    pub scale: f32,
    /// Cosine and sine of its rotation, clockwise.
    pub turn: [f32; 2],
}

impl Frame {
    fn out(&self, [x, y]: Point) -> Point {
        let [cosine, sine] = self.turn;
        let [dx, dy] = [cosine * x - sine * y, sine * x + cosine * y];
        [self.middle[0] + self.scale * dx, self.middle[1] + self.scale * dy]
    }

    fn inside(&self, [x, y]: Point) -> Point {
        let [cosine, sine] = self.turn;
        let [dx, dy] = [(x - self.middle[0]) / self.scale, (y - self.middle[1]) / self.scale];
        [cosine * dx + sine * dy, cosine * dy - sine * dx]
    }
}

/// A picture in the making.
pub struct Painting {
    size: usize,
    frame: Frame,
    pixels: Vec<Colour>,
}

impl Painting {
    /// A picture of `size × size` pixels; the ground by place on the canvas.
    pub fn new(size: usize, frame: Frame, ground: impl Fn(Point) -> Colour) -> Self {
        let pixel = 1.0 / size as f32;
        let at =
            |place: usize| [((place % size) as f32 + 0.5) * pixel, ((place / size) as f32 + 0.5) * pixel];
        Self { size, frame, pixels: (0..size * size).map(|place| ground(at(place))).collect() }
    }

    /// Lays a shape over the picture. `opacity` in [0, 1]; pixels on the edge are covered in part.
    pub fn fill<F: Fn(Point) -> f32>(&mut self, shape: &Shape<F>, colour: Colour, opacity: f32) {
        self.shade(shape, |_| colour, opacity);
    }

    /// The same with a colour for every point of the figure.
    pub fn shade<F: Fn(Point) -> f32>(
        &mut self,
        shape: &Shape<F>,
        colour: impl Fn(Point) -> Colour,
        opacity: f32,
    ) {
        let pixel = 1.0 / self.size as f32;
        let Shape { low, high, .. } = *shape;
        let corners = [low, [low[0], high[1]], [high[0], low[1]], high].map(|corner| self.frame.out(corner));
        let range = |axis: usize| {
            let least = corners.iter().map(|corner| corner[axis]).fold(f32::INFINITY, f32::min);
            let most = corners.iter().map(|corner| corner[axis]).fold(f32::NEG_INFINITY, f32::max);
            let bound = |value: f32| (value * self.size as f32).clamp(0.0, self.size as f32) as usize;
            bound(least - pixel)..(bound(most + pixel) + 1).min(self.size)
        };
        // A tenth of a pixel must not decide what is drawn: distances are turned into pixels.
        let pixels = self.frame.scale * self.size as f32;
        for row in range(1) {
            for column in range(0) {
                let at = self.frame.inside([(column as f32 + 0.5) * pixel, (row as f32 + 0.5) * pixel]);
                // Half covered on the edge, fully half a pixel within.
                let cover = (0.5 - (shape.distance)(at) * pixels).clamp(0.0, 1.0) * opacity;
                if cover > 0.0 {
                    let over = colour(at);
                    for (under, over) in self.pixels[row * self.size + column].iter_mut().zip(over) {
                        *under += cover * (over - *under);
                    }
                }
            }
        }
    }

    /// Planes `[3, size, size]`, rounded to bytes.
    pub fn write(&self, planes: &mut [u8]) {
        for (channel, plane) in planes.chunks_exact_mut(self.size * self.size).enumerate() {
            for (byte, pixel) in plane.iter_mut().zip(&self.pixels) {
                *byte = (pixel[channel].clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
        }
    }
}

fn around([x, y]: Point, [wide, high]: [f32; 2]) -> [Point; 2] {
    [[x - wide, y - high], [x + wide, y + high]]
}

/// An ellipse with these radii.
pub fn ellipse(middle: Point, radii: [f32; 2]) -> Shape<impl Fn(Point) -> f32 + Copy> {
    let ([x, y], [wide, high]) = (middle, radii);
    let distance = move |at: Point| {
        let (dx, dy) = ((at[0] - x) / wide, (at[1] - y) / high);
        let radius = (dx * dx + dy * dy).sqrt();
        // The distance of the unit circle over the length of its slope there.
        let slope = ((dx / wide) * (dx / wide) + (dy / high) * (dy / high)).sqrt();
        if slope < 1e-6 { -wide.min(high) } else { (radius - 1.0) * radius / slope }
    };
    let [low, high] = around(middle, radii);
    Shape { distance, low, high }
}

/// A rectangle with round corners: middle, half sides, radius.
pub fn slab(middle: Point, half: [f32; 2], round: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    let ([x, y], [wide, tall]) = (middle, half);
    let distance = move |at: Point| {
        let (dx, dy) = ((at[0] - x).abs() - wide + round, (at[1] - y).abs() - tall + round);
        let outside = (dx.max(0.0) * dx.max(0.0) + dy.max(0.0) * dy.max(0.0)).sqrt();
        outside + dx.max(dy).min(0.0) - round
    };
    let [low, high] = around(middle, half);
    Shape { distance, low, high }
}

/// A square on its corner, with this half diagonal.
pub fn diamond(middle: Point, half: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    let [x, y] = middle;
    let distance =
        move |at: Point| ((at[0] - x).abs() + (at[1] - y).abs() - half) * std::f32::consts::FRAC_1_SQRT_2;
    let [low, high] = around(middle, [half; 2]);
    Shape { distance, low, high }
}

/// A line from point to point of this width with round ends.
pub fn line(from: Point, to: Point, width: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    let distance = move |at: Point| {
        let (along, across) = ([to[0] - from[0], to[1] - from[1]], [at[0] - from[0], at[1] - from[1]]);
        let length = (along[0] * along[0] + along[1] * along[1]).max(1e-9);
        let part = ((along[0] * across[0] + along[1] * across[1]) / length).clamp(0.0, 1.0);
        let (dx, dy) = (across[0] - part * along[0], across[1] - part * along[1]);
        (dx * dx + dy * dy).sqrt() - 0.5 * width
    };
    let low = [0, 1].map(|axis| from[axis].min(to[axis]) - width);
    let high = [0, 1].map(|axis| from[axis].max(to[axis]) + width);
    Shape { distance, low, high }
}

/// A bow of this width: its ends `half` beside the middle, the middle lower by `depth`.
pub fn bow(middle: Point, half: f32, depth: f32, width: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    let [x, y] = middle;
    let distance = move |at: Point| {
        let t = ((at[0] - x) / half).clamp(-1.0, 1.0);
        let slope = -2.0 * depth * t / half;
        let (dx, dy) = (at[0] - (x + t * half), at[1] - (y + depth * (1.0 - t * t)));
        (dx * dx + dy * dy / (1.0 + slope * slope)).sqrt() - 0.5 * width
    };
    let [low, high] = around(middle, [half + width, depth.abs() + width]);
    Shape { distance, low, high }
}

/// Everything below this height (its `y` above it), within a box as wide as any figure.
pub fn below(y: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    Shape { distance: move |at: Point| y - at[1], low: [-9.0, y], high: [9.0, 9.0] }
}

/// What is in both.
pub fn both<F: Fn(Point) -> f32 + Copy, G: Fn(Point) -> f32 + Copy>(
    one: Shape<F>,
    other: Shape<G>,
) -> Shape<impl Fn(Point) -> f32 + Copy> {
    Shape {
        distance: move |at| (one.distance)(at).max((other.distance)(at)),
        low: [0, 1].map(|axis| one.low[axis].max(other.low[axis])),
        high: [0, 1].map(|axis| one.high[axis].min(other.high[axis])),
    }
}

/// What is in one or the other.
pub fn either<F: Fn(Point) -> f32 + Copy, G: Fn(Point) -> f32 + Copy>(
    one: Shape<F>,
    other: Shape<G>,
) -> Shape<impl Fn(Point) -> f32 + Copy> {
    Shape {
        distance: move |at| (one.distance)(at).min((other.distance)(at)),
        low: [0, 1].map(|axis| one.low[axis].min(other.low[axis])),
        high: [0, 1].map(|axis| one.high[axis].max(other.high[axis])),
    }
}

/// What is in the first and not in the second.
pub fn without<F: Fn(Point) -> f32 + Copy, G: Fn(Point) -> f32 + Copy>(
    one: Shape<F>,
    other: Shape<G>,
) -> Shape<impl Fn(Point) -> f32 + Copy> {
    Shape { distance: move |at| (one.distance)(at).max(-(other.distance)(at)), low: one.low, high: one.high }
}

/// The rim of a shape, this wide.
pub fn rim<F: Fn(Point) -> f32 + Copy>(shape: Shape<F>, width: f32) -> Shape<impl Fn(Point) -> f32 + Copy> {
    Shape {
        distance: move |at| (shape.distance)(at).abs() - 0.5 * width,
        low: shape.low.map(|value| value - width),
        high: shape.high.map(|value| value + width),
    }
}

/// A colour made lighter (above 1) or darker (below).
pub fn lit(colour: Colour, light: f32) -> Colour {
    colour.map(|value| (value * light).clamp(0.0, 1.0))
}

/// A mixture: `share` of the second.
pub fn mixed(one: Colour, other: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|channel| one[channel] + share * (other[channel] - one[channel]))
}
