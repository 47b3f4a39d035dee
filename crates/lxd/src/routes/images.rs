//! `/1.0/images`: the list, and what makes new ones.

use crate::app::images::import::{self, Wish};
use crate::app::images::publish::{self, Source};
use crate::app::images::receive::{self, Failed, Received};
use crate::app::images::{store, token};
use crate::app::projects::quota::Quota;
use crate::app::projects::{Scope, allow};
use crate::app::{Call, Endpoint};
use crate::rest::call::{MAX_JSON, read_json};
use crate::rest::operation::{Op, Plan};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::image::{ImageAlias, ImagesPost, ImagesPostSource};
use corten_api::time::Time;
use corten_api::url;
use corten_client::multipart::Parser;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::io::Read;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/images").get(list, May::Anyone).post(create, May::Anyone)];

/// What LXD calls an operation that brings an image.
const DOWNLOAD: &str = "Downloading image";

/// Whether the client may see everything in the call's project; others see public images only.
pub fn sees_all(call: &Call) -> bool {
    call.requestor.is_trusted() && call.requestor.may_enter(call.project())
}

fn list(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let images = call.app.list_images(&scope, !sees_all(call))?;
    recursion::filtered(call, images, |image| url::path(["images", &image.fingerprint]))
}

/// What a request to make an image brings.
enum Asked {
    /// Words: where the image is to be had.
    Words(Box<ImagesPost>),
    /// The image itself.
    Image(Box<Result<Received, Failed>>),
}

fn create(call: &Call) -> Result<Reply> {
    let (secret, fingerprint) = (call.header("x-lxd-secret"), call.header("x-lxd-fingerprint"));
    let prepared = match fingerprint {
        "" => None,
        _ => token::redeem(&call.app, call.project(), fingerprint, secret)?,
    };
    if !sees_all(call) && prepared.is_none() {
        return Err(Error::forbidden("not authorized"));
    }
    let scope = call.app.scope(call)?;
    let quota = Quota::new(call.app.view(|view| allow::image_space(view, scope.name()))?);
    match read(call, &quota)? {
        Asked::Words(post) => from_words(call, scope, *post),
        Asked::Image(received) => match *received {
            Err(Failed::Broken(error)) => Err(error),
            // As in LXD, what arrived whole but is no image makes the operation fail.
            Err(Failed::Refused(error)) => accept(call, plan(call), |_| Err(error)),
            Ok(received) => {
                let mut plan = plan(call);
                if prepared.is_some() {
                    plan = plan.metadata("secret", crate::rest::operation::random_secret()?);
                }
                let (app, wish) = (call.app.clone(), wish(call, prepared.as_ref())?);
                accept(call, plan, move |op| import::take_in(&app, &scope, &received, &wish, op))
            }
        },
    }
}

fn plan(call: &Call) -> Plan {
    call.app.plan(call, DOWNLOAD)
}

fn accept(call: &Call, plan: Plan, work: impl FnOnce(&Op) -> Result<()> + Send + 'static) -> Result<Reply> {
    Reply::accepted(&call.app.operations.run(plan, work)?)
}

/// Tells words from images. LXD tries to read every body as JSON first; the first byte is enough to know, since no
/// archive begins with a brace.
fn read(call: &Call, quota: &Quota) -> Result<Asked> {
    let images = store::folder(&call.app);
    let content_type = call.header("content-type");
    if content_type.starts_with("application/json") {
        return Ok(Asked::Words(Box::new(call.json()?)));
    }
    if let Some(parser) = Parser::new(content_type).filter(|_| content_type.starts_with("multipart/form-data")) {
        return Ok(Asked::Image(Box::new(receive::split(&images, parser, quota.meter(call.body())))));
    }
    let mut body = quota.meter(call.body());
    let mut head = Vec::new();
    while head.iter().all(u8::is_ascii_whitespace) && (head.len() as u64) < MAX_JSON {
        let before = head.len();
        let read = body.by_ref().take(512).read_to_end(&mut head);
        read.map_err(|error| Error::internal(format!("Failed to receive the image: {error}")))?;
        if head.len() == before {
            break;
        }
    }
    if head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        body.take(MAX_JSON)
            .read_to_end(&mut head)
            .map_err(|error| Error::invalid(format!("Failed to read the body: {error}")))?;
        return Ok(Asked::Words(Box::new(read_json(&head)?)));
    }
    Ok(Asked::Image(Box::new(receive::unified(&images, head.as_slice().chain(body)))))
}

/// What the headers, and the operation that prepared the transfer, say of an image that is sent.
fn wish(call: &Call, prepared: Option<&Op>) -> Result<Wish> {
    let pairs = form_urlencoded::parse(call.header("x-lxd-properties").as_bytes());
    let mut properties = BTreeMap::new();
    for (key, value) in pairs {
        // Of several values LXD takes the first.
        properties.entry(key.into_owned()).or_insert_with(|| value.into_owned());
    }
    let mut wish = Wish {
        fingerprint: call.header("x-lxd-fingerprint").to_string(),
        filename: call.header("x-lxd-filename").to_string(),
        public: crate::app::settings::is_true(call.header("x-lxd-public")),
        properties,
        ..Wish::default()
    };
    let Some(op) = prepared else { return Ok(wish) };
    let defect = |error: serde_json::Error| Error::internal(format!("Failed to read the token of the image: {error}"));
    let get = |key: &str| op.metadata(key).unwrap_or_default();
    wish.aliases =
        serde_json::from_value::<Option<Vec<ImageAlias>>>(get("aliases")).map_err(defect)?.unwrap_or_default();
    wish.expires = serde_json::from_value::<Option<Time>>(get("expires_at")).map_err(defect)?;
    wish.replace_properties = serde_json::from_value(get("properties")).map_err(defect)?;
    wish.public = get("public").as_bool().unwrap_or(wish.public);
    Ok(wish)
}

fn from_words(call: &Call, scope: Scope, post: ImagesPost) -> Result<Reply> {
    let source = post.source.clone().unwrap_or_default();
    if source.mode == "push" {
        return prepare(call, &post, &source);
    }
    match source.r#type.as_str() {
        "image" | "url" => super::image_download::start(call, scope, post, source),
        "container" | "instance" | "virtual-machine" | "snapshot" => start_publishing(call, scope, post, &source),
        _ => Err(Error::internal("Invalid images JSON")),
    }
}

/// Starts to make an image of an instance or a snapshot.
fn start_publishing(call: &Call, scope: Scope, post: ImagesPost, source: &ImagesPostSource) -> Result<Reply> {
    if !post.compression_algorithm.is_empty() {
        publish::algorithm(&call.app, &scope, &post.compression_algorithm)?;
    }
    // As in LXD, what is wrong with the source makes the operation fail.
    let source = Source::parse(&source.r#type, &source.name);
    let app = call.app.clone();
    accept(call, plan(call).cancellable(), move |op| publish::publish(&app, &scope, &source?, &post, op))
}

/// Answers with a secret for an image that another server is going to send.
fn prepare(call: &Call, post: &ImagesPost, source: &ImagesPostSource) -> Result<Reply> {
    let more = Map::from_iter([
        ("aliases".to_string(), json!(post.aliases)),
        ("expires_at".to_string(), json!(post.expires_at)),
        ("properties".to_string(), json!(post.properties.clone().unwrap_or_default())),
        ("public".to_string(), json!(post.public)),
    ]);
    Reply::accepted(&token::create(call, &source.fingerprint, more)?)
}
