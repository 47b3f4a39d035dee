//! Networks, addresses, names and firewall rules. It knows networks and ports, not instances and not the database.
//!
//! [`registry::open`] makes a [`network::Network`] of a kind, a name and its config; [`port`] gives an instance's NIC its link.
#![forbid(unsafe_code)]

pub mod bridge;
pub mod config;
pub mod dnsmasq;
pub mod error;
pub mod firewall;
#[cfg(test)]
mod golden;
pub mod interface;
pub mod lease;
pub mod macvlan;
pub mod name;
pub mod network;
pub mod physical;
pub mod port;
pub mod registry;
pub mod state;
pub mod subnet;
mod sysctl;
pub mod zone;
