//! Server keys: Candid and RBAC.

use crate::table::keys;
use crate::value::number::Integer;
use crate::value::text::Text;

keys! {
    /// Candid and RBAC.
    AUTHENTICATION {
        /// Public key of a Candid server without TLS.
        CANDID_API_KEY: Text = "candid.api.key" { since: "candid_config_key" };
        /// Candid server that authenticates.
        CANDID_API_URL: Text = "candid.api.url" { since: "candid_authentication" };
        /// Candid domains allowed, comma list; empty = all.
        CANDID_DOMAINS: Text = "candid.domains" { since: "candid_config" };
        /// Seconds a Candid macaroon lasts.
        CANDID_EXPIRY: Integer = "candid.expiry" { default: "3600", since: "candid_config" };
        /// Agent private key for RBAC.
        RBAC_AGENT_PRIVATE_KEY: Text = "rbac.agent.private_key" { since: "rbac" };
        /// Agent public key for RBAC.
        RBAC_AGENT_PUBLIC_KEY: Text = "rbac.agent.public_key" { since: "rbac" };
        /// Candid URL of the RBAC agent.
        RBAC_AGENT_URL: Text = "rbac.agent.url" { since: "rbac" };
        /// Agent name for RBAC.
        RBAC_AGENT_USERNAME: Text = "rbac.agent.username" { since: "rbac" };
        /// Seconds an RBAC macaroon lasts.
        RBAC_API_EXPIRY: Integer = "rbac.api.expiry" { default: "3600", since: "rbac" };
        /// Public key of an RBAC server without TLS.
        RBAC_API_KEY: Text = "rbac.api.key" { since: "rbac" };
        /// RBAC server.
        RBAC_API_URL: Text = "rbac.api.url" { since: "rbac" };
        /// Seconds an RBAC macaroon lasts, as older versions had it.
        RBAC_EXPIRY: Integer = "rbac.expiry" { default: "3600" };
    }
}
