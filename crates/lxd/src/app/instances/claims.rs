//! Claims: what is being done to which instance, one action at a time, and who waits for its end.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use corten_api::error::{Error, Result};
use corten_instance::lifecycle::admission::{Action, Observed, Verdict, admit};

/// Project and name of an instance.
pub type Key = (String, String);

/// How long a request waits for another that does the same, as LXD does.
const JOIN_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// All claims of the daemon.
#[derive(Default)]
pub struct Claims {
    held: Mutex<HashMap<Key, Arc<Progress>>>,
}

/// An action under way.
struct Progress {
    action: Action,
    outcome: Mutex<Outcome>,
    changed: Condvar,
}

enum Outcome {
    Pending,
    Ended(Result<()>),
}

/// The right to act on one instance; dropping it ends the action.
pub struct Claim {
    claims: Arc<Claims>,
    key: Key,
    progress: Arc<Progress>,
    result: Mutex<Result<()>>,
}

/// What a request for a claim led to.
pub enum Taken {
    /// Act now.
    Go(Claim),
    /// The same was under way and has ended well: nothing is left to be done.
    Done,
    /// A slower action to the same end is under way: hurry it, then wait for it.
    Overtake(UnderWay),
}

/// Somebody else's action.
pub struct UnderWay(Arc<Progress>);

impl UnderWay {
    /// Waits until it has ended.
    ///
    /// # Errors
    /// Its outcome, or that it does not end.
    pub fn wait(&self) -> Result<()> {
        self.0.wait()
    }
}

impl Claims {
    /// Asks for the right to do `action` to `key`, waiting where the admission table says so.
    ///
    /// # Errors
    /// When it is refused, or already so, in LXD's words; or the outcome of the action that was joined.
    pub fn take(
        self: &Arc<Claims>,
        key: &Key,
        action: Action,
        observe: impl Fn() -> Result<Observed>,
    ) -> Result<Taken> {
        loop {
            let observed = observe()?;
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let busy = held.get(key).cloned();
            match admit(observed, busy.as_ref().map(|progress| progress.action), action) {
                Verdict::Go => return Ok(Taken::Go(self.grant(&mut held, key, action))),
                Verdict::AlreadySo(words) => return Err(Error::invalid(words)),
                Verdict::Refuse(words) => return Err(refusal(busy.is_some(), words)),
                Verdict::TakeOver => match busy {
                    Some(progress) => return Ok(Taken::Overtake(UnderWay(progress))),
                    None => continue,
                },
                Verdict::Wait => {
                    drop(held);
                    let Some(progress) = busy else { continue };
                    // How it ended is for those who asked for it.
                    let _ = progress.wait();
                }
                Verdict::Join => {
                    drop(held);
                    let Some(progress) = busy else { continue };
                    progress.wait()?;
                    if progress.action != Action::CleanUp {
                        return Ok(Taken::Done);
                    }
                }
            }
        }
    }

    /// The claim of cleaning up after an instance that ended by itself; `None` when a stop is under way, whose own
    /// claim covers that. Waits for anything else to end.
    pub fn take_for_clean_up(self: &Arc<Claims>, key: &Key) -> Option<Claim> {
        loop {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(busy) = held.get(key).cloned() else { return Some(self.grant(&mut held, key, Action::CleanUp)) };
            drop(held);
            match busy.action {
                Action::Stop | Action::Kill | Action::Restart | Action::Restore => return None,
                // How it ended is for those who asked for it.
                _ => drop(busy.wait()),
            }
        }
    }

    fn grant(self: &Arc<Claims>, held: &mut HashMap<Key, Arc<Progress>>, key: &Key, action: Action) -> Claim {
        let outcome = Mutex::new(Outcome::Pending);
        let progress = Arc::new(Progress { action, outcome, changed: Condvar::new() });
        held.insert(key.clone(), progress.clone());
        Claim { claims: self.clone(), key: key.clone(), progress, result: Mutex::new(Ok(())) }
    }
}

fn refusal(busy: bool, words: String) -> Error {
    if busy { Error::busy(words) } else { Error::invalid(words) }
}

impl Progress {
    fn end(&self, result: Result<()>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Outcome::Ended(result);
        self.changed.notify_all();
    }

    /// Waits until the action has ended.
    fn wait(&self) -> Result<()> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = |outcome: &mut Outcome| !matches!(outcome, Outcome::Ended(_));
        let (outcome, late) =
            self.changed.wait_timeout_while(outcome, JOIN_PATIENCE, pending).unwrap_or_else(PoisonError::into_inner);
        match &*outcome {
            Outcome::Ended(result) => result.clone(),
            _ if late.timed_out() => Err(Error::busy(format!("The {} under way does not end", self.action))),
            _ => Ok(()),
        }
    }
}

impl Claim {
    /// Ends the action with this outcome, which those who joined get as well.
    ///
    /// # Errors
    /// The outcome given.
    pub fn end<T>(self, outcome: Result<T>) -> Result<T> {
        let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = told;
        outcome
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.progress.end(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        ("default".to_string(), "c1".to_string())
    }

    #[test]
    fn a_second_start_joins_the_first_and_shares_its_outcome() {
        let claims = Arc::new(Claims::default());
        let Taken::Go(first) = claims.take(&key(), Action::Start, || Ok(Observed::Stopped)).expect("nothing is busy")
        else {
            panic!("nothing to join");
        };
        let other = claims.clone();
        let joined =
            std::thread::spawn(move || other.take(&key(), Action::Start, || Ok(Observed::Stopped)).map(|_| ()));
        while Arc::strong_count(&first.progress) < 3 {
            std::thread::yield_now();
        }
        let failed: Result<()> = first.end(Err(Error::internal("no")));
        assert!(failed.is_err());
        assert_eq!(joined.join().expect("no panic").expect_err("it shares the failure").message, "no");
        assert!(claims.take_for_clean_up(&key()).is_some());
    }

    #[test]
    fn a_kill_overtakes_a_clean_stop() {
        let claims = Arc::new(Claims::default());
        let Taken::Go(stop) = claims.take(&key(), Action::Stop, || Ok(Observed::Running)).expect("nothing is busy")
        else {
            panic!("nothing to join");
        };
        let other = claims.clone();
        let Ok(Taken::Overtake(under_way)) = other.take(&key(), Action::Kill, || Ok(Observed::Running)) else {
            panic!("a kill need not wait for its turn");
        };
        let waiting = std::thread::spawn(move || under_way.wait());
        drop(stop);
        waiting.join().expect("no panic").expect("the stop ended well");
    }

    #[test]
    fn other_actions_are_refused_with_423() {
        let claims = Arc::new(Claims::default());
        let _held = claims.take(&key(), Action::Start, || Ok(Observed::Stopped)).expect("nothing is busy");
        let Err(refused) = claims.take(&key(), Action::Delete, || Ok(Observed::Stopped)) else {
            panic!("a delete beside a start");
        };
        assert_eq!(refused.message, "Instance is busy running a \"start\" operation");
    }
}
