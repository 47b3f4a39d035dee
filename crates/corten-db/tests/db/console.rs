//! `lxd sql` and its dumps.

use corten_db::console::{Answer, describe, run};
use corten_db::dump::dump;
use corten_db::{Value, Which};

use crate::scratch;

#[test]
fn queries_and_statements_as_typed() {
    let (_folder, db) = scratch::new();
    let text = "INSERT INTO config (key, value) VALUES ('a', 'b'); select key, value from config; ";
    let answers = run(&db, Which::Global, text).expect("runs");
    let row = vec![Value::from("a"), Value::from("b")];
    let columns = vec!["key".to_owned(), "value".to_owned()];
    assert_eq!(answers, [Answer::Exec { rows_affected: 1 }, Answer::Select { columns, rows: vec![row] }]);
    let answers = run(&db, Which::Global, "SELECT * FROM schema").expect("runs");
    let Answer::Select { rows, .. } = &answers[0] else { panic!("{answers:?}") };
    assert_eq!(rows[0], [Value::Integer(1), Value::Integer(60), Value::from(scratch::NOW)]);
    let careful = "PRAGMA foreign_keys=ON; DELETE FROM config";
    let answers = run(&db, Which::Global, careful).expect("what holds anyway may be asked for");
    assert_eq!(answers, [0, 1].map(|rows_affected| Answer::Exec { rows_affected }));
    run(&db, Which::Global, "PRAGMA foreign_keys=OFF").expect_err("they are looked after always");
    let error = run(&db, Which::Local, "selec").expect_err("no SQL");
    assert_eq!(describe(&error, false), "Failed to exec query: near \"selec\": syntax error");
}

#[test]
fn a_dump_begins_with_lxds_first_rows_and_makes_the_same_again() {
    let (_folder, db) = scratch::new();
    run(&db, Which::Global, "INSERT INTO config (key, value) VALUES ('a', 'it''s\r\nso')").expect("runs");
    let text = dump(&db, Which::Global, false).expect("dumps");
    for line in [
        "INSERT INTO schema VALUES(1,60,'2026-11-23 18:50:14+00:00');",
        "INSERT INTO nodes VALUES(1,'none','','0.0.0.0',60,318,'2026-11-23 18:50:14+00:00',0,2,NULL);",
        "INSERT INTO projects VALUES(1,'default','Default LXD project');",
        "INSERT INTO projects_config VALUES(1,1,'features.images','true');",
        "INSERT INTO projects_config VALUES(4,1,'features.networks','true');",
        "INSERT INTO profiles VALUES(1,'default','Default LXD profile',1);",
        "INSERT INTO cluster_groups VALUES(1,'default','Default cluster group');",
        "INSERT INTO nodes_cluster_groups VALUES(1,1);",
        "INSERT INTO config VALUES(1,'a',replace(replace('it''s\\r\\nso','\\r',char(13)),'\\n',char(10)));",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    let copy = rusqlite::Connection::open_in_memory().expect("opens");
    copy.execute_batch(&text).expect("the dump is SQL");
    let value: String = copy.query_row("SELECT value FROM config", (), |row| row.get(0)).expect("a row");
    assert_eq!(value, "it's\r\nso");
    let schema = dump(&db, Which::Local, true).expect("dumps");
    assert!(!schema.contains("INSERT") && schema.contains("CREATE TABLE raft_nodes"), "{schema}");
}

#[test]
fn statements_left_for_the_next_start_run_once_whole_or_not_at_all() {
    let folder = scratch::Folder::new();
    drop(folder.open());
    let patch = folder.path().join("patch.global.sql");
    let set = |value: &str| format!("INSERT OR REPLACE INTO config (key, value) VALUES ('a', '{value}');");
    let value = || {
        let answers = run(&folder.open(), Which::Global, "SELECT value FROM config").expect("runs");
        format!("{answers:?}")
    };
    std::fs::write(&patch, set("one")).expect("ours");
    assert!(value().contains("one"));
    assert!(!patch.exists(), "it would run again");
    let broken = set("two") + "INSERT INTO broken (n) VALUES (1);";
    std::fs::write(&patch, broken).expect("ours");
    let refused = corten_db::Db::open(folder.path(), &scratch::opening()).expect_err("a table is missing");
    assert!(refused.to_string().contains("no such table: broken"), "{refused}");
    std::fs::remove_file(&patch).expect("it is left");
    assert!(value().contains("one"));
    // What was before is kept, whole.
    std::fs::remove_dir_all(folder.path().join("global")).expect("ours");
    std::fs::rename(folder.path().join("global.bak"), folder.path().join("global")).expect("it is there");
    assert!(value().contains("one"));
}
