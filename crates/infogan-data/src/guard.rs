//! Decoders of others, kept from ending the program.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

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
