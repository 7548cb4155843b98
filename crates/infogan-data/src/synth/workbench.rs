//! Where chairs are put together from boards, rods and discs.

use super::chairs::Kind;
use super::scene::Scene;
use super::solid::{Pose, Vector};

/// Height above the floor that the middle of the picture shows, in metres.
const MIDDLE: f32 = 0.52;
const SIDES: [f32; 2] = [-1.0, 1.0];

/// Where parts are put together. Places are [across, height above the floor, to the front] in metres, for a chair of
/// width 1; boards and discs grow with the width, rods keep their thickness.
pub struct Workbench {
    /// What is built so far.
    pub scene: Scene,
    /// How the chair stands before the viewer.
    pub pose: Pose,
    /// Scale of the chair across.
    pub width: f32,
    /// The share of light that the material throws back.
    pub shade: f32,
}

impl Workbench {
    /// Builds a chair; `tall` scales its back, or its legs where it has none.
    pub fn build(&mut self, kind: Kind, tall: f32) {
        match kind {
            Kind::Slatted => self.slatted(tall),
            Kind::Stool => self.stool(tall),
            Kind::Armchair => self.armchair(tall),
            Kind::Office => self.office(tall),
            Kind::Cantilever => self.cantilever(tall),
            Kind::Rocking => self.rocking(tall),
            Kind::Tulip => self.tulip(tall),
            Kind::Folding => self.folding(tall),
        }
    }

    fn place(&self, [across, high, front]: Vector) -> Vector {
        [across * self.width, MIDDLE - high, front]
    }

    /// A board: middle, half sides, how far its top leans back in degrees.
    fn board(&mut self, middle: Vector, [wide, high, deep]: Vector, lean: f32) {
        let middle = self.pose.out(self.place(middle));
        let board = self.pose.pitched(lean).cuboid([0.0; 3], [wide * self.width, high, deep]);
        self.scene.add(&board.at(middle), self.shade);
    }

    fn rod(&mut self, from: Vector, to: Vector, radius: f32) {
        let rod = self.pose.rod(self.place(from), self.place(to), radius);
        self.scene.add(&rod, self.shade);
    }

    /// A bent rod through all places.
    fn tube(&mut self, places: &[Vector], radius: f32) {
        places.windows(2).for_each(|ends| self.rod(ends[0], ends[1], radius));
    }

    /// A level disc: middle, radius, half its thickness.
    fn disc(&mut self, middle: Vector, radius: f32, half: f32) {
        let disc = self.pose.disc(self.place(middle), [radius * self.width, radius], half);
        self.scene.add(&disc, self.shade);
    }

    fn slatted(&mut self, tall: f32) {
        let top = 0.46 + 0.46 * tall;
        self.board([0.0, 0.45, 0.0], [0.22, 0.02, 0.21], 0.0);
        for side in SIDES {
            self.rod([side * 0.19, 0.0, 0.18], [side * 0.19, 0.45, 0.18], 0.022);
            self.tube(
                &[[side * 0.19, 0.0, -0.19], [side * 0.19, 0.45, -0.19], [side * 0.19, top, -0.26]],
                0.022,
            );
        }
        for place in [-0.1, 0.0, 0.1] {
            self.rod([place, 0.45, -0.19], [place, top, -0.26], 0.014);
        }
        self.board([0.0, top - 0.03, -0.255], [0.21, 0.04, 0.015], 8.0);
    }

    fn stool(&mut self, tall: f32) {
        let seat = 0.66 * tall;
        self.disc([0.0, seat, 0.0], 0.19, 0.025);
        for side in SIDES {
            for end in SIDES {
                self.rod([side * 0.22, 0.0, end * 0.22], [side * 0.12, seat, end * 0.12], 0.02);
            }
        }
        self.board([0.0, 0.24, 0.24], [0.19, 0.015, 0.06], 0.0);
    }

    fn armchair(&mut self, tall: f32) {
        let back = 0.38 * tall;
        self.board([0.0, 0.21, 0.04], [0.25, 0.17, 0.26], 0.0);
        self.board([0.0, 0.41, 0.05], [0.21, 0.05, 0.26], 0.0);
        self.board([0.0, 0.40 + 0.5 * back, -0.26], [0.27, 0.4 * back + 0.15, 0.07], 10.0);
        for side in SIDES {
            self.board([side * 0.29, 0.32, 0.03], [0.06, 0.28, 0.27], 0.0);
        }
    }

    fn office(&mut self, tall: f32) {
        self.rod([0.0, 0.08, 0.0], [0.0, 0.46, 0.0], 0.03);
        // Five feet, the first to the front: cosine and sine of 72 degrees and of 144.
        for [across, front] in
            [[0.0, 1.0], [0.951, 0.309], [0.588, -0.809], [-0.588, -0.809], [-0.951, 0.309]]
        {
            let end = [0.27 * across, 0.06, 0.27 * front];
            self.rod([0.0, 0.1, 0.0], end, 0.02);
            self.rod([end[0], 0.0, end[2]], end, 0.03);
        }
        self.board([0.0, 0.48, 0.02], [0.23, 0.035, 0.22], 0.0);
        self.board([0.0, 0.58 + 0.24 * tall, -0.235], [0.2, 0.2 * tall, 0.025], 10.0);
        self.rod([0.0, 0.46, -0.2], [0.0, 0.72, -0.24], 0.02);
        for side in SIDES {
            self.tube(&[[side * 0.22, 0.48, 0.0], [side * 0.28, 0.52, 0.0], [side * 0.28, 0.66, 0.0]], 0.016);
            self.board([side * 0.28, 0.68, 0.0], [0.035, 0.015, 0.13], 0.0);
        }
    }

    fn cantilever(&mut self, tall: f32) {
        let top = 0.46 + 0.42 * tall;
        for side in SIDES {
            let across = side * 0.21;
            let bends = [
                [across, 0.02, -0.24],
                [across, 0.02, 0.24],
                [across, 0.46, 0.24],
                [across, 0.46, -0.2],
                [across, top, -0.28],
            ];
            self.tube(&bends, 0.016);
        }
        self.rod([-0.21, 0.02, -0.24], [0.21, 0.02, -0.24], 0.016);
        self.board([0.0, 0.475, 0.02], [0.2, 0.015, 0.21], 0.0);
        self.board([0.0, top - 0.14, -0.255], [0.21, 0.12, 0.012], 10.0);
    }

    fn rocking(&mut self, tall: f32) {
        let top = 0.42 + 0.54 * tall;
        for side in SIDES {
            let across = side * 0.22;
            // A runner: an arc, lowest under the seat.
            let runner = [-0.42, -0.28, -0.14, 0.0, 0.14, 0.28, 0.42]
                .map(|front| [across, 0.02 + 0.7 * front * front, front]);
            self.tube(&runner, 0.02);
            self.rod([across, 0.04, 0.17], [across, 0.64, 0.2], 0.018);
            self.tube(&[[across, 0.04, -0.17], [across, 0.42, -0.2], [across, top, -0.33]], 0.018);
            self.board([across, 0.65, -0.02], [0.03, 0.014, 0.26], 0.0);
        }
        self.board([0.0, 0.42, 0.0], [0.22, 0.02, 0.21], 4.0);
        for part in [0.3, 0.55, 0.8, 1.0] {
            let [high, front] = [0.42 + part * (top - 0.42), -0.2 - 0.13 * part];
            self.board([0.0, high, front], [0.22, 0.035, 0.012], 13.0);
        }
    }

    fn tulip(&mut self, tall: f32) {
        self.disc([0.0, 0.012, 0.0], 0.24, 0.012);
        self.disc([0.0, 0.03, 0.0], 0.12, 0.012);
        self.rod([0.0, 0.02, 0.0], [0.0, 0.44, 0.0], 0.035);
        self.disc([0.0, 0.45, 0.0], 0.23, 0.03);
        // The shell: staves on the back half of a circle, lower to the sides.
        for [across, front, part] in [
            [0.0, -1.0, 1.0],
            [0.383, -0.924, 0.96],
            [0.707, -0.707, 0.8],
            [0.924, -0.383, 0.55],
            [-0.383, -0.924, 0.96],
            [-0.707, -0.707, 0.8],
            [-0.924, -0.383, 0.55],
        ] {
            let [top, out] = [0.45 + 0.36 * tall * part, 0.2 + 0.06 * part];
            self.rod([0.2 * across, 0.44, 0.2 * front], [out * across, top, out * front], 0.052);
        }
    }

    fn folding(&mut self, tall: f32) {
        let top = 0.48 + 0.4 * tall;
        for side in SIDES {
            let across = side * 0.22;
            self.rod([across, 0.0, 0.24], [across, 0.48, -0.2], 0.018);
            self.rod([across, 0.0, -0.24], [across, 0.48, 0.22], 0.018);
            self.rod([across, 0.48, -0.2], [across, top, -0.24], 0.018);
            self.rod([across, 0.48, -0.22], [across, 0.48, 0.22], 0.018);
        }
        for end in SIDES {
            self.rod([-0.22, 0.02, end * 0.23], [0.22, 0.02, end * 0.23], 0.014);
        }
        self.board([0.0, 0.46, 0.0], [0.2, 0.01, 0.21], 0.0);
        self.board([0.0, top - 0.1, -0.23], [0.21, 0.09, 0.01], 5.0);
    }
}
