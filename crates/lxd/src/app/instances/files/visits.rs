//! Who works with the files of stopped instances, so that a start need not wait for the politest of them.

use std::collections::HashMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::app::instances::claims::Key;

/// Visits of every instance.
#[derive(Default)]
pub struct Visits {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    visits: HashMap<u64, (Key, UnixStream)>,
    barred: Vec<Key>,
}

/// One visit; it ends when this is dropped.
pub struct Visit {
    visits: Arc<Visits>,
    number: u64,
}

/// While this lives, nobody visits the instance.
pub struct Bar {
    visits: Arc<Visits>,
    key: Key,
}

impl Visits {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a visit over this connection, once nobody bars the instance. Whoever wants the instance for itself cuts the
    /// connection.
    pub fn begin(self: &Arc<Self>, key: &Key, connection: UnixStream) -> Visit {
        let state = self.lock();
        let barred = |state: &mut State| state.barred.contains(key);
        let mut state = self.changed.wait_while(state, barred).unwrap_or_else(PoisonError::into_inner);
        state.next += 1;
        let number = state.next;
        state.visits.insert(number, (key.clone(), connection));
        Visit { visits: self.clone(), number }
    }

    /// Ends all visits of an instance, and waits until they have ended.
    pub fn bar(self: &Arc<Self>, key: &Key) -> Bar {
        let mut state = self.lock();
        state.barred.push(key.clone());
        let here = |state: &State| state.visits.values().any(|(other, _)| other == key);
        for (_, connection) in state.visits.values().filter(|(other, _)| other == key) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(self.changed.wait_while(state, |state| here(state)).unwrap_or_else(PoisonError::into_inner));
        Bar { visits: self.clone(), key: key.clone() }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.visits.lock().visits.remove(&self.number);
        self.visits.changed.notify_all();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let mut state = self.visits.lock();
        if let Some(place) = state.barred.iter().position(|key| *key == self.key) {
            state.barred.swap_remove(place);
        }
        self.visits.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_bar_cuts_connections_and_keeps_others_out_while_it_lasts() {
        let (visits, key) = (Arc::new(Visits::default()), ("p".to_string(), "c".to_string()));
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let visit = visits.begin(&key, ours.try_clone().expect("a descriptor"));
        let server = std::thread::spawn(move || {
            let _ = (&ours).read(&mut [0; 1]);
            drop(visit);
        });
        let other = visits.begin(&("p".to_string(), "other".to_string()), UnixStream::pair().expect("a pair").0);
        let bar = visits.bar(&key);
        server.join().expect("the connection was cut");
        let entered = Arc::new(AtomicBool::new(false));
        let (again, said, for_key) = (visits.clone(), entered.clone(), key.clone());
        let late = std::thread::spawn(move || {
            let visit = again.begin(&for_key, theirs);
            said.store(true, Ordering::SeqCst);
            drop(visit);
        });
        assert!(!entered.load(Ordering::SeqCst));
        drop(bar);
        late.join().expect("let in");
        assert!(entered.load(Ordering::SeqCst));
        drop(other);
        assert!(visits.lock().visits.is_empty() && visits.lock().barred.is_empty());
    }
}
