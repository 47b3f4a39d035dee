//! The sockets of the DNS server for network zones: an address that comes and goes with the configuration, questions that
//! hop to a thread, and limits for those who ask. It knows nothing of the daemon.

mod tcp;
mod udp;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use corten_api::error::{Context, Error, Result};
use corten_network::zone::answer::Way;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The port of an address that names none.
pub const DEFAULT_PORT: u16 = 53;

/// Answers one message; blocks. Gives several where the answer does not fit into one, and none for what is no question.
pub type Answering = Arc<dyn Fn(IpAddr, Way, Vec<u8>) -> Vec<Vec<u8>> + Send + Sync>;

/// A DNS server whose address can be changed while it runs.
pub struct Dns {
    runtime: Handle,
    answering: Answering,
    running: Mutex<Option<Running>>,
}

struct Running {
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Dns {
    /// A server that does not listen yet.
    pub fn new(runtime: Handle, answering: Answering) -> Dns {
        Dns { runtime, answering, running: Mutex::default() }
    }

    /// Listens on `address` from now on, or nowhere. After a failure it listens where it did. Blocks, and must not be
    /// called on a thread of the runtime.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen_on(&self, address: Option<SocketAddr>) -> Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let old = running.as_ref().map(|running| running.address);
        if old == address {
            return Ok(());
        }
        // Closed first: one address and all addresses of one port cannot be had side by side.
        if let Some(running) = running.take() {
            self.close(running);
        }
        let Some(address) = address else { return Ok(()) };
        match self.start(address) {
            Ok(started) => *running = Some(started),
            Err(error) => {
                *running = old.and_then(|old| self.start(old).ok());
                return Err(error);
            }
        }
        Ok(())
    }

    fn close(&self, running: Running) {
        for task in running.tasks {
            task.abort();
            // The socket goes with the task, and is to be gone before another is made.
            let _ = self.runtime.block_on(task);
        }
    }

    fn start(&self, address: SocketAddr) -> Result<Running> {
        let refused = |error: std::io::Error| {
            Error::internal(format!("Failed to bind DNS address {:?}: {error}", address.to_string()))
        };
        let tcp = std::net::TcpListener::bind(address).map_err(refused)?;
        let udp = std::net::UdpSocket::bind(address).map_err(refused)?;
        let _runtime = self.runtime.enter();
        tcp.set_nonblocking(true).and_then(|()| udp.set_nonblocking(true)).context("Failed to prepare DNS sockets")?;
        let tcp = TcpListener::from_std(tcp).context("Failed to prepare the DNS listener")?;
        let udp = UdpSocket::from_std(udp).context("Failed to prepare the DNS socket")?;
        let tasks = [
            self.runtime.spawn(tcp::serve(tcp, self.answering.clone())),
            self.runtime.spawn(udp::serve(udp, self.answering.clone())),
        ];
        Ok(Running { address, tasks })
    }
}

/// The messages that answer one, made on a thread that may block.
async fn answers(answering: &Answering, from: IpAddr, way: Way, message: Vec<u8>) -> Vec<Vec<u8>> {
    let answering = answering.clone();
    tokio::task::spawn_blocking(move || answering(from, way, message)).await.unwrap_or_default()
}

#[cfg(test)]
mod tests;
