//! Server keys: backups, MAAS, OVN, storage of the server's own files.

use crate::table::keys;
use crate::value::compression::Compression;
use crate::value::text::Text;

keys! {
    /// Backups, MAAS, OVN and the server's own files.
    SERVICES {
        /// Compressor for backups, as for images.
        BACKUPS_COMPRESSION_ALGORITHM: Compression = "backups.compression_algorithm" {
            default: "gzip", since: "backup_compression",
        };
        /// MAAS API key.
        MAAS_API_KEY: Text = "maas.api.key";
        /// MAAS server.
        MAAS_API_URL: Text = "maas.api.url";
        /// Name of this host in MAAS.
        MAAS_MACHINE: Text = "maas.machine" { default_text: "host name", local: true };
        /// OVS bridge that OVN uses.
        NETWORK_OVN_INTEGRATION_BRIDGE: Text = "network.ovn.integration_bridge" {
            default: "br-int", since: "network_type_ovn",
        };
        /// OVN northbound database.
        NETWORK_OVN_NORTHBOUND_CONNECTION: Text = "network.ovn.northbound_connection" {
            default: "unix:/var/run/ovn/ovnnb_db.sock", since: "network_type_ovn",
        };
        /// POOL/VOLUME that stores backup files.
        STORAGE_BACKUPS_VOLUME: Text = "storage.backups_volume" { local: true, since: "daemon_storage" };
        /// POOL/VOLUME that stores image files.
        STORAGE_IMAGES_VOLUME: Text = "storage.images_volume" { local: true, since: "daemon_storage" };
    }
}
