//! An image that a client has sent: looked at, and taken in.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::image::ImageAlias;
use corten_api::time::Time;
use corten_api::url;
use corten_db::table::{architecture, images};
use serde_json::{Value, json};

use super::archive::{self, Described};
use super::find::kind_code;
use super::receive::{META, Received};
use super::store;
use crate::app::App;
use crate::app::projects::Scope;
use crate::rest::operation::Op;

/// What the client says of the image beside what the image says itself.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The fingerprint that it expects; empty for any.
    pub fingerprint: String,
    /// The name under which it keeps the image.
    pub filename: String,
    /// Whether anyone may download it.
    pub public: bool,
    /// Properties that replace those of the image, when the client prepared the transfer.
    pub replace_properties: Option<BTreeMap<String, String>>,
    /// Properties that are added.
    pub properties: BTreeMap<String, String>,
    /// When it ceases to be useful, in place of what the image says.
    pub expires: Option<Time>,
    /// Its names.
    pub aliases: Vec<ImageAlias>,
}

/// The profile that instances of a new image get.
pub const PROFILE: &str = "default";

/// Takes in an image that has arrived. The operation's metadata gets its fingerprint and size.
///
/// # Errors
/// In LXD's words; nothing of the image is left then.
pub fn take_in(app: &App, scope: &Scope, received: &Received, wish: &Wish, op: &Op) -> Result<()> {
    let fingerprint = &received.fingerprint;
    if !wish.fingerprint.is_empty() && wish.fingerprint != *fingerprint {
        let expected = &wish.fingerprint;
        return Err(Error::internal(format!("fingerprints don't match, got {fingerprint} expected {expected}")));
    }
    let described = archive::describe(&received.build.path(META), received.split.is_none())?;
    let image = row(scope.images(), received, wish, described)?;
    let _turn = app.images.turns.take(fingerprint);
    tell_result(op, fingerprint, image.size);
    store::add(app, &image, &wish.aliases, &received.build)?;
    announce(app, scope.images(), &image, op.requestor());
    Ok(())
}

/// Lets the operation say which image it made.
pub fn tell_result(op: &Op, fingerprint: &str, size: i64) {
    // LXD sends both as text.
    op.extend_metadata([
        ("fingerprint".to_string(), json!(fingerprint)),
        ("size".to_string(), json!(size.to_string())),
    ]);
}

/// Tells the listeners of a new image.
pub fn announce(app: &App, project: &str, image: &images::Image, requestor: Option<EventLifecycleRequestor>) {
    let source = url::path_in(project, ["images", &image.fingerprint]);
    let context = [("type", Value::from(super::find::kind_name(image.kind)))];
    app.lifecycle_with(project, "image-created", &source, requestor, context);
}

/// The row of an image that has arrived.
fn row(project: &str, received: &Received, wish: &Wish, described: Described) -> Result<images::Image> {
    let metadata = described.metadata;
    let Some(kind) = received.split.or(described.kind) else {
        // LXD's words for a file that has metadata and no root.
        return Err(Error::internal("Invalid instance type"));
    };
    let mut properties = wish.replace_properties.clone().unwrap_or(metadata.properties);
    properties.extend(wish.properties.clone());
    let filename = if received.split.is_some() { &received.filename } else { &wish.filename };
    let moment = |seconds: i64| Some(Time::from_unix(seconds, 0).timestamp());
    Ok(images::Image {
        id: 0,
        project: project.to_string(),
        fingerprint: received.fingerprint.clone(),
        kind: kind_code(kind),
        filename: filename.clone(),
        size: i64::try_from(received.size).unwrap_or(i64::MAX),
        public: wish.public,
        architecture: architecture::id(&metadata.architecture).unwrap_or_default(),
        created: moment(metadata.creation_date),
        expires: wish.expires.map_or_else(|| moment(metadata.expiry_date), |time| Some(time.timestamp())),
        uploaded: Time::now().timestamp(),
        cached: false,
        last_used: None,
        auto_update: false,
        properties,
        source: None,
        profiles: vec![PROFILE.to_string()],
        aliases: Vec::new(),
    })
}
