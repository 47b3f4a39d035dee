//! HTTP as LXD speaks it: sockets in, calls to handlers, envelopes out. Nothing here knows what the daemon does;
//! whoever uses it is a [`Service`]. The only asynchronous code of the daemon is below this module.

pub mod body;
pub mod call;
pub mod error;
pub mod etag;
pub mod events;
pub mod filter;
pub mod json;
pub mod listen;
pub mod operation;
pub mod operations;
pub mod peer;
pub mod query;
pub mod quiet;
pub mod recursion;
pub mod reply;
pub mod route;
pub mod serve;
pub mod sockets;
pub mod tls;
pub mod turn;
pub mod websocket;

use corten_api::error::{Error, Result};

/// What answers the calls.
pub trait Service: Send + Sync + Sized + 'static {
    /// Says who is at the other end of a new connection; asked again after [`Service::generation`] has moved.
    fn identify(&self, peer: &peer::Peer) -> peer::Requestor;

    /// A number that moves whenever an earlier answer of [`Service::identify`] may have become wrong.
    fn generation(&self) -> u64;

    /// Decides whether this call may run at all.
    ///
    /// # Errors
    /// The refusal that the client gets.
    fn admit(&self, call: &call::Call<Self>, may: route::May) -> Result<()>;

    /// Headers that every answer to a call carries, whatever the handler says (for CORS).
    fn headers(&self, asked: &hyper::HeaderMap, answer: &mut hyper::HeaderMap);

    /// What is being changed, by its path, whatever listener the change came by.
    fn changes(&self) -> &turn::Turns;

    /// Hears that a call begins or has been answered.
    fn stirred(&self);

    /// The answer for a call that failed: LXD's envelope, unless the service speaks otherwise.
    fn refusal(&self, error: &Error) -> hyper::Response<body::Answer> {
        error::respond(error)
    }
}
