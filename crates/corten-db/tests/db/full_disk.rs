//! On a disk that is full to the last byte what takes away is remembered, and what adds is refused.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use corten_db::error::{Abort, DbError};
use corten_db::table::config;
use corten_db::{Db, ballast, params};

use crate::scratch::{self, Folder};

/// In the process that has a disk of its own: where it is.
const DISK: &str = "CORTEN_DB_TEST_DISK";

/// Runs `body` on a small disk that `mount` puts at `$DISK`. `name` is the test's full name, by which it is found again.
fn on_a_disk(name: &str, mount: &str, body: fn(&Disk)) {
    if let Ok(disk) = std::env::var(DISK) {
        return body(&Disk(disk.into()));
    }
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED {name}: it mounts a file system, which needs root");
        return;
    }
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("disk")).expect("a folder");
    let ran = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-ec", &format!("cd $DISK/..; {mount}\nexec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", name, "--nocapture"])
        .env("DISK", folder.path().join("disk"))
        .env(DISK, folder.path().join("disk"))
        .status();
    assert!(ran.expect("unshare is there").success());
}

struct Disk(PathBuf);

impl Disk {
    fn open(&self) -> Db {
        Db::open(&self.0, &scratch::opening()).expect("the database opens")
    }

    /// Leaves not a byte.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.0.join("filler")).expect("it opens");
        for size in [1 << 16, 1 << 10, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        file.sync_all().expect("written");
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).expect("it is there");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("global").join(ballast::NAME)
    }

    #[track_caller]
    fn has_ballast(&self, wanted: bool) {
        let found = fs::metadata(self.ballast()).map_or((0, 0), |found| (found.len(), found.blocks() * 512));
        let whole = found.0 == ballast::SIZE && found.1 >= ballast::SIZE;
        assert_eq!(whole, wanted, "length and room of the ballast: {found:?}");
    }
}

fn add(db: &Db, number: u32) -> Result<(), DbError> {
    let value = "v".repeat(64 << 10);
    db.write(|tx| config::set(tx, &format!("user.{number}"), Some(&value)))
}

fn take_away(db: &Db, number: u32) -> Result<(), DbError> {
    db.take_away(|tx| config::set(tx, &format!("user.{number}"), None))
}

/// Adds what fits into a disk that is full, where the log may have room of its own; why no more does.
fn add_until_refused(db: &Db, disk: &Disk) -> DbError {
    disk.fill();
    (1000..2000).find_map(|number| add(db, number).err()).expect("the disk is full")
}

fn deletes_and_adds(disk: &Disk) {
    let db = disk.open();
    disk.has_ballast(false);
    db.keep_ballast();
    disk.has_ballast(true);
    for number in 0..20 {
        add(&db, number).expect("there is room");
    }
    for number in 0..20 {
        let refused = add_until_refused(&db, disk);
        let text = refused.to_string();
        let folder = disk.0.join("global").display().to_string();
        assert!(text.contains(&folder) && text.contains(" KiB left") && text.contains("full"), "{text}");
        disk.has_ballast(true);
        take_away(&db, number).expect("there is a ballast");
        disk.has_ballast(true);
    }
    let keys = db.view(config::all).expect("read");
    assert!(!keys.keys().any(|key| key.len() < "user.1000".len()), "{:?}", keys.keys());
    // A refusal of the caller's is heard as ever.
    disk.fill();
    let refused: Result<(), DbError> = db.take_away(|_| Err(DbError::NotFound("x".to_string())));
    assert_eq!(refused, Err(DbError::NotFound("x".to_string())));
    disk.make_room();
    add(&db, 0).expect("there is room again");
    disk.has_ballast(true);
}

/// What the ballast gives back is for one writer, however many wait.
fn others_do_not_share_it(disk: &Disk) {
    let db = disk.open();
    db.keep_ballast();
    for number in 0..20 {
        add(&db, number).expect("there is room");
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 1..4 {
            let (db, ended) = (&db, &ended);
            scope.spawn(move || {
                for number in (thread * 10_000..).take_while(|_| !ended.load(Ordering::Relaxed)) {
                    let added = add(db, number);
                    assert!(matches!(added, Ok(()) | Err(DbError::NoRoom { .. })), "{added:?}");
                }
            });
        }
        let deleted: Result<(), DbError> = (0..20).try_for_each(|number| {
            disk.fill();
            take_away(&db, number)
        });
        ended.store(true, Ordering::Relaxed);
        deleted.expect("there is a ballast");
    });
    disk.has_ballast(true);
}

/// A change of more pages than SQLite keeps in memory meets the full disk while it decides, not when it is committed; and the
/// closure puts the failure into words of its own.
fn changes_much_at_once(disk: &Disk) {
    let db = disk.open();
    db.keep_ballast();
    for number in 0..40 {
        add(&db, number).expect("there is room");
    }
    add_until_refused(&db, disk);
    db.take_away(|tx| -> Result<(), Abort> {
        let shortened = tx.exec("UPDATE config SET value = substr(value, 2)", params![]);
        shortened.map(drop).map_err(|error| std::io::Error::other(error.to_string()).into())
    })
    .expect("there is a ballast");
    disk.has_ballast(true);
    let longest: i64 = db.view(|view| view.one("SELECT max(length(value)) FROM config", params![])).expect("read");
    assert_eq!(longest, (64 << 10) - 1);
}

fn opens_and_waits_for_room(disk: &Disk) {
    let db = disk.open();
    db.keep_ballast();
    add(&db, 0).expect("there is room");
    drop(db);
    disk.fill();
    // Its log goes when it is closed: opening wants room.
    let db = disk.open();
    take_away(&db, 0).expect("there is a ballast");
    drop(db);
    disk.make_room();
    // Killed when it was spent; then somebody else took what there was.
    File::create(disk.ballast()).expect("it is ours");
    let db = disk.open();
    add(&db, 0).expect("there is room");
    disk.fill();
    db.keep_ballast();
    disk.has_ballast(false);
    assert_eq!(fs::metadata(disk.ballast()).expect("it is there").blocks(), 0, "a part of a ballast helps nobody");
    add_until_refused(&db, disk);
    let refused = take_away(&db, 0).expect_err("there is no ballast");
    assert!(matches!(refused, DbError::NoRoom { .. }), "{refused}");
    disk.make_room();
    take_away(&db, 0).expect("there is room");
    disk.has_ballast(true);
}

/// Where what is full is the disk of the local database as well, and where it is not.
fn try_all(disk: &Disk) {
    deletes_and_adds(disk);
    clear(&disk.0);
    changes_much_at_once(disk);
    clear(&disk.0);
    others_do_not_share_it(disk);
    clear(&disk.0);
    opens_and_waits_for_room(disk);
}

fn clear(disk: &Path) {
    for entry in fs::read_dir(disk).expect("it is ours").flatten() {
        let path = entry.path();
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.expect("it is ours");
    }
}

#[test]
fn on_a_full_tmpfs_only_what_takes_away_is_done() {
    let name = "full_disk::on_a_full_tmpfs_only_what_takes_away_is_done";
    on_a_disk(name, "mount -t tmpfs -o size=20m tmpfs disk", try_all);
}

#[test]
fn on_a_full_ext4_only_what_takes_away_is_done() {
    let name = "full_disk::on_a_full_ext4_only_what_takes_away_is_done";
    on_a_disk(name, "truncate -s 32M image; mkfs.ext4 -q -m 0 image; mount -o loop image disk", try_all);
}
