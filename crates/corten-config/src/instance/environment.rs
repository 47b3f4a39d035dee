//! Keys of instances: what is around them: environment, evacuation, kernel settings, free text.

use crate::key::{Aspect, Live, On};
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::OneOf;
use crate::value::text::{Environment, Text};

keys! {
    /// Surroundings of an instance.
    ENVIRONMENT {
        /// The agent gives interfaces the name and MTU of their devices.
        AGENT_NIC_CONFIG: Bool = "agent.nic_config" { default: "false", on: On::Machine };
        /// What evacuation does with it: `auto`, `migrate`, `live-migrate`, `stop`.
        CLUSTER_EVACUATE: OneOf = "cluster.evacuate" of (OneOf(&["auto", "migrate", "live-migrate", "stop"])) {
            default: "auto", since: "clustering_evacuation",
        };
        /// Environment of init and of exec.
        ENVIRONMENT_ANY: Environment = "environment.*" { live: Live::Yes };
        /// Modules loaded on the host before the start, comma list.
        LINUX_KERNEL_MODULES: Text = "linux.kernel_modules" { live: Live::Apply(Aspect::Modules), on: On::Container };
        /// Sysctl set inside the container.
        LINUX_SYSCTL_ANY: Text = "linux.sysctl.*" { on: On::Container, since: "linux_sysctl" };
        /// Free text for the user; visible through devlxd on instances.
        USER_ANY: Text = "user.*";
        /// Properties of the image it came from.
        IMAGE_ANY: Text = "image.*";
    }
}
