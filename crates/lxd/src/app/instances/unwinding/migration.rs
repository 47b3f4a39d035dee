//! Migration: a server that sends to itself over channels in memory, with each step of either side failing once.

use corten_api::error::Result;
use corten_api::instance::{InstanceSource, InstancesPost};
use corten_api::storage_pool_volume::{StorageVolumeSource, StorageVolumesPost};
use corten_host::undo::every_step_unwinds;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::copies::refreshed;
use super::snapshots::take_one;
use super::world::{World, in_world};
use crate::app::instances::claims::Key;
use crate::app::instances::copy::Source;
use crate::app::instances::delete;
use crate::app::migration::channel::{Channel, LARGEST};
use crate::app::migration::session::{Channels, Session};
use crate::app::migration::wire::{Header, IdRange};
use crate::app::migration::{instance, instance_source, volume, volume_source};
use crate::app::storage::custom::{self, Place};
use crate::app::storage::custom_snapshots;

fn key(name: &str) -> Key {
    ("default".into(), name.into())
}

/// Two ends of a conversation.
fn ends(world: &World) -> (Session, Session) {
    let runtime = &world.app.runtime;
    let pair = || {
        runtime.block_on(async {
            let (one, other) = tokio::io::duplex(1 << 20);
            let one = WebSocketStream::from_raw_socket(one, Role::Client, None).await;
            let other = WebSocketStream::from_raw_socket(other, Role::Server, None).await;
            (Channel::new(one), Channel::new(other))
        })
    };
    let ((control, their_control), (fs, their_fs)) = (pair(), pair());
    let op = world.operation();
    let theirs = Channels { control: their_control, fs: their_fs };
    (Session::new(Channels { control, fs }, &op, runtime), Session::new(theirs, &op, runtime))
}

/// Lets one side talk on this thread, whose steps may fail, and the other on a thread of its own.
fn converse(
    world: &World,
    here: impl FnOnce(Session) -> Result<()>,
    there: impl FnOnce(Session) -> Result<()> + Send,
) -> Result<()> {
    let (ours, theirs) = ends(world);
    std::thread::scope(|scope| {
        let other = scope.spawn(move || there(theirs));
        let outcome = here(ours);
        let other = other.join().expect("no defect");
        assert!(outcome.is_err() || other.is_ok(), "{other:?}");
        outcome
    })
}

fn send(world: &World, name: &str, session: Session) -> Result<()> {
    let asked = InstanceSource { source: name.into(), ..InstanceSource::default() };
    let source = Source::find(&world.app, "default", &asked).expect("it is there");
    instance_source::send(&world.app, &source, session)
}

fn take_in(world: &World, name: &str, session: Session) -> Result<()> {
    let post = InstancesPost { profiles: Some(Vec::new()), ..world.post(name) };
    instance::take_in(&world.app, "default", &post, session, None)
}

fn has_rsync(driver: &str) -> bool {
    let there = crate::app::migration::rsync::must_be_installed().is_ok();
    if !there {
        println!("skipped: migration on {driver} needs rsync");
    }
    there
}

fn arriving(driver: &'static str) {
    in_world(&format!("arrive-{driver}"), driver, |world| {
        if !has_rsync(driver) {
            return;
        }
        let c1 = world.create("c1");
        for name in ["s0", "s1"] {
            take_one(world, &c1, name).expect("a snapshot");
        }
        let before = world.state();
        let arrive = || converse(world, |ours| take_in(world, "c2", ours), |theirs| send(world, "c1", theirs));
        every_step_unwinds(arrive, |step| assert_eq!(world.state(), before, "after step {step}"));
        let rows = world.state().0.join("\n");
        assert!(rows.contains(r#"("c2", "s0""#) && rows.contains(r#"("c2", "s1""#), "{rows}");
        arrive().expect_err("there is one");
        delete::delete(&world.app, &key("c2"), None).expect("it can go");
        assert_eq!(world.state(), before);
        delete::delete(&world.app, &c1, None).expect("it can go");
    });
}

#[test]
fn arriving_unwinds_on_dir() {
    arriving("dir");
}

#[test]
fn arriving_unwinds_on_overlay() {
    arriving("overlay");
}

fn refreshing(driver: &'static str) {
    in_world(&format!("arrive-again-{driver}"), driver, |world| {
        if !has_rsync(driver) {
            return;
        }
        let c1 = world.create("c1");
        take_one(world, &c1, "old").expect("a snapshot");
        converse(world, |ours| take_in(world, "c2", ours), |theirs| send(world, "c1", theirs)).expect("a copy");
        take_one(world, &c1, "new").expect("a snapshot");
        take_one(world, &key("c2"), "own").expect("a snapshot");
        let refresh = |ours| instance::bring_up_to_date(&world.app, &key("c2"), ours, false);
        refreshed(world, || converse(world, refresh, |theirs| send(world, "c1", theirs)));
    });
}

#[test]
fn refreshing_from_another_server_unwinds_on_dir() {
    refreshing("dir");
}

#[test]
fn refreshing_from_another_server_unwinds_on_overlay() {
    refreshing("overlay");
}

#[test]
fn a_source_is_as_before() {
    in_world("send", "overlay", |world| {
        if !has_rsync("overlay") {
            return;
        }
        let c1 = world.create("c1");
        take_one(world, &c1, "s").expect("a snapshot");
        let before = world.state();
        let arrived = || world.state().0.iter().any(|row| row.contains("\"c2\""));
        every_step_unwinds(
            || converse(world, |ours| send(world, "c1", ours), |theirs| take_in(world, "c2", theirs)),
            |step| assert_eq!(world.state(), before, "after step {step}"),
        );
        assert!(arrived());
        delete::delete(&world.app, &key("c2"), None).expect("it can go");
        delete::delete(&world.app, &c1, None).expect("nobody has a claim on it");
    });
}

/// What a source sends that is none: each one as a server that only wants to do harm.
fn hostile(number: usize, session: &mut Session) -> Result<()> {
    let header = Header { snapshot_names: vec!["../../../x".into()], ..Header::default() };
    let good = Header { index_version: Some(1), ..Header::default() };
    let send = |session: &mut Session, bytes: Vec<u8>| session.wait(async |channels, _| channels.fs.send(bytes).await);
    match number {
        0 => session.wait(async |channels, _| channels.control.send(vec![0xff; 1000]).await),
        1 => session.send_header(&header),
        2 => session.send_header(&Header { idmap: vec![IdRange::default(); 3], ..Header::default() }),
        3 => {
            session.send_header(&good)?;
            session.receive_header()?;
            session.wait(async |channels, _| channels.fs.send_document(b"{\"config\": 7}".to_vec()).await)
        }
        4 => {
            // A document without an end: it is taken up to some size only.
            session.send_header(&good)?;
            session.receive_header()?;
            (0..LARGEST / (1 << 20) + 1).try_for_each(|_| send(session, vec![b' '; 1 << 20]))
        }
        _ => {
            // No rsync speaks so.
            session.send_header(&Header::default())?;
            session.receive_header()?;
            (0..8).try_for_each(|_| send(session, vec![0xa5; 1 << 16]))
        }
    }
}

#[test]
fn what_no_server_says_leaves_nothing() {
    in_world("hostile-source", "overlay", |world| {
        if !has_rsync("overlay") {
            return;
        }
        let before = world.state();
        for number in 0..6 {
            let there = |mut theirs: Session| {
                // Who is refused in the middle of it hears that as a broken connection.
                let _ = hostile(number, &mut theirs);
                let _ = theirs.receive_end();
                Ok(())
            };
            converse(world, |ours| take_in(world, "c2", ours), there).expect_err("it is refused");
            assert_eq!(world.state(), before, "{number}");
        }
    });
}

#[test]
fn volumes_that_arrive_unwind() {
    in_world("arrive-volume", "dir", |world| {
        if !has_rsync("dir") {
            return;
        }
        let place = |name: &str| Place { pool: "p".into(), project: "default".into(), name: name.into() };
        custom::create(&world.app, &place("v"), &StorageVolumesPost::default(), None).expect("a volume");
        custom_snapshots::create(&world.app, &place("v"), "s0", None).expect("a snapshot");
        let seen =
            || (world.state(), world.files("storage-pools/p/custom"), world.files("storage-pools/p/custom-snapshots"));
        let post = |refresh| StorageVolumesPost {
            source: StorageVolumeSource { refresh, ..StorageVolumeSource::default() },
            ..StorageVolumesPost::default()
        };
        let (op, target) = (world.operation(), place("w"));
        let arrive = |refresh| {
            let here = |ours| volume::take_in(&world.app, &target, &post(refresh), ours, &op);
            converse(world, here, |theirs| volume_source::send(&world.app, &place("v"), false, theirs))
        };
        for refresh in [false, true] {
            let before = seen();
            every_step_unwinds(|| arrive(refresh), |step| assert_eq!(seen(), before, "{refresh}, after step {step}"));
            custom_snapshots::create(&world.app, &place("v"), &format!("s1-{refresh}"), None).expect("a snapshot");
        }
        arrive(false).expect_err("there is one");
        for name in ["v", "w"] {
            custom::delete(&world.app, &place(name)).expect("it can go");
        }
        assert!(seen().1.is_empty(), "{:?}", seen());
    });
}
