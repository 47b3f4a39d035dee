//! DNS zones made from networks: what stands in them, and who may have it.

pub mod answer;
pub mod name;
pub mod peer;
pub mod record;

use std::collections::HashSet;
use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use domain::base::{Serial, ToName, Ttl};
use domain::rdata::{A, Aaaa, Ns, Ptr, Soa, ZoneRecordData};

use crate::config;
use name::{Dname, dname};
use record::{Data, Record, TTL};

/// How long others may keep the first line of a zone, in seconds.
const SOA_TTL: u32 = 3600;
/// LXD's hints to other servers in seconds: when to ask again, when after a failure, when to forget, and for how long to
/// remember that there is no such name.
const TIMES: [u32; 4] = [120, 60, 86_400, 30];
/// What the names of zones end with that give the names of addresses.
const REVERSE_V4: &str = ".in-addr.arpa";
const REVERSE_V6: &str = ".ip6.arpa";

/// Which way a zone leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From names to addresses.
    Forward,
    /// From IPv4 addresses to names.
    ReverseV4,
    /// From IPv6 addresses to names.
    ReverseV6,
}

/// A zone's name and the servers that it names.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Dname,
    way: Way,
    servers: Vec<Dname>,
}

impl Zone {
    /// The zone of a name, with the list of `dns.nameservers`. Servers that are no names are left out.
    ///
    /// # Errors
    /// Why `name` is not one of DNS.
    pub fn new(name: &str, servers: &str) -> Result<Zone, String> {
        let way = match () {
            () if name.ends_with(REVERSE_V4) => Way::ReverseV4,
            () if name.ends_with(REVERSE_V6) => Way::ReverseV6,
            () => Way::Forward,
        };
        let servers = config::list(servers).filter_map(|server| dname(server).ok()).collect();
        Ok(Zone { name: dname(name)?, way, servers })
    }

    /// Which way it leads.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Its first line and the servers that it names. `serial` grows with every change.
    pub fn head(&self, serial: u32) -> Vec<Record> {
        let mut head = vec![self.soa(serial)];
        head.extend(
            self.servers.iter().map(|server| self.at(&self.name, TTL, ZoneRecordData::Ns(Ns::new(server.clone())))),
        );
        head
    }

    /// All of it as it is transferred: the head, each record once, and the first line again.
    pub fn whole(&self, serial: u32, records: Vec<Record>) -> Vec<Record> {
        let mut seen = HashSet::new();
        let mut whole = self.head(serial);
        whole.extend(records.into_iter().filter(|record| seen.insert(record.to_string())));
        whole.push(self.soa(serial));
        whole
    }

    /// The first server is named in the place of the mail address, as LXD does.
    fn soa(&self, serial: u32) -> Record {
        let hostmaster = || dname(&format!("hostmaster.{}", name::text(&self.name))).ok();
        let mailbox = self.servers.first().cloned().or_else(hostmaster).unwrap_or_else(|| self.name.clone());
        let [refresh, retry, expire, minimum] = TIMES.map(Ttl::from_secs);
        let soa = Soa::new(self.name.clone(), mailbox.clone(), Serial(serial), refresh, retry, expire, minimum);
        self.at(&self.name, SOA_TTL, ZoneRecordData::Soa(soa))
    }

    fn at(&self, owner: &Dname, ttl: u32, data: Data) -> Record {
        Record::new(owner.clone(), Class::IN, Ttl::from_secs(ttl), data)
    }

    /// The address of a host of this zone; none for a name that no host can have, as a guest may have chosen it.
    pub fn address(&self, host: &str, address: IpAddr) -> Option<Record> {
        let owner = name::below(name::is_of_host(host).then_some(host)?, &self.name).ok()?;
        let data = match address {
            IpAddr::V4(v4) => ZoneRecordData::A(A::new(v4)),
            IpAddr::V6(v6) => ZoneRecordData::Aaaa(Aaaa::new(v6)),
        };
        Some(self.at(&owner, TTL, data))
    }

    /// The name of an address of this zone, which is of a host of the zone `forward`; none where the address belongs to
    /// another zone.
    pub fn pointer(&self, host: &str, forward: &Zone, address: IpAddr) -> Option<Record> {
        let target = name::below(name::is_of_host(host).then_some(host)?, &forward.name).ok()?;
        let owner = dname(&name::reverse(address)).ok().filter(|owner| owner.ends_with(&self.name))?;
        Some(self.at(&owner, TTL, ZoneRecordData::Ptr(Ptr::new(target.clone()))))
    }

    /// What a user wrote for a name of this zone, `@` for the zone itself.
    ///
    /// # Errors
    /// What is wrong with name or value.
    pub fn record(&self, name: &str, ttl: u64, kind: &str, value: &str) -> Result<Record, String> {
        let owner = if name == "@" { self.name.clone() } else { name::below(name, &self.name)? };
        let (ttl, data) = record::read(ttl, kind, value)?;
        Ok(self.at(&owner, ttl, data))
    }

    /// Whether this is the zone that a question names.
    fn is(&self, asked: &impl ToName) -> bool {
        self.name.name_eq(asked)
    }
}

/// The lines of a zone, as a zone's file has them.
pub fn text(records: &[Record]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Whether a record is of this type, for those who look at a zone.
pub fn is_of(record: &Record, kind: Rtype) -> bool {
    use domain::base::rdata::RecordData;
    record.data().rtype() == kind
}

#[cfg(test)]
mod tests;
