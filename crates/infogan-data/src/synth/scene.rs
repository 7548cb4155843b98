//! A scene of solids, lit from one side, as a picture: what is nearest at nine samples a pixel.

use super::solid::{Pose, Solid, Vector, dot};

/// Samples along each side of a pixel.
const SAMPLES: usize = 3;

/// Light from far away.
#[derive(Clone, Copy, Debug)]
pub struct Light {
    /// Where it comes from, a unit vector.
    from: Vector,
    /// The share of it that comes from everywhere.
    ambient: f32,
}

impl Light {
    /// From `side` degrees to the right of the viewer and `height` degrees above.
    pub fn new(side: f32, height: f32, ambient: f32) -> Self {
        Self { from: Pose::new(side, height).front(), ambient }
    }

    /// Lambert's law, for a surface that throws back everything.
    fn on(&self, normal: Vector) -> f32 {
        self.ambient + (1.0 - self.ambient) * dot(normal, self.from).max(0.0)
    }
}

/// A picture in the making: what is nearest at every sample.
pub struct Scene {
    size: usize,
    /// Samples per unit of length.
    scale: f32,
    light: Light,
    /// The nearest z, and how bright it is there.
    samples: Vec<(f32, f32)>,
}

impl Scene {
    /// An empty scene on a ground of this brightness: `size` pixels show −`half` to `half` of x and y.
    pub fn new(size: usize, half: f32, light: Light, ground: f32) -> Self {
        let side = size * SAMPLES;
        let scale = 0.5 * side as f32 / half;
        Self { size, scale, light, samples: vec![(f32::NEG_INFINITY, ground); side * side] }
    }

    /// Puts a solid that throws back this share of the light into the scene.
    pub fn add<const N: usize>(&mut self, solid: &Solid<N>, shade: f32) {
        let light = self.light;
        self.each(solid, |sample, [x, y], [(near, limit), _]| {
            let z = solid.middle[2] + near;
            if z > sample.0 {
                *sample = (z, shade * light.on(solid.outwards(limit, [x, y, near])));
            }
        });
    }

    /// Takes a solid away from what is there so far, and shows its far wall. The outline of what is there stays.
    pub fn carve<const N: usize>(&mut self, solid: &Solid<N>, shade: f32) {
        let light = self.light;
        self.each(solid, |sample, [x, y], [(near, _), (far, limit)]| {
            let (front, wall) = (solid.middle[2] + near, solid.middle[2] + far);
            if wall < sample.0 && sample.0 < front {
                let inwards = solid.outwards(limit, [x, y, far]).map(|value| -value);
                *sample = (wall, shade * light.on(inwards));
            }
        });
    }

    /// All samples whose line of sight meets the solid, with their place as seen from its middle.
    fn each<const N: usize>(
        &mut self,
        solid: &Solid<N>,
        mut visit: impl FnMut(&mut (f32, f32), [f32; 2], [(f32, usize); 2]),
    ) {
        let side = self.size * SAMPLES;
        let middle = 0.5 * side as f32;
        let place = |at: usize, axis: usize| (at as f32 + 0.5 - middle) / self.scale - solid.middle[axis];
        // Conversions to integers saturate: what lies beside the picture has no samples.
        let range = |axis: usize| {
            let edge = |value: f32| (middle + value * self.scale) as usize;
            let (low, high) =
                (solid.middle[axis] - solid.reach[axis], solid.middle[axis] + solid.reach[axis]);
            edge(low).min(side)..edge(high).saturating_add(1).min(side)
        };
        let columns = range(0);
        for row in range(1) {
            let y = place(row, 1);
            for column in columns.clone() {
                let x = place(column, 0);
                if let Some(ends) = solid.cut(x, y) {
                    visit(&mut self.samples[row * side + column], [x, y], ends);
                }
            }
        }
    }

    /// Writes the picture, grey `[size, size]`: every pixel is the mean of its samples.
    pub fn write(&self, picture: &mut [u8]) {
        let side = self.size * SAMPLES;
        for (place, byte) in picture.iter_mut().enumerate() {
            let (row, column) = (place / self.size * SAMPLES, place % self.size * SAMPLES);
            let sum = (row..row + SAMPLES)
                .flat_map(|row| &self.samples[row * side + column..][..SAMPLES])
                .fold(0.0, |sum, sample| sum + sample.1.clamp(0.0, 1.0));
            *byte = (sum * (255.0 / (SAMPLES * SAMPLES) as f32) + 0.5) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of the picture that is covered, and the brightest byte.
    fn seen<const N: usize>(solid: &Solid<N>) -> (f32, u8) {
        let mut scene = Scene::new(64, 1.0, Light::new(0.0, 0.0, 0.0), 0.0);
        scene.add(solid, 1.0);
        let mut picture = [0; 64 * 64];
        scene.write(&mut picture);
        let covered = scene.samples.iter().filter(|sample| sample.0 > f32::NEG_INFINITY).count();
        (covered as f32 / scene.samples.len() as f32, picture.into_iter().max().unwrap_or(0))
    }

    #[test]
    fn solids_cover_their_shadows() {
        for (azimuth, elevation) in [(0.0, 0.0), (30.0, 20.0), (-75.0, 45.0), (90.0, 90.0)] {
            let pose = Pose::new(azimuth, elevation);
            let (ball, light) = seen(&pose.ellipsoid([0.1, 0.0, 0.2], [0.5; 3]));
            assert!((ball - 0.19635).abs() < 1e-3 && light == 255, "π r² / 4: {ball}");
            // A box casts the sum of its faces, each by how much it is turned away.
            let [x, y, z] =
                [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|axis| pose.out(axis)[2].abs());
            let (cast, _) = seen(&pose.cuboid([0.0; 3], [0.2, 0.3, 0.4]));
            let faces = 4.0 * (0.12 * x + 0.08 * y + 0.06 * z);
            assert!((cast - faces / 4.0).abs() < 5e-3, "{cast} {faces}");
            // A rod is a disc along its axis, whichever way it is made.
            let (rod, _) = seen(&pose.rod([0.0, -0.5, 0.0], [0.0, 0.5, 0.0], 0.2));
            let (disc, _) = seen(&pose.disc([0.0; 3], [0.2; 2], 0.5));
            assert!((rod - disc).abs() < 1e-3 && rod > 0.03, "{rod} {disc}");
        }
    }

    #[test]
    fn a_hollow_shows_its_far_wall() {
        let pose = Pose::new(0.0, 0.0);
        let mut scene = Scene::new(32, 1.0, Light::new(0.0, 0.0, 0.0), 0.0);
        scene.add(&pose.ellipsoid([0.0; 3], [0.8; 3]), 1.0);
        scene.carve(&pose.ellipsoid([0.0, 0.0, 0.8], [0.3; 3]), 0.5);
        let middle = scene.samples[48 * 96 + 48];
        assert!((middle.0 - 0.5).abs() < 1e-3 && (middle.1 - 0.5).abs() < 1e-3, "{middle:?}");
    }
}
