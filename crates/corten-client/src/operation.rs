//! What runs in the background of a server: waiting for it, watching it, cancelling it.

use corten_api::error::{Error, Kind, Result};
use corten_api::operation::Operation;
use corten_api::status::StatusCode;

use crate::events::Events;
use crate::server::Server;

/// An operation that was started here.
#[derive(Clone)]
pub struct Running {
    server: Server,
    first: Operation,
}

impl Running {
    /// The operation of a server, as it was when it began.
    pub fn new(server: Server, first: Operation) -> Running {
        Running { server, first }
    }

    /// Its state when it began.
    pub fn first(&self) -> &Operation {
        &self.first
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.first.id
    }

    /// The server that runs it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Waits for its end. One request that the server answers when the operation is over: unlike the stream of events
    /// it cannot miss an end that came first.
    ///
    /// # Errors
    /// What the operation failed with.
    pub async fn wait(&self) -> Result<Operation> {
        outcome(self.end().await?)
    }

    /// Waits for its end and gives the operation, also when it failed.
    ///
    /// # Errors
    /// When the server cannot say.
    pub async fn end(&self) -> Result<Operation> {
        if self.first.status_code.is_final() {
            return Ok(self.first.clone());
        }
        self.server.get(&format!("/1.0/operations/{}/wait", self.id())).await
    }

    /// Waits for its end, and meanwhile hands each change to `watch`.
    ///
    /// # Errors
    /// What the operation failed with.
    pub async fn wait_watching(&self, mut watch: impl FnMut(&Operation)) -> Result<Operation> {
        watch(&self.first);
        let watching = async {
            // Without events the end is still found, only the steps on the way are not shown.
            let Ok(mut events) = Events::open(&self.server, &["operation"], false).await else { return };
            while let Ok(Some(event)) = events.next().await {
                match serde_json::from_value::<Operation>(event.metadata) {
                    Ok(operation) if operation.id == self.id() => watch(&operation),
                    _ => {}
                }
            }
        };
        let mut wait = std::pin::pin!(self.wait());
        tokio::select! {
            outcome = &mut wait => return outcome,
            () = watching => {}
        }
        wait.await
    }

    /// Asks the server to give it up.
    ///
    /// # Errors
    /// When it cannot be cancelled.
    pub async fn cancel(&self) -> Result<()> {
        self.server.delete(&format!("/1.0/operations/{}", self.id())).await
    }
}

/// The operation, or the error that it ended with.
///
/// # Errors
/// The operation's own.
pub fn outcome(operation: Operation) -> Result<Operation> {
    if !operation.err.is_empty() {
        return Err(Error { kind: Kind::Invalid, message: operation.err });
    }
    if operation.status_code == StatusCode::Failure {
        return Err(Error::internal(format!("The operation {} failed without saying why", operation.id)));
    }
    Ok(operation)
}
