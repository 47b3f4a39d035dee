//! `/1.0/instances/NAME/files` and `/1.0/instances/NAME/sftp`.

use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_instance::instance::Instance;
use hyper::header::{CONTENT_DISPOSITION, HeaderName};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::app::instances::files::{door, read, write};
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/files")
        .typed()
        .get(show, May::Operate)
        .head(head, May::Operate)
        .post(make, May::Operate)
        .delete(remove, May::Operate),
    Endpoint::at("/1.0/instances/{name}/sftp").typed().get(sftp, May::Operate),
];

fn subject(call: &Call) -> Result<(Instance, PathBuf)> {
    let instance = instance::find(call)?;
    match call.query.get("path") {
        "" => Err(Error::invalid("Missing path argument")),
        path => Ok((instance, Path::new("/").join(path))),
    }
}

fn tell(call: &Call, instance: &Instance, action: &str, path: &Path) {
    let source = corten_api::url::path_in(&instance.project, ["instances", &instance.name]);
    let context = [("path", Value::from(path.to_string_lossy()))];
    call.app.lifecycle_with(&instance.project, action, &source, Some(call.lifecycle_requestor()), context);
}

fn described(reply: Reply, described: &read::Described) -> Reply {
    described.headers.iter().fold(reply, |reply, (name, value)| reply.header(HeaderName::from_static(name), value))
}

fn show(call: &Call) -> Result<Reply> {
    let (instance, path) = subject(call)?;
    let (found, content) = read::read(&call.app, &instance, &path)?;
    tell(call, &instance, "instance-file-retrieved", &path);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let saved = |reply: Reply| reply.header(CONTENT_DISPOSITION, &format!("inline;filename={name}"));
    let reply = match content {
        read::Content::Names(names) => Reply::sync(&names)?,
        read::Content::Whole(bytes) => saved(Reply::bytes(bytes, "application/octet-stream")),
        read::Content::Stream(source, length) => saved(Reply::stream(source, Some(length))),
    };
    Ok(described(reply, &found))
}

fn head(call: &Call) -> Result<Reply> {
    let (instance, path) = subject(call)?;
    let found = read::look(&call.app, &instance, &path)?;
    Ok(described(Reply::bytes(Vec::new(), "application/octet-stream"), &found))
}

fn make(call: &Call) -> Result<Reply> {
    let (instance, path) = subject(call)?;
    let wanted = write::Wanted::read(|name| call.header(name))?;
    if write::make(&call.app, &instance, &path, &wanted, &mut call.body())? {
        tell(call, &instance, "instance-file-pushed", &path);
    }
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let (instance, path) = subject(call)?;
    write::remove(&call.app, &instance, &path)?;
    tell(call, &instance, "instance-file-deleted", &path);
    Ok(Reply::empty())
}

fn sftp(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    if call.header("upgrade") != "sftp" {
        return Err(Error::invalid("Missing or invalid upgrade header"));
    }
    let failed = |error: Error| error.context("Failed getting instance SFTP connection");
    let door = door::open(&call.app, &instance).map_err(failed)?;
    let stream = door.stream()?;
    stream.set_nonblocking(true).context("Failed to wait for the files of the instance")?;
    Reply::upgrade(call, "sftp", move |upgraded| async move {
        if let Ok(mut files) = tokio::net::UnixStream::from_std(stream) {
            // Either end may close; there is nobody to tell how it went.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(upgraded), &mut files).await;
        }
        drop(door);
    })
}
