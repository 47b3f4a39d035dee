//! A writer killed at any moment leaves whole decisions behind.

use std::process::{Command, Stdio};
use std::time::Duration;

use corten_db::Db;
use corten_db::error::DbError;
use corten_db::table::config;

use crate::scratch::{self, Folder};

const CHILD: &str = "CORTEN_DB_TEST_CHILD";

/// Not a test of its own: what the killed process does. Each decision writes one pair of keys.
#[test]
fn child_writes_pairs_for_ever() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let db = Db::open(folder.as_ref(), &scratch::opening()).expect("opens");
    for number in 0_u64.. {
        db.write(|tx| -> Result<(), DbError> {
            config::set(tx, &format!("left{number}"), Some("x"))?;
            config::set(tx, &format!("right{number}"), Some("x"))
        })
        .expect("writes");
    }
}

#[test]
fn killed_in_the_middle_of_writing() {
    let folder = Folder::new();
    let mut last = 0;
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "crash::child_writes_pairs_for_ever"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(120 + round * 37));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        let db = folder.open();
        let keys = db.view(config::all).expect("read");
        let lefts = keys.keys().filter(|key| key.starts_with("left")).count();
        assert_eq!(lefts * 2, keys.len(), "halves of decisions are left");
        let damage: String =
            db.view(|view| view.one("SELECT * FROM pragma_integrity_check", corten_db::params![])).expect("checked");
        assert_eq!(damage, "ok");
        assert!(lefts >= last, "decisions of the round before are gone");
        last = lefts;
    }
    assert!(last > 0, "the child has never written");
}
