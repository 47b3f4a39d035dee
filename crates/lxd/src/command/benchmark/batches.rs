//! Work in batches: as many at once as a batch has, and the next batch when all of them are done.

use std::time::{Duration, Instant};

use corten_api::error::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::local::Local;

/// How often something is done, and how many at once.
pub struct Batches {
    /// In all.
    pub count: usize,
    /// At once; at least 1.
    pub size: usize,
}

impl Batches {
    /// Does it for each number from 0, each with a connection of its own; gives how long all took. What fails is said,
    /// and the rest done.
    pub fn run(&self, one: impl Fn(&mut Local, usize) -> Result<()> + Sync) -> Duration {
        say("Batch processing start");
        let begun = Instant::now();
        let mut next_word = self.size;
        for first in (0..self.count).step_by(self.size) {
            let last = (first + self.size).min(self.count);
            std::thread::scope(|scope| {
                for number in first..last {
                    let one = &one;
                    scope.spawn(move || {
                        if let Err(error) = Local::connect().and_then(|mut local| one(&mut local, number)) {
                            say(&error.to_string());
                        }
                    });
                }
            });
            if last >= next_word && last - first == self.size {
                let seconds = begun.elapsed().as_secs_f64();
                #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
                let rate = last as f64 / seconds;
                say(&format!("Processed {last} containers in {seconds:.3}s ({rate:.3}/s)"));
                next_word *= 2;
            }
        }
        let took = begun.elapsed();
        say(&format!("Batch processing completed in {:.3}s", took.as_secs_f64()));
        took
    }
}

/// Prints a line with the time of day.
pub fn say(text: &str) {
    println!("[{}] {text}", Timestamp::now().to_zoned_datetime(TimeZone::system()).strftime("%b %e %H:%M:%S%.3f"));
}
