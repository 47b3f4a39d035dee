//! The conversation with another server about one volume: how the channels come about, and what is said on the control
//! channel. Who waits here holds a thread, and is woken when the client does not want the operation any more.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use corten_api::error::{Error, Kind as ErrorKind, Result};
use corten_api::url::escape_query;
use prost::Message;
use tokio::runtime::Handle;

use super::channel::{Channel, LARGEST};
use super::wire::{Control, Header};
use crate::app::images::origin;
use crate::rest::operation::Op;
use crate::rest::websocket::Socket;

/// The websockets of a migration without memory.
pub const CHANNELS: [&str; 2] = ["control", "fs"];

/// How long clients have to connect all of them, as in LXD.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may take, as in LXD.
const DIAL: Duration = Duration::from_secs(5);

/// How long the other side may think. It may have snapshots to remove meanwhile.
const ANSWER: Duration = Duration::from_secs(10 * 60);

/// How long the other side may take to put everything in its place: it may give every file another owner.
const END: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a server whose channels broke has to say why.
const WHY: Duration = Duration::from_secs(3);

/// Where another server waits for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The URL of its operation.
    pub operation: String,
    /// Its certificate, PEM; empty when an authority vouches for it.
    pub certificate: String,
    /// The secrets of its websockets, by their names.
    pub secrets: BTreeMap<String, String>,
}

/// Both channels, once they are there.
pub struct Channels {
    /// Messages.
    pub control: Channel,
    /// The volume.
    pub fs: Channel,
}

impl Channels {
    /// Those that clients have connected.
    ///
    /// # Errors
    /// When one is missing.
    pub fn connected(mut sockets: BTreeMap<&'static str, Socket>) -> Result<Channels> {
        let mut take = |name: &str| {
            let socket =
                sockets.remove(name).ok_or_else(|| Error::internal(format!("The {name} websocket is missing")));
            socket.map(Channel::new)
        };
        Ok(Channels { control: take("control")?, fs: take("fs")? })
    }

    /// Connects to the operation of another server.
    ///
    /// # Errors
    /// When that cannot be reached, or knows the secrets not.
    pub async fn dial(peer: &Peer) -> Result<Channels> {
        let (server, path) = peer
            .operation
            .strip_prefix("https://")
            .and_then(|rest| rest.find('/').map(|at| rest.split_at(at)))
            .ok_or_else(|| Error::invalid(format!("Invalid operation URL {:?}", peer.operation)))?;
        let certificate = Some(peer.certificate.clone()).filter(|pem| !pem.is_empty());
        let server = origin::server(&format!("https://{server}"), certificate, None)?;
        let open = async |name: &str| {
            let secret = peer.secrets.get(name).ok_or_else(|| Error::internal(format!("Missing {name} secret")))?;
            let path = format!("{path}/websocket?secret={}", escape_query(secret));
            let opened = tokio::time::timeout(DIAL, server.websocket_of(&path, Some(LARGEST))).await;
            let late = |_| Error::unavailable(format!("dial tcp: {}: i/o timeout", peer.operation));
            opened.map_err(late)?.map(Channel::new)
        };
        Ok(Channels { control: open("control").await?, fs: open("fs").await? })
    }
}

/// A conversation under way.
pub struct Session {
    /// Both channels.
    pub channels: Channels,
    /// The operation that it belongs to.
    pub op: Op,
    runtime: Handle,
}

impl Session {
    /// Begins it.
    pub fn new(channels: Channels, op: &Op, runtime: &Handle) -> Session {
        Session { channels, op: op.clone(), runtime: runtime.clone() }
    }

    /// Waits for `work` on both channels, unless the client does not want the operation any more.
    ///
    /// # Errors
    /// That of `work`, or that the operation was cancelled.
    pub fn wait<T>(&mut self, work: impl AsyncFnOnce(&mut Channels, &Op) -> Result<T>) -> Result<T> {
        let (channels, op) = (&mut self.channels, &self.op);
        self.runtime.block_on(async {
            tokio::select! {
                outcome = work(channels, op) => outcome,
                () = op.cancelled() => Err(Error::invalid("The operation was cancelled")),
            }
        })
    }

    fn receive(&mut self, patience: Duration) -> Result<Bytes> {
        let late = || Error::unavailable("The other server does not answer");
        self.wait(async |channels, _| {
            tokio::time::timeout(patience, channels.control.receive()).await.map_err(|_| late())?
        })
    }

    /// Sends a header.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send_header(&mut self, header: &Header) -> Result<()> {
        let message = header.encode_to_vec();
        self.wait(async |channels, _| channels.control.send(message).await)
    }

    /// The other side's header.
    ///
    /// # Errors
    /// When it is none, or the other side refuses, in its words.
    pub fn receive_header(&mut self) -> Result<Header> {
        let message = self.receive(ANSWER)?;
        // A refusal has its text where a header has a number.
        if let Ok(control) = Control::decode(message.clone())
            && let (false, Some(words)) = (control.success, control.message)
        {
            return Err(Error::internal(words));
        }
        Header::decode(message).map_err(|error| Error::invalid(format!("Invalid migration header: {error}")))
    }

    /// Waits for the other side to say that it has all.
    ///
    /// # Errors
    /// Its words when it has not.
    pub fn receive_end(&mut self) -> Result<()> {
        judge(self.receive(END)?)
    }

    /// Says how it ended, and closes the channels. An error that only says that the other side is gone becomes what that
    /// side says of it, if it does.
    ///
    /// # Errors
    /// That of `outcome`.
    pub fn end(&mut self, outcome: Result<()>) -> Result<()> {
        let outcome = outcome.map_err(|error| self.op.or_cancelled(error));
        let outcome = outcome.map_err(|error| {
            let broke = error.kind == ErrorKind::Unavailable;
            let words = if broke { self.why() } else { None };
            words.map_or(error, Error::internal)
        });
        let words = outcome.as_ref().err().map(|error| error.message.clone());
        let message = Control { success: words.is_none(), message: Some(words.unwrap_or_default()) }.encode_to_vec();
        let channels = &mut self.channels;
        self.runtime.block_on(async {
            let farewell = async {
                // Who is gone need not be told.
                let _ = channels.control.send(message).await;
                channels.control.close().await;
                channels.fs.close().await;
            };
            let _ = tokio::time::timeout(WHY, farewell).await;
        });
        outcome
    }

    /// Closes the channels after the other side has said that all is well.
    ///
    /// # Errors
    /// That of `outcome`.
    pub fn end_quietly(&mut self, outcome: Result<()>) -> Result<()> {
        if outcome.is_err() {
            return self.end(outcome);
        }
        let channels = &mut self.channels;
        self.runtime.block_on(async {
            let farewell = async {
                channels.control.close().await;
                channels.fs.close().await;
            };
            let _ = tokio::time::timeout(WHY, farewell).await;
        });
        Ok(())
    }

    /// What the other side says of a failure, if it says something soon.
    fn why(&mut self) -> Option<String> {
        let control = &mut self.channels.control;
        let said = self.runtime.block_on(async { tokio::time::timeout(WHY, control.receive()).await });
        judge(said.ok()?.ok()?).err().map(|error| error.message)
    }
}

fn judge(message: Bytes) -> Result<()> {
    let control = Control::decode(message);
    let control = control.map_err(|error| Error::invalid(format!("Invalid migration control message: {error}")))?;
    match control.success {
        true => Ok(()),
        false => Err(Error::internal(control.message.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_sides_words_are_the_failure() {
        let said =
            |success, words: &str| judge(Control { success, message: Some(words.to_string()) }.encode_to_vec().into());
        said(true, "").expect("it went well");
        assert_eq!(said(false, "the disk is full").expect_err("it did not").message, "the disk is full");
        judge(Bytes::from_static(b"\xff")).expect_err("no message");
    }
}
