//! Keys of instances: when they start and stop by themselves.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::number::Integer;

keys! {
    /// Start and stop with the host.
    BOOT {
        /// Start with the daemon; unset = as it was left.
        BOOT_AUTOSTART: Bool = "boot.autostart" { live: Live::Yes };
        /// Seconds to wait after it before the next one starts.
        BOOT_AUTOSTART_DELAY: Integer = "boot.autostart.delay" { default: "0", live: Live::Yes };
        /// Higher starts earlier.
        BOOT_AUTOSTART_PRIORITY: Integer = "boot.autostart.priority" { default: "0", live: Live::Yes };
        /// Seconds for a clean stop at host shutdown, then killed.
        BOOT_HOST_SHUTDOWN_TIMEOUT: Integer = "boot.host_shutdown_timeout" {
            default: "30", live: Live::Yes, since: "container_host_shutdown_timeout",
        };
        /// Higher stops earlier.
        BOOT_STOP_PRIORITY: Integer = "boot.stop.priority" {
            default: "0", live: Live::Yes, since: "container_stop_priority",
        };
    }
}
