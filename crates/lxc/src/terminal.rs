//! The user's terminal: raw while an instance has it, and put back whatever happens.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

use bytes::Bytes;
use corten_api::error::{Context, Error, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::{mpsc, oneshot};

/// Bytes read and sent at once.
const PIECE: usize = corten_client::websocket::FRAME;

/// Standard input in raw mode until this is dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Turns off echo, lines and signals of keys.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn new() -> Result<Raw> {
        let failed = |error: rustix::io::Errno| {
            let text = std::io::Error::from(error).to_string();
            Error::internal(text.split(" (os error").next().unwrap_or_default().to_lowercase())
        };
        let before = tcgetattr(std::io::stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has gone away needs no mending.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Columns and rows of a terminal; `None` when the descriptor is none.
pub fn size(of: impl AsFd) -> Option<(u16, u16)> {
    tcgetwinsize(of).ok().map(|size| (size.ws_col, size.ws_row))
}

/// Reads standard input on a thread of its own, since a terminal or pipe cannot be read in the background without
/// changing it for everyone who shares it. `sort` may take bytes out; its `false` ends the reading.
pub fn read_stdin(mut sort: impl FnMut(&mut Vec<u8>) -> bool + Send + 'static) -> mpsc::Receiver<Bytes> {
    let (to, from) = mpsc::channel(2);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = vec![0; PIECE];
        loop {
            let mut piece = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => buffer[..count].to_vec(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let more = sort(&mut piece);
            if (!piece.is_empty() && to.blocking_send(piece.into()).is_err()) || !more {
                return;
            }
        }
    });
    from
}

/// Writes what comes through a channel to a descriptor, on a thread of its own, so that a slow reader of one output
/// holds up neither the other nor the input. The receiver hears when all is written, or that nobody reads it any more.
///
/// # Errors
/// When the descriptor cannot be duplicated.
pub fn write_all(to: impl AsFd) -> Result<(mpsc::Sender<Bytes>, oneshot::Receiver<std::io::Result<()>>)> {
    // A file of its own writes what it is given at once; the library's standard output looks for line ends first.
    let mut to = File::from(rustix::io::dup(to).map_err(std::io::Error::from).context("Failed to use the output")?);
    let (sender, mut from) = mpsc::channel::<Bytes>(4);
    let (finished, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut write = || {
            while let Some(data) = from.blocking_recv() {
                to.write_all(&data)?;
            }
            Ok(())
        };
        // Whoever waits may have stopped waiting.
        let _ = finished.send(write());
    });
    Ok((sender, wait))
}
