//! Maps in LXD's forms, what they say about ids, and what is refused.

use super::*;

#[test]
fn the_written_form_is_lxds() {
    let text = "[{\"Isuid\":true,\"Isgid\":false,\"Hostid\":1000000,\"Nsid\":0,\"Maprange\":1000000000},\
                {\"Isuid\":false,\"Isgid\":true,\"Hostid\":1000000,\"Nsid\":0,\"Maprange\":1000000000}]";
    let map = IdMap::both(1_000_000, 1_000_000_000);
    assert_eq!(map.to_json(), text);
    assert_eq!(IdMap::from_json(text), Ok(map));
    assert_eq!(IdMap::default().to_json(), "[]");
    for empty in ["[]", "null"] {
        assert_eq!(IdMap::from_json(empty), Ok(IdMap::default()));
    }
    for bad in
        ["", "{}", "[{}]", &text.replace("\"Hostid\":1000000,", "\"Hostid\":-1,"), &text.replace("true", "false")]
    {
        assert!(IdMap::from_json(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_new_entry_is_cut_out_of_older_ones() {
    let mut map = IdMap::both(100_000, 65_536);
    map.add(Entry { kind: Kind::Both, host: 1000, ns: 0, count: 1 }).expect("free ids");
    assert_eq!(map.lines(), ["u 0 1000 1", "g 0 1000 1", "u 1 100001 65535", "g 1 100001 65535"]);
    map.add(Entry { kind: Kind::Uid, host: 2000, ns: 65_530, count: 10 }).expect("free ids");
    assert_eq!(map.uid_map(), "0 1000 1\n1 100001 65529\n65530 2000 10\n");
    let same_host = Entry { kind: Kind::Gid, host: 100_005, ns: 70_000, count: 1 };
    assert_eq!(map.add(same_host), Err(Error::HostIdIsSubId));
}

#[test]
fn ids_go_both_ways() {
    let mut map = IdMap::both(100_000, 65_536);
    map.add(Entry { kind: Kind::Uid, host: 1000, ns: 1000, count: 1 }).expect("free ids");
    assert_eq!(
        (map.uid(0), map.uid(1000), map.gid(1000), map.uid(65_536)),
        (Some(100_000), Some(1000), Some(101_000), None)
    );
    let back = map.reversed();
    assert_eq!(
        (back.uid(100_000), back.uid(1000), back.gid(101_000), back.uid(0)),
        (Some(0), Some(1000), Some(1000), None)
    );
    assert_eq!(map.root_uid(), Some(100_000));
    assert_eq!(IdMap::default().root_uid(), Some(0));
}

#[test]
fn maps_are_compared_by_what_they_mean() {
    let entries = vec![Entry { kind: Kind::Both, host: 5, ns: 0, count: 9 }];
    assert!(IdMap { entries }.same_as(&IdMap::both(5, 9)));
    assert!(!IdMap::both(5, 8).same_as(&IdMap::both(5, 9)));
}

#[test]
fn raw_maps_are_read_or_refused_in_lxds_words() {
    let lines =
        |text| raw::parse(text).map(|entries| IdMap { entries }.lines().join("; ")).map_err(|error| error.to_string());
    assert_eq!(
        lines("both 1000 1000\nuid 50-60 500-510\n\ngid 7 8"),
        Ok("u 1000 1000 1; g 1000 1000 1; u 500 50 11; g 8 7 1".into())
    );
    for (text, error) in [
        ("both 1000", "Invalid ID map line \"both 1000\""),
        ("user 1 1", "Invalid ID map type \"user 1 1\""),
        ("uid 1-2-3 1", "Invalid ID map range \"1-2-3\""),
        ("uid 3-1 1", "Invalid ID map range \"3-1\""),
        ("uid x 1", "Invalid ID map range \"x\""),
        ("uid 1-2 1-3", "The ID map ranges are of different sizes \"uid 1-2 1-3\""),
        ("uid 1 4294967295", "Invalid ID map range \"uid 1 4294967295\""),
        ("uid 1 1\nuid 1 5", "Host id is in the range of subids"),
    ] {
        assert_eq!(lines(text), Err(error.to_string()), "{text}");
    }
}
