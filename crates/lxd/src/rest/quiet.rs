//! Notices that nothing has been asked for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Counts what stirs, so that the one who waits for quiet need not be told of each call.
#[derive(Default)]
pub struct Quiet {
    stirred: AtomicU64,
    first: Notify,
}

impl Quiet {
    /// Something begins or ends that takes memory.
    pub fn stir(&self) {
        // Only the first after a silence has somebody to wake.
        if self.stirred.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first.notify_one();
        }
    }

    /// Waits until something stirs, and then until nothing has for `calm`. For one who waits at a time.
    pub async fn returns(&self, calm: Duration) {
        self.first.notified().await;
        let mut known = self.stirred.load(Ordering::Relaxed);
        loop {
            sleep(calm).await;
            // What stirs from here on is the first again.
            match self.stirred.compare_exchange(known, 0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => known = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Instant;

    const CALM: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn quiet_comes_after_the_last_stir_and_only_then() {
        let quiet = Arc::new(Quiet::default());
        for _ in 0..2 {
            let mut returns = pin!(quiet.returns(CALM));
            let polled = returns.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Pending, "nothing stirred yet");
            quiet.stir();
            let other = quiet.clone();
            let last = tokio::spawn(async move {
                sleep(CALM / 2).await;
                let before = Instant::now();
                other.stir();
                before
            });
            returns.await;
            let returned = Instant::now();
            // On a machine that was slow the second stir came after the quiet, and is the first of the next time.
            let last = last.await.expect("a task without a panic");
            if last < returned {
                assert!(returned - last >= CALM, "{:?}", returned - last);
            } else {
                quiet.returns(CALM).await;
            }
        }
    }
}
