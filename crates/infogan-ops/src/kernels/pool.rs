//! Threads that wait for work by spinning for a moment before they sleep.
//!
//! A training step is some three hundred parallel regions of ten to a few thousand microseconds, with hardly anything
//! in between. Handing each to a sleeping thread pool costs more than many of them: here the caller works too, and
//! helpers that finished the last region look for the next one for a while.

#![allow(unsafe_code)]

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant},
};

/// How long a helper looks for work before it sleeps: longer than the gaps within a step.
const PATIENCE: Duration = Duration::from_micros(200);

/// A region in progress. `task` is erased: [`run`] does not return before nobody uses it any more.
struct Region {
    task: Cell<Option<&'static (dyn Fn(usize) + Sync)>>,
    /// Each participant's share of the tasks. Neighbouring tasks touch neighbouring memory, and the same share falls to
    /// the same thread in region after region: what it wrote is still in its core's caches, which need not be near the
    /// other's.
    shares: [Share; MOST],
    /// Shares in use.
    parts: AtomicUsize,
    /// Helpers that may take part.
    helpers: AtomicUsize,
    /// Helpers that are in it. The lowest bit of `open` tells newcomers whether they may still enter.
    inside: AtomicUsize,
    /// Counts regions; odd while one is open.
    epoch: AtomicUsize,
    panicked: AtomicBool,
}

/// Most shares of a region; with more threads some begin with the same.
const MOST: usize = 64;

/// Tasks that one participant takes first; whoever has done its own helps with the others'. Alone on its cache lines.
#[repr(align(128))]
struct Share {
    /// The next task to take.
    next: AtomicUsize,
    /// The first that is another's.
    end: AtomicUsize,
}

// SAFETY: `task` is written while no region is open and read only by helpers inside an open one.
unsafe impl Sync for Region {}

struct Pool {
    region: Region,
    /// One region at a time, and the helpers there are.
    helpers: Mutex<Vec<Helper>>,
}

struct Helper {
    thread: Thread,
    asleep: &'static AtomicBool,
}

static POOL: OnceLock<Pool> = OnceLock::new();

thread_local! {
    /// Whether this thread works on a region: what it starts then runs on it alone.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

fn pool() -> &'static Pool {
    POOL.get_or_init(|| Pool {
        region: Region {
            task: Cell::new(None),
            shares: [const { Share { next: AtomicUsize::new(0), end: AtomicUsize::new(0) } }; MOST],
            parts: AtomicUsize::new(0),
            helpers: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
            epoch: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
        },
        helpers: Mutex::new(Vec::new()),
    })
}

/// Runs `task` for every number below `tasks` on this thread and up to `threads − 1` others.
///
/// # Panics
/// When a task panics.
pub fn run(tasks: usize, threads: usize, task: &(dyn Fn(usize) + Sync)) {
    let alone = tasks <= 1 || threads <= 1 || BUSY.get();
    // Somebody else's region is running: this one runs on its own thread, which changes nothing in the result.
    let helpers = if alone { None } else { pool().helpers.try_lock().ok() };
    let Some(mut helpers) = helpers else {
        (0..tasks).for_each(task);
        return;
    };
    let wanted = (threads - 1).min(tasks - 1);
    while helpers.len() < wanted {
        match Helper::start(helpers.len()) {
            Some(helper) => helpers.push(helper),
            None => break, // the system has no more threads: fewer do the same work
        }
    }
    let region = &pool().region;
    // SAFETY: the lifetime is restored before `run` returns: `close` waits until no helper is inside.
    let erased =
        unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
    region.task.set(Some(erased));
    let parts = (wanted + 1).min(MOST);
    for (part, share) in region.shares[..parts].iter().enumerate() {
        share.next.store(tasks * part / parts, Ordering::Relaxed);
        share.end.store(tasks * (part + 1) / parts, Ordering::Relaxed);
    }
    region.parts.store(parts, Ordering::Relaxed);
    region.helpers.store(wanted, Ordering::Relaxed);
    region.panicked.store(false, Ordering::Relaxed);
    region.epoch.fetch_add(1, Ordering::SeqCst); // open
    for helper in helpers.iter().take(wanted) {
        if helper.asleep.load(Ordering::SeqCst) {
            helper.thread.unpark();
        }
    }
    BUSY.set(true);
    let ours = catch_unwind(AssertUnwindSafe(|| region.work(0)));
    BUSY.set(false);
    region.epoch.fetch_add(1, Ordering::SeqCst); // closed: nobody enters any more
    let mut turns = 0u32;
    while region.inside.load(Ordering::SeqCst) != 0 {
        wait_a_little(&mut turns);
    }
    region.task.set(None);
    let panicked = region.panicked.load(Ordering::Relaxed);
    drop(helpers);
    if let Err(reason) = ours {
        std::panic::resume_unwind(reason);
    }
    assert!(!panicked, "a task of a kernel panicked on another thread");
}

/// Runs `body` with every region that it opens on this thread alone.
pub fn alone<T>(body: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            BUSY.set(self.0);
        }
    }
    let _restore = Restore(BUSY.replace(true));
    body()
}

/// Spins, and lets others run after a while: there may be fewer cores than threads.
fn wait_a_little(turns: &mut u32) {
    *turns += 1;
    if turns.is_multiple_of(256) {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

impl Region {
    /// Takes tasks until none is left, beginning with the share of this participant.
    fn work(&self, participant: usize) {
        let parts = self.parts.load(Ordering::Relaxed);
        let Some(task) = self.task.get() else { return };
        for turn in 0..parts {
            let share = &self.shares[(participant + turn) % parts];
            let end = share.end.load(Ordering::Relaxed);
            loop {
                let number = share.next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    break;
                }
                task(number);
            }
        }
    }
}

impl Helper {
    fn start(number: usize) -> Option<Self> {
        // A helper lives as long as the process.
        let asleep: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let handle = std::thread::Builder::new()
            .name(format!("kernels {number}"))
            .spawn(move || help(number, asleep))
            .ok()?;
        Some(Self { thread: handle.thread().clone(), asleep })
    }
}

/// What a helper does all its life.
fn help(number: usize, asleep: &AtomicBool) {
    BUSY.set(true);
    let region = &pool().region;
    let mut seen = 0;
    let mut idle_since = Instant::now();
    let mut turns = 0u32;
    loop {
        let epoch = region.epoch.load(Ordering::SeqCst);
        if epoch % 2 == 1 && epoch != seen {
            seen = epoch;
            // Enter, then look again: a region that closed in between must not be touched.
            region.inside.fetch_add(1, Ordering::SeqCst);
            let open = region.epoch.load(Ordering::SeqCst) == epoch;
            let invited = number < region.helpers.load(Ordering::Relaxed);
            if open && invited && catch_unwind(AssertUnwindSafe(|| region.work(number + 1))).is_err() {
                region.panicked.store(true, Ordering::Relaxed);
            }
            region.inside.fetch_sub(1, Ordering::SeqCst);
            (idle_since, turns) = (Instant::now(), 0);
            continue;
        }
        wait_a_little(&mut turns);
        if turns.is_multiple_of(64) && idle_since.elapsed() > PATIENCE {
            // Say so before looking a last time: whoever opens a region after that look sees it and wakes us.
            asleep.store(true, Ordering::SeqCst);
            if region.epoch.load(Ordering::SeqCst) == epoch {
                std::thread::park();
            }
            asleep.store(false, Ordering::SeqCst);
            idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_however_many_threads() {
        for threads in [1, 2, 3, 8] {
            for tasks in [0, 1, 2, 7, 1000] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                run(tasks, threads, &|task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    counts.iter().all(|count| count.load(Ordering::Relaxed) == 1),
                    "{tasks} on {threads}"
                );
            }
        }
    }

    #[test]
    fn regions_of_many_callers_and_regions_within_regions() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..500 {
                        let sum = AtomicUsize::new(0);
                        run(round % 5, 3, &|outer| {
                            run(3, 3, &|inner| {
                                sum.fetch_add(outer * 3 + inner, Ordering::Relaxed);
                            });
                        });
                        let tasks = round % 5 * 3;
                        assert_eq!(sum.into_inner(), tasks * tasks.saturating_sub(1) / 2);
                        if round % 100 == 0 {
                            std::thread::sleep(2 * PATIENCE); // let helpers fall asleep
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn alone_keeps_a_region_on_its_thread() {
        let here = std::thread::current().id();
        alone(|| run(100, 4, &|_| assert_eq!(std::thread::current().id(), here)));
        assert!(!BUSY.get(), "what comes after may share again");
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_pool_usable() {
        for bad in [0, 50, 99] {
            let caught = catch_unwind(|| {
                run(100, 2, &|task| {
                    std::thread::sleep(Duration::from_micros(20));
                    if task == bad {
                        // Past the hooks, which other tests watch.
                        std::panic::resume_unwind(Box::new("deliberate"));
                    }
                });
            });
            assert!(caught.is_err());
            let done = AtomicUsize::new(0);
            run(100, 2, &|_| {
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 100);
        }
    }
}
