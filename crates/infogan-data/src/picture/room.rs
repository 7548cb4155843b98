//! Memory that all decoders share, however many threads read.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What decoded pictures and their decoders may take together, in bytes.
pub const ALL: u64 = 1 << 30;

static TAKEN: Mutex<u64> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// A part of the memory, given back when it is dropped. A thread holds one at most: it would wait for itself.
#[derive(Debug)]
pub struct Room(u64);

impl Room {
    /// Waits until so many bytes are free; all of them where more is asked for.
    pub fn take(bytes: u64) -> Self {
        let bytes = bytes.min(ALL);
        let mut taken = taken();
        while *taken + bytes > ALL {
            taken = GIVEN_BACK.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Self(bytes)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *taken() -= self.0;
        GIVEN_BACK.notify_all();
    }
}

fn taken() -> MutexGuard<'static, u64> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn no_more_is_held_than_there_is() {
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for part in [ALL * 2, ALL / 2, ALL / 3, ALL / 4, 1, 0] {
                let (held, most) = (&held, &most);
                scope.spawn(move || {
                    for _ in 0..50 {
                        let _room = Room::take(part);
                        let now = held.fetch_add(part.min(ALL), Ordering::SeqCst) + part.min(ALL);
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        held.fetch_sub(part.min(ALL), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), ALL);
    }
}
