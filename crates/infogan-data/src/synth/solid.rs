//! Round and square solids as a viewer far away sees them: what heads and chairs are made of.
//!
//! A solid is what lies within one to three quadrics pᵀ M p ≤ 1 around its middle: an ellipsoid within one of rank
//! 3, a rod within one of rank 2 (its side) and one of rank 1 (its ends), a box within three of rank 1. So one
//! intersection with a line of sight serves all, and needs no more than `+ - * /` and the square root: the same
//! bytes on every machine.

/// A direction or place: x to the right, y down, z towards the viewer.
pub type Vector = [f32; 3];

/// How a model stands before the viewer.
#[derive(Clone, Copy, Debug)]
pub struct Pose {
    /// Where the model's x, y and z point: orthonormal.
    axes: [Vector; 3],
}

impl Pose {
    /// Facing the viewer, then turned about the upright by `azimuth` (its front to the right of the picture), then
    /// about the line across by `elevation` (its front upwards); both in degrees.
    pub fn new(azimuth: f32, elevation: f32) -> Self {
        let (azimuth, elevation) = (azimuth.to_radians(), elevation.to_radians());
        let (sine, cosine) = (libm::sinf(azimuth), libm::cosf(azimuth));
        let (rise, level) = (libm::sinf(elevation), libm::cosf(elevation));
        Self {
            axes: [
                [cosine, rise * sine, -level * sine],
                [0.0, level, rise],
                [sine, -rise * cosine, level * cosine],
            ],
        }
    }

    /// The same for a part that is turned about its own x, its front upwards, by so many degrees.
    pub fn pitched(&self, degrees: f32) -> Self {
        let angle = degrees.to_radians();
        let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
        let [x, y, z] = self.axes;
        let mixed = |one: f32, other: f32| [0, 1, 2].map(|k| one * y[k] + other * z[k]);
        Self { axes: [x, mixed(cosine, sine), mixed(-sine, cosine)] }
    }

    /// Where the front of the model points, a unit vector.
    pub fn front(&self) -> Vector {
        self.axes[2]
    }

    /// A place of the model as the viewer sees it.
    pub fn out(&self, [x, y, z]: Vector) -> Vector {
        let [right, down, front] = self.axes;
        [0, 1, 2].map(|k| x * right[k] + y * down[k] + z * front[k])
    }

    /// An ellipsoid with its middle here and these radii along the model's axes.
    pub fn ellipsoid(&self, middle: Vector, radii: Vector) -> Solid<1> {
        let spans = [0, 1, 2].map(|k| self.axes[k].map(|value| value * radii[k]));
        let reach = [0, 1].map(|k| spans.iter().map(|span| span[k] * span[k]).sum::<f32>().sqrt());
        let limit = (0..3).fold(Quadric::default(), |sum, k| sum.with(self.axes[k], radii[k]));
        Solid { middle: self.out(middle), limits: [limit], reach }
    }

    /// A box with its middle here and these half sides along the model's axes.
    pub fn cuboid(&self, middle: Vector, half: Vector) -> Solid<3> {
        let reach = [0, 1].map(|k| (0..3).map(|axis| (self.axes[axis][k] * half[axis]).abs()).sum::<f32>());
        let limits = [0, 1, 2].map(|k| Quadric::default().with(self.axes[k], half[k]));
        Solid { middle: self.out(middle), limits, reach }
    }

    /// An upright cylinder: radii along x and z, half its height.
    pub fn disc(&self, middle: Vector, [wide, deep]: [f32; 2], half: f32) -> Solid<2> {
        let [x, y, z] = self.axes;
        let side = Quadric::default().with(x, wide).with(z, deep);
        let reach = [0, 1].map(|k| {
            let (across, along) = (x[k] * wide, z[k] * deep);
            (across * across + along * along).sqrt() + (y[k] * half).abs()
        });
        Solid { middle: self.out(middle), limits: [side, Quadric::default().with(y, half)], reach }
    }

    /// A round rod from place to place.
    pub fn rod(&self, from: Vector, to: Vector, radius: f32) -> Solid<2> {
        let middle = self.out([0, 1, 2].map(|k| 0.5 * (from[k] + to[k])));
        let half = self.out([0, 1, 2].map(|k| 0.5 * (to[k] - from[k])));
        let length = dot(half, half).sqrt().max(1e-6);
        let axis = half.map(|value| value / length);
        // What is left of the unit matrix without the axis measures the distance from it.
        let ends = Quadric::default().with(axis, length);
        let mut side = Quadric::default();
        for k in 0..3 {
            let unit = [0, 1, 2].map(|other| if other == k { 1.0 } else { 0.0 });
            side = side.with([0, 1, 2].map(|other| unit[other] - axis[k] * axis[other]), radius);
        }
        let reach = [0, 1].map(|k| half[k].abs() + radius * (1.0 - axis[k] * axis[k]).max(0.0).sqrt());
        Solid { middle, limits: [side, ends], reach }
    }
}

/// The scalar product.
pub fn dot(one: Vector, other: Vector) -> f32 {
    one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
}

/// What lies within all its limits.
#[derive(Clone, Copy, Debug)]
pub struct Solid<const N: usize> {
    /// Its middle, as the viewer sees it.
    pub middle: Vector,
    limits: [Quadric; N],
    /// How far it extends from its middle along x and y.
    pub reach: [f32; 2],
}

impl<const N: usize> Solid<N> {
    /// The same solid with its middle here, as the viewer sees it.
    pub fn at(self, middle: Vector) -> Self {
        Self { middle, ..self }
    }

    /// The part of a line of sight that lies inside, seen from the middle: its nearest and its farthest end, each with
    /// the number of its limit.
    pub fn cut(&self, x: f32, y: f32) -> Option<[(f32, usize); 2]> {
        let (mut near, mut far) = ((f32::INFINITY, 0), (f32::NEG_INFINITY, 0));
        for (place, limit) in self.limits.iter().enumerate() {
            let [low, high] = limit.cut(x, y)?;
            near = if high < near.0 { (high, place) } else { near };
            far = if low > far.0 { (low, place) } else { far };
        }
        (far.0 < near.0).then_some([near, far])
    }

    /// The unit vector out of the limit of this number, at a place of its surface seen from the middle.
    pub fn outwards(&self, limit: usize, place: Vector) -> Vector {
        self.limits[limit].outwards(place)
    }
}

/// A symmetric matrix M, by its entries xx, xy, xz, yy, yz, zz: within it pᵀ M p ≤ 1.
#[derive(Clone, Copy, Debug, Default)]
struct Quadric([f32; 6]);

impl Quadric {
    /// Bounded along this unit vector too, to within `reach`.
    fn with(self, axis: Vector, reach: f32) -> Self {
        let [x, y, z] = axis.map(|value| value / reach);
        let more = [x * x, x * y, x * z, y * y, y * z, z * z];
        Self(std::array::from_fn(|k| self.0[k] + more[k]))
    }

    /// The lowest and highest z inside along a line of sight.
    fn cut(&self, x: f32, y: f32) -> Option<[f32; 2]> {
        let [xx, xy, xz, yy, yz, zz] = self.0;
        let half = xz * x + yz * y;
        let rest = xx * x * x + 2.0 * xy * x * y + yy * y * y - 1.0;
        // Along the line nothing changes: all of it lies inside, or nothing.
        if zz < 1e-6 {
            return (rest < 0.0).then_some([f32::NEG_INFINITY, f32::INFINITY]);
        }
        let square = half * half - zz * rest;
        if square <= 0.0 {
            return None;
        }
        let root = square.sqrt();
        Some([(-half - root) / zz, (-half + root) / zz])
    }

    /// The direction out of it at a place of its surface.
    fn outwards(&self, [x, y, z]: Vector) -> Vector {
        let [xx, xy, xz, yy, yz, zz] = self.0;
        let slope = [xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z];
        let length = dot(slope, slope).sqrt().max(1e-12);
        slope.map(|value| value / length)
    }
}
