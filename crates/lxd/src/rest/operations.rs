//! All operations: started here, found here, and forgotten five seconds after their end.

use super::events::Events;
use super::operation::{Class, Connections, Op, Plan, Sockets};
use super::quiet::Quiet;
use super::websocket::Socket;
use corten_api::error::{Error, Result};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a finished operation can still be read.
const KEPT: Duration = Duration::from_secs(5);

/// The operations of this daemon.
pub struct Operations {
    runtime: Handle,
    events: Arc<Events>,
    all: Mutex<HashMap<String, Op>>,
    closed: AtomicBool,
    quiet: Quiet,
}

impl Operations {
    /// An empty set; work that waits on sockets runs on `runtime`.
    pub fn new(runtime: Handle, events: Arc<Events>) -> Arc<Operations> {
        let (all, closed) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Operations { runtime, events, all, closed, quiet: Quiet::default() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Op>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, class: Class, plan: Plan, sockets: Option<Sockets>) -> Result<Op> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::unavailable("LXD is shutting down"));
        }
        let op = Op::new(class, plan, sockets, self.events.clone());
        self.lock().insert(op.id().to_string(), op.clone());
        Ok(op)
    }

    fn ended(self: &Arc<Self>, op: &Op, outcome: Result<()>) {
        if let Err(error) = &outcome {
            tracing::debug!(operation = op.id(), error = %error, "Failure for operation: {}", op.description());
        }
        op.finish(outcome);
        self.quiet.stir();
        let (operations, id) = (self.clone(), op.id().to_string());
        self.runtime.spawn(async move {
            tokio::time::sleep(KEPT).await;
            operations.lock().remove(&id);
        });
    }

    /// What knows whether anything goes on: operations and calls tell it.
    pub fn quiet(&self) -> &Quiet {
        &self.quiet
    }

    /// Runs blocking work on a thread of its own.
    ///
    /// # Errors
    /// When the daemon shuts down, or the system gives no thread.
    pub fn run(self: &Arc<Self>, plan: Plan, work: impl FnOnce(&Op) -> Result<()> + Send + 'static) -> Result<Op> {
        let op = self.add(Class::Task, plan, None)?;
        op.start();
        let (operations, worker) = (self.clone(), op.clone());
        // The kernel shows 15 bytes of a thread's name.
        let name: String = op.description().chars().take(15).collect();
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let _runtime = operations.runtime.enter();
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| work(&worker)));
            operations.ended(&worker, outcome.unwrap_or_else(|panic| Err(panicked(&*panic))));
        });
        if let Err(error) = thread {
            self.ended(&op, Err(Error::internal(format!("Failed to start a thread: {error}"))));
        }
        Ok(op)
    }

    /// Runs work that has been begun when `begin` returns, on this thread, and then waits without a thread.
    ///
    /// # Errors
    /// When the daemon shuts down; a failure of `begin` is one of the operation.
    pub fn run_waiting<F>(self: &Arc<Self>, plan: Plan, begin: impl FnOnce(&Op) -> Result<F>) -> Result<Op>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let op = self.add(Class::Task, plan, None)?;
        op.start();
        match std::panic::catch_unwind(AssertUnwindSafe(|| begin(&op))) {
            Ok(Ok(work)) => self.spawn(&op, work),
            Ok(Err(failed)) => self.ended(&op, Err(failed)),
            Err(panic) => self.ended(&op, Err(panicked(&*panic))),
        }
        Ok(op)
    }

    /// Runs work that clients feed by websockets, one for each of `names`; their secrets are the metadata's `fds`.
    ///
    /// # Errors
    /// When the daemon shuts down, or there are no random bytes.
    pub fn run_websockets<F>(
        self: &Arc<Self>,
        plan: Plan,
        names: &[&'static str],
        work: impl FnOnce(Op, Connections) -> F,
    ) -> Result<Op>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sockets, connections) = Sockets::new(names)?;
        let plan = plan.metadata("fds", json!(sockets.secrets()));
        let op = self.add(Class::Websocket, plan, Some(sockets))?;
        op.start();
        self.spawn(&op, work(op.clone(), connections));
        Ok(op)
    }

    /// Runs work on a thread of its own once clients have connected the websockets of `names`, for which they have
    /// `patience`; until then it holds no thread. Their secrets are the metadata, each under its own name.
    ///
    /// # Errors
    /// When the daemon shuts down, or there are no random bytes.
    pub fn run_connected(
        self: &Arc<Self>,
        plan: Plan,
        names: &[&'static str],
        patience: Duration,
        work: impl FnOnce(&Op, BTreeMap<&'static str, Socket>) -> Result<()> + Send + 'static,
    ) -> Result<Op> {
        let (sockets, connections) = Sockets::new(names)?;
        let plan = sockets.secrets().into_iter().fold(plan, |plan, (name, secret)| plan.metadata(&name, secret));
        let op = self.add(Class::Websocket, plan, Some(sockets))?;
        op.start();
        let (worker, runtime) = (op.clone(), self.runtime.clone());
        self.spawn(&op, async move {
            let connected = tokio::select! {
                connected = tokio::time::timeout(patience, all_of(connections)) => connected,
                () = worker.cancelled() => return Err(Error::invalid("The operation was cancelled")),
            };
            let sockets = connected.ok().flatten();
            let sockets = sockets.ok_or_else(|| Error::internal("Timed out waiting for migration connections"))?;
            let (tell, told) = tokio::sync::oneshot::channel();
            let name: String = worker.description().chars().take(15).collect();
            let run = move || {
                let _runtime = runtime.enter();
                let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| work(&worker, sockets)));
                // The operation waits for it.
                let _ = tell.send(outcome.unwrap_or_else(|panic| Err(panicked(&*panic))));
            };
            let thread = std::thread::Builder::new().name(name).spawn(run);
            thread.map_err(|error| Error::internal(format!("Failed to start a thread: {error}")))?;
            told.await.unwrap_or_else(|_| Err(Error::internal("The thread of the operation is gone")))
        });
        Ok(op)
    }

    /// Makes a token: an operation without work, which runs until it is used or cancelled.
    ///
    /// # Errors
    /// When the daemon shuts down.
    pub fn token(self: &Arc<Self>, plan: Plan) -> Result<Op> {
        let op = self.add(Class::Token, plan, None)?;
        op.start();
        Ok(op)
    }

    fn spawn(self: &Arc<Self>, op: &Op, work: impl Future<Output = Result<()>> + Send + 'static) {
        let (operations, worker) = (self.clone(), op.clone());
        self.runtime.spawn(async move {
            // A task of its own turns a panic into an error.
            let outcome = tokio::spawn(work).await;
            let outcome = outcome.unwrap_or_else(|failed| match failed.try_into_panic() {
                Ok(panic) => Err(panicked(&*panic)),
                Err(_) => Err(Error::unavailable("LXD is shutting down")),
            });
            operations.ended(&worker, outcome);
        });
    }

    /// The operation with this id.
    ///
    /// # Errors
    /// 404.
    pub fn find(&self, id: &str) -> Result<Op> {
        self.lock().get(id).cloned().ok_or_else(|| Error::not_found("Operation not found"))
    }

    /// Every operation that can be seen, oldest first.
    pub fn all(&self) -> Vec<Op> {
        let mut all: Vec<Op> = self.lock().values().cloned().collect();
        all.sort_by_cached_key(|op| (op.view().created_at, op.id().to_string()));
        all
    }

    /// Cancels an operation on a client's behalf; a token ends at once.
    ///
    /// # Errors
    /// When it does not run, or cannot be cancelled.
    pub fn cancel(self: &Arc<Self>, op: &Op) -> Result<()> {
        op.cancel()?;
        if op.class() == Class::Token {
            self.ended(op, Ok(()));
        }
        Ok(())
    }

    /// Takes no new operations any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Waits on this thread until `op` has ended, and says how.
    ///
    /// # Errors
    /// That of the operation.
    pub fn wait(&self, op: &Op) -> Result<()> {
        self.runtime.block_on(op.wait());
        op.outcome().unwrap_or_else(|| Err(Error::internal("The operation has no outcome")))
    }
}

/// Every websocket, once it is there; `None` when one cannot come any more.
async fn all_of(connections: Connections) -> Option<BTreeMap<&'static str, Socket>> {
    let mut sockets = BTreeMap::new();
    for (name, connection) in connections {
        sockets.insert(name, connection.await.ok()?);
    }
    Some(sockets)
}

/// What a panic said.
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    Error::internal(format!("A defect of the server ended this work: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_api::status::StatusCode;

    fn operations() -> (tokio::runtime::Runtime, Arc<Operations>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let operations = Operations::new(runtime.handle().clone(), Arc::default());
        (runtime, operations)
    }

    #[test]
    fn work_ends_as_success_failure_or_panic() {
        let (_runtime, operations) = operations();
        let good = operations.run(Plan::new("default", "Creating instance").container("c1"), |op| {
            op.set_metadata("progress", 50);
            Ok(())
        });
        let good = good.expect("it runs");
        operations.wait(&good).expect("it ends well");
        let view = good.view();
        assert_eq!(view.status_code, StatusCode::Success);
        assert_eq!(view.resources.expect("resources")["containers"], ["/1.0/containers/c1"]);
        assert_eq!(view.metadata.expect("metadata")["progress"], 50);
        let bad = operations.run(Plan::new("", "Creating instance"), |_| Err(Error::not_found("gone")));
        let bad = bad.expect("it runs");
        assert_eq!(operations.wait(&bad).expect_err("it fails").message, "gone");
        assert_eq!((bad.view().err.as_str(), bad.status()), ("gone", StatusCode::Failure));
        let broken = operations.run(Plan::new("", "Creating instance"), |_| panic!("oh")).expect("it runs");
        assert!(operations.wait(&broken).expect_err("it fails").message.ends_with(": oh"));
        let waiting = |outcome: Result<()>| {
            let begin = move |_: &Op| outcome.map(|()| async { Err(Error::not_found("gone")) });
            operations.run_waiting(Plan::new("", "Executing command"), begin).expect("it runs")
        };
        for (op, words) in [(waiting(Ok(())), "gone"), (waiting(Err(Error::invalid("no"))), "no")] {
            assert_eq!(operations.wait(&op).expect_err("it fails").message, words);
        }
        assert_eq!(operations.all().len(), 5);
    }

    #[test]
    fn cancelling_reaches_the_work_and_only_where_it_may() {
        let (_runtime, operations) = operations();
        let op = operations.run(Plan::new("", "Downloading image").cancellable(), |op| {
            tokio::runtime::Handle::current().block_on(op.cancelled());
            Err(Error::invalid("cancelled"))
        });
        let op = op.expect("it runs");
        assert!(op.view().may_cancel);
        operations.cancel(&op).expect("it may be cancelled");
        operations.wait(&op).expect_err("it was cancelled");
        assert_eq!(op.status(), StatusCode::Cancelled);
        assert!(operations.cancel(&op).is_err());
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let stubborn = operations.run(Plan::new("", "Creating instance"), move |_| {
            let _ = receiver.recv();
            Ok(())
        });
        let stubborn = stubborn.expect("it runs");
        assert_eq!(operations.cancel(&stubborn).expect_err("no").message, "This operation can't be cancelled");
        drop(sender);
        operations.wait(&stubborn).expect("it ends well");
        let token = operations.token(Plan::new("", "Executing operation")).expect("a token");
        operations.cancel(&token).expect("tokens can be cancelled");
        assert_eq!(token.status(), StatusCode::Cancelled);
        operations.close();
        let refused = operations.token(Plan::new("", "x")).map(|op| op.view());
        assert_eq!(refused.expect_err("closed").message, "LXD is shutting down");
    }

    #[test]
    fn secrets_work_once() {
        let (_runtime, operations) = operations();
        let op = operations.run_websockets(Plan::new("", "Executing command"), &["0", "control"], |_, sockets| async {
            for (_, socket) in sockets {
                let _ = socket.await;
            }
            Ok(())
        });
        let op = op.expect("it runs");
        let fds = op.metadata("fds").expect("fds");
        let secret = fds["0"].as_str().expect("a secret");
        assert_eq!(secret.len(), 64);
        assert_eq!(op.connect("wrong").map(drop).expect_err("refused").message, "not authorized");
        let place = op.connect(secret).expect("the right secret");
        assert!(op.connect(secret).is_err());
        drop(place);
        drop(op.connect(fds["control"].as_str().expect("a secret")));
        operations.wait(&op).expect("it ends");
        assert!(op.connect(secret).is_err());
    }
}
