//! Each group of tables: what is stored comes back, what is changed changes, what is deleted takes its parts along.

#[path = "tables/sample.rs"]
pub mod sample;

use corten_db::error::DbError;
use corten_db::table::used_by::{self, User};
use corten_db::table::{
    Config, State, backups, certificates, image_aliases, images, instances, local, networks, nodes, operations,
    profiles, projects, snapshots, storage_pools, storage_volumes, volume_snapshots, warnings,
};
use corten_db::{Db, params};
use sample::{config, devices};

use crate::scratch;

fn count(db: &Db, table: &str) -> i64 {
    db.view(|view| view.one(&format!("SELECT count(*) FROM {table}"), params![])).expect("counts")
}

#[test]
fn instances_come_back_as_stored_and_go_with_all_their_parts() {
    let (_folder, db) = scratch::new();
    let mut wanted = sample::instance("c1");
    wanted.id = db.write(|tx| instances::insert(tx, &wanted, "default")).expect("stored");
    let get = || db.view(|view| instances::get(view, "default", "c1")).expect("read").expect("there");
    assert_eq!(get(), wanted);

    wanted.description = "changed".to_owned();
    wanted.config = config(&[("limits.cpu", "2"), ("user.empty", "")]);
    wanted.devices = devices(&[("root", &[("type", "disk"), ("path", "/"), ("pool", "fast")])]);
    wanted.profiles = Vec::new();
    let update = instances::Update {
        description: &wanted.description,
        architecture: wanted.architecture,
        ephemeral: wanted.ephemeral,
        config: &wanted.config,
        devices: &wanted.devices,
        profiles: &wanted.profiles,
        profile_project: "default",
    };
    db.write(|tx| instances::update(tx, wanted.id, &update)).expect("updated");
    wanted.config.remove("user.empty");
    assert_eq!(get(), wanted);

    db.write(|tx| instances::set_keys(tx, wanted.id, &[("volatile.last_state.power", Some("RUNNING"))])).expect("set");
    assert_eq!(get().config["volatile.last_state.power"], "RUNNING");
    assert!(db.write(|tx| instances::rename(tx, "default", "c1", "c2")).expect("renamed"));
    assert!(!db.write(|tx| instances::rename(tx, "default", "c1", "c2")).expect("asked"));
    assert!(db.write(|tx| instances::delete(tx, "default", "c2")).expect("deleted"));
    for table in
        ["instances", "instances_config", "instances_devices", "instances_devices_config", "instances_profiles"]
    {
        assert_eq!(count(&db, table), 0, "{table}");
    }
}

#[test]
fn an_unknown_profile_or_device_type_refuses_the_whole_instance() {
    let (_folder, db) = scratch::new();
    let mut instance = sample::instance("c1");
    instance.profiles.push("missing".to_owned());
    assert!(matches!(db.write(|tx| instances::insert(tx, &instance, "default")), Err(DbError::NotFound(_))));
    let mut instance = sample::instance("c1");
    instance.devices = devices(&[("x", &[("type", "teapot")])]);
    assert!(matches!(db.write(|tx| instances::insert(tx, &instance, "default")), Err(DbError::NotAllowed(_))));
    assert_eq!(count(&db, "instances"), 0);
}

#[test]
fn everything_stored_is_listed() {
    let (_folder, db) = scratch::new();
    sample::everything(&db);
    db.view(|view| -> Result<(), DbError> {
        let names: Vec<String> = projects::list(view)?.into_iter().map(|project| project.name).collect();
        assert_eq!(names, ["default", "web"]);
        assert_eq!(profiles::list(view, None)?.len(), 2);
        let image = images::get(view, "default", sample::FINGERPRINT)?.expect("there");
        assert_eq!(image.properties, config(&[("os", "Debian"), ("release", "12")]));
        assert_eq!(image.aliases, [("deb".to_owned(), "Debian".to_owned())]);
        assert_eq!(image.profiles, ["default"]);
        assert_eq!(image.source.expect("noted").protocol, "simplestreams");
        assert_eq!(images::by_prefix(view, Some("default"), "abc")?.len(), 1);
        assert_eq!(images::by_prefix(view, None, "abd")?.len(), 0);
        let cached = images::cached_source(view, "https://images", "simplestreams", "debian/12", Some(0), 2)?;
        assert_eq!(cached.as_deref(), Some(sample::FINGERPRINT));
        assert_eq!(image_aliases::list(view, "default")?[0].fingerprint, sample::FINGERPRINT);
        let network = networks::get(view, "default", "lxdbr0")?.expect("there");
        assert_eq!((network.kind.as_str(), network.state), ("bridge", State::Created));
        assert_eq!(network.config, config(&[("ipv4.address", "10.0.0.1/24"), ("bridge.external_interfaces", "eth7")]));
        let pool = storage_pools::get(view, "fast")?.expect("there");
        assert_eq!(pool.config, config(&[("source", "/store"), ("volume.size", "1GiB")]));
        let volume = storage_volumes::of_instance(view, "default", "c1")?.expect("there");
        assert_eq!((volume.pool.as_str(), volume.kind), ("fast", storage_volumes::CONTAINER));
        let snapshots = volume_snapshots::of_volume(view, volume.id)?;
        assert_eq!(snapshots[0].name, "snap0");
        assert_ne!(snapshots[0].id, volume.id);
        let instance = instances::get(view, "default", "c1")?.expect("there");
        let snapshot = snapshots::get(view, instance.id, "snap0")?.expect("there");
        assert_eq!((snapshot.config, snapshot.devices), (instance.config, instance.devices));
        assert_eq!(backups::list(view, backups::Of::Instance, instance.id)?[0].name, "c1/backup0");
        assert_eq!(certificates::by_prefix(view, "fedc")?[0].projects, ["web"]);
        assert_eq!(operations::list(view)?[0].project.as_deref(), Some("default"));
        assert_eq!(warnings::list(view, None)?[0].count, 2);
        assert_eq!(nodes::this(view)?.name, "none");
        Ok(())
    })
    .expect("reads");
    // A new database says that it needs none of LXD's own patches.
    let patches = db.view_local(local::patches).expect("reads");
    assert_eq!(patches.iter().filter(|name| *name == "first").count(), 1, "{patches:?}");
    assert!(patches.iter().any(|name| name == "pool_fix_default_permissions"), "{patches:?}");
}

#[test]
fn users_are_found() {
    let (_folder, db) = scratch::new();
    sample::everything(&db);
    let c1 = User::Instance { project: "default".to_owned(), name: "c1".to_owned() };
    let default = User::Profile { project: "default".to_owned(), name: "default".to_owned() };
    db.view(|view| -> Result<(), DbError> {
        assert_eq!(used_by::profile_users(view, "default", "default")?, std::slice::from_ref(&c1));
        let used = |user: &User| ("lxdbr0".to_owned(), user.clone());
        for name in [Some("lxdbr0"), None] {
            assert_eq!(used_by::network_users(view, name)?, [used(&c1), used(&default)]);
        }
        assert_eq!(used_by::network_users(view, Some("eth0"))?, []);
        assert_eq!(used_by::image_users(view, "default", sample::FINGERPRINT)?, std::slice::from_ref(&c1));
        assert_eq!(used_by::volume_users(view, "fast", "data")?, [c1.clone(), default.clone()]);
        assert_eq!(used_by::volume_users(view, "fast", "other")?, []);
        let pool = used_by::pool_users(view, "fast")?;
        assert_eq!(pool.len(), 3, "{pool:?}");
        assert!(pool.contains(&c1) && matches!(&pool[1], User::Volume { name, .. } if name == "data"));
        let project = used_by::project_users(view, "web")?;
        assert_eq!(project, [User::Profile { project: "web".to_owned(), name: "default".to_owned() }]);
        Ok(())
    })
    .expect("reads");
}

#[test]
fn ids_of_volumes_and_their_snapshots_never_meet() {
    let (_folder, db) = scratch::new();
    sample::everything(&db);
    let ids: Vec<i64> = db.view(|view| view.rows("SELECT id FROM storage_volumes_all", params![])).expect("reads");
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    let volume = sample::volume(1, "later", storage_volumes::CUSTOM);
    let id = db.write(|tx| storage_volumes::insert(tx, &volume)).expect("stored");
    assert!(!ids.contains(&id));
}

#[test]
fn a_network_keeps_keys_of_other_members() {
    let (_folder, db) = scratch::new();
    sample::everything(&db);
    let sql = "INSERT INTO nodes (id, name, description, address, schema, api_extensions, heartbeat, arch)
               VALUES (2, 'other', '', '10.0.0.2', 60, 318, 0, 2)";
    db.write(|tx| tx.exec(sql, params![])).expect("a second member");
    let sql = "INSERT INTO networks_config (network_id, node_id, key, value) VALUES (1, 2, 'parent', 'eth1')";
    db.write(|tx| tx.exec(sql, params![])).expect("its key");
    let new = config(&[("parent", "eth0"), ("ipv4.nat", "true")]);
    db.write(|tx| networks::update(tx, 1, "", &new)).expect("updated");
    let network = db.view(|view| networks::get(view, "default", "lxdbr0")).expect("read").expect("there");
    assert_eq!(network.config, new);
    assert_eq!(count(&db, "networks_config"), 3);
    db.write(|tx| networks::update(tx, 1, "", &Config::new())).expect("updated");
    assert_eq!(count(&db, "networks_config"), 1);
}
