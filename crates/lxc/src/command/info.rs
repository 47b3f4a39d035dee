//! `lxc info`: an instance and what it uses, or the server and its hardware.

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceFull;
use corten_api::url::path;
use corten_api::yaml;
use corten_client::file;
use corten_client::http::Ask;
use corten_client::server::Server;
use hyper::Method;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;
use crate::{entity, printer};

mod hardware;
mod instance;

pub static COMMAND: Command = Command {
    name: "info",
    usage: "[<remote>:][<instance>]",
    about: "Show instance or server information",
    examples: "lxc info [<remote>:]<instance> [--show-log]\n    For instance information.\n\nlxc info [<remote>:] [--resources]\n    For LXD server information.",
    flags: &[
        Flag::switch("show-log", "Show the instance's last 100 log lines?"),
        Flag::switch("resources", "Show the resources available to the server"),
        Flag::text("target", "Cluster member name"),
    ],
    words: (0, Some(1)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    if !resource.name.is_empty() {
        if !arguments.text("target").is_empty() {
            return Err(Error::invalid("--target cannot be used with instances"));
        }
        return of_instance(&resource.server, &resource.name, arguments.is_set("show-log")).await;
    }
    let server = entity::at_cluster_target(resource.server, arguments).await?;
    if arguments.is_set("resources") {
        let resources = server.get("/1.0/resources").await?;
        printer::print(&hardware::text(&resources));
        return Ok(());
    }
    let info: corten_api::server::Server = server.get("/1.0").await?;
    printer::print(&yaml::to_string(&info)?);
    Ok(())
}

async fn of_instance(server: &Server, name: &str, show_log: bool) -> Result<()> {
    let instance: InstanceFull = server.get(&format!("{}?recursion=1", path(["instances", name]))).await?;
    let clustered = instance.location != "none" && !instance.location.is_empty();
    printer::print(&instance::text(&instance, clustered)?);
    if !show_log {
        return Ok(());
    }
    let log = match instance.r#type.as_str() {
        "" | "container" => "lxc.log",
        "virtual-machine" => "qemu.log",
        other => return Err(Error::invalid(format!("Unsupported instance type: {other}"))),
    };
    let log = file::bytes(server, Ask::new(Method::GET, path(["instances", name, "logs", log]))).await?;
    printer::print_bytes(&[b"\nLog:\n\n", log.as_slice(), b"\n"].concat());
    Ok(())
}
