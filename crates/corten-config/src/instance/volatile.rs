//! Keys of instances that the server itself keeps: what it remembers between starts.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::number::Integer;
use crate::value::text::{Text, Uuid};

keys! {
    /// What is remembered of an instance.
    VOLATILE {
        /// Template trigger due at next start (`create`, `copy`).
        VOLATILE_APPLY_TEMPLATE: Text = "volatile.apply_template";
        /// Rebuild NVRAM at next start.
        VOLATILE_APPLY_NVRAM: Bool = "volatile.apply_nvram";
        /// Fingerprint it came from.
        VOLATILE_BASE_IMAGE: Text = "volatile.base_image";
        /// Instance-id cloud-init sees; renewed when seeds change.
        VOLATILE_CLOUD_INIT_INSTANCE_ID: Uuid = "volatile.cloud-init.instance-id";
        /// Member it was evacuated from.
        VOLATILE_EVACUATE_ORIGIN: Text = "volatile.evacuate.origin";
        /// First host id.
        VOLATILE_IDMAP_BASE: Integer = "volatile.idmap.base";
        /// Map in use, JSON.
        VOLATILE_IDMAP_CURRENT: Text = "volatile.idmap.current";
        /// Map for the next start, JSON.
        VOLATILE_IDMAP_NEXT: Text = "volatile.idmap.next";
        /// Map the files are on disk with, JSON.
        VOLATILE_LAST_STATE_IDMAP: Text = "volatile.last_state.idmap";
        /// RUNNING or STOPPED when last seen.
        VOLATILE_LAST_STATE_POWER: Text = "volatile.last_state.power";
        /// Vsock CID.
        VOLATILE_VSOCK_ID: Integer = "volatile.vsock_id";
        /// UUID.
        VOLATILE_UUID: Uuid = "volatile.uuid";
        /// Quota of the root disk due at next start, as older versions kept it.
        VOLATILE_APPLY_QUOTA: Text = "volatile.apply_quota";
    }
}

keys! {
    /// What is remembered of a device of an instance.
    VOLATILE_DEVICE {
        /// Quota due at next start.
        VOLATILE_ANY_APPLY_QUOTA: Text = "volatile.<name>.apply_quota";
        /// Mapped RBD device.
        VOLATILE_ANY_CEPH_RBD: Text = "volatile.<name>.ceph_rbd";
        /// Host-side name.
        VOLATILE_ANY_HOST_NAME: Text = "volatile.<name>.host_name";
        /// MAC given to it (00:16:3e:…).
        VOLATILE_ANY_HWADDR: Text = "volatile.<name>.hwaddr";
        /// We made the parent VLAN interface.
        VOLATILE_ANY_LAST_STATE_CREATED: Text = "volatile.<name>.last_state.created";
        /// MTU to give back.
        VOLATILE_ANY_LAST_STATE_MTU: Text = "volatile.<name>.last_state.mtu";
        /// MAC to give back.
        VOLATILE_ANY_LAST_STATE_HWADDR: Text = "volatile.<name>.last_state.hwaddr";
        /// VF number.
        VOLATILE_ANY_LAST_STATE_VF_ID: Text = "volatile.<name>.last_state.vf.id";
        /// VF MAC to give back.
        VOLATILE_ANY_LAST_STATE_VF_HWADDR: Text = "volatile.<name>.last_state.vf.hwaddr";
        /// VF VLAN to give back.
        VOLATILE_ANY_LAST_STATE_VF_VLAN: Text = "volatile.<name>.last_state.vf.vlan";
        /// VF spoof check to give back.
        VOLATILE_ANY_LAST_STATE_VF_SPOOFCHECK: Text = "volatile.<name>.last_state.vf.spoofcheck";
        /// Name of the interface inside.
        VOLATILE_ANY_NAME: Text = "volatile.<name>.name";
        /// Number of a virtual function or part.
        VOLATILE_ANY_ID: Text = "volatile.<name>.id";
        /// MTU of the interface before it was taken.
        VOLATILE_ANY_MTU: Text = "volatile.<name>.mtu";
        /// Whether we made the interface.
        VOLATILE_ANY_CREATED: Text = "volatile.<name>.created";
        /// VLAN of a virtual function before it was taken.
        VOLATILE_ANY_VLAN: Text = "volatile.<name>.vlan";
        /// Whether a virtual function checked for spoofing before it was taken.
        VOLATILE_ANY_SPOOFCHECK: Text = "volatile.<name>.spoofcheck";
        /// Interface that the virtual function belongs to.
        VOLATILE_ANY_LAST_STATE_VF_PARENT: Text = "volatile.<name>.last_state.vf.parent";
        /// Driver that a PCI device had before it was passed through.
        VOLATILE_ANY_DRIVER: Text = "volatile.<name>.driver";
        /// UUID of a mediated device.
        VOLATILE_ANY_UUID: Text = "volatile.<name>.uuid";
    }
}
