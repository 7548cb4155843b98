//! Trains InfoGAN on drawn digits, draws some threes and scores what the codes found: the library without the
//! program. `cargo run --release --example train -- OUT_DIR [STEPS]`

use std::{path::PathBuf, sync::atomic::AtomicBool};

use infogan::{
    Error,
    config::Resolver,
    run::pictures::write_png,
    session::{News, OpenRun, Request, Session},
};

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "runs/example".to_owned()));

    let mut resolver = Resolver::preset("glyphs")?;
    resolver.set(&format!("train.steps={}", arguments.next().unwrap_or_else(|| "200".to_owned())))?;
    let session = Session::open(&Request::new(resolver.finish()?).out(&out), &|_, _| ())?;
    session.train(&AtomicBool::new(false), &mut |news| {
        if let News::Tick(tick) = news {
            println!("step {} of {}: {:?}", tick.step, tick.steps, tick.report.bounds);
        }
    })?;
    drop(session); // frees the run for others

    let mut run = OpenRun::open(&out, "cpu")?;
    let mut draw = run.draw(0, 64);
    (0..draw.len()).for_each(|sample| draw.set_category(1, sample, 3)); // slot 1 is c1
    write_png(&out.join("threes.png"), &run.trained().sheet(&draw, 8)?.picture()?)?;

    for code in run.evaluate(None)?.codes {
        println!("{}: {:.2} nats, error {:?}", code.name, code.bound_nats, code.error_hungarian);
    }
    Ok(())
}
