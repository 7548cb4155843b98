//! The page of a run: pictures, curves, scores and the commands that go on from here.
//!
//! One file that opens anywhere and asks nothing of the network: style, plots and pictures are inside, and a
//! content security policy holds the browser to it. The page depends on the run directory alone, so the same
//! directory makes the same bytes.

mod curves;
mod format;
mod head;
pub(crate) mod read;
mod scores;

use std::{
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

use self::{
    format::count,
    read::{Image, Run},
};
use super::{directory::atomic_write, plot::escape};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The path is not a run directory.
    #[error("{}: {reason}; name a run directory made by `infogan train`", path.display())]
    NotARun {
        /// The path that was named.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the run does not hold what it should.
    #[error("{}: {reason}; mend the file or move it away, then make the report again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
    /// A file of the run could not be read.
    #[error("{}: cannot be read: {source}; check its permissions", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The page could not be written.
    #[error("{}: cannot write the report: {source}; make the folder writable or free some space", path.display())]
    Write {
        /// The page.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl ReportError {
    fn broken(path: &Path, reason: impl Into<String>) -> Self {
        Self::Broken { path: path.to_path_buf(), reason: reason.into().trim_end().to_string() }
    }
}

/// Reads a run directory and writes its `report.html`, whole or not at all. Parts of the run that do not exist
/// yet are left out of the page; a torn last line of a log and unreadable pictures are passed over. Returns the
/// path of the page.
///
/// # Errors
/// [`ReportError`] when `run` is no run directory, or a file in it is broken, unreadable or cannot be written.
pub fn write_report(run: &Path) -> Result<PathBuf, ReportError> {
    let page = page(&Run::read(run)?);
    let path = run.join("report.html");
    atomic_write(&path, page.as_bytes())
        .map_err(|source| ReportError::Write { path: path.clone(), source })?;
    Ok(path)
}

fn page(run: &Run) -> String {
    let headline = head::headline(run);
    let mut body = String::new();
    head::header(&mut body, run, &headline);
    pictures(&mut body, run);
    body.push_str(&scores::section(run));
    body.push_str(&curves::section(run));
    commands(&mut body, run);
    made(&mut body, run);
    document(&headline, &body)
}

/// A page around its body: one file that asks nothing of the network.
pub(crate) fn document(title: &str, body: &str) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    let _ = writeln!(out, "<title>{}</title>", escape(title));
    let _ = writeln!(out, "<style>\n{}</style>\n</head>\n<body>", include_str!("report/style.css"));
    out.push_str(body);
    out.push_str("</body>\n</html>\n");
    out
}

fn pictures(out: &mut String, run: &Run) {
    if run.reals.is_none() && run.fakes.is_empty() && run.traverses.is_empty() {
        return;
    }
    out.push_str("<section><h2>Pictures</h2>\n");
    let latest = run.fakes.last();
    out.push_str("<div class=\"pair\">\n");
    if let Some((step, image)) = latest {
        figure(out, image, "Generated pictures", &format!("Generated, step {}", count(*step)));
    }
    if let Some(image) = &run.reals {
        figure(out, image, "Real pictures", "Real, from the training set");
    }
    out.push_str("</div>\n");
    if let Some((step, image)) = run.traverses.last() {
        let caption = format!(
            "One code at a time changes, all else stays: what each code means at step {}",
            count(*step)
        );
        figure(out, image, "Pictures along each code", &caption);
    }
    let earlier = &run.fakes[..run.fakes.len().saturating_sub(1)];
    if !earlier.is_empty() {
        out.push_str("<h3>On the way</h3>\n<div class=\"row\">\n");
        for (step, image) in earlier {
            let caption = format!("step {}", count(*step));
            figure(out, image, &format!("Generated pictures at {caption}"), &caption);
        }
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

/// A picture with a caption.
pub(crate) fn figure(out: &mut String, image: &Image, alt: &str, caption: &str) {
    let _ = writeln!(
        out,
        "<figure><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>",
        image.uri,
        image.width,
        image.height,
        escape(alt),
        escape(caption)
    );
}

fn commands(out: &mut String, run: &Run) {
    let name = quoted(&run.name);
    // Drawn sets need no folder; others are read from one.
    let data = if run.text("data.set") == Some("idx") { " --data DIR" } else { "" };
    let lines = [
        (format!("infogan train --out {name}{data}"), "go on where it stopped"),
        (format!("infogan sample {name} --n 64"), "draw new pictures"),
        (format!("infogan traverse {name}"), "see what each code changes"),
        (format!("infogan evaluate {name}{data}"), "measure it again"),
    ];
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    out.push_str("<section><h2>How to continue</h2>\n<p>In the folder that holds this run:</p>\n<pre>");
    for (line, say) in &lines {
        let padding = " ".repeat(width - line.chars().count() + 3);
        let _ = writeln!(out, "{}{padding}<span class=\"say\"># {say}</span>", escape(line));
    }
    out.push_str("</pre>\n");
    if !run.checkpoints.is_empty() {
        out.push_str("<h3>Checkpoints</h3>\n<ul class=\"names\">\n");
        for name in &run.checkpoints {
            let _ = writeln!(out, "<li><code>{}</code></li>", escape(name));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

/// A name as a shell reads it.
pub fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+=,@%".contains(letter);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_string();
    }
    let quoted = format!("'{}'", name.replace('\'', "'\\''"));
    // A leading dash would be read as a flag.
    if name.starts_with('-') { format!("./{quoted}") } else { quoted }
}

fn made(out: &mut String, run: &Run) {
    if run.config_text.is_empty() {
        return;
    }
    out.push_str("<section><h2>What made it</h2>\n");
    let about = run.key("about").and_then(|about| serde_json::to_value(about).ok());
    if let Some(serde_json::Value::Object(about)) = about {
        out.push_str("<dl>\n");
        scores::list(out, "", &about);
        out.push_str("</dl>\n");
    }
    let _ = writeln!(
        out,
        "<details><summary>The whole configuration</summary>\n<pre>{}</pre></details>\n</section>",
        escape(&run.config_text)
    );
}

#[cfg(test)]
mod tests;
