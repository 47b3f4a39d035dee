//! Questions, and what is said to them.

use domain::base::Name;
use domain::base::iana::Class;
use domain::tsig::{ClientSequence, ClientTransaction, KeyName};

use super::*;

const NOW: u64 = 1_795_896_269;
const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// `open.net` is for 10.0.0.1, `signed.net` for who signs; `large.net` has many records.
struct Zones;

impl Source for Zones {
    fn secrets(&self) -> Vec<(String, String)> {
        vec![("bad_key".into(), "not base64!".into()), ("signed.net_peer".into(), SECRET.into())]
    }

    fn zone(&self, name: &str) -> Option<(String, Config)> {
        let (key, value) = match name.to_ascii_lowercase().as_str() {
            "open.net" | "large.net" => ("peers.a.address", "10.0.0.1"),
            "signed.net" => ("peers.peer.key", SECRET),
            "nobody.net" => ("user.x", "y"),
            _ => return None,
        };
        Some((name.to_ascii_lowercase(), Config::from([(key.into(), value.into())])))
    }

    fn records(&self, name: &str, zone: &Zone) -> Option<Vec<Record>> {
        let count: u8 = if name == "large.net" { 255 } else { 1 };
        let names = (0..count).flat_map(|a| (0..count).map(move |b| [10, 0, a, b]));
        Some(
            names
                .filter_map(|address| zone.address(&format!("host-{}-{}", address[2], address[3]), address.into()))
                .collect(),
        )
    }
}

fn question(name: &str, kind: Rtype) -> AdditionalBuilder<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    let mut builder = builder.question();
    builder.push((name.parse::<Name<Vec<u8>>>().expect("a name"), kind, Class::IN)).expect("there is room");
    builder.additional()
}

fn ask(from: &str, way: Way, message: Vec<u8>) -> Vec<Message<Vec<u8>>> {
    let answers = answer(&Zones, from.parse().expect("an address"), way, message, NOW);
    answers.into_iter().map(|answer| Message::from_octets(answer).expect("a message")).collect()
}

/// The code of an answer and how many records it has.
fn told(answers: &[Message<Vec<u8>>]) -> String {
    let one = |message: &Message<Vec<u8>>| {
        assert_eq!((message.header().id(), message.header().qr()), (4711, true));
        format!("{} {}", message.header().rcode(), message.header_counts().ancount())
    };
    answers.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn only_what_other_servers_ask_is_answered_and_only_to_peers() {
    for (from, name, kind, said) in [
        ("10.0.0.1", "open.net", Rtype::SOA, "NOERROR 1"),
        ("10.0.0.1", "open.net", Rtype::AXFR, "NOERROR 3"),
        ("10.0.0.1", "OPEN.net", Rtype::IXFR, "NOERROR 3"),
        ("::ffff:10.0.0.1", "open.net", Rtype::AXFR, "NOERROR 3"),
        ("10.0.0.1", "open.net", Rtype::A, "NOTIMP 0"),
        ("10.0.0.1", "open.net", Rtype::ANY, "NOTIMP 0"),
        ("10.0.0.2", "open.net", Rtype::AXFR, "NXDOMAIN 0"),
        ("10.0.0.1", "sub.open.net", Rtype::AXFR, "NXDOMAIN 0"),
        ("10.0.0.1", "nobody.net", Rtype::AXFR, "NXDOMAIN 0"),
        ("10.0.0.1", "signed.net", Rtype::AXFR, "NXDOMAIN 0"),
        ("10.0.0.1", ".", Rtype::AXFR, "NXDOMAIN 0"),
        // A dot within a part of the name makes another name.
        ("10.0.0.1", "open\\.net", Rtype::AXFR, "NXDOMAIN 0"),
    ] {
        for way in [Way::Tcp, Way::Udp] {
            assert_eq!(told(&ask(from, way, question(name, kind).finish())), said, "{from} {name} {kind}");
        }
    }
}

#[test]
fn what_is_no_question_is_not_answered_or_refused() {
    let good = question("open.net", Rtype::AXFR).finish();
    for length in 0..12 {
        assert!(ask("10.0.0.1", Way::Udp, good[..length].to_vec()).is_empty(), "{length}");
    }
    for length in 12..good.len() {
        assert_eq!(told(&ask("10.0.0.1", Way::Udp, good[..length].to_vec())), "FORMERR 0", "{length}");
    }
    let with = |place: usize, value: u8| {
        let mut message = good.clone();
        message[place] = value;
        ask("10.0.0.1", Way::Tcp, message)
    };
    assert!(with(2, 0x80).is_empty(), "an answer is not answered");
    assert_eq!(told(&with(2, 0x28)), "NOTIMP 0", "an update");
    assert_eq!(told(&with(5, 2)), "FORMERR 0", "two questions");
    assert_eq!(told(&with(11, 1)), "NOERROR 3", "a record less than is said");
}

#[test]
fn many_questions_are_refused_in_few_words() {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    let mut builder = builder.question();
    for _ in 0..200 {
        let name = "open.net".parse::<Name<Vec<u8>>>().expect("a name");
        builder.push((name, Rtype::AXFR, Class::IN)).expect("there is room");
    }
    let answers = ask("10.0.0.1", Way::Udp, builder.finish());
    assert_eq!(told(&answers), "FORMERR 0");
    assert_eq!(answers[0].as_slice().len(), 12);
}

#[test]
fn signed_questions_get_signed_answers() {
    let now = Time48::from_u64(NOW);
    let key = |name: &str, algorithm, secret: &[u8]| {
        let name: KeyName = name.parse().expect("a name");
        Arc::new(Key::new(algorithm, secret, name, None, None).expect("a key"))
    };
    let secret = data_encoding::BASE64.decode(SECRET.as_bytes()).expect("base64");
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
        let mut asked = question("signed.net", Rtype::AXFR);
        let signing = ClientTransaction::request(key("signed.net_peer", algorithm, &secret), &mut asked, now);
        let mut answers = ask("10.0.0.9", Way::Tcp, asked.finish());
        assert_eq!(told(&answers), "NOERROR 3", "{algorithm:?}");
        signing.expect("it is signed").answer(&mut answers[0], now).expect("the answer is signed");
    }
    for (name, secret) in
        [("signed.net_peer", &b"another secret"[..]), ("signed.net_other", &secret), ("bad_key", b"x")]
    {
        let mut asked = question("signed.net", Rtype::AXFR);
        ClientTransaction::request(key(name, Algorithm::Sha256, secret), &mut asked, now).expect("it is signed");
        assert_eq!(told(&ask("10.0.0.9", Way::Tcp, asked.finish())), "NXDOMAIN 0", "{name}");
    }
    // In the smallest packet, with the signature.
    let mut asked = question("signed.net", Rtype::AXFR);
    ClientTransaction::request(key("signed.net_peer", Algorithm::Sha512, &secret), &mut asked, now)
        .expect("it is signed");
    let answers = ask("10.0.0.9", Way::Udp, asked.finish());
    assert_eq!((told(&answers).as_str(), answers[0].header().tc()), ("NOERROR 3", false));
    assert!(answers[0].as_slice().len() <= 512);
    // By way of another server, which numbers as it likes.
    let mut asked = question("signed.net", Rtype::AXFR);
    asked.header_mut().set_id(1);
    ClientTransaction::request(key("signed.net_peer", Algorithm::Sha256, &secret), &mut asked, now)
        .expect("it is signed");
    asked.header_mut().set_id(4711);
    assert_eq!(told(&ask("10.0.0.9", Way::Tcp, asked.finish())), "NOERROR 3");
    // From another hour.
    let mut asked = question("signed.net", Rtype::AXFR);
    let early = Time48::from_u64(NOW - 3600);
    ClientTransaction::request(key("signed.net_peer", Algorithm::Sha256, &secret), &mut asked, early).expect("signed");
    assert_eq!(told(&ask("10.0.0.9", Way::Tcp, asked.finish())), "NXDOMAIN 0");
}

#[test]
fn a_large_zone_goes_in_many_messages_or_not_in_a_packet() {
    let answers = ask("10.0.0.1", Way::Tcp, question("large.net", Rtype::AXFR).finish());
    let records: usize = answers.iter().map(|message| usize::from(message.header_counts().ancount())).sum();
    assert_eq!((records, answers.len() > 10), (255 * 255 + 2, true));
    let largest = answers.iter().map(|message| message.as_slice().len()).max();
    assert!(largest.is_some_and(|largest| largest <= usize::from(u16::MAX)), "{largest:?}");

    for (offered, most) in [(None, 512), (Some(100), 512), (Some(4096), 1232)] {
        let mut asked = question("large.net", Rtype::IXFR);
        if let Some(offered) = offered {
            asked
                .opt(|opt| {
                    opt.set_udp_payload_size(offered);
                    Ok(())
                })
                .expect("there is room");
        }
        let answers = ask("10.0.0.1", Way::Udp, asked.finish());
        assert_eq!(told(&answers), "NOERROR 1");
        assert!(answers[0].header().tc() && answers[0].as_slice().len() <= most, "{offered:?}");
    }
}

#[test]
fn a_large_zone_can_be_signed() {
    struct Signed;
    impl Source for Signed {
        fn secrets(&self) -> Vec<(String, String)> {
            Zones.secrets()
        }

        fn zone(&self, name: &str) -> Option<(String, Config)> {
            Some((name.to_string(), Config::from([("peers.peer.key".into(), SECRET.into())])))
        }

        fn records(&self, _: &str, zone: &Zone) -> Option<Vec<Record>> {
            Zones.records("large.net", zone)
        }
    }
    let now = Time48::from_u64(NOW);
    let secret = data_encoding::BASE64.decode(SECRET.as_bytes()).expect("base64");
    let name: KeyName = "signed.net_peer".parse().expect("a name");
    let key = Arc::new(Key::new(Algorithm::Sha512, &secret, name, None, None).expect("a key"));
    let mut asked = question("signed.net", Rtype::AXFR);
    let mut signing = ClientSequence::request(key, &mut asked, now).expect("it is signed");
    let answers = answer(&Signed, "10.0.0.1".parse().expect("an address"), Way::Tcp, asked.finish(), NOW);
    assert!(answers.len() > 10);
    for answer in answers {
        assert!(answer.len() <= usize::from(u16::MAX));
        let mut message = Message::from_octets(answer).expect("a message");
        signing.answer(&mut message, now).expect("each is signed");
    }
    signing.done().expect("all are signed");
}
