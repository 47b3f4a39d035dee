//! What `write` promises: whole or nothing, pure, deterministic, one after another.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use corten_db::error::{Abort, DbError};
use corten_db::table::{config, projects};
use corten_db::{Tx, params};

use crate::scratch;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("refused: {0}")]
struct Refused(&'static str);

#[test]
fn a_refused_decision_leaves_nothing() {
    let (_folder, db) = scratch::new();
    let ended: Result<(), Abort> = db.write(|tx| {
        config::set(tx, "core.https_address", Some(":8443"))?;
        Err(Refused("not today"))?;
        Ok(())
    });
    let caller = ended.expect_err("it is refused").into_caller::<Refused>();
    assert_eq!(caller, Ok(Refused("not today")));
    assert!(db.view(config::all).expect("read").is_empty());
}

#[test]
fn a_panicking_decision_leaves_nothing_and_the_next_one_goes_through() {
    let (_folder, db) = scratch::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.write(|tx| -> Result<(), DbError> {
            config::set(tx, "a", Some("1"))?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    db.write(|tx| config::set(tx, "b", Some("2"))).expect("the writer is whole");
    assert_eq!(db.view(config::all).expect("read").into_keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn functions_of_the_moment_are_refused_by_name() {
    let (_folder, db) = scratch::new();
    let cases = [
        ("INSERT INTO config (key, value) VALUES ('a', random())", "random"),
        ("INSERT INTO config (key, value) VALUES ('a', datetime('now'))", "datetime"),
        ("INSERT INTO config (key, value) VALUES ('a', strftime('%s'))", "strftime"),
        ("INSERT INTO config (key, value) VALUES ('a', CURRENT_TIMESTAMP)", "current_timestamp"),
        ("INSERT INTO config (key, value) VALUES ('a', hex(randomblob(4)))", "randomblob"),
        (
            "INSERT INTO nodes (name, description, address, schema, api_extensions, arch) VALUES ('n', '', 'a', 60, 1, 2)",
            "current_timestamp",
        ),
    ];
    for (sql, function) in cases {
        let error = db.write(|tx| tx.exec(sql, params![])).expect_err(sql);
        assert!(error.to_string().contains(&format!("{function}() is not deterministic")), "{sql}: {error}");
    }
    for sql in ["COMMIT", " begin", "PRAGMA foreign_keys = off", "VACUUM", "ATTACH 'x' AS y"] {
        let error = db.write(|tx| tx.exec(sql, params![])).expect_err(sql);
        assert!(matches!(error, DbError::NotAllowed(_)), "{sql}: {error}");
    }
}

#[test]
#[cfg(debug_assertions)]
fn an_impure_decision_is_found_out() {
    let (_folder, db) = scratch::new();
    let runs = Cell::new(0);
    let error = db.write(|tx| {
        runs.set(runs.get() + 1);
        config::set(tx, "runs", Some(&runs.get().to_string()))
    });
    assert!(matches!(error, Err(DbError::NotPure { .. })), "{error:?}");
    assert!(db.view(config::all).expect("read").is_empty());
}

#[test]
fn a_decision_may_not_reach_around_its_tx() {
    let (_folder, db) = scratch::new();
    let error = db.write(|_| db.view(config::all));
    assert!(matches!(error, Err(DbError::NotAllowed(_))), "{error:?}");
}

#[test]
fn an_entry_is_at_most_one_mebibyte() {
    let (_folder, db) = scratch::new();
    let big = "x".repeat(600 * 1024);
    db.write(|tx| config::set(tx, "one", Some(&big))).expect("600 KiB fit");
    let error = db.write(|tx| {
        config::set(tx, "two", Some(&big))?;
        config::set(tx, "three", Some(&big))
    });
    assert!(matches!(error, Err(DbError::TooLarge(size)) if size > 1024 * 1024), "{error:?}");
    assert_eq!(db.view(config::all).expect("read").len(), 1);
}

#[test]
fn a_query_cannot_write_and_a_view_neither() {
    let (_folder, db) = scratch::new();
    let sql = "INSERT INTO config (key, value) VALUES ('a', 'b') RETURNING id";
    assert!(matches!(db.view(|view| view.rows::<i64>(sql, params![])), Err(DbError::NotAllowed(_))));
    assert!(matches!(db.write(|tx| tx.rows::<i64>(sql, params![])), Err(DbError::NotAllowed(_))));
}

#[test]
fn constraints_are_told_apart() {
    let (_folder, db) = scratch::new();
    let add = |tx: &mut Tx<'_>| projects::insert(tx, "default", "", &Default::default());
    assert_eq!(db.write(add), Err(DbError::AlreadyExists("projects.name".to_owned())));
    let orphan = "INSERT INTO projects_config (project_id, key, value) VALUES (99, 'a', 'b')";
    let error = db.write(|tx| tx.exec(orphan, params![]));
    assert!(matches!(&error, Err(DbError::Constraint { message, .. }) if message.contains("FOREIGN KEY")), "{error:?}");
    let missing = db.view(|view| view.one::<i64>("SELECT id FROM projects WHERE name = 'x'", params![]));
    assert!(matches!(missing, Err(DbError::NotFound(_))));
}

/// Eight threads take 200 decisions each on the same count; every one must have seen all others.
#[test]
fn concurrent_decisions_see_each_other() {
    let (_folder, db) = scratch::new();
    let started = std::time::Instant::now();
    let decide = || {
        db.write(|tx| -> Result<i64, DbError> {
            let used: i64 = tx.one("SELECT count(*) FROM config", params![])?;
            config::set(tx, &format!("name{used}"), Some("taken"))?;
            Ok(used)
        })
    };
    let names: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..200).map(|_| decide().expect("decides")).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    println!("1600 decisions of eight threads: {:?}, slow: {}", started.elapsed(), db.slow_decisions());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 1600);
    assert_eq!(db.view(config::all).expect("read").len(), 1600);
}

/// Refused decisions share a transaction with others, and take nothing of theirs along.
#[test]
fn a_refusal_does_not_touch_decisions_beside_it() {
    let (_folder, db) = scratch::new();
    let decide = |thread: i32, number: i32| {
        db.write(|tx| -> Result<(), DbError> {
            config::set(tx, &format!("key{thread}-{number}"), Some("x"))?;
            match number % 3 {
                0 => Err(DbError::NotFound("on purpose".to_owned())),
                _ => Ok(()),
            }
        })
    };
    let decide = &decide;
    std::thread::scope(|scope| {
        for thread in 0..6 {
            scope
                .spawn(move || (0..60).for_each(|number| assert_eq!(decide(thread, number).is_err(), number % 3 == 0)));
        }
    });
    assert_eq!(db.view(config::all).expect("read").len(), 6 * 40);
}

/// Another process holds the lock for a while: the decision is taken again until it goes through.
#[test]
fn a_locked_file_is_waited_for() {
    let (folder, db) = scratch::new();
    let other = rusqlite::Connection::open(folder.path().join("global/db.bin")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| db.write(|tx| config::set(tx, "a", Some("1"))));
        std::thread::sleep(Duration::from_millis(150));
        assert!(!writing.is_finished());
        other.execute_batch("ROLLBACK").expect("unlocks");
        writing.join().expect("no panic").expect("goes through in the end");
    });
}

#[test]
fn reopening_keeps_what_was_decided() {
    let (folder, db) = scratch::new();
    db.write(|tx| config::set(tx, "a", Some("1"))).expect("global");
    db.write_local(|tx| config::set(tx, "b", Some("2"))).expect("local");
    drop(db);
    let db = folder.open();
    assert_eq!(db.view(config::all).expect("read")["a"], "1");
    assert_eq!(db.view_local(config::all).expect("read")["b"], "2");
}

#[test]
fn a_file_of_another_version_is_refused() {
    let (folder, db) = scratch::new();
    db.write_local(|tx| tx.exec("UPDATE schema SET version = 99", params![])).expect("written");
    drop(db);
    let error = corten_db::Db::open(folder.path(), &scratch::opening()).expect_err("refused");
    assert!(error.to_string().contains("schema version 99 found, this program knows version 42"), "{error}");
}
