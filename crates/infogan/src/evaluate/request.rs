//! What a user asks of a generator: codes by name, and ways from one latent to another.

use std::collections::BTreeSet;

use crate::{
    Error,
    latent::{Draw, Latent, Prior, Slot},
};

/// One number or category of the latent that is not left to chance. Made by [`parse_code`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CodeSetting {
    /// A category of a categorical slot.
    Category {
        /// Position of the slot.
        position: usize,
        /// The category, counted from 0.
        category: usize,
    },
    /// One number of a uniform or normal slot.
    Number {
        /// Position of the slot.
        position: usize,
        /// Numbers in the slot.
        width: usize,
        /// Which of them, counted from 0.
        index: usize,
        /// Its value: any finite number, also outside the prior's range.
        value: f32,
    },
}

impl CodeSetting {
    /// What it sets: two settings with the same address contradict each other.
    fn address(&self) -> (usize, usize) {
        match *self {
            Self::Category { position, .. } => (position, 0),
            Self::Number { position, index, .. } => (position, index),
        }
    }
}

/// Reads `NAME=VALUE` or, for one number of a wider slot, `NAME.INDEX=VALUE`. A categorical slot takes a category,
/// any other a finite number.
///
/// # Errors
/// [`Error::Usage`] with the text, the reason and what is allowed.
pub fn parse_code(text: &str, latent: &Latent) -> Result<CodeSetting, Error> {
    let refuse = |reason: String| Error::Usage(format!("code '{text}': {reason}"));
    let (target, value) = text
        .split_once('=')
        .ok_or_else(|| refuse(format!("wants NAME=VALUE; this latent takes {}", offered(latent))))?;
    let (target, value) = (target.trim(), value.trim());
    let (name, index) = match target.split_once('.') {
        Some((name, index)) => (name, Some(index)),
        None => (target, None),
    };
    let (position, slot) = latent
        .slot(name)
        .ok_or_else(|| refuse(format!("there is no slot '{name}'; this latent takes {}", offered(latent))))?;
    let width = slot.prior.width();
    if width == 0 {
        return Err(refuse(format!("slot '{name}' has width 0, so there is nothing to set")));
    }
    if let Prior::Categorical { values } = slot.prior {
        let allowed = format!("allowed: {name}=0 to {name}={}", values - 1);
        if index.is_some() {
            return Err(refuse(format!("'{name}' is categorical and takes a category; {allowed}")));
        }
        return match value.parse::<usize>() {
            Ok(category) if category < values => Ok(CodeSetting::Category { position, category }),
            _ => Err(refuse(format!("'{value}' is no category of '{name}'; {allowed}"))),
        };
    }
    let index = match index {
        None if width == 1 => 0,
        None => {
            return Err(refuse(format!(
                "'{name}' has {width} numbers; say which: {name}.0=VALUE to {name}.{}=VALUE",
                width - 1
            )));
        }
        Some(text) => text.parse::<usize>().ok().filter(|&index| index < width).ok_or_else(|| {
            refuse(format!("'{text}' is no position in '{name}'; allowed: {name}.0 to {name}.{}", width - 1))
        })?,
    };
    match value.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(CodeSetting::Number { position, width, index, value }),
        _ => Err(refuse(format!("'{value}' is not a finite number, as in {target}=-1.5"))),
    }
}

/// Reads several settings.
///
/// # Errors
/// As [`parse_code`], and when two set the same thing.
pub fn parse_codes(texts: &[String], latent: &Latent) -> Result<Vec<CodeSetting>, Error> {
    let mut seen = BTreeSet::new();
    (texts.iter())
        .map(|text| {
            let setting = parse_code(text, latent)?;
            if seen.insert(setting.address()) {
                return Ok(setting);
            }
            Err(Error::Usage(format!("code '{text}': the same code is set twice; set it once")))
        })
        .collect()
}

/// The settings a latent offers, for messages.
fn offered(latent: &Latent) -> String {
    let of = |slot: &Slot| match (slot.prior, slot.prior.width()) {
        (_, 0) => None,
        (Prior::Categorical { values }, _) => Some(format!("{}=0..{}", slot.name, values - 1)),
        (_, 1) => Some(format!("{}=NUMBER", slot.name)),
        (_, width) => Some(format!("{0}.0=NUMBER to {0}.{1}=NUMBER", slot.name, width - 1)),
    };
    latent.slots().iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

/// Sets codes in every sample of a draw from the latent for which the settings were read.
pub fn apply(draw: &mut Draw, settings: &[CodeSetting]) {
    for setting in settings {
        match *setting {
            CodeSetting::Category { position, category } => {
                (0..draw.len()).for_each(|sample| draw.set_category(position, sample, category));
            }
            CodeSetting::Number { position, width, index, value } => {
                draw.slot_mut(position).chunks_exact_mut(width).for_each(|row| row[index] = value);
            }
        }
    }
}

/// Latents on the way through all keyframes: `frames` from each keyframe, itself included, up to but without the
/// next. A closed way leads from the last back to the first, so it has `keyframes · frames` latents; an open one
/// ends with the last, so it has `(keyframes − 1) · frames + 1`.
///
/// Normal slots of two and more numbers go along the sphere (directions at constant angular speed, lengths
/// linearly), because a straight line between normal draws passes through lengths that are never drawn. Everything
/// else goes straight; between two different categories both are on in part.
pub fn interpolate(latent: &Latent, keyframes: &Draw, frames: usize, closed: bool) -> Draw {
    let (count, frames) = (keyframes.len(), frames.max(1));
    let legs = if closed { count } else { count.saturating_sub(1) };
    let ends = usize::from(!closed && count > 0);
    let widths: Vec<usize> = latent.slots().iter().map(|slot| slot.prior.width()).collect();
    let way = |(position, slot): (usize, &Slot)| {
        let width = slot.prior.width();
        let row = |key: usize| &keyframes.slot(position)[key * width..(key + 1) * width];
        let mut values = Vec::with_capacity((legs * frames + ends) * width);
        for leg in 0..legs {
            let (from, to) = (row(leg), row((leg + 1) % count));
            values.extend_from_slice(from);
            for frame in 1..frames {
                let along = frame as f32 / frames as f32;
                match slot.prior {
                    Prior::Normal { width } if width > 1 => values.extend(on_sphere(from, to, along)),
                    _ => values.extend(straight(from, to, along)),
                }
            }
        }
        if ends == 1 {
            values.extend_from_slice(row(count - 1));
        }
        values
    };
    let values = latent.slots().iter().enumerate().map(way).collect();
    Draw::from_values(widths, legs * frames + ends, values)
}

fn straight(from: &[f32], to: &[f32], along: f32) -> Vec<f32> {
    from.iter().zip(to).map(|(from, to)| from * (1.0 - along) + to * along).collect()
}

/// Spherical interpolation of directions, linear of lengths (Shoemake, 1985, for the directions). Where the plane
/// of the arc is not defined (zero, parallel or opposite vectors), straight.
fn on_sphere(from: &[f32], to: &[f32], along: f32) -> Vec<f32> {
    let length = |row: &[f32]| row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let (first, second) = (length(from), length(to));
    let product: f64 = from.iter().zip(to).map(|(&from, &to)| f64::from(from) * f64::from(to)).sum();
    let angle = (product / (first * second)).clamp(-1.0, 1.0).acos();
    let sine = angle.sin();
    // Not a number where a vector has no length.
    if sine.is_nan() || sine < 1e-4 {
        return straight(from, to, along);
    }
    let along = f64::from(along);
    let radius = first * (1.0 - along) + second * along;
    let left = ((1.0 - along) * angle).sin() / sine * radius / first;
    let right = (along * angle).sin() / sine * radius / second;
    from.iter().zip(to).map(|(&from, &to)| (f64::from(from) * left + f64::from(to) * right) as f32).collect()
}

#[cfg(test)]
mod tests {
    use infogan_data::random::Streams;
    use proptest::prelude::*;

    use super::*;

    fn latent() -> Latent {
        let slot = |name: &str, prior| Slot { name: name.to_owned(), prior };
        Latent::new(vec![
            slot("z", Prior::Normal { width: 3 }),
            slot("c1", Prior::Categorical { values: 4 }),
            slot("c2", Prior::Uniform { width: 1 }),
            slot("none", Prior::Uniform { width: 0 }),
        ])
    }

    fn draw(count: usize) -> Draw {
        latent().draw(&Streams::new(5), "test", [0; 3], count)
    }

    fn refusal(text: &str) -> String {
        parse_code(text, &latent()).expect_err(text).to_string()
    }

    #[test]
    fn codes_are_read() {
        let read = |text| parse_code(text, &latent()).unwrap();
        assert_eq!(read("c1=3"), CodeSetting::Category { position: 1, category: 3 });
        let number = |position, width, index, value| CodeSetting::Number { position, width, index, value };
        assert_eq!(read("c2=-1.5"), number(2, 1, 0, -1.5));
        assert_eq!(read(" c2.0 = 7 "), number(2, 1, 0, 7.0));
        assert_eq!(read("z.2=1e-3"), number(0, 3, 2, 1e-3));
    }

    #[test]
    fn what_cannot_be_set_is_refused_with_what_can() {
        assert!(refusal("c1").contains("NAME=VALUE"));
        assert!(
            refusal("c9=1").contains("z.0=NUMBER to z.2=NUMBER, c1=0..3, c2=NUMBER"),
            "{}",
            refusal("c9=1")
        );
        for text in ["c1=4", "c1=-1", "c1=1.5", "c1=", "c1.0=1"] {
            assert!(refusal(text).contains("allowed: c1=0 to c1=3"), "{}", refusal(text));
        }
        assert!(refusal("z=1").contains("z.0=VALUE to z.2=VALUE"));
        assert!(refusal("z.3=1").contains("allowed: z.0 to z.2"));
        assert!(refusal("z.x=1").contains("allowed: z.0 to z.2"));
        for text in ["c2=nan", "c2=inf", "c2=1e39", "c2=two", "c2="] {
            assert!(refusal(text).contains("finite number"), "{}", refusal(text));
        }
        assert!(refusal("none=1").contains("width 0"));
    }

    #[test]
    fn a_code_set_twice_is_refused() {
        let texts = |texts: [&str; 2]| texts.map(str::to_owned);
        assert!(parse_codes(&texts(["z.0=1", "z.1=1"]), &latent()).is_ok());
        let error = parse_codes(&texts(["c2=1", "c2.0=2"]), &latent()).unwrap_err();
        assert!(error.to_string().contains("set twice"), "{error}");
    }

    #[test]
    fn settings_change_what_they_name_and_nothing_else() {
        let (before, mut after) = (draw(5), draw(5));
        let texts = ["c1=2", "z.1=0.25"].map(str::to_owned);
        apply(&mut after, &parse_codes(&texts, &latent()).unwrap());
        assert_eq!(after.categories(1), [2; 5]);
        assert_eq!(after.slot(2), before.slot(2));
        for (new, old) in after.slot(0).chunks_exact(3).zip(before.slot(0).chunks_exact(3)) {
            assert_eq!(new, [old[0], 0.25, old[2]]);
        }
    }

    #[test]
    fn a_way_passes_through_its_keyframes() {
        let keys = draw(3);
        let closed = interpolate(&latent(), &keys, 4, true);
        let open = interpolate(&latent(), &keys, 4, false);
        assert_eq!((closed.len(), open.len()), (12, 9));
        for key in 0..3 {
            assert_eq!(closed.row(4 * key), keys.row(key));
            assert_eq!(open.row(4 * key), keys.row(key));
        }
        assert_eq!(open.part(0, 8), closed.part(0, 8));
        assert!(interpolate(&latent(), &draw(0), 4, true).is_empty());
        assert!(interpolate(&latent(), &draw(0), 4, false).is_empty());
        assert_eq!(interpolate(&latent(), &draw(1), 4, false).row(0), draw(1).row(0));
    }

    #[test]
    fn straight_slots_meet_halfway() {
        let mut keys = draw(2);
        keys.set_category(1, 0, 0);
        keys.set_category(1, 1, 3);
        let way = interpolate(&latent(), &keys, 2, false);
        assert_eq!(way.slot(1)[4..8], [0.5, 0.0, 0.0, 0.5]);
        let half = (keys.slot(2)[0] + keys.slot(2)[1]) / 2.0;
        assert!((way.slot(2)[1] - half).abs() < 1e-6);
    }

    #[test]
    fn the_arc_of_a_right_angle_is_known() {
        let half = on_sphere(&[2.0, 0.0], &[0.0, 4.0], 0.5);
        let expected = 3.0 * std::f32::consts::FRAC_1_SQRT_2;
        assert!(half.iter().all(|value| (value - expected).abs() < 1e-5), "{half:?}");
        assert_eq!(on_sphere(&[1.0, 0.0], &[-1.0, 0.0], 0.25), [0.5, 0.0]);
        assert_eq!(on_sphere(&[0.0, 0.0], &[2.0, 0.0], 0.5), [1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn lengths_on_the_sphere_stay_between_the_ends(
            from in prop::collection::vec(-3f32..3.0, 6),
            to in prop::collection::vec(-3f32..3.0, 6),
            along in 0f32..1.0,
        ) {
            let length = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
            let found = length(&on_sphere(&from, &to, along));
            let wanted = length(&from) * (1.0 - along) + length(&to) * along;
            // Nearly parallel vectors go straight.
            prop_assert!((found - wanted).abs() < 1e-2 * (1.0 + wanted), "{} for {}", found, wanted);
        }
    }
}
