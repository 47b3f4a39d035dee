//! The API of `/dev/lxd/sock` as a service: callers are instances, and errors are plain text.

use std::sync::Arc;

use bytes::Bytes;
use corten_api::error::{Error, Result};
use hyper::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, Response, StatusCode};

use super::{is_on, not_authorized};
use crate::app::App;
use crate::app::instances::Instances;
use crate::rest::Service;
use crate::rest::body::Answer;
use crate::rest::call::Call;
use crate::rest::peer::{Peer, Requestor, Trust};
use crate::rest::route::May;
use crate::rest::turn::Turns;

/// The daemon as its instances see it.
pub struct Devlxd {
    /// The daemon.
    pub app: Arc<App>,
    /// What instances are changing: none of them holds up who changes the daemon.
    pub changes: Turns,
}

/// A call of an instance.
pub type GuestCall = Call<Devlxd>;

/// The instance that calls.
///
/// # Errors
/// When the process belongs to none, or is not root there.
pub fn instance(call: &GuestCall) -> Result<corten_instance::instance::Instance> {
    let unknown = || Error::internal("pid not in container?");
    let (project, name) = call.requestor.instance.clone().ok_or_else(unknown)??;
    Instances::find(&call.app.app, &project, &name)
}

impl Service for Devlxd {
    fn identify(&self, peer: &Peer) -> Requestor {
        let instance = match peer {
            Peer::Instance(who) => Some(who.clone()),
            _ => None,
        };
        Requestor {
            username: String::new(),
            protocol: "devlxd",
            address: "@devlxd".to_string(),
            trust: Trust::Untrusted,
            certificate: None,
            instance,
        }
    }

    fn generation(&self) -> u64 {
        0
    }

    fn admit(&self, call: &GuestCall, _: May) -> Result<()> {
        let known = call.requestor.instance.as_ref();
        known.map_or_else(
            || Err(Error::internal("pid not in container?")),
            |who| who.as_ref().map(drop).map_err(Clone::clone),
        )
    }

    fn headers(&self, _: &HeaderMap, _: &mut HeaderMap) {}

    fn changes(&self) -> &Turns {
        &self.changes
    }

    fn stirred(&self) {
        self.app.operations.quiet().stir();
    }

    fn refusal(&self, error: &Error) -> Response<Answer> {
        let mut answer = Response::new(Answer::Whole(Bytes::from(format!("{}\n", error.message))));
        *answer.status_mut() = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer
    }
}

/// The instance that calls, if it may use the API.
///
/// # Errors
/// 403 when `security.devlxd` is off.
pub fn admitted(call: &GuestCall) -> Result<corten_instance::instance::Instance> {
    let instance = instance(call)?;
    if is_on(&instance) { Ok(instance) } else { Err(not_authorized()) }
}
