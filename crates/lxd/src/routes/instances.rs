//! `/1.0/instances`: the list, creation, and changes of state of all at once.

use std::collections::HashMap;

use corten_api::error::{Error, Result};
use corten_api::instance::{Instance as Shown, InstanceFull, InstancesPost, InstancesPut};
use corten_api::url;
use corten_db::table::instances;
use corten_instance::instance::Instance;
use corten_instance::volatile;

use crate::app::backups::{change, import, receive};
use crate::app::images::source;
use crate::app::instances::copy::Source;
use crate::app::instances::create::{self, Origin};
use crate::app::instances::listed::Listed;
use crate::app::instances::{Instances, instance_types, refresh, snapshots, state, status, view};
use crate::app::migration::request::{self, Way};
use crate::app::migration::{self, instance_source, target_pool};
use crate::app::projects::allow;
use crate::app::projects::quota::Quota;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance_state;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/instances")
    .typed()
    .get(list, May::View)
    .post(create, May::Edit)
    .put(change_all, May::Operate)];

fn list(call: &Call) -> Result<Reply> {
    if call.instance_type == Some("virtual-machine") {
        return Reply::sync(&Vec::<String>::new());
    }
    let all = call.all_projects()?;
    let project = (!all).then(|| call.project());
    if call.recursion() < 2 && call.filter()?.is_empty() {
        return listed(call, project);
    }
    let found: Vec<Instance> = Instances::all(&call.app, project)?;
    let found: Vec<Instance> =
        found.into_iter().filter(|instance| call.requestor.may_enter(&instance.project)).collect();
    if call.recursion() < 2 {
        let shown = |instance: Instance| {
            let code = status(&call.app, &instance);
            view::show_owned(instance, code)
        };
        let shown: Vec<Shown> = found.into_iter().map(shown).collect();
        let family = call.instance_type.map_or("instances", |_| "containers");
        return recursion::filtered(call, shown, |one| url::path_in(&one.project, [family, &one.name]));
    }
    let mut taken = snapshots::of_all(&call.app, project, &found)?;
    let mut kept = change::by_instance(&call.app)?;
    let full = |instance: Instance| -> Result<InstanceFull> {
        let (id, code) = (instance.id, status(&call.app, &instance));
        let state = state::state_of(&call.app, &instance, code)?;
        let shown = view::show_owned(instance, code);
        let (taken, kept) = (taken.remove(&id).unwrap_or_default(), kept.remove(&id).unwrap_or_default());
        Ok(view::show_full(shown, Some(state), taken, kept))
    };
    let full: Vec<InstanceFull> = found.into_iter().map(full).collect::<Result<_>>()?;
    recursion::filtered(call, full, |one| url::path_in(&one.project, ["instances", &one.name]))
}

/// The list as it is kept, of a project or of all: paths, or whole instances.
fn listed(call: &Call, project: Option<&str>) -> Result<Reply> {
    let listed = Listed::now(&call.app)?;
    let shown = listed
        .items
        .iter()
        .filter(|item| project.is_none_or(|project| project == item.key.0) && call.requestor.may_enter(&item.key.0));
    if call.recursion() == 0 {
        let family = call.instance_type.map_or("instances", |_| "containers");
        let paths: Vec<String> = shown.map(|item| url::path_in(&item.key.0, [family, &item.key.1])).collect();
        return Reply::sync(&paths);
    }
    Ok(Reply::written(listed.room(), |out| {
        out.push(b'[');
        for (number, item) in shown.enumerate() {
            if number > 0 {
                out.push(b',');
            }
            listed.write(&call.app, item, out);
        }
        out.push(b']');
    }))
}

/// Starts to make an instance of the backup that is the body.
fn import(call: &Call) -> Result<Reply> {
    let app = &call.app;
    let project = app.scope(call)?.name().to_string();
    let quota = Quota::new(app.view(|view| allow::space(view, &project))?);
    let file = receive::receive(app, call.body(), &quota)?;
    let arrived = import::look(app, &project, file, call.header("x-lxd-pool"), call.header("x-lxd-name"))?;
    let plan = app.plan(call, "Restoring backup").container(&arrived.name).cancellable();
    let worker = app.clone();
    Reply::accepted(&app.operations.run(plan, move |op| import::import(&worker, &arrived, op))?)
}

fn create(call: &Call) -> Result<Reply> {
    if call.header("content-type") == "application/octet-stream" {
        return import(call);
    }
    let mut post: InstancesPost = call.json()?;
    if call.instance_type == Some("container") {
        post.r#type = "container".to_string();
    }
    create::request::check(&post, call.query.get("target"))?;
    let project = call.project().to_string();
    create::request::check_project(&call.app, &project)?;
    if !post.instance_type.is_empty() {
        for (key, value) in instance_types::keys(&call.app, &post.instance_type)? {
            post.config.entry(key).or_insert(value);
        }
    }
    if post.source.r#type == "copy" {
        post.name = create::choose_name(&call.app, &project, &post.name)?;
        create::request::check_name(&post)?;
        return copy(call, project, post);
    }
    let wanted = match post.source.r#type.as_str() {
        "none" => None,
        "image" => Some(source::find(&call.app, &project, &post.source)?),
        "migration" => {
            create::request::check_profiles(&call.app, &project, &post)?;
            create::request::check_name(&post)?;
            return take_in(call, project, post);
        }
        other => return Err(Error::invalid(format!("Unknown source type {other}"))),
    };
    create::request::check_profiles(&call.app, &project, &post)?;
    post.name = create::choose_name(&call.app, &project, &post.name)?;
    create::request::check_name(&post)?;
    create::must_be_allowed(&call.app, &project, &mut post, wanted.as_ref())?;
    let plan = call.app.plan(call, "Creating instance").container(&post.name);
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let op = call.app.operations.run(plan, move |op| {
        let origin = match &wanted {
            None => Origin::Nothing,
            Some(wanted) => Origin::Image(Box::new(source::make_ready(&app, &project, wanted, op)?)),
        };
        create::create(&app, &project, &post, &origin, Some(&requestor))
    })?;
    Reply::accepted(&op)
}

/// A copy of an instance of this server, or what brings one that is there up to date.
fn copy(call: &Call, project: String, mut post: InstancesPost) -> Result<Reply> {
    let source = Source::find(&call.app, &project, &post.source)?;
    if !call.requestor.may_enter(&source.instance.project) {
        return Err(Error::forbidden("not authorized"));
    }
    source.complete(&mut post)?;
    let key = (project.clone(), post.name.clone());
    let there = call.app.view(|view| Ok(instances::id(view, &key.0, &key.1)?))?.is_some();
    let refreshes = post.source.refresh && there;
    if !refreshes {
        create::must_be_allowed(&call.app, &project, &mut post, None)?;
    }
    let names = [post.name.clone(), post.source.source.clone()];
    let plan = call.app.plan(call, "Creating instance").resources("instances", names.clone());
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let op = call.app.operations.run(plan.resources("containers", names), move |_| {
        if refreshes {
            let alone = post.source.instance_only || post.source.container_only;
            return refresh::refresh(&app, &key, &source, alone);
        }
        create::create(&app, &project, &post, &Origin::Copy(Box::new(source.clone())), Some(&requestor))
    })?;
    Reply::accepted(&op)
}

/// An instance of another server, or what brings one that is there up to date.
fn take_in(call: &Call, project: String, mut post: InstancesPost) -> Result<Reply> {
    let (app, source) = (&call.app, &post.source);
    let way = Way::of_target(&source.mode, &source.operation, &source.certificate, &source.secrets)?;
    instance_source::must_not_be_live(source.live || source.secrets.contains_key("criu"), "destination")?;
    let key = (project.clone(), post.name.clone());
    let there = app.view(|view| Ok(instances::id(view, &key.0, &key.1)?))?.is_some();
    let refreshes = post.source.refresh && there;
    if !refreshes {
        if there {
            let words = "Failed creating instance record: Add instance info to the database: \
                         This \"instances\" entry already exists";
            return Err(Error::internal(words));
        }
        target_pool::choose(app, &project, &mut post)?;
        if !post.source.base_image.is_empty() {
            post.config.insert(volatile::BASE_IMAGE.to_string(), post.source.base_image.clone());
        }
        create::must_be_allowed(app, &project, &mut post, None)?;
    }
    let plan = app.plan(call, "Creating instance").container(&post.name);
    let (worker, requestor) = (app.clone(), call.lifecycle_requestor());
    let op = request::start(app, plan, way, move |session, _| {
        if refreshes {
            let alone = post.source.instance_only || post.source.container_only;
            return migration::instance::bring_up_to_date(&worker, &key, session, alone);
        }
        migration::instance::take_in(&worker, &project, &post, session, Some(&requestor))
    })?;
    Reply::accepted(&op)
}

/// One change of state for every instance of the project, as `lxc stop --all` asks for.
fn change_all(call: &Call) -> Result<Reply> {
    let put: InstancesPut = call.json()?;
    let put = put.state.unwrap_or_default();
    let change = instance_state::Change::parse(&put)?;
    let found = Instances::all(&call.app, Some(call.project()))?;
    let found: Vec<Instance> = found.into_iter().filter(|one| change.applies(status(&call.app, one))).collect();
    let names: Vec<String> = found.iter().map(|one| one.name.clone()).collect();
    let plan = call.app.plan(call, change.description()).resources("instances", names);
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let op = call.app.operations.run(plan, move |_| {
        let outcomes: HashMap<String, Result<()>> = std::thread::scope(|scope| {
            let (app, requestor) = (&app, &requestor);
            let workers: Vec<_> = found
                .iter()
                .map(|one| {
                    let key = (one.project.clone(), one.name.clone());
                    (one.name.clone(), scope.spawn(move || change.run(app, &key, requestor)))
                })
                .collect();
            workers.into_iter().map(|(name, worker)| (name, joined(worker))).collect()
        });
        let failed = outcomes
            .into_iter()
            .filter_map(|(name, outcome)| Some(format!(" - Instance: {name}: {}\n", outcome.err()?)));
        let failed: String = failed.collect();
        let words = format!("The following instances failed to update state:\n{failed}");
        if failed.is_empty() { Ok(()) } else { Err(Error::internal(words)) }
    })?;
    Reply::accepted(&op)
}

fn joined(worker: std::thread::ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    worker.join().unwrap_or_else(|panic| Err(crate::rest::operations::panicked(&*panic)))
}
