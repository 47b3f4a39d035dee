//! Keys of instances: NVIDIA's libraries inside containers.

use crate::key::On;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::text::Text;

keys! {
    /// NVIDIA and CUDA.
    NVIDIA {
        /// NVIDIA_DRIVER_CAPABILITIES.
        NVIDIA_DRIVER_CAPABILITIES: Text = "nvidia.driver.capabilities" {
            default: "compute,utility", on: On::Container, since: "nvidia_runtime_config",
        };
        /// Bind the host driver libraries in.
        NVIDIA_RUNTIME: Bool = "nvidia.runtime" {
            default: "false", on: On::Container, since: "nvidia_runtime_config",
        };
        /// NVIDIA_REQUIRE_CUDA.
        NVIDIA_REQUIRE_CUDA: Text = "nvidia.require.cuda" { on: On::Container, since: "nvidia_runtime_config" };
        /// NVIDIA_REQUIRE_DRIVER.
        NVIDIA_REQUIRE_DRIVER: Text = "nvidia.require.driver" { on: On::Container, since: "nvidia_runtime_config" };
    }
}
