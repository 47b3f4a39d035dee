//! Keys of instances: snapshots that are made and removed by themselves.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::expiry::Expiry;
use crate::value::schedule::Schedule;
use crate::value::text::Text;

keys! {
    /// Snapshots by schedule.
    SNAPSHOTS {
        /// Cron line or aliases (comma list); empty never.
        SNAPSHOTS_SCHEDULE: Schedule = "snapshots.schedule" of (Schedule { events: true }) {
            live: Live::Yes, since: "snapshot_scheduling",
        };
        /// Also while stopped.
        SNAPSHOTS_SCHEDULE_STOPPED: Bool = "snapshots.schedule.stopped" {
            default: "false", live: Live::Yes, since: "snapshot_scheduling",
        };
        /// Name: pongo2 text with `creation_date`, or `%d` counter.
        SNAPSHOTS_PATTERN: Text = "snapshots.pattern" {
            default: "snap%d", live: Live::Yes, since: "snapshot_scheduling",
        };
        /// Life: `30S 1M 2H 3d 4w 5m 6y` (seconds, minutes, hours, days, weeks, months, years).
        SNAPSHOTS_EXPIRY: Expiry = "snapshots.expiry" { live: Live::Yes, since: "snapshot_expiry" };
    }
}
