//! dnsmasq's file of leases, in which names are the guests' own.

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for lease in crate::network::lease::parse(&text) {
        assert!(!lease.hostname.contains(char::is_whitespace));
    }
}
