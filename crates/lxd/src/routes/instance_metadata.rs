//! `/1.0/instances/NAME/metadata` and its templates.

use corten_api::error::{Error, Result};
use corten_api::image::ImageMetadata;
use corten_instance::instance::Instance;
use hyper::header::CONTENT_DISPOSITION;
use serde_json::Value;

use crate::app::instances::metadata;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/metadata")
        .typed()
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit),
    Endpoint::at("/1.0/instances/{name}/metadata/templates")
        .typed()
        .get(templates, May::View)
        .post(set_template, May::Edit)
        .delete(remove_template, May::Edit),
];

fn tell(call: &Call, instance: &Instance, action: &str, template: Option<&str>) {
    let (project, name) = (&instance.project, instance.name.as_str());
    let source = if action.contains("-template-") {
        corten_api::url::path_in(project, ["instances", name, "metadata", "templates"])
    } else {
        corten_api::url::path_in(project, ["instances", name, "metadata"])
    };
    let requestor = Some(call.lifecycle_requestor());
    match template {
        Some(name) => {
            let context = [("path", Value::from(name))];
            call.app.lifecycle_with(&instance.project, action, &source, requestor, context);
        }
        None => call.app.lifecycle(&instance.project, action, &source, requestor),
    }
}

fn show(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let Some(metadata) = metadata::open(&call.app, &instance)?.metadata()? else {
        return Reply::sync(&ImageMetadata::default());
    };
    tell(call, &instance, "instance-metadata-retrieved", None);
    Ok(Reply::sync(&metadata)?.etag(&metadata))
}

fn replace(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let wanted: ImageMetadata = call.json()?;
    let beside = metadata::open(&call.app, &instance)?;
    call.check_etag(&beside.metadata()?.unwrap_or_default())?;
    beside.set_metadata(&wanted)?;
    tell(call, &instance, "instance-metadata-updated", None);
    Ok(Reply::empty())
}

fn amend(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let beside = metadata::open(&call.app, &instance)?;
    let mut metadata = beside.metadata()?.unwrap_or_default();
    call.check_etag(&metadata)?;
    let body = call.json_object()?;
    let given: ImageMetadata = crate::rest::call::read_json(Value::Object(body.clone()).to_string().as_bytes())?;
    let has = |field: &str| body.get(field).is_some_and(|value| !value.is_null());
    // What is given is merged, properties and templates one by one.
    if has("architecture") {
        metadata.architecture = given.architecture;
    }
    if has("creation_date") {
        metadata.creation_date = given.creation_date;
    }
    if has("expiry_date") {
        metadata.expiry_date = given.expiry_date;
    }
    metadata.properties.extend(given.properties);
    if let Some(templates) = given.templates {
        metadata.templates.get_or_insert_default().extend(templates);
    }
    beside.set_metadata(&metadata)?;
    tell(call, &instance, "instance-metadata-updated", None);
    Ok(Reply::empty())
}

fn templates(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let beside = metadata::open(&call.app, &instance)?;
    let name = call.query.get("path");
    if name.is_empty() {
        return Reply::sync(&beside.templates()?);
    }
    let content = beside.template(name)?;
    tell(call, &instance, "instance-metadata-template-retrieved", Some(name));
    let reply = Reply::bytes(content, "application/octet-stream");
    Ok(reply.header(CONTENT_DISPOSITION, &format!("inline;filename={name}")))
}

/// The template that a change is about.
fn named(call: &Call) -> Result<&str> {
    match call.query.get("path") {
        "" => Err(Error::invalid("missing path argument")),
        name => Ok(name),
    }
}

fn set_template(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let name = named(call)?;
    metadata::open(&call.app, &instance)?.set_template(name, &call.bytes()?)?;
    tell(call, &instance, "instance-metadata-template-created", Some(name));
    Ok(Reply::empty())
}

fn remove_template(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let name = named(call)?;
    metadata::open(&call.app, &instance)?.remove_template(name)?;
    tell(call, &instance, "instance-metadata-template-deleted", Some(name));
    Ok(Reply::empty())
}
