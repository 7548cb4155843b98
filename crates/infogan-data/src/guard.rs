//! Decoders of others, kept from ending the program.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Panics of decoders that were caught in this process.
static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// How many panics of decoders were caught so far: for tests that count them.
#[doc(hidden)]
pub fn caught_panics() -> usize {
    CAUGHT.load(Ordering::Relaxed)
}

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder that others wrote. A damaged file may make it panic; that is the file's fault and no reason to end a
/// training, nor to print what looks like a fault of this program. None if it did.
pub fn without_panic<T>(body: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !HUSHED.get() {
                usual(info);
            }
        }));
    });
    HUSHED.set(true);
    let done = catch_unwind(AssertUnwindSafe(body));
    HUSHED.set(false);
    if done.is_err() {
        CAUGHT.fetch_add(1, Ordering::Relaxed);
    }
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none() {
        assert_eq!(without_panic(|| 3), Some(3));
        assert_eq!(without_panic(|| -> u8 { panic!("deliberate") }), None);
        assert!(!HUSHED.get());
    }
}
