//! Keys of instances: seeds that cloud-init reads at first boot.

use crate::table::keys;
use crate::value::cloud_init::{UserData, Yaml};
use crate::value::text::Text;

keys! {
    /// Seeds of cloud-init.
    CLOUD_INIT {
        /// Network seed.
        CLOUD_INIT_NETWORK_CONFIG: Yaml = "cloud-init.network-config" {
            default_text: "DHCP on eth0", condition: "if supported by image", since: "cloud_init",
        };
        /// User-data seed.
        CLOUD_INIT_USER_DATA: UserData = "cloud-init.user-data" {
            default: "#cloud-config", condition: "if supported by image", since: "cloud_init",
        };
        /// Vendor-data seed.
        CLOUD_INIT_VENDOR_DATA: UserData = "cloud-init.vendor-data" {
            default: "#cloud-config", condition: "if supported by image", since: "cloud_init",
        };
        /// Older key; text appended to the meta-data.
        USER_META_DATA: Text = "user.meta-data" { condition: "if supported by image" };
        /// Older name of cloud-init.network-config.
        USER_NETWORK_CONFIG: Text = "user.network-config" {
            default_text: "DHCP on eth0", condition: "if supported by image",
        };
        /// Older name of cloud-init.user-data.
        USER_USER_DATA: Text = "user.user-data" { default: "#cloud-config", condition: "if supported by image" };
        /// Older name of cloud-init.vendor-data.
        USER_VENDOR_DATA: Text = "user.vendor-data" { default: "#cloud-config", condition: "if supported by image" };
    }
}
