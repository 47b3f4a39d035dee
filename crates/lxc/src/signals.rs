//! Signals that are passed on to a command in an instance.

use std::future::poll_fn;
use std::task::Poll;

use corten_api::error::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The window's size has changed.
pub const WINDOW: i32 = 28;
/// The terminal has gone.
pub const HANGUP: i32 = 1;
/// Please end.
pub const TERMINATE: i32 = 15;

/// All that LXD's client passes on, but for SIGSEGV, which means here that this program is broken: window, terminate,
/// hang up, interrupt, quit, abort, stop key, background reading and writing, the two user signals, continue.
const PASSED: [i32; 12] = [WINDOW, TERMINATE, HANGUP, 2, 3, 6, 20, 21, 22, 10, 12, 18];

/// A stream of signals that this program gets and does not act on itself any more.
pub struct Signals {
    each: Vec<(i32, Signal)>,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub fn new() -> Result<Signals> {
        let each = PASSED.into_iter().map(|number| Ok((number, signal(SignalKind::from_raw(number))?)));
        let each: std::io::Result<Vec<_>> = each.collect();
        Ok(Signals { each: each.context("Failed to listen for signals")? })
    }

    /// The next signal's number.
    pub async fn next(&mut self) -> i32 {
        poll_fn(|cx| {
            for (number, signal) in &mut self.each {
                if signal.poll_recv(cx).is_ready() {
                    return Poll::Ready(*number);
                }
            }
            Poll::Pending
        })
        .await
    }
}
