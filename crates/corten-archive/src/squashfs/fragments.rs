//! Fragments: blocks that the ends of many files share. The last ones are kept, since these files follow each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;

/// How many bytes of them are kept.
const KEPT: usize = 4 << 20;

/// One that is kept; whoever needs it while it is being unpacked waits for it.
type Slot = Arc<Mutex<Option<Arc<[u8]>>>>;

/// The last ones, the very last at the end, each with its position.
pub struct Fragments {
    slots: Mutex<Vec<(u64, Slot)>>,
    room: usize,
}

impl Fragments {
    /// None yet, of blocks of this size, used by this many threads.
    pub fn new(block_size: usize, threads: usize) -> Fragments {
        Fragments { slots: Mutex::default(), room: (KEPT / block_size).max(2 * threads) }
    }

    /// The data of the fragment at this position, unpacked by `unpack` unless it is there.
    ///
    /// # Errors
    /// That of `unpack`.
    pub fn get(&self, position: u64, unpack: impl FnOnce() -> Result<Arc<[u8]>>) -> Result<Arc<[u8]>> {
        let slot = self.slot(position);
        let mut slot = lock(&slot);
        if let Some(data) = &*slot {
            return Ok(data.clone());
        }
        Ok(slot.insert(unpack()?).clone())
    }

    fn slot(&self, position: u64) -> Slot {
        let mut slots = lock(&self.slots);
        let found = slots.iter().position(|(at, _)| *at == position);
        let (_, slot) = match found {
            Some(index) => slots.remove(index),
            None if slots.len() < self.room => Default::default(),
            None => {
                slots.remove(0);
                Default::default()
            }
        };
        slots.push((position, slot.clone()));
        slot
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
