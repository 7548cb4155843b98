use std::fs;

use super::{
    super::pictures::{Picture, write_png},
    *,
};

const CONFIG: &str = r#"
name = "glyphs"
seed = 3
note = '<script>alert("&")</script>'
[data]
set = "glyphs"
[train]
steps = 40
batch = 64
[about]
infogan = "0.1.0"
started = "2026-11-25 01:00 UTC"
threads = 2
"#;

const LOG: &str = r#"{"step":20,"images":1280,"images_per_second":640.0,"rss_bytes":4.1e8,"losses":{"critic":1.25,"generator":0.75},"bounds":{"c1":1.5,"c2":0.1,"c3":-9.0,"total":1.7},"entropies":{"c1":2.302585,"c2":0.693147,"c3":0.693147},"monitors":{"critic_real":0.7},"extra":[1]}
{"step":40,"images":2560,"images_per_second":320.0,"rss_bytes":4.2e8,"losses":{"critic":null,"generator":0.5},"bounds":{"c1":2.0,"c2":0.2,"c3":0.1,"total":2.3},"entropies":{"c1":2.302585,"c2":0.693147,"c3":0.693147},"monitors":{"critic_real":0.6}}
{"step":60,"ima"#;

const SCORES: &str = r#"{"step":20,"codes":[{"name":"c1","kind":"categorical","entropy_nats":2.302585,"bound_nats":1.0,"error_hungarian":0.9}]}
{"step":40,"codes":[{"name":"c1","kind":"categorical","entropy_nats":2.302585,"bound_nats":2.21,"error_hungarian":0.123,"error_majority":0.11,"nmi":0.8,"ari":0.75},{"name":"c2","kind":"uniform","entropy_nats":0.693147,"bound_nats":0.3,"error_hungarian":null}],"factors":[{"factor":"rotation","best_code":"c2","association":0.83,"mig":0.3,"by_code":[{"code":"c1","association":0.1},{"code":"c2","association":0.83}]}],"mig_mean":0.2,"protocol":{"pictures":10000,"split":"test <held out>","batch_norm":{"statistics":"recomputed"},"ok":true}}
"#;

/// A run directory with these files in it; the folder is `run`.
fn run_with(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    for sub in ["images", "checkpoints"] {
        fs::create_dir_all(run.join(sub)).unwrap();
    }
    for (name, text) in files {
        fs::write(run.join(name), text).unwrap();
    }
    (folder, run)
}

fn report(run: &Path) -> String {
    fs::read_to_string(write_report(run).unwrap()).unwrap()
}

fn whole() -> (tempfile::TempDir, PathBuf) {
    let (folder, run) = run_with(&[("config.toml", CONFIG), ("log.jsonl", LOG), ("scores.jsonl", SCORES)]);
    let picture = |value| Picture::new(2, 2, 1, vec![value; 4]).unwrap();
    write_png(&run.join("images/reals.png"), &picture(1)).unwrap();
    for step in 0..20 {
        write_png(&run.join(format!("images/fakes-{:08}.png", step * 5)), &picture(step)).unwrap();
    }
    write_png(&run.join("images/traverse-00000040.png"), &picture(9)).unwrap();
    fs::write(run.join("images/fakes-00000999.png"), "torn").unwrap();
    fs::create_dir(run.join("checkpoints/step-00000040")).unwrap();
    fs::create_dir(run.join("checkpoints/.step-00000060.tmp-1")).unwrap();
    (folder, run)
}

#[test]
fn the_page_says_what_the_run_holds() {
    let (_folder, run) = whole();
    let page = report(&run);
    for part in [
        "<h1>InfoGAN · glyphs · seed 3 · 40 steps</h1>",
        "<title>InfoGAN · glyphs · seed 3 · 40 steps</title>",
        "12.3\u{202f}%",
        "style=\"width:96%\"",
        "2.21\u{202f}nats",
        "of H(c1) = 2.303",
        "6\u{202f}s", // 1,280 / 640 + 1,280 / 320
        "2,560 images",
        "420\u{202f}MB",
        "H(c2) = H(c3) = 0.693",
        "Monitors",
        "critic real",
        "Error over training",
        "--heat:54%\">0.83",
        "<dt>pictures<dd>10,000",
        "<dt>batch norm · statistics<dd>recomputed",
        "step-00000040",
        "infogan train --out run ",
        "started 2026-11-25 01:00 UTC",
    ] {
        assert!(page.contains(part), "no {part:?} in the page");
    }
    assert!(!page.contains(".step-00000060"));
    assert_eq!(page.matches("class=\"bar\"").count(), 1, "a continuous code has no share of H(c)");
    let plain = page.replace('\u{202f}', " ");
    assert!(!plain.contains("NaN") && !plain.contains("inf\""), "non-finite number in the page");
}

#[test]
fn the_page_needs_no_network_and_no_script() {
    let (_folder, run) = whole();
    let page = report(&run);
    for word in ["http:", "https:", "<script", "<link", "url(", "@import", "//"] {
        // Base64 may hold anything; a reference begins outside of it.
        let outside: String = page
            .split("base64,")
            .enumerate()
            .map(|(index, part)| if index == 0 { part } else { part.split_once('"').unwrap().1 })
            .collect();
        assert!(!outside.contains(word), "{word} in the page");
    }
    assert!(page.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""));
}

#[test]
fn names_are_escaped() {
    let (_folder, run) = whole();
    let page = report(&run);
    assert!(page.contains("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;"));
    assert!(page.contains("test &lt;held out&gt;"));

    let evil = "a<b>&\"'";
    let (folder, run) = run_with(&[]);
    let moved = folder.path().join(evil);
    fs::rename(&run, &moved).unwrap();
    let scores = SCORES.replace("\"c2\"", r#""<i>\"c2""#).replace("rotation", "<b>");
    fs::write(moved.join("scores.jsonl"), scores).unwrap();
    let page = report(&moved);
    assert!(!page.contains("<b>") && !page.contains("<i>"));
    assert!(
        page.contains("infogan sample &#39;a&lt;b&gt;&amp;&quot;&#39;\\&#39;&#39;&#39; --n 64"),
        "{page}"
    );
}

#[test]
fn early_pictures_are_a_choice_and_the_latest_is_large() {
    let (_folder, run) = whole();
    fs::remove_file(run.join("images/fakes-00000999.png")).unwrap();
    let page = report(&run);
    let captions: Vec<&str> =
        page.split("<figcaption>step ").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(captions, ["0", "10", "20", "35", "45", "55", "70", "80"]);
    assert!(page.contains("Generated, step 95"));
    assert_eq!(page.matches("data:image/png;base64,").count(), 11);
}

#[test]
fn missing_parts_are_left_out() {
    for (file, text) in [("config.toml", CONFIG), ("log.jsonl", LOG), ("scores.jsonl", SCORES)] {
        let (_folder, run) = run_with(&[(file, text)]);
        let page = report(&run);
        assert!(page.contains("How to continue"), "{file}");
        assert_eq!(page.contains("The whole configuration"), file == "config.toml");
        assert_eq!(page.contains("Losses"), file == "log.jsonl");
        assert_eq!(page.contains("How it was measured"), file == "scores.jsonl");
        assert!(!page.contains("<h2>Pictures"));
    }
    let (_folder, run) = run_with(&[("log.jsonl", &LOG[..LOG.find('\n').unwrap()]), ("config.toml", CONFIG)]);
    let page = report(&run);
    assert!(page.contains("20 of 40 steps") && page.contains("50.0\u{202f}%"));
    assert!(page.contains("1.50\u{202f}nats"), "the bound comes from the log");
}

#[test]
fn the_first_number_is_that_of_a_categorical_code() {
    let line = concat!(
        r#"{"codes":[{"name":"wide","kind":"normal","entropy_nats":9.0,"bound_nats":9.5},"#,
        r#"{"name":"c1","kind":"categorical","entropy_nats":2.302585,"bound_nats":2.0}]}"#
    );
    let (_folder, run) = run_with(&[("scores.jsonl", line)]);
    assert!(report(&run).contains("Information in c1"));
}

#[test]
fn ceilings_are_not_called_entropies() {
    let line = r#"{"step":1,"bounds":{"c_1":1.5,"c2":0.1},"ceilings":{"c_1":2.302585,"c2":0.166667}}"#;
    let (_folder, run) = run_with(&[("log.jsonl", line)]);
    let page = report(&run);
    assert!(page.contains(">max c_1 = 2.303<") && page.contains(">max c2 = 0.167<"), "{page}");
    assert!(page.contains("of max c_1 = 2.303") && !page.contains("H(c"));
}

#[test]
fn no_run_is_an_error_that_names_the_directory() {
    let (_folder, run) = run_with(&[]);
    let error = write_report(&run).unwrap_err().to_string();
    assert!(error.contains(&run.display().to_string()) && error.contains("infogan train"), "{error}");
    assert!(!run.join("report.html").exists());
    let error = write_report(&run.join("absent")).unwrap_err().to_string();
    assert!(error.contains("absent") && error.contains("is not a directory"), "{error}");
}

#[test]
fn broken_files_are_named() {
    let (_folder, run) = run_with(&[("log.jsonl", "{\"step\":1}\n{\"st\n{\"step\":3}\n")]);
    let error = write_report(&run).unwrap_err().to_string();
    assert!(error.contains("log.jsonl") && error.contains("line 2"), "{error}");
    let (_folder, run) = run_with(&[("config.toml", "name = [")]);
    let error = write_report(&run).unwrap_err().to_string();
    assert!(error.contains("config.toml"), "{error}");
}

#[test]
fn the_same_run_makes_the_same_page() {
    let (_folder, run) = whole();
    let first = report(&run);
    assert_eq!(first, report(&run), "the page is not made from itself");
    let leftovers = fs::read_dir(&run)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("tmp"))
        .count();
    assert_eq!(leftovers, 0);
}

#[test]
fn choices_are_even() {
    assert_eq!(read::evenly(3, 8), [0, 1, 2]);
    assert_eq!(read::evenly(101, 5), [0, 25, 50, 75, 100]);
    assert_eq!(read::evenly(7, 1), [6]);
    assert!(read::evenly(7, 0).is_empty());
}
