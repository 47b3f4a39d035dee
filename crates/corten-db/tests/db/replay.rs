//! Recorded decisions, applied to another copy, give the same database.

use std::sync::{Arc, Mutex};

use corten_db::dump::dump;
use corten_db::entry::{Entry, Guard};
use corten_db::error::DbError;
use corten_db::table::config;
use corten_db::{Db, Which, params};
use proptest::prelude::*;

use crate::scratch;
use crate::tables::sample;

/// Records all entries of a database from now on.
fn record(db: &Db) -> Arc<Mutex<Vec<Entry>>> {
    let entries = Arc::new(Mutex::new(Vec::new()));
    let sink = entries.clone();
    db.observe(move |entry| sink.lock().expect("no panic").push(entry.clone()));
    entries
}

#[test]
fn every_table_function_replays_to_an_equal_dump() {
    let (_one, first) = scratch::new();
    let (_two, second) = scratch::new();
    let entries = record(&first);
    sample::everything(&first);
    for entry in entries.lock().expect("no panic").iter() {
        second.apply(entry).expect("applies");
    }
    let dumps = [&first, &second].map(|db| dump(db, Which::Global, false).expect("dumps"));
    assert_eq!(dumps[0], dumps[1]);
    assert!(dumps[0].contains("INSERT INTO instances VALUES"), "{}", dumps[0]);
}

#[test]
fn an_entry_on_an_old_base_is_a_conflict_and_changes_nothing() {
    let (_one, first) = scratch::new();
    let (_two, second) = scratch::new();
    let entries = record(&first);
    first.write(|tx| config::set(tx, "a", Some("1"))).expect("writes");
    second.write(|tx| config::set(tx, "b", Some("2"))).expect("writes");
    let before = dump(&second, Which::Global, false).expect("dumps");
    let entry = entries.lock().expect("no panic")[0].clone();
    let Guard::Base(base) = entry.guard;
    assert_eq!(second.apply(&entry), Err(DbError::Conflict { base, applied: base + 1 }));
    assert_eq!(dump(&second, Which::Global, false).expect("dumps"), before);
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, String),
    Unset(u8),
    Refused(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..20_u8, "\\PC{0,20}").prop_map(|(key, value)| Step::Set(key, value)),
        (0..20_u8).prop_map(Step::Unset),
        (0..20_u8).prop_map(Step::Refused),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_replays_to_an_equal_dump(steps in proptest::collection::vec(step(), 0..30)) {
        let (_one, first) = scratch::new();
        let (_two, second) = scratch::new();
        let entries = record(&first);
        for step in &steps {
            let _ = first.write(|tx| -> Result<(), DbError> {
                match step {
                    Step::Set(key, value) => config::set(tx, &format!("k{key}"), Some(value)),
                    Step::Unset(key) => config::set(tx, &format!("k{key}"), None),
                    Step::Refused(key) => {
                        config::set(tx, &format!("k{key}"), Some("no"))?;
                        Err(DbError::NotFound("on purpose".to_owned()))
                    }
                }
            });
        }
        for entry in entries.lock().expect("no panic").iter() {
            second.apply(entry).expect("applies");
        }
        prop_assert_eq!(
            dump(&first, Which::Global, false).expect("dumps"),
            dump(&second, Which::Global, false).expect("dumps")
        );
        let count: i64 = second.view(|view| view.one("SELECT count(*) FROM config", params![])).expect("counts");
        prop_assert!(count <= 20);
    }
}
