//! Ends of a proxy device: `tcp:10.0.0.1:80-82,443`, `udp:[::]:53`, `unix:/run/x`, `unix:@abstract`.

use super::Kind;
use super::go_text::{parse_int, quoted};
use super::ip;
use super::listen_address::split_host_port;

/// One end of a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// `tcp`, `udp` or `unix`.
    pub protocol: String,
    /// An IP address (empty for all), a path, or `@` and an abstract name.
    pub address: String,
    /// Ports in the order given; none for unix sockets.
    pub ports: Vec<u16>,
}

impl End {
    /// Whether it is an abstract unix socket.
    pub fn is_abstract(&self) -> bool {
        self.protocol == "unix" && self.address.starts_with('@')
    }
}

/// An end of a proxy device.
#[derive(Clone, Copy, Debug)]
pub struct ProxyAddress;

impl Kind for ProxyAddress {
    type Value = End;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<End, String> {
        let (protocol, rest) = text.split_once(':').unwrap_or((text, ""));
        if !matches!(protocol, "tcp" | "udp" | "unix") {
            return Err(format!("Unknown protocol type {}", quoted(protocol)));
        }
        if rest.is_empty() {
            return Err("Missing address".to_owned());
        }
        let mut end = End { protocol: protocol.to_owned(), ..End::default() };
        if protocol == "unix" {
            rest.clone_into(&mut end.address);
            return Ok(end);
        }
        let (host, ports) = split_host_port(rest)?;
        if !host.is_empty() && ip::parse(host).is_none() {
            return Err(format!("Not an IP address {}", quoted(host)));
        }
        host.clone_into(&mut end.address);
        for part in ports.split(',') {
            end.ports.extend(port_range(part)?);
            // Beyond LXD: there are no more, and what is named again and again would only fill memory.
            if end.ports.len() > 65_536 {
                return Err("Too many ports".to_owned());
            }
        }
        Ok(end)
    }

    fn accepts(&self) -> String {
        "tcp:ADDRESS:PORTS, udp:ADDRESS:PORTS, unix:PATH or unix:@NAME".to_owned()
    }
}

/// Ports of `80` or `80-90`.
fn port_range(text: &str) -> Result<std::ops::RangeInclusive<u16>, String> {
    let number = |part: &str| {
        let number = parse_int("ParseInt", part)?;
        // Beyond LXD, which would fail only when it listens.
        u16::try_from(number).map_err(|_| format!("Out of port number range (0-65535) {}", quoted(part)))
    };
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [port] => number(port).map(|port| port..=port),
        [first, last] => match (number(first)?, number(last)?) {
            (first, last) if first < last => Ok(first..=last),
            _ => Err("End port should be higher than start port".to_owned()),
        },
        _ => Err(format!("Invalid port range {}", quoted(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        let end = ProxyAddress.parse("tcp:127.0.0.1:80-82,443").expect("an end");
        assert_eq!((end.address.as_str(), end.ports.as_slice()), ("127.0.0.1", &[80, 81, 82, 443][..]));
        assert_eq!(ProxyAddress.parse("udp:[::1]:53").expect("an end").address, "::1");
        assert!(ProxyAddress.parse("unix:@x").expect("an end").is_abstract());
        assert_eq!(ProxyAddress.parse("tcp::80").expect("an end").address, "");
    }

    #[test]
    fn refusals() {
        let cases = [
            ("sctp:1.2.3.4:5", "Unknown protocol type \"sctp\""),
            ("tcp", "Missing address"),
            ("unix:", "Missing address"),
            ("tcp:1.2.3.4", "address 1.2.3.4: missing port in address"),
            ("tcp:host:80", "Not an IP address \"host\""),
            ("tcp:1.2.3.4:9-8", "End port should be higher than start port"),
            ("tcp:1.2.3.4:1-2-3", "Invalid port range \"1-2-3\""),
            ("tcp:1.2.3.4:x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("tcp:1.2.3.4:70000", "Out of port number range (0-65535) \"70000\""),
        ];
        for (text, expected) in cases {
            assert_eq!(ProxyAddress.parse(text), Err(expected.to_owned()));
        }
        let again = format!("tcp:1.2.3.4:{}1", "1-65535,".repeat(1000));
        assert_eq!(ProxyAddress.parse(&again), Err("Too many ports".to_owned()));
    }
}
