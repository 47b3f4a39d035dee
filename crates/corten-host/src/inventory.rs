//! What the host is made of: processors, memory, disks, network cards, system. Names are those of LXD's `Resources`.

pub mod architecture;
pub mod cpu;
pub mod memory;
pub mod network;
pub mod pci;
pub mod storage;
pub mod sysfs;
pub mod system;
pub mod usb;
