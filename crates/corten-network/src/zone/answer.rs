//! What is said to a question: bytes in, bytes out. Who asks is hostile until a peer of the zone.

use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::{Opcode, Rcode, Rtype};
use domain::base::message_builder::{AdditionalBuilder, AnswerBuilder, PushError};
use domain::base::name::ToName;
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, Key, KeyStore, ServerSequence};

use super::name::{self, dname};
use super::record::Record;
use super::{Zone, peer};
use crate::config::{Config, get};

/// How a question came, which is how the answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In one packet.
    Udp,
    /// On a connection: as many messages as are needed.
    Tcp,
}

/// What is known of zones, asked for while a question is answered.
pub trait Source {
    /// The secrets of all peers of all zones in base64, by the names of their keys.
    fn secrets(&self) -> Vec<(String, String)>;
    /// The zone of this name, whatever the case of its letters: its name as it is stored, and its keys.
    fn zone(&self, name: &str) -> Option<(String, Config)>;
    /// The records of the zone of this (stored) name, without its head.
    fn records(&self, name: &str, zone: &Zone) -> Option<Vec<Record>>;
}

/// What a packet may always be, and what it is at most, whatever the client says: so it is not cut up on its way.
const PACKET: usize = 512;
const LARGEST_PACKET: usize = 1232;

type Packet = Message<Vec<u8>>;
/// Without compression, as from LXD: the library takes names that differ in the case of letters for one.
type Buffer = Vec<u8>;
type Signing = Option<ServerSequence<Arc<Key>>>;

/// The messages that answer one. None for what is not a question at all. `now` is in seconds since 1970, and the number of
/// the zone's state besides, as LXD has it.
pub fn answer(source: &impl Source, from: IpAddr, way: Way, message: Vec<u8>, now: u64) -> Vec<Vec<u8>> {
    let Ok(mut message) = Packet::from_octets(message) else { return Vec::new() };
    if message.header().qr() {
        return Vec::new();
    }
    let said = found(source, from, &mut message, now)
        .and_then(|answer| answer.send(&message, way, Time48::from_u64(now)).map_err(|_| Rcode::SERVFAIL));
    said.unwrap_or_else(|rcode| vec![refusal(&message, rcode)])
}

/// With the question, if there is one: more than one may be more than fits into a packet.
fn refusal(message: &Packet, rcode: Rcode) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    if message.sole_question().is_ok() {
        return builder.start_error(message, rcode).finish();
    }
    let (asked, header) = (message.header(), builder.header_mut());
    header.set_id(asked.id());
    header.set_qr(true);
    header.set_opcode(asked.opcode());
    header.set_rd(asked.rd());
    header.set_rcode(rcode);
    builder.finish()
}

/// What is to be sent, and what signs it.
struct Answer {
    records: Vec<Record>,
    signing: Signing,
}

/// The zone's lines that were asked for, when the one who asks may have them. LXD's server says of what may not be had
/// that it is not there.
fn found(source: &impl Source, from: IpAddr, message: &mut Packet, now: u64) -> Result<Answer, Rcode> {
    if message.header().opcode() != Opcode::QUERY {
        return Err(Rcode::NOTIMP);
    }
    let question = message.sole_question().map_err(|_| Rcode::FORMERR)?;
    if !matches!(question.qtype(), Rtype::AXFR | Rtype::IXFR | Rtype::SOA) {
        return Err(Rcode::NOTIMP);
    }
    let (asked, kind) = (question.qname().to_bytes(), question.qtype());
    let (stored, config) = source.zone(&name::text(&asked)).ok_or(Rcode::NXDOMAIN)?;
    let zone = Zone::new(&stored, get(&config, "dns.nameservers")).map_err(|_| Rcode::NXDOMAIN)?;
    let signing = if message.header_counts().arcount() == 0 { None } else { signature(source, message, now) };
    let signer = signing.as_ref().map(|signing| signing.key().name());
    if !zone.is(&asked) || !peer::may(&stored, &config, from.to_canonical(), signer) {
        return Err(Rcode::NXDOMAIN);
    }
    let serial = u32::try_from(now & u64::from(u32::MAX)).unwrap_or_default();
    let records = match kind {
        // LXD's server says the first line twice here too, which means nothing.
        Rtype::SOA => zone.head(serial),
        _ => zone.whole(serial, source.records(&stored, &zone).ok_or(Rcode::SERVFAIL)?),
    };
    Ok(Answer { records, signing })
}

/// The signature of a message, when it has a good one; a bad one is as none.
fn signature(source: &impl Source, message: &mut Packet, now: u64) -> Signing {
    let id = message.header().id();
    let signing = ServerSequence::request(&Secrets(source.secrets()), message, Time48::from_u64(now)).ok().flatten();
    // Not the number that it was signed with: it may have come by another server, which gave it one of its own.
    message.header_mut().set_id(id);
    signing
}

struct Secrets(Vec<(String, String)>);

impl KeyStore for Secrets {
    type Key = Arc<Key>;

    /// As with LXD, one secret serves for all ways of signing.
    fn get_key<N: ToName>(&self, name: &N, algorithm: Algorithm) -> Option<Arc<Key>> {
        let is_it = |key: &&(String, String)| dname(&key.0).is_ok_and(|known| known.name_eq(name));
        let (_, secret) = self.0.iter().find(is_it)?;
        let secret = data_encoding::BASE64.decode(secret.trim().as_bytes()).ok()?;
        Key::new(algorithm, &secret, name.try_to_name().ok()?, None, None).ok().map(Arc::new)
    }
}

impl Answer {
    fn send(mut self, asked: &Packet, way: Way, now: Time48) -> Result<Vec<Vec<u8>>, PushError> {
        let largest = match way {
            Way::Tcp => usize::from(u16::MAX),
            Way::Udp => {
                let offered = asked.opt().map_or(PACKET, |opt| usize::from(opt.udp_payload_size()));
                offered.clamp(PACKET, LARGEST_PACKET)
            }
        };
        let signature = self.signing.as_ref().map_or(0, |signing| usize::from(signing.key().compose_len()));
        let limit = largest.saturating_sub(signature);
        let mut messages = Vec::new();
        let mut builder = start(asked, limit)?;
        for record in &self.records {
            if builder.push(record.clone()).is_ok() {
                continue;
            }
            if way == Way::Udp {
                return Ok(vec![self.cut(asked, limit, now)?]);
            }
            messages.push(sign(&mut self.signing, builder, now)?);
            builder = start(asked, limit)?;
            builder.push(record.clone())?;
        }
        messages.push(sign(&mut self.signing, builder, now)?);
        Ok(messages)
    }

    /// What says that the answer does not fit into a packet: only the zone's first line, where even that fits.
    fn cut(&mut self, asked: &Packet, limit: usize, now: Time48) -> Result<Vec<u8>, PushError> {
        let mut builder = start(asked, limit)?;
        builder.header_mut().set_tc(true);
        if let Some(first) = self.records.first() {
            let _ = builder.push(first.clone());
        }
        sign(&mut self.signing, builder, now)
    }
}

fn start(asked: &Packet, limit: usize) -> Result<AnswerBuilder<Buffer>, PushError> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_aa(true);
    builder.set_push_limit(limit);
    builder.start_answer(asked, Rcode::NOERROR)
}

fn sign(signing: &mut Signing, builder: AnswerBuilder<Buffer>, now: Time48) -> Result<Vec<u8>, PushError> {
    let mut additional: AdditionalBuilder<Buffer> = builder.additional();
    additional.clear_push_limit();
    if let Some(signing) = signing {
        signing.answer(&mut additional, now)?;
    }
    Ok(additional.finish())
}

#[cfg(test)]
mod tests;
