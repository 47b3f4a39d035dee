//! Server keys: clusters.

use crate::table::keys;
use crate::value::choice::OneOf;
use crate::value::expiry::Expiry;
use crate::value::listen_address::ListenAddress;
use crate::value::number::Counted;
use crate::value::text::Text;

/// Rules of numbers in a cluster, with the sentences of LXD.
const OFFLINE_THRESHOLD: Counted = Counted {
    not_a_number: "Offline threshold is not a number",
    rule: |seconds| seconds > 10,
    refused: "Value must be greater than '10'",
};
const MINIMAL_REPLICA: Counted = Counted {
    not_a_number: "Minimal image replica count is not a number",
    rule: |copies| copies >= 1 || copies == -1,
    refused: "Invalid value for image replica count",
};
const MAX_VOTERS: Counted = Counted {
    not_a_number: "Value is not a number",
    rule: |voters| voters >= 3 && voters % 2 == 1,
    refused: "Value must be an odd number equal to or higher than 3",
};
const MAX_STANDBY: Counted = Counted {
    not_a_number: "Value is not a number",
    rule: |standbys| (0..=5).contains(&standbys),
    refused: "Value must be between 0 and 5",
};

keys! {
    /// Clusters.
    CLUSTER {
        /// Where members talk to each other; fixed once clustered (as core.https_address, no wildcard).
        CLUSTER_HTTPS_ADDRESS: ListenAddress = "cluster.https_address" of (ListenAddress { wildcard: false }) {
            local: true, since: "clustering_server_address",
        };
        /// Copies of each image in the cluster; 1 none, -1 everywhere.
        CLUSTER_IMAGES_MINIMAL_REPLICA: Counted = "cluster.images_minimal_replica" of (MINIMAL_REPLICA) {
            default: "3", since: "clustering_image_replication",
        };
        /// Life of join tokens.
        CLUSTER_JOIN_TOKEN_EXPIRY: Expiry = "cluster.join_token_expiry" {
            default: "3H", since: "cluster_join_token_expiry",
        };
        /// Database stand-bys (0…5).
        CLUSTER_MAX_STANDBY: Counted = "cluster.max_standby" of (MAX_STANDBY) {
            default: "2", since: "clustering_sizing",
        };
        /// Database voters (odd ≥ 3).
        CLUSTER_MAX_VOTERS: Counted = "cluster.max_voters" of (MAX_VOTERS) {
            default: "3", since: "clustering_sizing",
        };
        /// Seconds of silence until a member counts as offline; at least 10.
        CLUSTER_OFFLINE_THRESHOLD: Counted = "cluster.offline_threshold" of (OFFLINE_THRESHOLD) { default: "20" };
    }
}

keys! {
    /// One member of a cluster.
    MEMBER {
        /// `all` any, `manual` only when targeted, `group` only through a group target.
        SCHEDULER_INSTANCE: OneOf = "scheduler.instance" of (OneOf(&["all", "group", "manual"])) { default: "all" };
        /// Free text.
        USER_ANY: Text = "user.*";
    }
}
