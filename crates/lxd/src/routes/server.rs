//! `/` and `/1.0`: the server itself.

use crate::app::settings::Keys;
use crate::app::storage::drivers;
use crate::app::{App, Call, Endpoint};
use crate::rest::etag;
use crate::rest::reply::{Reply, envelope};
use crate::rest::route::May;
use bytes::Bytes;
use corten_api::error::{Error, Result};
use corten_api::extensions;
use corten_api::server::{Server, ServerEnvironment, ServerPut, ServerUntrusted};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    // As in LXD, whatever is done to it.
    Endpoint::at("/")
        .get_quick(versions, May::Anyone)
        .put(versions, May::Anyone)
        .patch(versions, May::Anyone)
        .post(versions, May::Anyone)
        .delete(versions, May::Anyone)
        .head(versions, May::Anyone),
    Endpoint::at("/1.0").get_quick(show, May::Anyone).put(replace, May::Admin).patch(amend, May::Admin).on_member(),
];

fn versions(_: &Call) -> Result<Reply> {
    Reply::sync(&["/1.0"])
}

/// One answer made earlier, and what it was made from.
struct Made {
    generation: (u64, u64),
    project: String,
    admin: bool,
    body: Bytes,
    etag: String,
}

/// The last answer to `GET /1.0`: clients ask for it before anything else, and it hardly ever changes.
#[derive(Default)]
pub struct Cache(RwLock<Option<Made>>);

fn show(call: &Call) -> Result<Reply> {
    let app = &call.app;
    if !call.requestor.is_trusted() {
        return Reply::sync(&untrusted());
    }
    let generation = (app.settings.generation(), app.pools.generation());
    let (project, admin) = (call.project(), call.requestor.is_admin());
    if let Some(made) = &*app.server_view.0.read().unwrap_or_else(PoisonError::into_inner)
        && made.generation == generation
        && made.project == project
        && made.admin == admin
    {
        return Ok(Reply::ready(made.body.clone()).etag_hash(&made.etag));
    }
    let config = if admin { render(&app.settings.all()) } else { BTreeMap::new() };
    let etag = etag::hash(&config).unwrap_or_default();
    let body = envelope(&trusted(app, project, config))?;
    let reply = Reply::ready(body.clone()).etag_hash(&etag);
    let made = Made { generation, project: project.to_string(), admin, body, etag };
    *app.server_view.0.write().unwrap_or_else(PoisonError::into_inner) = Some(made);
    Ok(reply)
}

fn untrusted() -> ServerUntrusted {
    ServerUntrusted {
        api_extensions: extensions::announced().map(str::to_string).collect(),
        api_status: "stable".to_string(),
        api_version: "1.0".to_string(),
        auth: "untrusted".to_string(),
        public: false,
        auth_methods: vec!["tls".to_string()],
    }
}

fn trusted(app: &App, project: &str, config: BTreeMap<String, Value>) -> Server {
    let known = untrusted();
    Server {
        config,
        api_extensions: known.api_extensions,
        api_status: known.api_status,
        api_version: known.api_version,
        auth: "trusted".to_string(),
        public: false,
        auth_methods: known.auth_methods,
        environment: environment(app, project),
    }
}

fn environment(app: &App, project: &str) -> ServerEnvironment {
    let host = &app.host;
    let storage = drivers::look(app);
    ServerEnvironment {
        addresses: app.addresses(),
        architectures: host.architectures.clone(),
        certificate: app.identity.certificate.clone(),
        certificate_fingerprint: app.identity.fingerprint().unwrap_or_default(),
        driver: "lxc".to_string(),
        driver_version: env!("CARGO_PKG_VERSION").to_string(),
        firewall: host.firewall.clone(),
        kernel: host.kernel.clone(),
        kernel_architecture: host.architecture.clone(),
        kernel_features: host.kernel_features.clone(),
        kernel_version: host.release.clone(),
        lxc_features: host.runtime_features.clone(),
        os_name: host.os_name.clone(),
        os_version: host.os_version.clone(),
        project: project.to_string(),
        server: "lxd".to_string(),
        server_clustered: false,
        server_event_mode: "full-mesh".to_string(),
        server_name: host.name.clone(),
        server_pid: i64::from(std::process::id()),
        server_version: env!("CARGO_PKG_VERSION").to_string(),
        storage: storage.used,
        storage_version: storage.used_versions,
        storage_supported_drivers: storage.supported,
    }
}

/// The configuration as clients see it: secrets only show that they are set.
fn render(keys: &Keys) -> BTreeMap<String, Value> {
    let show = |(key, value): (&String, &String)| {
        let shown = if key == "core.trust_password" { Value::Bool(true) } else { Value::String(value.clone()) };
        (key.clone(), shown)
    };
    keys.iter().map(show).collect()
}

fn replace(call: &Call) -> Result<Reply> {
    call.check_etag(&render(&call.app.settings.all()))?;
    let body: ServerPut = call.json()?;
    call.app.update_settings(&read(&body)?, false)?;
    changed(call)
}

fn amend(call: &Call) -> Result<Reply> {
    call.check_etag(&render(&call.app.settings.all()))?;
    let body: ServerPut = call.json()?;
    if body.config.is_empty() {
        return Ok(Reply::empty());
    }
    call.app.update_settings(&read(&body)?, true)?;
    changed(call)
}

fn changed(call: &Call) -> Result<Reply> {
    call.app.lifecycle("default", "config-updated", "/1.0", Some(call.lifecycle_requestor()));
    Ok(Reply::empty())
}

/// Values as text; `None` for one that a client sends back as it was shown (`true` for a secret).
fn read(body: &ServerPut) -> Result<BTreeMap<String, Option<String>>> {
    let wrong = |key: &str, kind: &str| Error::invalid(format!("cannot set '{key}': invalid type {kind}"));
    let text = |key: &String, value: &Value| match value {
        Value::Bool(true) if key == "core.trust_password" => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Null => Ok(Some(String::new())),
        Value::Bool(_) => Err(wrong(key, "bool")),
        Value::Number(_) => Err(wrong(key, "float64")),
        Value::Array(_) => Err(wrong(key, "slice")),
        Value::Object(_) => Err(wrong(key, "map")),
    };
    body.config.iter().map(|(key, value)| Ok((key.clone(), text(key, value)?))).collect()
}
