//! Who uses a thing: the rows that keep it from being deleted.

use crate::error::Result;
use crate::params;
use crate::tx::View;

/// A thing that uses another. How it is named in a URL is the API's affair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// An instance.
    Instance {
        /// Its project.
        project: String,
        /// Its name.
        name: String,
    },
    /// A profile.
    Profile {
        /// Its project.
        project: String,
        /// Its name.
        name: String,
    },
    /// An image.
    Image {
        /// Its project.
        project: String,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// A volume.
    Volume {
        /// Its pool.
        pool: String,
        /// Its project.
        project: String,
        /// Number of its type.
        kind: i64,
        /// Its name.
        name: String,
    },
    /// A snapshot of a volume.
    VolumeSnapshot {
        /// The volume's pool.
        pool: String,
        /// The volume's project.
        project: String,
        /// Number of the volume's type.
        kind: i64,
        /// The volume's name.
        volume: String,
        /// Its own name.
        name: String,
    },
    /// A managed network.
    Network {
        /// Its project.
        project: String,
        /// Its name.
        name: String,
    },
    /// A network access control list.
    NetworkAcl {
        /// Its project.
        project: String,
        /// Its name.
        name: String,
    },
}

type Pair = (String, String);

fn instance((project, name): Pair) -> User {
    User::Instance { project, name }
}

fn profile((project, name): Pair) -> User {
    User::Profile { project, name }
}

/// The instances that use a profile.
pub fn profile_users(view: &View<'_>, project: &str, name: &str) -> Result<Vec<User>> {
    Ok(profiles_users(view, Some(project))?
        .into_iter()
        .filter(|(used, _)| used.1 == name)
        .map(|(_, user)| user)
        .collect())
}

/// For all profiles of a project, or of all: the profile's project and name, and an instance that uses it.
pub fn profiles_users(view: &View<'_>, project: Option<&str>) -> Result<Vec<(Pair, User)>> {
    let sql = "SELECT pp.name, p.name, ipr.name, i.name FROM instances_profiles AS ip
               JOIN profiles AS p ON p.id = ip.profile_id JOIN projects AS pp ON pp.id = p.project_id
               JOIN instances AS i ON i.id = ip.instance_id JOIN projects AS ipr ON ipr.id = i.project_id
               WHERE ?1 IS NULL OR pp.name = ?1 ORDER BY pp.name, p.name, ipr.name, i.name";
    let rows = view.rows::<(String, String, String, String)>(sql, params![project])?;
    Ok(rows.into_iter().map(|(a, b, c, d)| ((a, b), User::Instance { project: c, name: d })).collect())
}

/// Instances (also by way of a profile) and profiles that have a device of type `kind` in which `key` is `value`:
/// the nics
/// of a network, the disks of a pool. A device in an instance that hides one of its profile is not considered.
fn device_users(view: &View<'_>, kind: &str, key: &str, value: &str) -> Result<Vec<User>> {
    let code = super::devices::type_code(kind);
    let profiles = "SELECT d.profile_id FROM profiles_devices AS d JOIN profiles_devices_config AS c
                    ON c.profile_device_id = d.id WHERE d.type = ?1 AND c.key = ?2 AND c.value = ?3";
    let instances = format!(
        "SELECT pr.name, i.name FROM instances AS i JOIN projects AS pr ON pr.id = i.project_id
         WHERE i.id IN (SELECT d.instance_id FROM instances_devices AS d JOIN instances_devices_config AS c
                        ON c.instance_device_id = d.id WHERE d.type = ?1 AND c.key = ?2 AND c.value = ?3)
            OR i.id IN (SELECT instance_id FROM instances_profiles WHERE profile_id IN ({profiles}))
         ORDER BY pr.name, i.name"
    );
    let own = format!(
        "SELECT pr.name, p.name FROM profiles AS p JOIN projects AS pr ON pr.id = p.project_id
         WHERE p.id IN ({profiles}) ORDER BY pr.name, p.name"
    );
    let values = params![code, key, value];
    let mut found: Vec<User> = view.rows::<Pair>(&instances, &values)?.into_iter().map(instance).collect();
    found.extend(view.rows::<Pair>(&own, &values)?.into_iter().map(profile));
    Ok(found)
}

/// Who has a network or an interface below it, beside that one's name, or all of them with `None`: instances with such a
/// nic (also by way of a profile), profiles, networks. One and the same may be there twice.
pub fn network_users(view: &View<'_>, name: Option<&str>) -> Result<Vec<(String, User)>> {
    let of = |from: &str| {
        format!(
            "SELECT c.value, pr.name, t.name FROM {from} JOIN projects AS pr ON pr.id = t.project_id
             WHERE c.key IN ('network', 'parent') AND (?1 IS NULL OR c.value = ?1)"
        )
    };
    let nics = |owner: &str| {
        format!("{owner}s_devices AS d JOIN {owner}s_devices_config AS c ON c.{owner}_device_id = d.id AND d.type = ?2")
    };
    let own = of(&format!("{} JOIN instances AS t ON t.id = d.instance_id", nics("instance")));
    let by_profile = of(&format!(
        "{} JOIN instances_profiles AS ip ON ip.profile_id = d.profile_id JOIN instances AS t ON t.id = ip.instance_id",
        nics("profile")
    ));
    let profiles = of(&format!("{} JOIN profiles AS t ON t.id = d.profile_id", nics("profile")));
    let above =
        of("networks_config AS c JOIN networks AS t ON t.id = c.network_id AND t.state = ?2 AND t.name <> c.value");
    type Used = (String, String, String);
    let find = |sql: &str, code: Option<i64>, user: fn(Pair) -> User| -> Result<Vec<(String, User)>> {
        let rows = view.rows::<Used>(sql, params![name, code])?;
        Ok(rows.into_iter().map(|(used, project, name)| (used, user((project, name)))).collect())
    };
    let nic = super::devices::type_code("nic");
    let mut found = find(&format!("{own} UNION {by_profile} ORDER BY 1, 2, 3"), nic, instance)?;
    found.extend(find(&format!("{profiles} ORDER BY 1, 2, 3"), nic, profile)?);
    let network = |(project, name)| User::Network { project, name };
    found.extend(find(&format!("{above} ORDER BY 1, 2, 3"), Some(super::State::Created.code()), network)?);
    Ok(found)
}

/// What a pool holds or serves: instances and images by their volumes, custom volumes, profiles with a disk on it.
pub fn pool_users(view: &View<'_>, pool: &str) -> Result<Vec<User>> {
    let sql = "SELECT pr.name, v.type, v.name FROM storage_volumes AS v
               JOIN storage_pools AS sp ON sp.id = v.storage_pool_id JOIN projects AS pr ON pr.id = v.project_id
               WHERE sp.name = ?1 ORDER BY pr.name, v.type, v.name";
    let mut found = Vec::new();
    for (project, kind, name) in view.rows::<(String, i64, String)>(sql, params![pool])? {
        found.push(match kind {
            super::storage_volumes::IMAGE => User::Image { project, fingerprint: name },
            super::storage_volumes::CUSTOM => User::Volume { pool: pool.to_owned(), project, kind, name },
            _ => User::Instance { project, name },
        });
    }
    found.extend(
        device_users(view, "disk", "pool", pool)?.into_iter().filter(|user| matches!(user, User::Profile { .. })),
    );
    let sql = "SELECT pr.name, v.type, v.name, s.name FROM storage_volumes_snapshots AS s
               JOIN storage_volumes AS v ON v.id = s.storage_volume_id
               JOIN storage_pools AS sp ON sp.id = v.storage_pool_id JOIN projects AS pr ON pr.id = v.project_id
               WHERE sp.name = ?1 AND v.type = ?2 ORDER BY pr.name, v.name, s.id";
    let rows = view.rows::<(String, i64, String, String)>(sql, params![pool, super::storage_volumes::CUSTOM])?;
    found.extend(rows.into_iter().map(|(project, kind, volume, name)| User::VolumeSnapshot {
        pool: pool.to_owned(),
        project,
        kind,
        volume,
        name,
    }));
    Ok(found)
}

/// Instances (also by way of a profile) and profiles that have a disk from this custom volume. Whose project's volume it
/// is depends on each project's features, and is for the caller to look at.
pub fn volume_users(view: &View<'_>, pool: &str, volume: &str) -> Result<Vec<User>> {
    let disks = |owner: &str, link: &str| {
        format!(
            "SELECT d.{owner}_id FROM {owner}s_devices AS d
             JOIN {owner}s_devices_config AS c ON c.{link} = d.id AND c.key = 'pool' AND c.value = ?1
             JOIN {owner}s_devices_config AS s ON s.{link} = d.id AND s.key = 'source' AND s.value = ?2
             WHERE d.type = 2"
        )
    };
    let (own, profiles) = (disks("instance", "instance_device_id"), disks("profile", "profile_device_id"));
    let values = params![pool, volume];
    let sql = format!(
        "SELECT pr.name, i.name FROM instances AS i JOIN projects AS pr ON pr.id = i.project_id
         WHERE i.id IN ({own}) OR i.id IN (SELECT instance_id FROM instances_profiles WHERE profile_id IN ({profiles}))
         ORDER BY pr.name, i.name"
    );
    let mut found: Vec<User> = view.rows::<Pair>(&sql, &values)?.into_iter().map(instance).collect();
    let sql = format!(
        "SELECT pr.name, p.name FROM profiles AS p JOIN projects AS pr ON pr.id = p.project_id
         WHERE p.id IN ({profiles}) ORDER BY pr.name, p.name"
    );
    found.extend(view.rows::<Pair>(&sql, &values)?.into_iter().map(profile));
    Ok(found)
}

/// What a project holds: instances, profiles, images, custom volumes, networks, access control lists.
pub fn project_users(view: &View<'_>, project: &str) -> Result<Vec<User>> {
    let of = |table: &str, column: &str| {
        format!(
            "SELECT t.{column} FROM {table} AS t JOIN projects AS pr ON pr.id = t.project_id
             WHERE pr.name = ?1 ORDER BY t.{column}"
        )
    };
    let names = |table: &str, column: &str| view.rows::<String>(&of(table, column), params![project]);
    let project = || project.to_owned();
    let mut found = Vec::new();
    found.extend(names("instances", "name")?.into_iter().map(|name| User::Instance { project: project(), name }));
    found.extend(names("profiles", "name")?.into_iter().map(|name| User::Profile { project: project(), name }));
    let images = names("images", "fingerprint")?.into_iter();
    found.extend(images.map(|fingerprint| User::Image { project: project(), fingerprint }));
    let custom = Some(super::storage_volumes::CUSTOM);
    for volume in super::storage_volumes::list(view, None, Some(&project()), custom)? {
        found.push(User::Volume { pool: volume.pool, project: project(), kind: volume.kind, name: volume.name });
    }
    found.extend(names("networks", "name")?.into_iter().map(|name| User::Network { project: project(), name }));
    found.extend(names("networks_acls", "name")?.into_iter().map(|name| User::NetworkAcl { project: project(), name }));
    Ok(found)
}

/// The instances that were made of an image and have not been changed to another.
pub fn image_users(view: &View<'_>, project: &str, fingerprint: &str) -> Result<Vec<User>> {
    let sql = "SELECT pr.name, i.name FROM instances AS i JOIN projects AS pr ON pr.id = i.project_id
               JOIN instances_config AS c ON c.instance_id = i.id
               WHERE pr.name = ?1 AND c.key = 'volatile.base_image' AND c.value = ?2 ORDER BY i.name";
    Ok(view.rows::<Pair>(sql, params![project, fingerprint])?.into_iter().map(instance).collect())
}
