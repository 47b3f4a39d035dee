//! Fetching an image from a server: once for everyone who wants it, checked by its hash, all of it or nothing.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::image::ImageAlias;
use corten_api::time::Time;
use corten_db::error::Abort;
use corten_db::table::images::Source;
use corten_db::table::{architecture, images};
use corten_db::{Tx, View};
use tokio::runtime::Handle;

use super::archive;
use super::find::kind_code;
use super::import::{PROFILE, announce};
use super::origin::{Found, Origin};
use super::progress::Progress;
use super::receive::{Build, META, ROOT};
use super::store::{self, folder};
use crate::app::App;
use crate::app::projects::allow;
use crate::app::projects::quota::Quota;
use crate::rest::operation::Op;

/// What the image is fetched for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Whether anyone may download it from here.
    pub public: bool,
    /// Whether it is kept up to date, when it was asked for by an alias.
    pub auto_update: bool,
    /// Whether it is here only as a copy, for an instance.
    pub cached: bool,
    /// Whether an older one that was asked for by the same alias, and is kept up to date, will do.
    pub prefer_cached: bool,
    /// The name under which it is kept; empty for the server's.
    pub filename: String,
    /// Properties that are added.
    pub properties: BTreeMap<String, String>,
    /// Its names here.
    pub aliases: Vec<ImageAlias>,
}

/// Brings an image into a project that holds images, unless it is there.
///
/// # Errors
/// When it cannot be had, or is not what it should be; nothing of it is left then.
pub fn fetch(app: &App, project: &str, origin: &Origin, wish: &Wish, op: &Op) -> Result<images::Image> {
    let (found, mut fingerprint) = wait(app, op, origin.ask())?;
    let by_alias = origin.alias != fingerprint;
    if wish.prefer_cached
        && by_alias
        && let Some(cached) = cached(app, origin)?
    {
        fingerprint = cached;
    }
    let _turn = app.images.turns.take(&fingerprint);
    let known = app.view(|view| anywhere(view, project, &fingerprint))?;
    let source = by_alias.then(|| Source {
        server: origin.server.clone(),
        protocol: origin.protocol().to_string(),
        certificate: origin.certificate.clone(),
        alias: origin.alias.clone(),
    });
    let image = match known {
        Some(image) if image.project == project => return keep(app, &image, wish),
        Some(other) => {
            let new = fresh(images::Image { source, ..other }, project, wish);
            app.write(|tx| store::insert(tx, &new, &wish.aliases))?;
            new
        }
        None => {
            let build = Build::new(&folder(app))?;
            let quota = Quota::new(app.view(|view| allow::image_space(view, project))?);
            download(app, origin, &found, &fingerprint, &build, &quota, op)?;
            let row = describe(&found, &fingerprint, &build)?;
            let auto_update = by_alias && wish.auto_update;
            let new = fresh(images::Image { source, auto_update, ..row }, project, wish);
            store::add(app, &new, &wish.aliases, &build)?;
            new
        }
    };
    announce(app, project, &image, op.requestor());
    app.find_image(project, &fingerprint)
}

/// Waits on this thread for what comes over the network, unless the client does not want it any more.
///
/// # Errors
/// That of `work`, or that the operation was cancelled.
pub fn wait<T>(app: &App, op: &Op, work: impl Future<Output = Result<T>>) -> Result<T> {
    wait_on(&app.runtime, op, work)
}

/// As [`wait`].
///
/// # Errors
/// As [`wait`].
pub fn wait_on<T>(runtime: &Handle, op: &Op, work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            () = op.cancelled() => Err(Error::invalid("The operation was cancelled")),
        }
    })
}

/// The image that was fetched earlier by the same alias.
fn cached(app: &App, origin: &Origin) -> Result<Option<String>> {
    let interval = app.settings.get_or("images.auto_update_interval", "6");
    if interval.parse::<i64>().unwrap_or(0) <= 0 {
        return Ok(None);
    }
    let kind = (!origin.kind.is_empty()).then(|| kind_code(&origin.kind));
    app.view(|view| {
        for name in &app.host.architectures {
            let Some(id) = architecture::id(name) else { continue };
            let found = images::cached_source(view, &origin.server, protocol_code(origin)?, &origin.alias, kind, id)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    })
}

fn protocol_code(origin: &Origin) -> Result<&str, Abort> {
    match images::PROTOCOLS.contains(&origin.protocol()) {
        true => Ok(origin.protocol()),
        false => Err(Error::invalid(format!("Unsupported protocol: {}", origin.protocol())).into()),
    }
}

/// The image in this project, else in any other.
fn anywhere(view: &View<'_>, project: &str, fingerprint: &str) -> Result<Option<images::Image>, Abort> {
    if let Some(image) = images::get(view, project, fingerprint)? {
        return Ok(Some(image));
    }
    let others = images::by_prefix(view, None, fingerprint)?;
    Ok(others.into_iter().find(|image| image.fingerprint == fingerprint))
}

/// Changes what the request says of an image that is there already.
fn keep(app: &App, image: &images::Image, wish: &Wish) -> Result<images::Image> {
    let new = amended(image.clone(), wish);
    if new == *image && wish.aliases.is_empty() {
        return Ok(new);
    }
    app.write(|tx: &mut Tx<'_>| {
        images::update(tx, &new)?;
        store::name(tx, &new.project, new.id, &wish.aliases)
    })?;
    app.find_image(&image.project, &image.fingerprint)
}

/// What LXD changes of an image that is asked for with words of one's own.
fn amended(image: images::Image, wish: &Wish) -> images::Image {
    // A copy for an instance leaves the image as it is.
    let says_something = wish.public || wish.auto_update || !wish.filename.is_empty() || !wish.properties.is_empty();
    if wish.cached || !says_something {
        return image;
    }
    let mut new = images::Image { public: wish.public, auto_update: wish.auto_update, ..image };
    if !wish.filename.is_empty() {
        new.filename.clone_from(&wish.filename);
    }
    new.properties.extend(wish.properties.clone());
    new
}

/// The row of an image that is new in a project.
fn fresh(image: images::Image, project: &str, wish: &Wish) -> images::Image {
    let now = Time::now().timestamp();
    let auto_update = image.auto_update;
    let image = images::Image {
        id: 0,
        project: project.to_string(),
        public: wish.public,
        uploaded: now,
        cached: wish.cached,
        last_used: wish.cached.then_some(now),
        profiles: vec![PROFILE.to_string()],
        aliases: Vec::new(),
        ..image
    };
    // Only what was asked for by an alias can be looked for again.
    images::Image { auto_update, ..amended(image, wish) }
}

fn download(
    app: &App,
    origin: &Origin,
    found: &Found,
    fingerprint: &str,
    build: &Build,
    quota: &Quota,
    op: &Op,
) -> Result<()> {
    let (mut meta, root) = (quota.meter(build.file(META)?), build.file(ROOT)?);
    let mut counted = quota.meter(&root);
    let mut progress = Progress::new(op, origin.protocol());
    tracing::info!(alias = origin.alias, server = origin.server, "Downloading image");
    let transfer =
        origin.download(found, fingerprint, &mut meta, &mut counted, |had, expected| progress.see(had, expected));
    wait(app, op, transfer)?;
    let is_empty = |file: &std::fs::File| file.metadata().map(|metadata| metadata.len() == 0);
    let unused = is_empty(&root).map_err(|error| Error::internal(format!("Failed to look at the image: {error}")))?;
    if unused {
        let removed = std::fs::remove_file(build.path(ROOT));
        removed.map_err(|error| Error::internal(format!("Failed to store the image: {error}")))?;
    }
    Ok(())
}

/// What is to be remembered of the image: what its server says, or else the image itself.
fn describe(found: &Found, fingerprint: &str, build: &Build) -> Result<images::Image> {
    let size = [META, ROOT].iter().filter_map(|name| std::fs::metadata(build.path(name)).ok());
    let size = i64::try_from(size.map(|metadata| metadata.len()).sum::<u64>()).unwrap_or(i64::MAX);
    let blank = |kind: &str, arch: &str, created: Time, expires: Time| images::Image {
        id: 0,
        project: String::new(),
        fingerprint: fingerprint.to_string(),
        kind: kind_code(kind),
        filename: String::new(),
        size,
        public: false,
        architecture: architecture::id(arch).unwrap_or_default(),
        created: Some(created.timestamp()),
        expires: Some(expires.timestamp()),
        uploaded: created.timestamp(),
        cached: false,
        last_used: None,
        auto_update: false,
        properties: BTreeMap::new(),
        source: None,
        profiles: Vec::new(),
        aliases: Vec::new(),
    };
    Ok(match found {
        Found::Listed(_, image) => images::Image {
            filename: image.filename.clone(),
            properties: image.properties.clone(),
            ..blank(&image.r#type, &image.architecture, image.created_at, image.expires_at)
        },
        Found::Direct(_) => {
            let described = archive::describe(&build.path(META), true)?;
            let kind = described.kind.ok_or_else(|| Error::internal("Invalid instance type"))?;
            let metadata = described.metadata;
            let time = |seconds: i64| Time::from_unix(seconds, 0);
            images::Image {
                properties: metadata.properties,
                ..blank(kind, &metadata.architecture, time(metadata.creation_date), time(metadata.expiry_date))
            }
        }
    })
}
