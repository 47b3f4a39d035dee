//! The graphical console of a machine: a SPICE socket on this host for a viewer, relayed to the server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_console::InstanceConsolePost;
use corten_api::url::path;
use corten_client::exec::{receive_all, socket_path};
use corten_client::operation::Running;
use corten_client::server::Server;
use futures_util::{SinkExt, StreamExt};
use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_tungstenite::tungstenite::Message;

use crate::printer;
use crate::session::Session;

/// Viewers, and how they are told of a socket.
const VIEWERS: [(&str, &str); 2] = [("remote-viewer", ""), ("spicy", "--uri=")];

/// A socket that goes away with this value.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Offers the console on a socket, starts a viewer if there is one, and waits for its end.
///
/// # Errors
/// When the server refuses, or the socket cannot be made.
pub async fn attach(session: &Session, server: &Server, name: &str) -> Result<()> {
    let folder = session.config.borrow().folder.join("sockets");
    std::fs::create_dir_all(&folder).with_context(|| format!("Failed to create {}", folder.display()))?;
    let socket = Socket(folder.join(format!("{}.spice", std::process::id())));
    let listener =
        UnixListener::bind(&socket.0).with_context(|| format!("Failed to listen on {}", socket.0.display()))?;
    let post = InstanceConsolePost { r#type: "vga".to_owned(), ..InstanceConsolePost::default() };
    let running = server.start(Method::POST, &path(["instances", name, "console"]), &post, "").await?;
    let mut control = server.websocket(&socket_path(running.first(), "control")?).await?;
    let uri = format!("spice+unix://{}", socket.0.display());
    let viewer = VIEWERS.iter().find(|(program, _)| is_in_path(program));
    let outcome = match viewer {
        Some((program, option)) => {
            let mut child = tokio::process::Command::new(program)
                .arg(format!("{option}{uri}"))
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .context("Failed starting command")?;
            tokio::select! {
                _ = child.wait() => Ok(()),
                outcome = serve(&listener, &running) => outcome,
            }
        }
        None => {
            printer::print_line("LXD automatically uses either spicy or remote-viewer when present.");
            printer::print_line("As neither could be found, the raw SPICE socket can be found at:");
            printer::print_line(&format!("  {uri}"));
            serve(&listener, &running).await
        }
    };
    let _ = control.close(None).await;
    outcome?;
    running.wait().await.map(drop)
}

fn is_in_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| Path::new(&folder).join(program).is_file())
}

/// Serves viewers until the last of those that came has gone.
async fn serve(listener: &UnixListener, running: &Running) -> Result<()> {
    let mut viewers = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("Failed to accept a viewer")?;
                viewers.spawn(relay(stream, running.clone()));
            }
            Some(ended) = viewers.join_next() => {
                ended.map_err(|error| Error::internal(error.to_string()))??;
                if viewers.is_empty() {
                    return Ok(());
                }
            }
        }
    }
}

/// One connection of a viewer; each has a websocket of its own.
async fn relay(stream: UnixStream, running: Running) -> Result<()> {
    let (mut to, from) = running.server().websocket(&socket_path(running.first(), "0")?).await?.split();
    let (mut read, mut write) = stream.into_split();
    let (sender, mut pieces) = tokio::sync::mpsc::channel(4);
    let down = async {
        tokio::join!(receive_all(from, sender), async {
            while let Some(data) = pieces.recv().await {
                if write.write_all(&data).await.is_err() {
                    return;
                }
            }
        });
    };
    let up = async {
        let mut buffer = vec![0; corten_client::websocket::FRAME];
        while let Ok(count @ 1..) = read.read(&mut buffer).await {
            let data = bytes::Bytes::copy_from_slice(&buffer[..count]);
            if to.send(Message::Binary(data)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = down => {}, () = up => {} }
    Ok(())
}
