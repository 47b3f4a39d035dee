//! Secrets that let someone have, or bring, one image.

use corten_api::error::Result;
use corten_api::url;
use serde_json::{Map, Value};

use crate::app::{App, Call};
use crate::rest::operation::{Class, Op, random_secret};

/// What LXD calls such an operation.
const DESCRIPTION: &str = "Image download token";

/// Makes a secret for an image, with what else is to be remembered beside it.
///
/// # Errors
/// When the daemon shuts down, or there are no random bytes.
pub fn create(call: &Call, fingerprint: &str, more: Map<String, Value>) -> Result<Op> {
    let mut plan = call.app.plan(call, DESCRIPTION).resources("images", [fingerprint]);
    for (key, value) in more {
        plan = plan.metadata(&key, value);
    }
    let op = call.app.operations.token(plan.metadata("secret", random_secret()?))?;
    let source = url::path_in(call.project(), ["images", fingerprint]);
    call.app.lifecycle(call.project(), "image-secret-created", &source, op.requestor());
    Ok(op)
}

/// Finds the operation behind a secret, and uses it up. As in LXD it can still be had for the few seconds that the
/// operation is kept, since clients ask for the image and then for its files.
///
/// # Errors
/// When it cannot be used up.
pub fn redeem(app: &App, project: &str, fingerprint: &str, secret: &str) -> Result<Option<Op>> {
    if secret.is_empty() {
        return Ok(None);
    }
    let path = url::path(["images", fingerprint]);
    let fits = |op: &Op| {
        let resources = op.view().resources.unwrap_or_default();
        let images = resources.get("images").cloned().unwrap_or_default();
        op.class() == Class::Token
            && op.description() == DESCRIPTION
            && op.project() == project
            && images.contains(&path)
            && op.metadata("secret").is_some_and(|value| value == secret)
    };
    let found = app.operations.all().into_iter().find(fits);
    if let Some(op) = found.as_ref().filter(|op| !op.status().is_final()) {
        app.operations.cancel(op)?;
    }
    Ok(found)
}
