//! Server keys: listening, trust, proxies.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::expiry::Expiry;
use crate::value::ip::V4;
use crate::value::listen_address::ListenAddress;
use crate::value::number::{InRange, Integer};
use crate::value::text::Text;

keys! {
    /// The server itself.
    CORE {
        /// Where the BGP speaker listens (host, ip, `[::]`, each with optional port).
        CORE_BGP_ADDRESS: ListenAddress = "core.bgp_address" of (ListenAddress { wildcard: true }) {
            local: true, since: "network_bgp",
        };
        /// Own autonomous system number (0…4294967294).
        CORE_BGP_ASN: InRange = "core.bgp_asn" of (InRange(0, 4_294_967_294)) { default: "0", since: "network_bgp" };
        /// Router id (IPv4).
        CORE_BGP_ROUTERID: V4 = "core.bgp_routerid" { local: true, since: "network_bgp" };
        /// Where the Go profiler is served (host, ip, `[::]`, each with optional port).
        CORE_DEBUG_ADDRESS: ListenAddress = "core.debug_address" of (ListenAddress { wildcard: true }) {
            local: true, since: "pprof_http",
        };
        /// Where the DNS server for zones listens (host, ip, `[::]`, each with optional port).
        CORE_DNS_ADDRESS: ListenAddress = "core.dns_address" of (ListenAddress { wildcard: true }) {
            local: true, since: "network_dns",
        };
        /// Where the API listens; empty = unix socket only (host, ip, `[::]`, each with optional port).
        CORE_HTTPS_ADDRESS: ListenAddress = "core.https_address" of (ListenAddress { wildcard: true }) {
            local: true, since: "clustering_server_address",
        };
        /// CORS header Allow-Credentials.
        CORE_HTTPS_ALLOWED_CREDENTIALS: Bool = "core.https_allowed_credentials";
        /// CORS header Allow-Headers.
        CORE_HTTPS_ALLOWED_HEADERS: Text = "core.https_allowed_headers";
        /// CORS header Allow-Methods.
        CORE_HTTPS_ALLOWED_METHODS: Text = "core.https_allowed_methods";
        /// CORS header Allow-Origin.
        CORE_HTTPS_ALLOWED_ORIGIN: Text = "core.https_allowed_origin";
        /// Proxies whose PROXY-protocol header is believed.
        CORE_HTTPS_TRUSTED_PROXY: Text = "core.https_trusted_proxy" { since: "server_trusted_proxy" };
        /// Extra listener that serves metrics only (host, ip, `[::]`, each with optional port).
        CORE_METRICS_ADDRESS: ListenAddress = "core.metrics_address" of (ListenAddress { wildcard: true }) {
            local: true,
        };
        /// Metrics need a trusted certificate.
        CORE_METRICS_AUTHENTICATION: Bool = "core.metrics_authentication" {
            default: "true", since: "metrics_authentication",
        };
        /// Proxy for outgoing HTTPS; environment otherwise.
        CORE_PROXY_HTTPS: Text = "core.proxy_https";
        /// Proxy for outgoing HTTP; environment otherwise.
        CORE_PROXY_HTTP: Text = "core.proxy_http";
        /// Hosts reached without proxy, comma list.
        CORE_PROXY_IGNORE_HOSTS: Text = "core.proxy_ignore_hosts";
        /// Life of client tokens; empty = for ever.
        CORE_REMOTE_TOKEN_EXPIRY: Expiry = "core.remote_token_expiry" { since: "remote_token_expiry" };
        /// Minutes that a shutdown waits for operations.
        CORE_SHUTDOWN_TIMEOUT: Integer = "core.shutdown_timeout" { default: "5" };
        /// Clients signed by the CA are trusted at once.
        CORE_TRUST_CA_CERTIFICATES: Bool = "core.trust_ca_certificates" { since: "trust_ca_certificates" };
        /// Password that adds a client; stored as scrypt hash, shown as `true`.
        CORE_TRUST_PASSWORD: Text = "core.trust_password" { hidden: true };
    }
}
