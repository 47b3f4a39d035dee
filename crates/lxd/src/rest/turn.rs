//! One change at a time for each thing: two downloads of the same image, or two who change the same profile, wait for
//! each other.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The things that are being changed, by name.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<HashSet<String>>,
    given_back: Condvar,
}

/// The right to change one of them; given back when it goes.
pub struct Turn<'a> {
    turns: &'a Turns,
    name: String,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else changes it.
    pub fn take(&self, name: &str) -> Turn<'_> {
        let taken = self.lock();
        let free = self.given_back.wait_while(taken, |taken| taken.contains(name));
        free.unwrap_or_else(PoisonError::into_inner).insert(name.to_string());
        Turn { turns: self, name: name.to_string() }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.name);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_thing_has_one_turn_at_a_time_and_others_do_not_wait() {
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
