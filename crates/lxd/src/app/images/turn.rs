//! One change at a time for each image: two downloads of the same one, or a download and a deletion, wait for each other.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The images that are being changed.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<HashSet<String>>,
    given_back: Condvar,
}

/// The right to change one image; given back when it goes.
pub struct Turn<'a> {
    turns: &'a Turns,
    fingerprint: String,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else changes the image.
    pub fn take(&self, fingerprint: &str) -> Turn<'_> {
        let taken = self.lock();
        let free = self.given_back.wait_while(taken, |taken| taken.contains(fingerprint));
        free.unwrap_or_else(PoisonError::into_inner).insert(fingerprint.to_string());
        Turn { turns: self, fingerprint: fingerprint.to_string() }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.fingerprint);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_image_has_one_turn_at_a_time_and_others_do_not_wait() {
        let (turns, inside) = (Turns::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _turn = turns.take("a");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        let _one = turns.take("a");
        let _other = turns.take("b");
    }
}
