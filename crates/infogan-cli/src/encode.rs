//! `infogan encode`: codes of a user's own pictures.

use std::{path::PathBuf, process::ExitCode};

use infogan::{
    evaluate::{CodeValue, Encoding},
    latent::Slot,
    session::OpenRun,
};
use infogan_data::{Named, read_pictures, shown};
use serde_json::{Map, Value, json};

use crate::{
    DEVICE,
    args::EncodeArgs,
    failure::{Failure, print, tell, write_whole},
    text::csv_field,
    train::rejections,
};

/// Reads pictures and says what Q reads from them.
pub fn encode(args: &EncodeArgs) -> Result<ExitCode, Failure> {
    let mut run = OpenRun::open(&args.run, DEVICE)?;
    let shape = run.trained().game().picture();
    // As the run read its own pictures.
    let fit = run.config().data.fit(shape);
    let Named { set, files, rejected } = read_pictures(&args.pictures, &fit)?;
    rejections(&rejected, "").into_iter().for_each(tell);
    let encoding = run.trained().encode(&set).ok_or_else(|| {
        Failure::usage(format!(
            "{}: its game recovers no codes, so there is nothing to read from a picture; train one with the term \
             'codes', as the presets glyphs and mnist do",
            args.run.display()
        ))
    })?;
    let text = if args.json { as_json(&files, &encoding)? } else { as_csv(&files, &encoding) };
    match &args.out {
        Some(out) => {
            write_whole(out, text.as_bytes())?;
            print(&format!("{}\n", out.display()))?;
        }
        None => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A line a picture, a column a number, as RFC 4180 has it.
fn as_csv(files: &[PathBuf], encoding: &Encoding) -> String {
    let mut out = String::from("file");
    for slot in &encoding.slots {
        columns(slot).iter().for_each(|column| out.push_str(&format!(",{column}")));
    }
    out.push('\n');
    for (file, row) in files.iter().zip(&encoding.values) {
        out.push_str(&csv_field(&shown(file)));
        for value in row {
            if let Some(category) = value.category() {
                out.push_str(&format!(",{category}"));
            }
            let (CodeValue::Categorical(numbers) | CodeValue::Continuous(numbers)) = value;
            numbers.iter().for_each(|number| out.push_str(&format!(",{number}")));
        }
        out.push('\n');
    }
    out
}

/// Names of a slot's columns.
fn columns(slot: &Slot) -> Vec<String> {
    let (name, width) = (&slot.name, slot.prior.width());
    let numbered = |dot: &'static str| (0..width).map(move |index| format!("{name}.{dot}{index}"));
    match slot.prior {
        infogan::latent::Prior::Categorical { .. } => {
            std::iter::once(name.clone()).chain(numbered("p")).collect()
        }
        _ if width == 1 => vec![name.clone()],
        _ => numbered("").collect(),
    }
}

fn as_json(files: &[PathBuf], encoding: &Encoding) -> Result<String, Failure> {
    let of = |value: &CodeValue| match value {
        CodeValue::Categorical(probabilities) => {
            json!({ "category": value.category(), "probabilities": probabilities })
        }
        CodeValue::Continuous(numbers) => match numbers.as_slice() {
            [number] => json!(number),
            numbers => json!(numbers),
        },
    };
    let pictures: Vec<Value> = (files.iter().zip(&encoding.values))
        .map(|(file, row)| {
            let codes: Map<String, Value> =
                encoding.slots.iter().zip(row).map(|(slot, value)| (slot.name.clone(), of(value))).collect();
            json!({ "file": file.to_string_lossy(), "codes": codes })
        })
        .collect();
    let text = serde_json::to_string_pretty(&pictures)
        .map_err(|error| Failure::usage(format!("the codes cannot be shown as JSON: {error}")))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use infogan::latent::Prior;

    use super::*;

    fn encoding() -> (Vec<PathBuf>, Encoding) {
        let slot = |name: &str, prior| Slot { name: name.to_owned(), prior };
        let encoding = Encoding {
            slots: vec![
                slot("c1", Prior::Categorical { values: 2 }),
                slot("c2", Prior::Uniform { width: 1 }),
                slot("w", Prior::Normal { width: 2 }),
            ],
            values: vec![vec![
                CodeValue::Categorical(vec![0.25, 0.75]),
                CodeValue::Continuous(vec![-0.5]),
                CodeValue::Continuous(vec![1.0, 2.0]),
            ]],
        };
        (vec![PathBuf::from("my, \"own\".png")], encoding)
    }

    #[test]
    fn csv_has_a_column_for_every_number() {
        let (files, encoding) = encoding();
        assert_eq!(
            as_csv(&files, &encoding),
            "file,c1,c1.p0,c1.p1,c2,w.0,w.1\n\"my, \"\"own\"\".png\",1,0.25,0.75,-0.5,1,2\n"
        );
    }

    #[test]
    fn json_says_the_same() {
        let (files, encoding) = encoding();
        let json: Value = serde_json::from_str(&as_json(&files, &encoding).ok().unwrap()).unwrap();
        let codes =
            json!({ "c1": { "category": 1, "probabilities": [0.25, 0.75] }, "c2": -0.5, "w": [1.0, 2.0] });
        assert_eq!(json, json!([{ "file": "my, \"own\".png", "codes": codes }]));
    }
}
