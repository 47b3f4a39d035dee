//! Connections to an address of the host sent on to another: for proxy devices with `nat`, and for network forwards.

use std::net::IpAddr;

use super::{nft, run};
use crate::error::Result;

/// Where connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// `tcp` or `udp`; none, together with no ports, sends everything.
    pub protocol: Option<&'static str>,
    /// The address that is asked for.
    pub listen: IpAddr,
    /// Its ports.
    pub listen_ports: Vec<u16>,
    /// The address that answers; of the same family.
    pub target: IpAddr,
    /// As many ports as `listen_ports`, or one for all, or none for the same.
    pub target_ports: Vec<u16>,
}

/// Ports that one rule is about, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The first port and the last.
    pub ports: (u16, u16),
    /// The one port that answers all; none: each the same.
    pub to: Option<u16>,
}

impl Forward {
    /// The rules that it takes; with `joined`, neighbours that go alike share one.
    pub fn steps(&self, joined: bool) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (at, port) in self.listen_ports.iter().copied().enumerate() {
            let to = match self.target_ports.as_slice() {
                [] => port,
                [one] => *one,
                many => many.get(at).copied().unwrap_or(port),
            };
            let all_to_one = self.target_ports.len() == 1;
            if joined
                && let Some(last) = steps.last_mut()
                && last.ports.1.checked_add(1) == Some(port)
                && (if all_to_one { last.to == Some(to) } else { to == port && goes_to_itself(last) })
            {
                last.ports.1 = port;
                if !all_to_one {
                    last.to = None;
                }
                continue;
            }
            steps.push(Step { ports: (port, port), to: Some(to) });
        }
        steps
    }

    /// Ports of the target that are asked for; with `joined`, neighbours together.
    pub fn target_ranges(&self, joined: bool) -> Vec<(u16, u16)> {
        let ports = if self.target_ports.is_empty() { &self.listen_ports } else { &self.target_ports };
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for port in ports.iter().copied() {
            match ranges.last_mut() {
                Some(last) if joined && last.1.checked_add(1) == Some(port) => last.1 = port,
                _ => ranges.push((port, port)),
            }
        }
        ranges
    }
}

fn goes_to_itself(step: &Step) -> bool {
    step.to.is_none_or(|to| step.ports.0 == step.ports.1 && step.ports.0 == to)
}

/// Puts a proxy device's rule in force; `label` is `INSTANCE.DEVICE`, the instance with its project before it.
///
/// # Errors
/// When nft is not installed (Debian's `nftables`) or refuses.
pub fn set_proxy(label: &str, forward: &Forward) -> Result<()> {
    run(&nft::forwards("", label, std::slice::from_ref(forward)))
        .map_err(|error| error.context(format!("Failed adding proxy NAT rules for instance device {label:?}")))
}

/// Takes back [`set_proxy`].
///
/// # Errors
/// As [`set_proxy`].
pub fn clear_proxy(label: &str) -> Result<()> {
    run(&nft::clear_forwards("", label))
        .map_err(|error| error.context(format!("Failed clearing proxy NAT rules for instance device {label:?}")))
}

/// Puts the forwards of a network in the place of all its former ones, at once.
///
/// # Errors
/// As [`set_proxy`].
pub fn set_network(network: &str, forwards: &[Forward]) -> Result<()> {
    let text =
        if forwards.is_empty() { nft::clear_forwards("fwd", network) } else { nft::forwards("fwd", network, forwards) };
    run(&text).map_err(|error| error.context(format!("Failed applying the forwards of network {network:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(listen_ports: &[u16], target_ports: &[u16]) -> Forward {
        Forward {
            protocol: Some("tcp"),
            listen: "127.0.0.1".parse().expect("an address"),
            listen_ports: listen_ports.to_vec(),
            target: "10.0.0.2".parse().expect("an address"),
            target_ports: target_ports.to_vec(),
        }
    }

    #[test]
    fn neighbours_share_a_rule() {
        let step = |first, last, to| Step { ports: (first, last), to };
        let cases: [(&[u16], &[u16], Vec<Step>); 7] = [
            (&[80], &[80], vec![step(80, 80, Some(80))]),
            (&[80, 81], &[8080], vec![step(80, 81, Some(8080))]),
            (&[80, 81, 90], &[8080], vec![step(80, 81, Some(8080)), step(90, 90, Some(8080))]),
            (&[80, 81, 82], &[80, 81, 82], vec![step(80, 82, None)]),
            (&[80, 81], &[90, 91], vec![step(80, 80, Some(90)), step(81, 81, Some(91))]),
            (&[80, 81, 82], &[], vec![step(80, 82, None)]),
            (&[80, 81, 82], &[90, 81, 82], vec![step(80, 80, Some(90)), step(81, 82, None)]),
        ];
        for (listen, target, expected) in cases {
            assert_eq!(forward(listen, target).steps(true), expected, "{listen:?} {target:?}");
        }
        assert_eq!(forward(&[80, 81], &[]).steps(false), [step(80, 80, Some(80)), step(81, 81, Some(81))]);
    }
}
