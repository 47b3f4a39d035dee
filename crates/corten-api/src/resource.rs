//! The hardware of the host.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::{is_zero, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Resources, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    #[serde(deserialize_with = "nullable")]
    pub cpu: ResourcesCPU,
    #[serde(deserialize_with = "nullable")]
    pub memory: ResourcesMemory,
    #[serde(deserialize_with = "nullable")]
    pub gpu: ResourcesGPU,
    #[serde(deserialize_with = "nullable")]
    pub network: ResourcesNetwork,
    #[serde(deserialize_with = "nullable")]
    pub storage: ResourcesStorage,
    #[serde(deserialize_with = "nullable")]
    pub usb: ResourcesUSB,
    #[serde(deserialize_with = "nullable")]
    pub pci: ResourcesPCI,
    #[serde(deserialize_with = "nullable")]
    pub system: ResourcesSystem,
}

/// Resources cpu, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCPU {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub sockets: Vec<ResourcesCPUSocket>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources cpusocket, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCPUSocket {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub socket: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub cache: Vec<ResourcesCPUCache>,
    #[serde(deserialize_with = "nullable")]
    pub cores: Vec<ResourcesCPUCore>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub frequency: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub frequency_minimum: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub frequency_turbo: u64,
}

/// Resources cpucache, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCPUCache {
    #[serde(deserialize_with = "nullable")]
    pub level: u64,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub size: u64,
}

/// Resources cpucore, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCPUCore {
    #[serde(deserialize_with = "nullable")]
    pub core: u64,
    #[serde(deserialize_with = "nullable")]
    pub die: u64,
    #[serde(deserialize_with = "nullable")]
    pub threads: Vec<ResourcesCPUThread>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub frequency: u64,
}

/// Resources cputhread, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCPUThread {
    #[serde(deserialize_with = "nullable")]
    pub id: i64,
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable")]
    pub thread: u64,
    #[serde(deserialize_with = "nullable")]
    pub online: bool,
    #[serde(deserialize_with = "nullable")]
    pub isolated: bool,
}

/// Resources gpu, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPU {
    #[serde(deserialize_with = "nullable")]
    pub cards: Vec<ResourcesGPUCard>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources gpucard, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPUCard {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub driver_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drm: Option<ResourcesGPUCardDRM>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sriov: Option<ResourcesGPUCardSRIOV>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvidia: Option<ResourcesGPUCardNvidia>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub mdev: BTreeMap<String, ResourcesGPUCardMdev>,
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub pci_address: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub vendor_id: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub product: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub product_id: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub usb_address: String,
}

/// Resources gpucard drm, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPUCardDRM {
    #[serde(deserialize_with = "nullable")]
    pub id: u64,
    #[serde(deserialize_with = "nullable")]
    pub card_name: String,
    #[serde(deserialize_with = "nullable")]
    pub card_device: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub control_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub control_device: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub render_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub render_device: String,
}

/// Resources gpucard sriov, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPUCardSRIOV {
    #[serde(deserialize_with = "nullable")]
    pub current_vfs: u64,
    #[serde(deserialize_with = "nullable")]
    pub maximum_vfs: u64,
    #[serde(deserialize_with = "nullable")]
    pub vfs: Vec<ResourcesGPUCard>,
}

/// Resources gpucard nvidia, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPUCardNvidia {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub cuda_version: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub nvrm_version: String,
    #[serde(deserialize_with = "nullable")]
    pub brand: String,
    #[serde(deserialize_with = "nullable")]
    pub model: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub uuid: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub card_name: String,
    #[serde(deserialize_with = "nullable")]
    pub card_device: String,
}

/// Resources gpucard mdev, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesGPUCardMdev {
    #[serde(deserialize_with = "nullable")]
    pub api: String,
    #[serde(deserialize_with = "nullable")]
    pub available: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub devices: Vec<String>,
}

/// Resources network, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesNetwork {
    #[serde(deserialize_with = "nullable")]
    pub cards: Vec<ResourcesNetworkCard>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources network card, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesNetworkCard {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub driver_version: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ResourcesNetworkCardPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sriov: Option<ResourcesNetworkCardSRIOV>,
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub pci_address: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub vendor_id: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub product: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub product_id: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub firmware_version: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub usb_address: String,
}

/// Resources network card port, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesNetworkCardPort {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(deserialize_with = "nullable")]
    pub port: u64,
    #[serde(deserialize_with = "nullable")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub supported_modes: Vec<String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub supported_ports: Vec<String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub port_type: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub transceiver_type: String,
    #[serde(deserialize_with = "nullable")]
    pub auto_negotiation: bool,
    #[serde(deserialize_with = "nullable")]
    pub link_detected: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub link_speed: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub link_duplex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infiniband: Option<ResourcesNetworkCardPortInfiniband>,
}

/// Resources network card port infiniband, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesNetworkCardPortInfiniband {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub issm_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub issm_device: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub mad_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub mad_device: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub verb_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub verb_device: String,
}

/// Resources network card sriov, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesNetworkCardSRIOV {
    #[serde(deserialize_with = "nullable")]
    pub current_vfs: u64,
    #[serde(deserialize_with = "nullable")]
    pub maximum_vfs: u64,
    #[serde(deserialize_with = "nullable")]
    pub vfs: Vec<ResourcesNetworkCard>,
}

/// Resources storage, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStorage {
    #[serde(deserialize_with = "nullable")]
    pub disks: Vec<ResourcesStorageDisk>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources storage disk, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStorageDisk {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub device: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub read_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub size: u64,
    #[serde(deserialize_with = "nullable")]
    pub removable: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub wwn: String,
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub device_path: String,
    #[serde(deserialize_with = "nullable")]
    pub block_size: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub firmware_version: String,
    #[serde(deserialize_with = "nullable")]
    pub rpm: u64,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub serial: String,
    #[serde(deserialize_with = "nullable")]
    pub device_id: String,
    #[serde(deserialize_with = "nullable")]
    pub partitions: Vec<ResourcesStorageDiskPartition>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub pci_address: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub usb_address: String,
}

/// Resources storage disk partition, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStorageDiskPartition {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub device: String,
    #[serde(deserialize_with = "nullable")]
    pub read_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub size: u64,
    #[serde(deserialize_with = "nullable")]
    pub partition: u64,
}

/// Resources memory, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesMemory {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<ResourcesMemoryNode>,
    #[serde(deserialize_with = "nullable")]
    pub hugepages_total: u64,
    #[serde(deserialize_with = "nullable")]
    pub hugepages_used: u64,
    #[serde(deserialize_with = "nullable")]
    pub hugepages_size: u64,
    #[serde(deserialize_with = "nullable")]
    pub used: u64,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources memory node, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesMemoryNode {
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable")]
    pub hugepages_used: u64,
    #[serde(deserialize_with = "nullable")]
    pub hugepages_total: u64,
    #[serde(deserialize_with = "nullable")]
    pub used: u64,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources storage pool, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStoragePool {
    #[serde(deserialize_with = "nullable")]
    pub space: ResourcesStoragePoolSpace,
    #[serde(deserialize_with = "nullable")]
    pub inodes: ResourcesStoragePoolInodes,
}

/// Resources storage pool space, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStoragePoolSpace {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub used: u64,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources storage pool inodes, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStoragePoolInodes {
    #[serde(deserialize_with = "nullable")]
    pub used: u64,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources usb, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesUSB {
    #[serde(deserialize_with = "nullable")]
    pub devices: Vec<ResourcesUSBDevice>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources usbdevice, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesUSBDevice {
    #[serde(deserialize_with = "nullable")]
    pub bus_address: u64,
    #[serde(deserialize_with = "nullable")]
    pub device_address: u64,
    #[serde(deserialize_with = "nullable")]
    pub interfaces: Vec<ResourcesUSBDeviceInterface>,
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub vendor_id: String,
    #[serde(deserialize_with = "nullable")]
    pub product: String,
    #[serde(deserialize_with = "nullable")]
    pub product_id: String,
    #[serde(deserialize_with = "nullable")]
    pub speed: f64,
}

/// Resources usbdevice interface, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesUSBDeviceInterface {
    #[serde(deserialize_with = "nullable")]
    pub class: String,
    #[serde(deserialize_with = "nullable")]
    pub class_id: u64,
    #[serde(deserialize_with = "nullable")]
    pub driver: String,
    #[serde(deserialize_with = "nullable")]
    pub driver_version: String,
    #[serde(deserialize_with = "nullable")]
    pub number: u64,
    #[serde(deserialize_with = "nullable")]
    pub subclass: String,
    #[serde(deserialize_with = "nullable")]
    pub subclass_id: u64,
}

/// Resources pci, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesPCI {
    #[serde(deserialize_with = "nullable")]
    pub devices: Vec<ResourcesPCIDevice>,
    #[serde(deserialize_with = "nullable")]
    pub total: u64,
}

/// Resources pcidevice, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesPCIDevice {
    #[serde(deserialize_with = "nullable")]
    pub driver: String,
    #[serde(deserialize_with = "nullable")]
    pub driver_version: String,
    #[serde(deserialize_with = "nullable")]
    pub numa_node: u64,
    #[serde(deserialize_with = "nullable")]
    pub pci_address: String,
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub vendor_id: String,
    #[serde(deserialize_with = "nullable")]
    pub product: String,
    #[serde(deserialize_with = "nullable")]
    pub product_id: String,
    #[serde(deserialize_with = "nullable")]
    pub iommu_group: u64,
    #[serde(deserialize_with = "nullable")]
    pub vpd: ResourcesPCIVPD,
}

/// Resources pcivpd, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesPCIVPD {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub product_name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<String, String>,
}

/// Resources system, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesSystem {
    #[serde(deserialize_with = "nullable")]
    pub uuid: String,
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub product: String,
    #[serde(deserialize_with = "nullable")]
    pub family: String,
    #[serde(deserialize_with = "nullable")]
    pub version: String,
    #[serde(deserialize_with = "nullable")]
    pub sku: String,
    #[serde(deserialize_with = "nullable")]
    pub serial: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    pub firmware: Option<ResourcesSystemFirmware>,
    pub chassis: Option<ResourcesSystemChassis>,
    pub motherboard: Option<ResourcesSystemMotherboard>,
}

/// Resources system firmware, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesSystemFirmware {
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub date: String,
    #[serde(deserialize_with = "nullable")]
    pub version: String,
}

/// Resources system chassis, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesSystemChassis {
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub serial: String,
    #[serde(deserialize_with = "nullable")]
    pub version: String,
}

/// Resources system motherboard, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesSystemMotherboard {
    #[serde(deserialize_with = "nullable")]
    pub vendor: String,
    #[serde(deserialize_with = "nullable")]
    pub product: String,
    #[serde(deserialize_with = "nullable")]
    pub serial: String,
    #[serde(deserialize_with = "nullable")]
    pub version: String,
}
