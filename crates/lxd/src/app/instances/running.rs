//! Which containers run, and one thread that hears of all their ends.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use corten_api::error::{Context, Error, Result, chain};
use corten_host::idmap::IdMap;
use corten_instance::aspect::cpu_balance::Wish;
use corten_runtime::{Container, Exit, ExitWatch};
use rustix::event::epoll;

use super::claims::Key;

/// A running container.
pub struct Entry {
    /// Project and name.
    pub key: Key,
    /// What it can be asked.
    pub container: Container,
    /// Its ids; empty when it is privileged.
    pub idmap: IdMap,
    watch: ExitWatch,
    ended: Mutex<Option<Result<()>>>,
    changed: Condvar,
    /// Whether what ends it was asked for over the API: `Some(true)` by force.
    pub asked_to_stop: OnceLock<bool>,
    /// Held by the client that is attached to the console.
    pub console: Arc<tokio::sync::Mutex<()>>,
    cpus: Mutex<Wish>,
}

impl Entry {
    /// Which processors it asks for.
    pub fn cpus(&self) -> Wish {
        self.cpus.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It asks for others now; whether these are others.
    pub fn set_cpus(&self, wish: Wish) -> bool {
        let mut cpus = self.cpus.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *cpus, wish.clone()) != wish
    }

    /// How it ended; only once its watch says so.
    ///
    /// # Errors
    /// [`corten_runtime::Error::Gone`] when its monitor died without a word.
    pub fn exit(&self) -> Result<Exit, corten_runtime::Error> {
        self.watch.wait()
    }

    /// Everything of it has been cleaned up, or that failed: wakes those who wait.
    pub fn set_ended(&self, outcome: Result<()>) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.changed.notify_all();
    }

    /// Waits until it has been cleaned up after; `None` when that takes longer than `patience` (`None`: for ever).
    pub fn wait_ended(&self, patience: Option<Duration>) -> Option<Result<()>> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &*ended {
                return Some(outcome.clone());
            }
            ended = match deadline {
                None => self.changed.wait(ended).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.changed.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// All running containers.
pub struct Running {
    entries: RwLock<HashMap<Key, Arc<Entry>>>,
    /// Watched descriptors by number, for the thread that listens.
    watched: Mutex<HashMap<u64, Arc<Entry>>>,
    epoll: OwnedFd,
    /// Held while processors are given out, so that nobody writes what has been overtaken.
    pub balancing: Mutex<()>,
}

impl Running {
    /// Nothing runs.
    ///
    /// # Errors
    /// When the kernel gives no epoll descriptor.
    pub fn new() -> Result<Running> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).context("Failed to watch containers")?;
        Ok(Running { entries: RwLock::default(), watched: Mutex::default(), epoll, balancing: Mutex::default() })
    }

    /// The container of this name, if it runs.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All that run.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Adds a container that has just been started or found.
    ///
    /// # Errors
    /// When it has ended already, or cannot be watched.
    pub fn add(&self, key: Key, container: Container, idmap: IdMap, cpus: Wish) -> Result<Arc<Entry>> {
        let watch = container.watch().map_err(|error| failed("Failed to watch the container", &error))?;
        let entry = Arc::new(Entry {
            key: key.clone(),
            container,
            idmap,
            watch,
            ended: Mutex::default(),
            changed: Condvar::new(),
            asked_to_stop: OnceLock::new(),
            console: Arc::default(),
            cpus: Mutex::new(cpus),
        });
        let number = u64::try_from(entry.watch.as_fd().as_raw_fd()).unwrap_or_default();
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).insert(number, entry.clone());
        self.entries.write().unwrap_or_else(PoisonError::into_inner).insert(key, entry.clone());
        let data = epoll::EventData::new_u64(number);
        epoll::add(&self.epoll, entry.watch.as_fd(), data, epoll::EventFlags::IN | epoll::EventFlags::ONESHOT)
            .context("Failed to watch the container")?;
        Ok(entry)
    }

    /// Forgets a container that has ended.
    pub fn remove(&self, entry: &Arc<Entry>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, other| !Arc::ptr_eq(other, entry));
    }

    /// Waits for ends and hands each container that has ended to `ended`; never returns but for a failure of the
    /// kernel.
    pub fn listen(&self, ended: impl Fn(Arc<Entry>)) -> Error {
        let mut events = Vec::with_capacity(16);
        loop {
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Error::internal(format!("Failed to wait for containers: {errno}")),
            }
            for event in &events {
                let number = event.data.u64();
                let entry = self.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
                if let Some(entry) = entry {
                    // The descriptor's number may serve another container as soon as the entry is dropped.
                    let _ = epoll::delete(&self.epoll, entry.watch.as_fd());
                    ended(entry);
                }
            }
        }
    }
}

/// A failure of the runtime, in the API's words.
pub fn failed(doing: &str, error: &corten_runtime::Error) -> Error {
    Error::internal(format!("{doing}: {}", chain(error)))
}
