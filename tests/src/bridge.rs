//! A bridge of the administrator's own, as the article has it.

use crate::Host;

impl Host {
    /// Makes the bridge `virbr0`, 10.77.0.1/24, with a DHCP server that gives 10.77.0.50 to 60; [`Host::end_dhcp`] ends it.
    ///
    /// # Panics
    /// When it cannot be made, as where dnsmasq (Debian's dnsmasq-base) is not installed.
    #[track_caller]
    pub fn bridge_with_dhcp(&self) {
        self.sh("ip link add virbr0 type bridge; ip addr add 10.77.0.1/24 dev virbr0; ip link set virbr0 up
             dnsmasq --conf-file=/dev/null --interface=virbr0 --bind-interfaces --port=0 --user=root \
                     --dhcp-range=10.77.0.50,10.77.0.60 --dhcp-leasefile=$PWD/leases --pid-file=$PWD/dhcp.pid");
    }

    /// Ends the DHCP server of the bridge.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn end_dhcp(&self) {
        self.sh("kill $(cat dhcp.pid)");
    }
}
