//! `/1.0/projects`.

use crate::app::{Call, Endpoint};
use crate::rest::error::not_authorized;
use crate::rest::operation::Plan;
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::json;
use corten_api::project::{Project, ProjectPost, ProjectPut, ProjectsPost};
use corten_api::url;
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/projects").get(list, May::Trusted).post(create, May::Admin),
    Endpoint::at("/1.0/projects/{name}")
        .get(show, May::Trusted)
        .put(replace, May::Admin)
        .patch(amend, May::Admin)
        .post(rename, May::Admin)
        .delete(remove, May::Admin),
    Endpoint::at("/1.0/projects/{name}/state").get(state, May::Trusted),
];

/// What an update must not overlook, in LXD's order.
fn etag(project: &Project) -> Value {
    json!([project.description, project.config])
}

fn list(call: &Call) -> Result<Reply> {
    let mut projects = call.app.list_projects()?;
    projects.retain(|project| call.requestor.may_enter(&project.name));
    recursion::list(call, &projects, |project| url::path(["projects", &project.name]))
}

fn allowed(call: &Call) -> Result<&str> {
    let name = call.part("name");
    if call.requestor.may_enter(name) { Ok(name) } else { Err(not_authorized()) }
}

fn show(call: &Call) -> Result<Reply> {
    let project = call.app.find_project(allowed(call)?)?;
    Ok(Reply::sync(&project)?.etag(&etag(&project)))
}

fn create(call: &Call) -> Result<Reply> {
    let body: ProjectsPost = call.json()?;
    call.app.create_project(&body)?;
    Ok(Reply::created(tell(call, "project-created", &body.name)))
}

fn current(call: &Call) -> Result<Project> {
    let project = call.app.find_project(call.part("name"))?;
    call.check_etag(&etag(&project))?;
    Ok(project)
}

fn replace(call: &Call) -> Result<Reply> {
    let old = current(call)?;
    let new: ProjectPut = call.json()?;
    save(call, &old, &new)
}

fn amend(call: &Call) -> Result<Reply> {
    let old = current(call)?;
    let body = call.json_object()?;
    let has_description = body.get("description").is_some_and(Value::is_string);
    let mut new: ProjectPut = json::from_value(Value::Object(body))
        .map_err(|error| Error::invalid(format!("Invalid request body: {error}")))?;
    if !has_description {
        new.description.clone_from(&old.description);
    }
    let mut config = old.config.clone();
    config.extend(new.config);
    new.config = config;
    save(call, &old, &new)
}

fn save(call: &Call, old: &Project, new: &ProjectPut) -> Result<Reply> {
    call.app.update_project(old, new)?;
    tell(call, "project-updated", &old.name);
    Ok(Reply::empty())
}

/// Renames in the background, as LXD does.
fn rename(call: &Call) -> Result<Reply> {
    let body: ProjectPost = call.json()?;
    let (app, old, new) = (call.app.clone(), call.part("name").to_string(), body.name);
    if old == "default" {
        return Err(Error::forbidden("The 'default' project cannot be renamed"));
    }
    let requestor = call.lifecycle_requestor();
    let plan = Plan::new("", "Renaming project").requestor(requestor.clone());
    let operation = call.app.operations.run(plan, move |_| {
        app.rename_project(&old, &new)?;
        let source = url::path(["projects", &new]);
        app.lifecycle_with(&new, "project-renamed", &source, Some(requestor), [("old_name", json!(old))]);
        Ok(())
    })?;
    // One write, and clients ask for the new name without waiting for the operation (pylxd): its failure is the
    // operation's, and told there.
    let _ = call.app.operations.wait(&operation);
    Reply::accepted(&operation)
}

fn remove(call: &Call) -> Result<Reply> {
    let name = call.part("name");
    if name == "default" {
        return Err(Error::forbidden("The 'default' project cannot be deleted"));
    }
    call.app.delete_project(name)?;
    tell(call, "project-deleted", name);
    Ok(Reply::empty())
}

fn state(call: &Call) -> Result<Reply> {
    Reply::sync(&call.app.project_state(allowed(call)?)?)
}

fn tell(call: &Call, action: &str, name: &str) -> String {
    let source = url::path(["projects", name]);
    call.app.lifecycle(name, action, &source, Some(call.lifecycle_requestor()));
    source
}
