//! One of everything, for tests that need a filled database.

use corten_db::Db;
use corten_db::error::DbError;
use corten_db::table::{
    Config, Devices, State, backups, certificates, config, images, instances, local, networks, operations, profiles,
    projects, snapshots, storage_pools, storage_volumes, volume_snapshots, warnings,
};
use jiff::Timestamp;

pub const FINGERPRINT: &str = "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

pub fn time() -> Timestamp {
    crate::scratch::NOW.parse().expect("a time")
}

pub fn config(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

pub fn devices(all: &[(&str, &[(&str, &str)])]) -> Devices {
    all.iter().map(|(name, pairs)| (name.to_string(), config(pairs))).collect()
}

pub fn instance(name: &str) -> instances::Instance {
    instances::Instance {
        id: 0,
        project: "default".to_owned(),
        name: name.to_owned(),
        kind: instances::CONTAINER,
        architecture: 2,
        ephemeral: false,
        created: time(),
        stateful: false,
        last_used: None,
        description: String::new(),
        profiles: vec!["default".to_owned()],
        config: config(&[
            ("image.os", "Debian"),
            ("image.release", "12"),
            ("limits.memory", "1GiB"),
            ("volatile.base_image", FINGERPRINT),
            ("volatile.idmap.base", "0"),
            ("volatile.last_state.power", "STOPPED"),
        ]),
        devices: devices(&[
            ("eth0", &[("type", "nic"), ("network", "lxdbr0"), ("name", "eth0")]),
            ("kvm", &[("type", "unix-char"), ("path", "/dev/kvm")]),
        ]),
    }
}

pub fn volume(pool_id: i64, name: &str, kind: i64) -> storage_volumes::Volume {
    storage_volumes::Volume {
        id: 0,
        pool_id,
        pool: "fast".to_owned(),
        project: "default".to_owned(),
        name: name.to_owned(),
        kind,
        content: 0,
        description: String::new(),
        config: config(&[("size", "1GiB")]),
    }
}

fn image() -> images::Image {
    images::Image {
        id: 0,
        project: "default".to_owned(),
        fingerprint: FINGERPRINT.to_owned(),
        kind: 0,
        filename: "debian.tar.xz".to_owned(),
        size: 1000,
        public: false,
        architecture: 2,
        created: Some(time()),
        expires: None,
        uploaded: time(),
        cached: true,
        last_used: None,
        auto_update: true,
        properties: config(&[("os", "Debian"), ("release", "12")]),
        source: Some(images::Source {
            server: "https://images".to_owned(),
            protocol: "simplestreams".to_owned(),
            certificate: String::new(),
            alias: "debian/12".to_owned(),
        }),
        profiles: vec!["default".to_owned()],
        aliases: vec![("deb".to_owned(), "Debian".to_owned())],
    }
}

/// Fills a new database, each group of tables in a decision of its own.
pub fn everything(db: &Db) {
    let all = || -> Result<(), DbError> {
        db.write_local(|tx| local::patched(tx, "first", time()))?;
        db.write(|tx| config::set(tx, "core.https_address", Some(":8443")))?;
        db.write(|tx| {
            projects::insert(tx, "web", "Web", &config(&[("features.profiles", "true")]))?;
            profiles::insert(tx, "web", "default", "", &Config::new(), &Devices::new())
        })?;
        let pool = db.write(|tx| {
            let keys = config(&[("source", "/store"), ("volume.size", "1GiB")]);
            storage_pools::insert(tx, "fast", "dir", "", State::Pending, &keys)
        })?;
        db.write(|tx| storage_pools::set_state(tx, pool, State::Created))?;
        db.write(|tx| {
            networks::insert(
                tx,
                &networks::Network {
                    id: 0,
                    project: "default".to_owned(),
                    name: "lxdbr0".to_owned(),
                    description: String::new(),
                    state: State::Created,
                    kind: "bridge".to_owned(),
                    config: config(&[("ipv4.address", "10.0.0.1/24"), ("bridge.external_interfaces", "eth7")]),
                },
            )
        })?;
        db.write(|tx| {
            let devices = devices(&[
                ("root", &[("type", "disk"), ("path", "/"), ("pool", "fast")]),
                ("data", &[("type", "disk"), ("path", "/data"), ("pool", "fast"), ("source", "data")]),
                ("eth0", &[("type", "nic"), ("network", "lxdbr0")]),
            ]);
            let id = profiles::id(tx, "default", "default")?.unwrap_or_default();
            profiles::update(tx, id, "Default LXD profile", &config(&[("limits.cpu", "1")]), &devices)
        })?;
        db.write(|tx| images::insert(tx, &image()))?;
        instance_and_volumes(db, pool)?;
        db.write(|tx| {
            certificates::insert(
                tx,
                &certificates::Certificate {
                    id: 0,
                    fingerprint: "fedcba".to_owned(),
                    kind: certificates::CLIENT,
                    name: "laptop".to_owned(),
                    certificate: "PEM".to_owned(),
                    restricted: true,
                    projects: vec!["web".to_owned()],
                },
            )
        })?;
        db.write(|tx| operations::insert(tx, "0000-1111", 1, Some("default")))?;
        let notice = warnings::Notice {
            kind: 1,
            node: Some(corten_db::THIS_NODE),
            project: None,
            entity: (-1, -1),
            message: "careful",
        };
        db.write(|tx| warnings::raise(tx, &notice, "uuid-1", time()))?;
        db.write(|tx| warnings::raise(tx, &notice, "uuid-2", time()))
    };
    all().expect("everything is stored");
}

fn instance_and_volumes(db: &Db, pool: i64) -> Result<(), DbError> {
    let c1 = instance("c1");
    let id = db.write(|tx| instances::insert(tx, &c1, "default"))?;
    let root = db.write(|tx| storage_volumes::insert(tx, &volume(pool, "c1", storage_volumes::CONTAINER)))?;
    db.write(|tx| {
        volume_snapshots::insert(tx, root, "snap0", "", None, &Config::new())?;
        snapshots::insert(
            tx,
            &snapshots::Snapshot {
                id: 0,
                instance_id: id,
                project: c1.project.clone(),
                instance: c1.name.clone(),
                name: "snap0".to_owned(),
                created: time(),
                stateful: false,
                description: String::new(),
                expires: None,
                config: c1.config.clone(),
                devices: c1.devices.clone(),
            },
        )
    })?;
    db.write(|tx| storage_volumes::insert(tx, &volume(pool, "data", storage_volumes::CUSTOM)))?;
    db.write(|tx| {
        backups::insert(
            tx,
            backups::Of::Instance,
            &backups::Backup {
                id: 0,
                owner_id: id,
                name: "c1/backup0".to_owned(),
                created: Some(time()),
                expires: None,
                without_snapshots: false,
                optimized: false,
            },
        )
    })?;
    Ok(())
}
