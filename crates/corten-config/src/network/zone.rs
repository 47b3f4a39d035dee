//! Keys of network zones.

use corten_api::error::{Error, Result};

use crate::key::Config;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::ip::Address;
use crate::value::list::ListOf;
use crate::value::text::Text;

keys! {
    /// A DNS zone made from networks.
    ZONE {
        /// Names of the DNS servers that answer for the zone; the first stands in its SOA record.
        DNS_NAMESERVERS: ListOf<Text> = "dns.nameservers" of (ListOf(Text)) { since: "network_dns" };
        /// Whether addresses of networks with NAT stand in it.
        NETWORK_NAT: Bool = "network.nat" { default: "true", since: "network_dns_nat" };
        /// Where a server asks from that may have the zone.
        PEERS_ANY_ADDRESS: Address = "peers.<name>.address" { since: "network_dns" };
        /// The secret that its requests are signed with (TSIG), in base64; the key is called `ZONE_NAME`.
        PEERS_ANY_KEY: Text = "peers.<name>.key" { since: "network_dns" };
        /// Free text.
        USER_ANY: Text = "user.*" { since: "network_dns" };
    }
}

/// Refuses keys of peers that do not have the right number of parts.
pub(crate) fn check_names_of_keys(config: &Config) -> Result<()> {
    match config.keys().find(|key| key.starts_with("peers.") && key.split('.').count() != 3) {
        Some(key) => Err(Error::invalid(format!("Invalid network zone configuration key {key:?}"))),
        None => Ok(()),
    }
}
