//! Events: serialised once, given to every listener that wants them, in order and without loss.

use super::json;
use super::websocket::Socket;
use corten_api::event::{EventLifecycle, EventLifecycleRequestor, EventLogging};
use corten_api::operation::Operation;
use corten_api::time::Time;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// What kinds of event there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Log messages of the daemon.
    Logging,
    /// Operations that change.
    Operation,
    /// Things that come, change and go.
    Lifecycle,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Logging, Kind::Operation, Kind::Lifecycle];

    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Logging => "logging",
            Kind::Operation => "operation",
            Kind::Lifecycle => "lifecycle",
        }
    }

    /// The kind that a client calls so.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// How many events may wait for one listener; one that falls further behind is disconnected rather than cheated.
const QUEUE: usize = 65_536;
/// How often a silent listener is asked whether it is still there.
const PING: Duration = Duration::from_secs(10);
/// How many pings may stay without an answer.
const MAX_SILENCE: u32 = 3;
/// How long one write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a listener wants to hear.
#[derive(Clone, Debug)]
pub struct Interest {
    /// Which kinds.
    pub kinds: Vec<Kind>,
    /// Of which project; `None` is all of them. Events without a project go to everyone.
    pub project: Option<String>,
}

struct Listener {
    kinds: u8,
    project: Option<String>,
    queue: mpsc::Sender<Utf8Bytes>,
}

/// The place where events are given out.
#[derive(Default)]
pub struct Events {
    listeners: Mutex<Vec<Listener>>,
    /// The kinds that anyone listens to, so that nothing is made for nobody.
    wanted: AtomicU8,
}

#[derive(Serialize)]
struct Event<'a, T> {
    r#type: &'static str,
    timestamp: Time,
    metadata: &'a T,
    location: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    project: &'a str,
}

impl Events {
    /// Whether anyone listens to this kind.
    pub fn is_wanted(&self, kind: Kind) -> bool {
        self.wanted.load(Ordering::Relaxed) & kind.bit() != 0
    }

    /// Tells every listener; an empty `project` is for all of them.
    pub fn send(&self, project: &str, kind: Kind, metadata: &impl Serialize) {
        if !self.is_wanted(kind) {
            return;
        }
        let event = Event { r#type: kind.name(), timestamp: Time::now(), metadata, location: "none", project };
        let mut text = Vec::with_capacity(512);
        if json::write_for_pages(&mut text, &event).is_err() {
            return;
        }
        let Ok(text) = Utf8Bytes::try_from(text) else { return };
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| {
            let wants = listener.kinds & kind.bit() != 0
                && (project.is_empty() || listener.project.as_deref().is_none_or(|own| own == project));
            !wants || listener.queue.try_send(text.clone()).is_ok()
        });
        self.note_wanted(&listeners);
    }

    /// Tells of something that came, changed or went. `source` is its path.
    pub fn lifecycle(
        &self,
        project: &str,
        action: &str,
        source: impl Into<String>,
        context: BTreeMap<String, Value>,
        requestor: Option<EventLifecycleRequestor>,
    ) {
        if self.is_wanted(Kind::Lifecycle) {
            let event = EventLifecycle { action: action.to_string(), source: source.into(), context, requestor };
            self.send(project, Kind::Lifecycle, &event);
        }
    }

    /// Tells how an operation stands.
    pub fn operation(&self, project: &str, operation: &Operation) {
        self.send(project, Kind::Operation, operation);
    }

    /// Tells what was logged.
    pub fn logging(&self, entry: &EventLogging) {
        self.send("", Kind::Logging, entry);
    }

    fn note_wanted(&self, listeners: &[Listener]) {
        self.wanted.store(listeners.iter().fold(0, |wanted, listener| wanted | listener.kinds), Ordering::Relaxed);
    }

    /// Starts to listen; what is sent from now on will come out of the queue, which ends when it overflows.
    pub fn listen(&self, interest: &Interest) -> mpsc::Receiver<Utf8Bytes> {
        let (queue, events) = mpsc::channel(QUEUE);
        let kinds = interest.kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Listener { kinds, project: interest.project.clone(), queue });
        self.note_wanted(&listeners);
        events
    }

    /// Forgets listeners whose queue nobody reads any more.
    fn forget_gone(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.queue.is_closed());
        self.note_wanted(&listeners);
    }

    /// Writes events to a websocket until either end closes it.
    pub async fn serve(&self, events: mpsc::Receiver<Utf8Bytes>, socket: Socket) {
        relay(events, socket).await;
        self.forget_gone();
    }
}

/// Writes texts to a websocket until their queue ends or the client goes.
pub async fn relay(mut events: mpsc::Receiver<Utf8Bytes>, mut socket: Socket) {
    use futures_util::{SinkExt, StreamExt};
    let mut waiting = Vec::new();
    let mut ticks = interval(PING);
    let mut silent = 0;
    loop {
        tokio::select! {
            count = events.recv_many(&mut waiting, 256) => {
                if count == 0 {
                    break;
                }
                for event in waiting.drain(..) {
                    if !matches!(timeout(PATIENCE, socket.feed(Message::Text(event))).await, Ok(Ok(()))) {
                        return;
                    }
                }
                if !matches!(timeout(PATIENCE, socket.flush()).await, Ok(Ok(()))) {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => silent = 0,
            },
            _ = ticks.tick() => {
                silent += 1;
                if silent > MAX_SILENCE || socket.send(Message::Ping("keepalive".into())).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = timeout(PATIENCE, socket.close(None)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(events: &Events, kinds: &[Kind], project: Option<&str>) -> mpsc::Receiver<Utf8Bytes> {
        events.listen(&Interest { kinds: kinds.to_vec(), project: project.map(str::to_string) })
    }

    fn drain(queue: &mut mpsc::Receiver<Utf8Bytes>) -> Vec<String> {
        std::iter::from_fn(|| queue.try_recv().ok()).map(|event| event.to_string()).collect()
    }

    #[test]
    fn listeners_get_what_they_asked_for_in_order() {
        let events = Events::default();
        assert!(!events.is_wanted(Kind::Lifecycle));
        let mut mine = listen(&events, &[Kind::Lifecycle], Some("p"));
        let mut all = listen(&events, &Kind::ALL, None);
        for n in 0..1000 {
            events.lifecycle("p", "instance-started", format!("/1.0/instances/c{n}"), BTreeMap::new(), None);
        }
        events.lifecycle("q", "instance-started", "/1.0/instances/other", BTreeMap::new(), None);
        events.logging(&EventLogging { message: "hello".into(), level: "info".into(), context: BTreeMap::new() });
        let seen = drain(&mut mine);
        assert_eq!(seen.len(), 1000);
        assert!(seen.iter().enumerate().all(|(n, event)| event.contains(&format!("/1.0/instances/c{n}\""))));
        assert_eq!(drain(&mut all).len(), 1002);
        drop((mine, all));
        events.forget_gone();
        assert!(!events.is_wanted(Kind::Lifecycle));
    }

    #[test]
    fn a_listener_that_falls_behind_is_cut_off_not_cheated() {
        let events = Events::default();
        let mut slow = listen(&events, &[Kind::Logging], None);
        for n in 0..=QUEUE {
            events.logging(&EventLogging { message: n.to_string(), ..EventLogging::default() });
        }
        assert_eq!(drain(&mut slow).len(), QUEUE);
        assert!(matches!(slow.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
        assert!(!events.is_wanted(Kind::Logging));
    }

    #[test]
    fn the_wire_form_is_lxds() {
        let events = Events::default();
        let mut all = listen(&events, &Kind::ALL, None);
        events.lifecycle("default", "profile-created", "/1.0/profiles/p", BTreeMap::new(), None);
        let event = drain(&mut all).remove(0);
        assert!(event.starts_with(r#"{"type":"lifecycle","timestamp":""#), "{event}");
        let tail = r#","metadata":{"action":"profile-created","source":"/1.0/profiles/p"},"location":"none","project":"default"}"#;
        assert!(event.ends_with(tail), "{event}");
    }
}
