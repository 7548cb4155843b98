//! Studies: their files are sound, and their pages are what `fixtures/studies` holds (INFOGAN_WRITE_PAGES=1 writes those
//! anew). The runs here are made up, so that the pages are the same on every machine.

use std::{fs, path::Path};

use infogan::{
    config::Resolver,
    run::pictures::{Picture, write_png},
    session::run_name,
    study::{Done, Job, Options, Results, Status, status, studies, study, write_pages},
};

/// The configuration of a job, on drawn data.
fn resolved(job: &Job) -> infogan::config::Config {
    let mut resolver = Resolver::preset(&job.preset).unwrap();
    for set in &job.set {
        resolver.set(set).unwrap();
    }
    resolver.finish().unwrap_or_else(|error| panic!("{job:?}: {error}"))
}

#[test]
fn every_row_of_every_study_can_be_trained() {
    let all = studies().unwrap();
    assert!(all.len() >= 5);
    for study in all {
        for quick in [false, true] {
            let options = Options { with: vec!["all".to_owned()], quick, ..Options::default() };
            let jobs = study.jobs(&options).unwrap();
            for job in &jobs {
                let config = resolved(job);
                let picture = if config.data.size == 28 {
                    [1, 28, 28]
                } else {
                    [1, config.data.size, config.data.size]
                };
                let device = infogan_ops::device::resolve("cpu").unwrap();
                infogan::game::Game::new(&config, picture, device)
                    .unwrap_or_else(|error| panic!("{job:?}: {error}"));
            }
        }
        let columns: Vec<&str> = study.column.iter().map(|column| column.name.as_str()).collect();
        for row in &study.row {
            for name in row.paper.keys() {
                assert!(columns.contains(&name.as_str()), "{}: {name}", study.name);
            }
        }
        assert!(study.rank.iter().all(|rank| columns.contains(&rank.as_str())), "{}", study.name);
    }
}

/// Rows that differ train apart, and studies that want the same training share it.
#[test]
fn runs_are_named_by_what_they_are() {
    let mut names = std::collections::BTreeSet::new();
    let options = Options { with: vec!["all".to_owned()], ..Options::default() };
    let study = study("mutual-information").unwrap();
    let jobs = study.jobs(&options).unwrap();
    for job in &jobs {
        let config = infogan::config::Config { seed: job.seed, ..resolved(job) };
        assert!(names.insert(run_name(&config, None)), "{job:?}");
        assert_eq!(run_name(&config, None), run_name(&config, None));
    }
    assert_eq!(study.jobs(&Options::default()).unwrap().len(), 8);
    let error = study.jobs(&Options { with: vec!["nothing".to_owned()], ..options }).unwrap_err();
    assert!(error.to_string().contains("sgd, noise"), "{error}");
}

/// A run as a training would have left it: losses and bounds on a curve of the seed, and a score.
fn make_run(path: &Path, job: &Job, number: usize) {
    fs::create_dir_all(path.join("images")).unwrap();
    fs::write(path.join("config.toml"), "name = \"made-up\"\n[train]\nsteps = 300\nbatch = 8\n").unwrap();
    let codes = !job.set.iter().any(|set| set == "terms.codes=false");
    let mut log = String::new();
    for step in (20..=300).step_by(20) {
        let share = f64::from(step) / 300.0;
        let bound = 2.3 * share;
        let bounds = if codes { format!("\"c1\":{bound},\"c2\":0.1,\"c3\":0.05") } else { String::new() };
        let code_loss = if codes { ",\"codes\":1.9" } else { "" };
        // Even rows have a cliff.
        let critic = if number.is_multiple_of(2) && (100..200).contains(&step) { 0.1 } else { 1.2 };
        log += &format!(
            "{{\"step\":{step},\"images\":{},\"images_per_second\":800.0,\"losses\":{{\"critic\":{critic},\"generator\":{share}{code_loss}}},\
             \"bounds\":{{{bounds}}},\"monitors\":{{\"critic_fake\":0.4,\"critic_real\":0.5,\"diversity\":0.9}}}}\n",
            8 * step
        );
    }
    if number == 1 {
        log += "{\"step\":301,\"diverged\":\"training diverged at step 301: <the loss>\"}\n";
    }
    fs::write(path.join("log.jsonl"), log).unwrap();
    let error = 0.05 + 0.01 * (number as f64 + job.seed as f64);
    let code = if codes {
        format!(
            "{{\"name\":\"c1\",\"bound_nats\":2.2,\"error_hungarian\":{error},\"error_majority\":{error},\"nmi\":0.8,\"ari\":0.7}}"
        )
    } else {
        String::new()
    };
    fs::write(path.join("scores.jsonl"), format!("{{\"step\":300,\"codes\":[{code}],\"mig_mean\":0.2}}\n"))
        .unwrap();
    for name in ["fakes-00000300.png", "traverse-00000300.png"] {
        let grey = Picture::new(2, 2, 1, vec![number as u8; 4]).unwrap();
        write_png(&path.join("images").join(name), &grey).unwrap();
    }
}

fn pages(name: &str, folder: &Path) -> [String; 2] {
    let study = study(name).unwrap();
    let options = Options { with: vec!["all".to_owned()], ..Options::default() };
    let jobs: Vec<Done> = (study.jobs(&options).unwrap().into_iter().enumerate())
        .map(|(number, job)| {
            let path = folder.join(format!("runs/run-{number}"));
            // One is never trained, one cannot be.
            if number != 2 {
                make_run(&path, &job, number);
            }
            Done {
                job,
                run: path,
                failed: (number == 2).then(|| "no memory".to_owned()),
                step_time: Some(10.0 + number as f64),
            }
        })
        .collect();
    let about = vec![("processor".to_owned(), "made up".to_owned())];
    let results =
        Results::read(study, options, &jobs, vec![format!("infogan study {name} --with all")], about)
            .unwrap();
    assert!(!results.is_whole());
    write_pages(&results, folder).unwrap().map(|page| fs::read_to_string(page).unwrap())
}

#[test]
fn pages_are_those_that_were_looked_at() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/studies");
    for study in studies().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let [html, markdown] = pages(&study.name, folder.path());
        for (page, ending) in [(&html, "html"), (&markdown, "md")] {
            // The pictures are of no interest, and long.
            let page = without_pictures(page);
            let file = kept.join(format!("{}.{ending}", study.name));
            if std::env::var_os("INFOGAN_WRITE_PAGES").is_some() {
                fs::create_dir_all(&kept).unwrap();
                fs::write(&file, &page).unwrap();
            }
            let wanted = fs::read_to_string(&file).unwrap_or_default();
            assert!(
                page == wanted,
                "{} is not the page of this study: INFOGAN_WRITE_PAGES=1 writes it",
                file.display()
            );
        }
        assert!(html.contains("no memory") && markdown.contains("no memory"));
        assert!(
            markdown.contains("▲ diverged at step 301") || study.row.len() < 2 || study.name == "mnist-error"
        );
    }
}

/// The page without what is inside its pictures.
fn without_pictures(page: &str) -> String {
    let mut out = String::new();
    for (place, part) in page.split("data:image/png;base64,").enumerate() {
        let rest = if place == 0 { part } else { part.trim_start_matches(|letter| letter != '"') };
        out.push_str(rest);
    }
    out
}

#[test]
fn a_run_says_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let job = study("bound").unwrap().jobs(&Options::default()).unwrap().remove(0);
    assert_eq!(status(folder.path()).unwrap(), Status::Unfinished { reason: "not trained".to_owned() });
    make_run(folder.path(), &job, 0);
    assert_eq!(status(folder.path()).unwrap(), Status::Finished);
    make_run(folder.path(), &job, 1);
    assert!(matches!(status(folder.path()).unwrap(), Status::Diverged { step: 301, .. }));
    fs::write(folder.path().join("scores.jsonl"), "").unwrap();
    fs::write(folder.path().join("log.jsonl"), "{\"step\":20}\n").unwrap();
    let Status::Unfinished { reason } = status(folder.path()).unwrap() else { panic!("it is not finished") };
    assert_eq!(reason, "stopped at step 20 of 300");
}
