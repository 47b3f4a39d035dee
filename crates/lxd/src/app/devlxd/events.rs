//! What instances are told of their own changes while they listen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use corten_api::time::Time;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How many notices may wait for one listener; one that falls further behind is disconnected.
const QUEUE: usize = 1024;

/// What kinds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A `user.*` key.
    Config,
    /// A device.
    Device,
}

impl Notice {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Notice::Config => "config",
            Notice::Device => "device",
        }
    }
}

struct Listener {
    instance: i64,
    kinds: Vec<Notice>,
    queue: mpsc::Sender<Utf8Bytes>,
}

/// Everyone who listens.
#[derive(Default)]
pub struct Notices(Mutex<Vec<Listener>>);

#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    timestamp: Time,
    metadata: &'a Value,
}

impl Notices {
    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the listeners of an instance, in the order of the calls.
    pub fn send(&self, instance: i64, kind: Notice, metadata: &Value) {
        let event = Event { r#type: kind.name(), timestamp: Time::now(), metadata };
        let Ok(text) = serde_json::to_string(&event) else { return };
        let text = Utf8Bytes::from(text);
        self.lock().retain(|listener| {
            let wants = listener.instance == instance && listener.kinds.contains(&kind);
            !listener.queue.is_closed() && (!wants || listener.queue.try_send(text.clone()).is_ok())
        });
    }

    /// Starts to listen for these kinds, named as on the wire; the queue ends when it overflows.
    pub fn listen(&self, instance: i64, kinds: &str) -> mpsc::Receiver<Utf8Bytes> {
        let (queue, notices) = mpsc::channel(QUEUE);
        let named = |kind: &Notice| kinds.split(',').any(|word| word == kind.name());
        let kinds = [Notice::Config, Notice::Device].into_iter().filter(named).collect();
        let mut listeners = self.lock();
        listeners.retain(|listener| !listener.queue.is_closed());
        listeners.push(Listener { instance, kinds, queue });
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_instance_hears_its_own_changes_in_order() {
        let notices = Notices::default();
        let (mut all, mut devices, mut other) =
            (notices.listen(1, "config,device"), notices.listen(1, "device"), notices.listen(2, "config,device"));
        notices.send(1, Notice::Config, &json!({"key": "user.a", "old_value": "", "value": "b"}));
        notices.send(1, Notice::Device, &json!({"action": "added", "name": "d", "config": {}}));
        let drain = |queue: &mut mpsc::Receiver<Utf8Bytes>| {
            std::iter::from_fn(|| queue.try_recv().ok()).map(|text| text.to_string()).collect::<Vec<_>>()
        };
        let heard = drain(&mut all);
        assert!(heard[0].starts_with(r#"{"type":"config","timestamp":""#), "{heard:?}");
        assert!(heard[0].ends_with(r#","metadata":{"key":"user.a","old_value":"","value":"b"}}"#), "{heard:?}");
        assert_eq!((heard.len(), drain(&mut devices).len(), drain(&mut other).len()), (2, 1, 0));
        drop((all, devices));
        notices.send(2, Notice::Device, &json!({}));
        assert_eq!(notices.lock().len(), 1);
    }
}
