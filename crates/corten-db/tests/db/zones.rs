//! Network zones and their records.

use corten_db::console::run;
use corten_db::table::{Config, network_zone_records as records, network_zones as zones};
use corten_db::{Which, params};

use crate::scratch;

fn zone(name: &str) -> zones::Zone {
    zones::Zone {
        id: 0,
        project: "default".into(),
        name: name.into(),
        description: "d".into(),
        config: Config::from([("user.a".into(), "1".into())]),
    }
}

fn record(zone_id: i64, name: &str) -> records::Record {
    let config = Config::from([("user.b".into(), "2".into())]);
    records::Record { id: 0, zone_id, name: name.into(), description: "e".into(), entries: "[]".into(), config }
}

#[test]
fn zones_come_back_as_stored_and_go_with_their_records() {
    let (_folder, db) = scratch::new();
    let [first, second] = ["b.net", "a.net"].map(|name| {
        let mut zone = zone(name);
        zone.id = db.write(|tx| zones::insert(tx, &zone)).expect("stored");
        zone
    });
    let list = |project: Option<&str>| db.view(|view| zones::list(view, project)).expect("read");
    assert_eq!(list(Some("default")), [first.clone(), second.clone()], "in the order in which they were made");
    assert_eq!((list(None).len(), list(Some("p")).len()), (2, 0));
    db.write(|tx| zones::insert(tx, &zone("a.net"))).expect_err("the name is taken");
    db.write(|tx| zones::insert(tx, &zone("A.net"))).expect("another name");
    let any = |name: &str| db.view(|view| zones::get_any_case(view, name)).expect("read").map(|zone| zone.name);
    assert_eq!(
        [any("a.net"), any("A.net"), any("B.NET"), any("c.net")].map(Option::unwrap_or_default),
        ["a.net", "A.net", "b.net", ""]
    );

    let mut www = record(first.id, "www");
    www.id = db.write(|tx| records::insert(tx, &www)).expect("stored");
    db.write(|tx| records::insert(tx, &record(first.id, "www"))).expect_err("the name is taken");
    db.write(|tx| records::insert(tx, &record(second.id, "www"))).expect("in another zone");
    www.entries = "[1]".into();
    www.config = Config::new();
    db.write(|tx| records::update(tx, &www)).expect("updated");
    assert_eq!(db.view(|view| records::get(view, first.id, "www")).expect("read"), Some(www));
    db.write(|tx| zones::update(tx, first.id, "new", &Config::new())).expect("updated");
    let changed = db.view(|view| zones::get(view, "b.net")).expect("read").expect("there");
    assert_eq!((changed.description.as_str(), changed.config.len()), ("new", 0));

    for zone in list(None) {
        db.write(|tx| zones::delete(tx, zone.id)).expect("deleted");
    }
    for table in ["networks_zones_config", "networks_zones_records", "networks_zones_records_config"] {
        let count: i64 = db.view(|view| view.one(&format!("SELECT count(*) FROM {table}"), params![])).expect("counts");
        assert_eq!(count, 0, "{table}");
    }
}

#[test]
fn a_file_whose_record_names_were_taken_for_all_zones_is_put_right() {
    let folder = scratch::Folder::new();
    let db = folder.open();
    run(&db, Which::Global, "DROP TABLE networks_zones_records").expect("dropped");
    let old = "CREATE TABLE networks_zones_records (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
               network_zone_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
               entries TEXT NOT NULL,
               UNIQUE (name),
               FOREIGN KEY (network_zone_id) REFERENCES networks_zones (id) ON DELETE CASCADE)";
    run(&db, Which::Global, old).expect("made");
    drop(db);
    for _ in 0..2 {
        let db = folder.open();
        let made: corten_db::error::Result<()> = db.write(|tx| {
            let [first, second] = [zones::insert(tx, &zone("a.net"))?, zones::insert(tx, &zone("b.net"))?];
            records::insert(tx, &record(first, "www"))?;
            records::insert(tx, &record(second, "www"))?;
            zones::delete(tx, first)?;
            zones::delete(tx, second)
        });
        made.expect("one name in two zones");
    }
}
