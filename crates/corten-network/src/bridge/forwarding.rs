//! Settings of the kernel's network stack that a bridge needs: its own IPv6, and forwarding between interfaces.

use super::plan::Plan;
use super::up::require_ipv6;
use crate::error::Result;
use crate::sysctl;

/// Switches the bridge's IPv6 on or off. Off without an address: else the host could be reached by the link's own
/// address, and would take one from a router inside an instance.
pub(super) fn prepare_ipv6(plan: &Plan) -> Result<()> {
    require_ipv6(plan)?;
    let key = |name: &str| format!("ipv6/conf/{}/{name}", plan.name);
    if plan.v6.is_none() {
        return sysctl::set_if_there(&key("disable_ipv6"), "1");
    }
    for (name, value) in [("disable_ipv6", "0"), ("autoconf", "0"), ("accept_dad", "0")] {
        sysctl::set(&key(name), value)?;
    }
    Ok(())
}

/// Lets packets pass between the bridge and other interfaces, where the plan routes.
pub(super) fn allow(plan: &Plan) -> Result<()> {
    if plan.v4.as_ref().is_some_and(|family| family.routing) {
        sysctl::set("ipv4/ip_forward", "1")?;
    }
    if plan.v6.as_ref().is_some_and(|family| family.routing) {
        let interfaces = sysctl::ipv6_interfaces();
        // A host that forwards no longer listens to routers, unless it is told to (2); so before forwarding is on.
        for interface in &interfaces {
            let key = format!("ipv6/conf/{interface}/accept_ra");
            if sysctl::get(&key)?.as_deref() == Some("1") {
                sysctl::set_if_there(&key, "2")?;
            }
        }
        for interface in &interfaces {
            sysctl::set_if_there(&format!("ipv6/conf/{interface}/forwarding"), "1")?;
        }
    }
    Ok(())
}
