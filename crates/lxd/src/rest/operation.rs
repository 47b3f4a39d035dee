//! One operation: what runs in the background, as its worker and as its watchers hold it.

use super::events::{Events, Kind};
use super::websocket::Socket;
use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::operation::Operation;
use corten_api::status::StatusCode;
use corten_api::time::Time;
use corten_api::url;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// What an operation is for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Work that goes on by itself.
    Task,
    /// Work that is fed by websockets.
    Websocket,
    /// A secret that somebody may use once; there is no work.
    Token,
}

impl Class {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Class::Task => "task",
            Class::Websocket => "websocket",
            Class::Token => "token",
        }
    }
}

/// What is to be known of an operation before it starts.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) project: String,
    pub(super) description: &'static str,
    pub(super) resources: Option<BTreeMap<String, Vec<String>>>,
    pub(super) metadata: Option<BTreeMap<String, Value>>,
    pub(super) requestor: Option<EventLifecycleRequestor>,
    pub(super) may_cancel: bool,
}

impl Plan {
    /// An operation in `project` with LXD's words for its kind, such as `Creating instance`.
    pub fn new(project: impl Into<String>, description: &'static str) -> Plan {
        Plan {
            project: project.into(),
            description,
            resources: None,
            metadata: None,
            requestor: None,
            may_cancel: false,
        }
    }

    /// Names things that the operation is about: paths below `/1.0/<kind>/`.
    #[must_use]
    pub fn resources<S: Into<String>>(mut self, kind: &str, names: impl IntoIterator<Item = S>) -> Plan {
        let resources = self.resources.get_or_insert_default();
        resources.entry(kind.to_string()).or_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Names a container, which LXD lists under both of its names.
    #[must_use]
    pub fn container(self, name: &str) -> Plan {
        self.resources("containers", [name]).resources("instances", [name])
    }

    /// Sets one key of the metadata.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl Into<Value>) -> Plan {
        self.metadata.get_or_insert_default().insert(key.to_string(), value.into());
        self
    }

    /// Says who asked for it.
    #[must_use]
    pub fn requestor(mut self, requestor: EventLifecycleRequestor) -> Plan {
        self.requestor = Some(requestor);
        self
    }

    /// Promises that the work ends when [`Op::cancelled`] does.
    #[must_use]
    pub fn cancellable(mut self) -> Plan {
        self.may_cancel = true;
        self
    }
}

/// The websockets that an operation waits for: each has a name and a secret, and can be connected once.
pub struct Sockets(Mutex<Vec<Slot>>);

struct Slot {
    name: &'static str,
    secret: String,
    waiting: Option<oneshot::Sender<Socket>>,
}

/// The worker's end: by name, the websocket once it is connected.
pub type Connections = BTreeMap<&'static str, oneshot::Receiver<Socket>>;

impl Sockets {
    /// Makes a secret for each name.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn new(names: &[&'static str]) -> Result<(Sockets, Connections)> {
        let mut slots = Vec::new();
        let mut connections = Connections::new();
        for name in names {
            let (sender, receiver) = oneshot::channel();
            slots.push(Slot { name, secret: random_secret()?, waiting: Some(sender) });
            connections.insert(*name, receiver);
        }
        Ok((Sockets(Mutex::new(slots)), connections))
    }

    /// Secrets by name, for the operation's metadata (`fds`).
    pub fn secrets(&self) -> BTreeMap<String, String> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|slot| (slot.name.to_string(), slot.secret.clone())).collect()
    }

    fn claim(&self, secret: &str) -> Option<oneshot::Sender<Socket>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter_mut().find(|slot| slot.secret == secret).and_then(|slot| slot.waiting.take())
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// 256 random bits in hexadecimal.
///
/// # Errors
/// When the kernel gives none.
pub fn random_secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(format!("Failed to get random bytes from the kernel: {error}")))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

struct State {
    status: StatusCode,
    updated_at: Time,
    resources: Option<BTreeMap<String, Vec<String>>>,
    metadata: Option<BTreeMap<String, Value>>,
    err: String,
    failure: Option<Error>,
}

struct Shared {
    id: String,
    class: Class,
    project: String,
    description: &'static str,
    created_at: Time,
    requestor: Option<EventLifecycleRequestor>,
    may_cancel: bool,
    state: Mutex<State>,
    sockets: Option<Sockets>,
    cancelled: watch::Sender<bool>,
    /// The same, for blocking code that looks now and then.
    cancel_flag: AtomicBool,
    finished: watch::Sender<bool>,
    events: Arc<Events>,
}

/// An operation. Clones are the same operation.
#[derive(Clone)]
pub struct Op(Arc<Shared>);

impl Op {
    pub(super) fn new(class: Class, plan: Plan, sockets: Option<Sockets>, events: Arc<Events>) -> Op {
        let now = Time::now();
        let state = State {
            status: StatusCode::Pending,
            updated_at: now,
            resources: plan.resources,
            metadata: plan.metadata,
            err: String::new(),
            failure: None,
        };
        let op = Op(Arc::new(Shared {
            id: uuid::Uuid::new_v4().to_string(),
            class,
            project: plan.project,
            description: plan.description,
            created_at: now,
            requestor: plan.requestor,
            may_cancel: plan.may_cancel || class == Class::Token,
            state: Mutex::new(state),
            sockets,
            cancelled: watch::Sender::new(false),
            cancel_flag: AtomicBool::new(false),
            finished: watch::Sender::new(false),
            events,
        }));
        op.change(|_| ());
        op
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and tells the listeners, in one step, so that they see changes in their order.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let outcome = change(&mut state);
        if self.0.events.is_wanted(Kind::Operation) {
            self.0.events.operation(&self.0.project, &self.render(&state));
        }
        outcome
    }

    fn render(&self, state: &State) -> Operation {
        let path = |kind: &str, name: &String| format!("/1.0/{kind}/{name}");
        let paths = |(kind, names): (&String, &Vec<String>)| {
            (kind.clone(), names.iter().map(|name| path(kind, name)).collect::<Vec<_>>())
        };
        Operation {
            id: self.0.id.clone(),
            class: self.0.class.name().to_string(),
            description: self.0.description.to_string(),
            created_at: self.0.created_at,
            updated_at: state.updated_at,
            status: state.status.name().to_string(),
            status_code: state.status,
            resources: state.resources.as_ref().map(|resources| resources.iter().map(paths).collect()),
            metadata: state.metadata.clone(),
            may_cancel: self.0.may_cancel && !state.status.is_final() || self.0.class == Class::Token,
            err: state.err.clone(),
            location: "none".to_string(),
        }
    }

    /// As the API shows it now.
    pub fn view(&self) -> Operation {
        self.render(&self.state())
    }

    /// Its UUID.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its path.
    pub fn url(&self) -> String {
        url::path(["operations", &self.0.id])
    }

    /// Its project; empty for those of the whole server.
    pub fn project(&self) -> &str {
        &self.0.project
    }

    /// Its kind in words.
    pub fn description(&self) -> &'static str {
        self.0.description
    }

    /// Its class.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// Who asked for it; nobody for the daemon's own.
    pub fn requestor(&self) -> Option<EventLifecycleRequestor> {
        self.0.requestor.clone()
    }

    /// Its status now.
    pub fn status(&self) -> StatusCode {
        self.state().status
    }

    /// One key of its metadata.
    pub fn metadata(&self, key: &str) -> Option<Value> {
        self.state().metadata.as_ref().and_then(|metadata| metadata.get(key).cloned())
    }

    /// Sets keys of its metadata: progress, results.
    pub fn extend_metadata(&self, more: impl IntoIterator<Item = (String, Value)>) {
        self.change(|state| {
            state.updated_at = Time::now();
            state.metadata.get_or_insert_default().extend(more);
        });
    }

    /// Sets one key of its metadata.
    pub fn set_metadata(&self, key: &str, value: impl Into<Value>) {
        self.extend_metadata([(key.to_string(), value.into())]);
    }

    /// Waits, as async code does, until the client wants the work to end.
    pub async fn cancelled(&self) {
        let mut cancelled = self.0.cancelled.subscribe();
        // The sender lives in this operation, so the channel cannot close.
        let _ = cancelled.wait_for(|cancelled| *cancelled).await;
    }

    /// What a failure is called: LXD's word when the client wanted the end, not that of the pipe that broke then.
    pub fn or_cancelled(&self, error: Error) -> Error {
        match self.0.cancel_flag.load(Ordering::Relaxed) {
            true => Error::invalid("The operation was cancelled"),
            false => error,
        }
    }

    /// Set once the client wants the work to end, for blocking code.
    pub fn cancel_flag(&self) -> &AtomicBool {
        &self.0.cancel_flag
    }

    /// Waits, as async code does, for the end.
    pub async fn wait(&self) {
        let mut finished = self.0.finished.subscribe();
        let _ = finished.wait_for(|finished| *finished).await;
    }

    /// How it ended; `None` while it has not.
    pub fn outcome(&self) -> Option<Result<()>> {
        let state = self.state();
        match (state.status, &state.failure) {
            (StatusCode::Success, _) => Some(Ok(())),
            (status, Some(failure)) if status.is_final() => Some(Err(failure.clone())),
            (status, None) if status.is_final() => Some(Err(Error::invalid("The operation was cancelled"))),
            _ => None,
        }
    }

    /// Asks the work to end.
    ///
    /// # Errors
    /// When it does not run, or cannot be cancelled.
    pub fn cancel(&self) -> Result<()> {
        self.change(|state| {
            if state.status != StatusCode::Running {
                return Err(Error::invalid("Only running operations can be cancelled"));
            }
            if !self.0.may_cancel {
                return Err(Error::invalid("This operation can't be cancelled"));
            }
            state.status = StatusCode::Cancelling;
            Ok(())
        })?;
        self.0.cancel_flag.store(true, Ordering::Relaxed);
        self.0.cancelled.send_replace(true);
        Ok(())
    }

    /// Hands out the place for the websocket with this secret. It works once.
    ///
    /// # Errors
    /// When there is no such place, or the operation does not run.
    pub fn connect(&self, secret: &str) -> Result<oneshot::Sender<Socket>> {
        let Some(sockets) = &self.0.sockets else {
            return Err(Error::internal("Only websocket operations can be connected"));
        };
        if self.status() != StatusCode::Running {
            return Err(Error::internal("Only running operations can be connected"));
        }
        sockets.claim(secret).ok_or_else(|| Error::forbidden("not authorized"))
    }

    pub(super) fn start(&self) {
        self.change(|state| state.status = StatusCode::Running);
    }

    pub(super) fn finish(&self, outcome: Result<()>) {
        self.change(|state| {
            state.updated_at = Time::now();
            match outcome {
                Ok(()) if state.status != StatusCode::Cancelling || self.0.class != Class::Token => {
                    state.status = StatusCode::Success;
                }
                Err(failure) if state.status != StatusCode::Cancelling => {
                    state.status = StatusCode::Failure;
                    state.err.clone_from(&failure.message);
                    state.failure = Some(failure);
                }
                _ => state.status = StatusCode::Cancelled,
            }
        });
        if let Some(sockets) = &self.0.sockets {
            sockets.forget();
        }
        self.0.finished.send_replace(true);
    }
}
