//! Presets: the experiments of the papers as data.

/// A named configuration that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its TOML text, with sources in comments.
    pub text: &'static str,
}

/// All presets, in the order in which they are listed. The first is what `infogan train` runs.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "glyphs",
        summary: "InfoGAN on digits drawn in-process: no download, factors known, minutes",
        text: include_str!("../../presets/glyphs.toml"),
    },
    Preset {
        name: "mnist",
        summary: "InfoGAN on the MNIST files on OpenAI's schedule: 5,000 steps of 128",
        text: include_str!("../../presets/mnist.toml"),
    },
    Preset {
        name: "mnist-robust",
        summary: "the same, and Q must agree with itself on distorted digits, without labels",
        text: include_str!("../../presets/mnist-robust.toml"),
    },
    Preset {
        name: "fashion-mnist",
        summary: "the same on the Fashion-MNIST files",
        text: include_str!("../../presets/fashion-mnist.toml"),
    },
    Preset {
        name: "svhn",
        summary: "InfoGAN on the SVHN files with the main text's latent: two numbers",
        text: include_str!("../../presets/svhn.toml"),
    },
    Preset {
        name: "svhn-appendix",
        summary: "the same with the appendix's latent: four numbers",
        text: include_str!("../../presets/svhn-appendix.toml"),
    },
    Preset {
        name: "celeba",
        summary: "InfoGAN on faces at 32×32: drawn portraits, or CelebA with --data",
        text: include_str!("../../presets/celeba.toml"),
    },
    Preset {
        name: "faces-azimuth",
        summary: "InfoGAN on heads in three dimensions, drawn in-process: the training for azimuth",
        text: include_str!("../../presets/faces-azimuth.toml"),
    },
    Preset {
        name: "faces-elevation",
        summary: "the same with the rates and λ for elevation",
        text: include_str!("../../presets/faces-elevation.toml"),
    },
    Preset {
        name: "faces-lighting",
        summary: "the same with the rates and λ for lighting and width",
        text: include_str!("../../presets/faces-lighting.toml"),
    },
    Preset {
        name: "chairs-rotation",
        summary: "InfoGAN on chairs at 64×64, drawn in-process or with --data: the training for rotation",
        text: include_str!("../../presets/chairs-rotation.toml"),
    },
    Preset {
        name: "chairs-width",
        summary: "the same with the λ for width",
        text: include_str!("../../presets/chairs-width.toml"),
    },
    Preset {
        name: "chairs-rotation-appendix",
        summary: "chairs-rotation with the appendix's latent: three categorical codes instead of four",
        text: include_str!("../../presets/chairs-rotation-appendix.toml"),
    },
    Preset {
        name: "chairs-width-appendix",
        summary: "chairs-width with the same latent",
        text: include_str!("../../presets/chairs-width-appendix.toml"),
    },
    Preset {
        name: "pictures",
        summary: "InfoGAN on a folder of your own pictures, 32×32 in colour unless they are otherwise",
        text: include_str!("../../presets/pictures.toml"),
    },
    Preset {
        name: "gan",
        summary: "the vanilla GAN on the same drawn digits: noise only",
        text: include_str!("../../presets/gan.toml"),
    },
    Preset {
        name: "gan-codes",
        summary: "the same with latent codes that it is never told to use, while Q watches",
        text: include_str!("../../presets/gan-codes.toml"),
    },
    Preset {
        name: "basicprop-line",
        summary: "InfoGAN on bars at ten places, drawn in-process: one property, seen with the eye",
        text: include_str!("../../presets/basicprop-line.toml"),
    },
    Preset {
        name: "basicprop-rectangles",
        summary: "the same on two bars of ten heights each: two properties",
        text: include_str!("../../presets/basicprop-rectangles.toml"),
    },
    Preset {
        name: "lab-1",
        summary: "a lab report's DCGAN with ten categories on MNIST at 64×64",
        text: include_str!("../../presets/lab-1.toml"),
    },
    Preset {
        name: "lab-2",
        summary: "the same with upsampling in the generator and spectral norm in the critic",
        text: include_str!("../../presets/lab-2.toml"),
    },
];

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
