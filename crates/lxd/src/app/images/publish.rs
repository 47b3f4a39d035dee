//! Publishing: an image made of a stopped instance, or of one of its snapshots.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use corten_api::error::{Context, Error, Result};
use corten_api::image::{ImageMetadata, ImagesPost};
use corten_api::time::Time;
use corten_api::yaml;
use corten_archive::compress::Algorithm;
use corten_archive::tree_size::tree_size;
use corten_db::table::{architecture, images, snapshots};
use corten_host::idmap::IdMap;
use corten_host::rooted::directory::Directory;
use corten_host::xattr::IdShift;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::{Action, Observed};
use corten_instance::step::pass;
use corten_instance::volatile;
use corten_storage::driver::View;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;
use serde_json::{Value, json};

use super::import::{PROFILE, announce, tell_result};
use super::progress::byte_size;
use super::receive::{Build, META};
use super::store::{self, folder};
use crate::app::App;
use crate::app::archive_file::{self, Listener, Seldom, in_words};
use crate::app::instances::claims::{Key, Taken};
use crate::app::instances::snapshots::not_found;
use crate::app::instances::{Instances, metadata, observe, root};
use crate::app::projects::quota::Quota;
use crate::app::projects::{Scope, allow};
use crate::rest::operation::Op;

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The instance.
    pub instance: String,
    /// Its snapshot; `None` for the instance itself.
    pub snapshot: Option<String>,
}

impl Source {
    /// Understands type and name of a request's source.
    ///
    /// # Errors
    /// In LXD's words.
    pub fn parse(kind: &str, name: &str) -> Result<Source> {
        if name.is_empty() {
            return Err(Error::internal("No source provided"));
        }
        match (kind == "snapshot", name.split_once('/')) {
            (true, Some((instance, snapshot))) => {
                Ok(Source { instance: instance.to_string(), snapshot: Some(snapshot.to_string()) })
            }
            (true, None) => Err(Error::internal("Not a snapshot")),
            (false, Some(_)) => Err(Error::internal("This is a snapshot")),
            (false, None) => Ok(Source { instance: name.to_string(), snapshot: None }),
        }
    }
}

/// The compressor: as the request says, else the project, else the server.
///
/// # Errors
/// When it is not known.
pub fn algorithm(app: &App, scope: &Scope, asked: &str) -> Result<Algorithm> {
    let key = "images.compression_algorithm";
    let own = scope.0.config.get(key).filter(|value| !value.is_empty()).cloned();
    let value = Some(asked.to_string()).filter(|value| !value.is_empty()).or(own);
    Algorithm::parse(&value.unwrap_or_else(|| app.settings.get_or(key, "gzip"))).map_err(in_words)
}

/// Makes the image. The operation's metadata gets how far it is, and then its fingerprint and size.
///
/// # Errors
/// In LXD's words; nothing of the image is left then.
pub fn publish(app: &Arc<App>, scope: &Scope, source: &Source, post: &ImagesPost, op: &Op) -> Result<()> {
    let algorithm = algorithm(app, scope, &post.compression_algorithm)?;
    let key: Key = (scope.name().to_string(), source.instance.clone());
    let instance = Instances::find(app, &key.0, &key.1)?;
    let Some(snapshot) = &source.snapshot else {
        // Nobody starts or changes it while it is read.
        let Taken::Go(claim) = app.instances.claims.take(&key, Action::Snapshot, || observe(app, &key))? else {
            return Ok(());
        };
        if observe(app, &key)? != Observed::Stopped {
            return Err(Error::internal("Cannot export a running instance as an image"));
        }
        let (pool, volume) = root::volume(app, &instance)?;
        let outcome = make(app, scope, &Packed { instance: &instance, pool, volume }, post, algorithm, op);
        return claim.end(outcome);
    };
    let row = app.view(|view| Ok(snapshots::get(view, instance.id, snapshot)?))?;
    let row = row.ok_or_else(|| not_found(&instance, snapshot))?;
    let (pool, volume) = root::volume(app, &instance)?;
    let volume = volume.snapshot(&row.name);
    let taken = Instance { config: row.config, ..instance };
    make(app, scope, &Packed { instance: &taken, pool, volume }, post, algorithm, op)
}

/// What goes into the image: an instance, or a snapshot's keys and volume.
struct Packed<'a> {
    instance: &'a Instance,
    pool: Pool,
    volume: Volume,
}

fn make(app: &App, scope: &Scope, what: &Packed<'_>, post: &ImagesPost, algorithm: Algorithm, op: &Op) -> Result<()> {
    let build = Build::new(&folder(app))?;
    let mounted = what.pool.mount_volume(&what.volume, View::Content)?;
    let (metadata, text) = description(mounted.path(), &what.instance.architecture, post)?;
    pass("make the archive")?;
    let quota = Quota::new(app.view(|view| allow::image_space(view, scope.name()))?);
    let progress = Progress::new(op, tree_size(&mounted.path().join("rootfs")).map_err(in_words)?);
    let shift = on_disk(what.instance)?.map(|map| map.reversed());
    let listener =
        Listener { packed: &|size| progress.see(size), stored: &|_| {}, cancelled: op.cancel_flag(), quota: &quota };
    let file = build.path(META);
    let shift = shift.as_ref().map(|map| map as &dyn IdShift);
    let written = archive_file::write(&file, algorithm, shift, listener, |pack| {
        pack.file(Path::new("metadata.yaml"), text.as_bytes(), 0o644, metadata.creation_date).map_err(in_words)?;
        pack.tree(&mounted.path().join("rootfs"), Path::new("rootfs")).map_err(in_words)?;
        let templates = mounted.path().join("templates");
        if templates.is_dir() {
            pack.unshifted().tree(&templates, Path::new("templates")).map_err(in_words)?;
        }
        Ok(())
    });
    let written = written.map_err(|error| op.or_cancelled(error))?;
    mounted.release()?;
    let size = i64::try_from(written.size).unwrap_or(i64::MAX);
    tell_result(op, &written.sha256, size);
    let _turn = app.images.turns.take(&written.sha256);
    let expires = Time::from_unix(metadata.expiry_date, 0);
    let image = images::Image {
        id: 0,
        project: scope.images().to_string(),
        fingerprint: written.sha256,
        kind: super::find::kind_code("container"),
        filename: post.filename.clone(),
        size,
        public: post.public,
        architecture: architecture::id(&what.instance.architecture).unwrap_or_default(),
        created: Some(Time::now().timestamp()),
        expires: (metadata.expiry_date != 0).then(|| expires.timestamp()),
        uploaded: Time::now().timestamp(),
        cached: false,
        last_used: None,
        auto_update: post.auto_update,
        properties: metadata.properties,
        source: None,
        profiles: vec![PROFILE.to_string()],
        aliases: Vec::new(),
    };
    let stored = store::add(app, &image, &post.aliases, &build);
    stored.map_err(|error| match error == store::already_there() {
        true => Error::internal(format!("The image already exists: {}", image.fingerprint)),
        false => error,
    })?;
    announce(app, scope.images(), &image, op.requestor());
    Ok(())
}

/// The map that the files on disk are shifted by; `None` where they carry the container's own ids.
fn on_disk(instance: &Instance) -> Result<Option<IdMap>> {
    let text = Some(instance.volatile(volatile::IDMAP_ON_DISK)).filter(|text| !text.is_empty()).unwrap_or("[]");
    let map = IdMap::from_json(text).map_err(|error| Error::internal(corten_api::error::chain(&error)))?;
    Ok((!map.is_empty()).then_some(map))
}

/// What the image will say of itself, and that as text: the instance's own `metadata.yaml` as it is where the request
/// changes nothing of it, or a new one.
fn description(volume: &Path, arch: &str, post: &ImagesPost) -> Result<(ImageMetadata, String)> {
    let own = own_metadata(volume)?;
    let changes = post.properties.is_some() || post.expires_at != Time::ZERO;
    let mut metadata: ImageMetadata = match &own {
        Some(text) => yaml::from_str(text).map_err(|error| error.context("Invalid metadata.yaml"))?,
        None => ImageMetadata {
            architecture: arch.to_string(),
            creation_date: Time::now().unix(),
            ..ImageMetadata::default()
        },
    };
    if let Some(properties) = &post.properties {
        metadata.properties.clone_from(properties);
    }
    if post.expires_at != Time::ZERO {
        metadata.expiry_date = post.expires_at.unix();
    }
    let text = match own {
        Some(text) if !changes => text,
        _ => yaml::to_string(&metadata)?,
    };
    Ok((metadata, text))
}

fn own_metadata(volume: &Path) -> Result<Option<String>> {
    let reading = "Failed to read metadata.yaml";
    let folder = Directory::open(volume).context(reading)?;
    match metadata::read_file(&folder, "metadata.yaml") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        text => Ok(Some(String::from_utf8_lossy(&text.context(reading)?).into_owned())),
    }
}

/// Tells an operation how much of the tree is packed, in LXD's words.
struct Progress<'a> {
    op: &'a Op,
    total: u64,
    begun: Instant,
    told: Seldom<u64>,
}

impl<'a> Progress<'a> {
    fn new(op: &'a Op, total: u64) -> Progress<'a> {
        Progress { op, total, begun: Instant::now(), told: Seldom::new(0) }
    }

    fn see(&self, packed: u64) {
        // An archive is a little longer than its files.
        let percent = (packed * 100).checked_div(self.total).map(|percent| percent.min(100));
        if !self.told.is_news(percent.unwrap_or(packed >> 20)) {
            return;
        }
        let speed = u128::from(packed) * 1000 / self.begun.elapsed().as_millis().max(1);
        let speed = u64::try_from(speed).unwrap_or(u64::MAX);
        let stage = "create_image_from_container_pack";
        let mut progress = BTreeMap::from([("stage", stage.to_string()), ("speed", speed.to_string())]);
        let far = match percent {
            Some(percent) => {
                progress.insert("percent", percent.to_string());
                format!("{percent}% ")
            }
            None => {
                progress.insert("processed", packed.to_string());
                format!("{} ", byte_size(packed))
            }
        };
        let text = format!("Image pack: {far}({}/s)", byte_size(speed));
        let metadata = [("progress".to_string(), json!(progress)), (format!("{stage}_progress"), Value::from(text))];
        self.op.extend_metadata(metadata);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart_in_lxds_words() {
        let good = Source::parse("snapshot", "c1/s0").expect("a snapshot");
        assert_eq!((good.instance.as_str(), good.snapshot.as_deref()), ("c1", Some("s0")));
        assert_eq!(Source::parse("container", "c1").expect("an instance").snapshot, None);
        for (kind, name, words) in [
            ("snapshot", "c1", "Not a snapshot"),
            ("instance", "c1/s0", "This is a snapshot"),
            ("instance", "", "No source provided"),
        ] {
            assert_eq!(Source::parse(kind, name).expect_err(words).message, words);
        }
    }

    #[test]
    fn what_the_request_leaves_open_stays_as_the_instance_has_it() {
        let folder = std::env::temp_dir().join(format!("corten-publish-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of ours");
        let blank = ImagesPost::default();
        let (made, text) = description(&folder, "x86_64", &blank).expect("a new one is made");
        assert_eq!(made.architecture, "x86_64");
        assert!(text.starts_with("architecture: x86_64\n"), "{text}");
        let own = "architecture: x86_64   # as its maker wrote it\ncreation_date: 7\nproperties: {os: a}\n";
        std::fs::write(folder.join("metadata.yaml"), own).expect("it is ours");
        assert_eq!(description(&folder, "x86_64", &blank).expect("it is read").1, own);
        let asked = ImagesPost { properties: Some(BTreeMap::new()), ..ImagesPost::default() };
        let (made, text) = description(&folder, "x86_64", &asked).expect("it is read");
        assert!(made.properties.is_empty() && made.creation_date == 7 && !text.contains("os"), "{text}");
        std::fs::remove_file(folder.join("metadata.yaml")).expect("it is ours");
        std::os::unix::fs::symlink("/etc/passwd", folder.join("metadata.yaml")).expect("it is ours");
        description(&folder, "x86_64", &blank).expect_err("a link is not followed");
        std::fs::remove_dir_all(folder).expect("it is ours");
    }
}
