//! `infogan sample`, `traverse` and `interpolate`: pictures out of a run.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use infogan::{
    evaluate,
    run::pictures::{Animation, Picture, Sheet, write_gif, write_png},
    session::OpenRun,
};
use infogan_data::random::Streams;

use crate::{
    DEVICE,
    args::{InterpolateArgs, SampleArgs, TraverseArgs},
    failure::{Failure, print},
};

/// Time a frame of an animation is shown, in milliseconds.
const FRAME_MS: u32 = 80;
/// Frames of small pictures are enlarged to about so many pixels.
const FRAME_SIDE: usize = 112;

/// Draws pictures with some codes fixed.
pub fn sample(args: &SampleArgs) -> Result<ExitCode, Failure> {
    only(&args.out, &["png"])?;
    let mut run = OpenRun::open_generator(&args.run, DEVICE)?;
    let trained = run.trained();
    let latent = trained.game().latent();
    let settings = evaluate::parse_codes(&args.codes, latent)?;
    let count = args.n as usize;
    let mut draw = latent.draw(&Streams::new(args.seed), "sample", [0; 3], count);
    evaluate::apply(&mut draw, &settings);
    let mut pictures = trained.pictures(&draw)?;
    let picture = match pictures.pop() {
        Some(only) if pictures.is_empty() => only,
        last => {
            pictures.extend(last);
            Sheet::new(pictures, side(count))?.picture()?
        }
    };
    write_png(&args.out, &picture)?;
    written(&[&args.out])
}

/// Draws every code through its range.
pub fn traverse(args: &TraverseArgs) -> Result<ExitCode, Failure> {
    only(&args.out, &["png"])?;
    let mut run = OpenRun::open_generator(&args.run, DEVICE)?;
    let sheet = run.trained().traverse(&Streams::new(args.seed), "traverse", args.rows as usize)?;
    let sheet = sheet.ok_or_else(|| {
        Failure::usage(format!(
            "{}: its latent is noise alone, so there is no code to traverse; see 'infogan sample' and 'infogan \
             interpolate'",
            args.run.display()
        ))
    })?;
    write_png(&args.out, &sheet.picture()?)?;
    written(&[&args.out])
}

/// Draws the way between random latents.
pub fn interpolate(args: &InterpolateArgs) -> Result<ExitCode, Failure> {
    let (strip, moving) = match &args.out {
        None => (Some(PathBuf::from("interpolate.png")), Some(PathBuf::from("interpolate.gif"))),
        Some(out) if only(out, &["png", "gif"])? == "png" => (Some(out.clone()), None),
        Some(out) => (None, Some(out.clone())),
    };
    let mut run = OpenRun::open_generator(&args.run, DEVICE)?;
    let trained = run.trained();
    let latent = trained.game().latent();
    let settings = evaluate::parse_codes(&args.codes, latent)?;
    let (keyframes, frames) = (args.keyframes as usize, args.frames as usize);
    let mut keys = latent.draw(&Streams::new(args.seed), "interpolate", [0; 3], keyframes);
    evaluate::apply(&mut keys, &settings);
    let draw = evaluate::interpolate(latent, &keys, frames, true);
    let pictures = trained.pictures(&draw)?;
    if let Some(path) = &moving {
        let frames = pictures.iter().map(visible).collect();
        write_gif(path, &Animation::new(frames, FRAME_MS)?)?;
    }
    if let Some(path) = &strip {
        let labels = (1..=keyframes).map(|key| format!("{key} to {}", key % keyframes + 1));
        write_png(path, &Sheet::new(pictures, frames)?.row_labels(labels).picture()?)?;
    }
    let paths: Vec<&Path> = [&strip, &moving].into_iter().flatten().map(PathBuf::as_path).collect();
    written(&paths)
}

/// Columns of a sheet that is about as wide as high.
fn side(count: usize) -> usize {
    (1..).find(|side| side * side >= count).unwrap_or(1)
}

fn visible(picture: &Picture) -> Picture {
    picture.enlarge(FRAME_SIDE.div_ceil(picture.width().max(picture.height()).max(1)))
}

/// The extension of a path, if it is one of those that can be written.
pub fn only<'a>(path: &Path, allowed: &[&'a str]) -> Result<&'a str, Failure> {
    let extension = path.extension().unwrap_or_default();
    allowed.iter().copied().find(|allowed| extension.eq_ignore_ascii_case(allowed)).ok_or_else(|| {
        Failure::usage(format!(
            "--out {}: the name tells the format; it may end in .{}",
            path.display(),
            allowed.join(" or .")
        ))
    })
}

/// Tells what was written.
fn written(paths: &[impl AsRef<Path>]) -> Result<ExitCode, Failure> {
    print(&paths.iter().map(|path| format!("{}\n", path.as_ref().display())).collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_about_square() {
        assert_eq!([1, 2, 4, 5, 64, 65].map(side), [1, 2, 2, 3, 8, 9]);
    }

    #[test]
    fn the_extension_tells_the_format() {
        assert_eq!(only(Path::new("a.PNG"), &["png", "gif"]).ok(), Some("png"));
        for path in ["a.jpg", "png", "a."] {
            assert!(only(Path::new(path), &["png"]).is_err(), "{path}");
        }
    }
}
