//! How far the daemon's start has come, and whether its end is near.

use tokio::sync::watch;

/// The stages of a daemon's life, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Pools and networks are being brought up.
    Starting,
    /// Requests are answered; instances are being taken up again.
    Serving,
    /// All is as it was before the restart.
    Ready,
    /// No new work is taken.
    ShuttingDown,
}

/// The stage, which can be waited for.
pub struct Ready(watch::Sender<Stage>);

impl Default for Ready {
    fn default() -> Ready {
        Ready(watch::Sender::new(Stage::Starting))
    }
}

impl Ready {
    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Goes on to a stage; it never goes back.
    pub fn reach(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let further = stage > *now;
            *now = (*now).max(stage);
            further
        });
    }

    /// Whether the daemon is about to end.
    pub fn is_shutting_down(&self) -> bool {
        self.stage() == Stage::ShuttingDown
    }
}
