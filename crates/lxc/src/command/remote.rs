//! `lxc remote`: the servers that the user gave names.

use std::collections::BTreeMap;

use corten_api::error::{Context, Error, Result};
use serde::Serialize;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::config::Remote;
use crate::session::Session;
use crate::{printer, run, table};

mod add;
mod address;
mod token;

/// The group.
pub static COMMAND: Command = Command {
    name: "remote",
    about: "Manage the list of remote servers",
    children: &[&ADD, &GET_DEFAULT, &LIST, &REMOVE, &RENAME, &SET_URL, &SWITCH],
    ..Command::EMPTY
};

static ADD: Command = Command {
    name: "add",
    usage: "[<remote>] <IP|FQDN|URL|token>",
    about: "Add new remote servers",
    long: "Add new remote servers\n\nThe URL of an image server must begin with https://.\nBasic authentication can be used with it: https://user:password@example.net",
    flags: &[
        Flag::switch("accept-certificate", "Accept certificate"),
        Flag::text("auth-type", "Server authentication type (tls or candid)"),
        Flag::text("domain", "Candid domain to use"),
        Flag::text("password", "Remote admin password"),
        Flag::text("project", "Project to use for the remote"),
        Flag::text("protocol", "Server protocol (lxd or simplestreams)"),
        Flag::switch("public", "Public image server"),
    ],
    words: (1, Some(2)),
    run: run!(add::add),
    ..Command::EMPTY
};

static GET_DEFAULT: Command = Command {
    name: "get-default",
    about: "Show the default remote",
    words: (0, Some(0)),
    run: run!(get_default),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    about: "List the available remotes",
    flags: &[table::FORMAT],
    words: (0, Some(0)),
    run: run!(list),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    aliases: &["rm"],
    usage: "<remote>",
    about: "Remove remotes",
    words: (1, Some(1)),
    run: run!(remove),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "<remote> <new-name>",
    about: "Rename remotes",
    words: (2, Some(2)),
    run: run!(rename),
    ..Command::EMPTY
};

static SET_URL: Command = Command {
    name: "set-url",
    usage: "<remote> <URL>",
    about: "Set the URL for the remote",
    words: (2, Some(2)),
    run: run!(set_url),
    ..Command::EMPTY
};

static SWITCH: Command = Command {
    name: "switch",
    aliases: &["set-default"],
    usage: "<remote>",
    about: "Switch the default remote",
    words: (1, Some(1)),
    run: run!(switch),
    ..Command::EMPTY
};

fn missing(name: &str) -> Error {
    Error::not_found(format!("Remote {name} doesn't exist"))
}

/// A remote that may be changed.
fn changeable(session: &Session, name: &str) -> Result<Remote> {
    let found = session.config.borrow().remotes.get(name).cloned().ok_or_else(|| missing(name))?;
    if found.r#static {
        return Err(Error::invalid(format!("Remote {name} is static and cannot be modified")));
    }
    Ok(found)
}

async fn get_default(session: &Session, _: &Arguments) -> Result<()> {
    printer::print_line(&session.config.borrow().default_remote);
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let config = session.config.borrow();
    let mut rows: Vec<Vec<String>> =
        config.remotes.iter().map(|(name, remote)| row(name, remote, *name == config.default_remote)).collect();
    table::order::by_cells(&mut rows);
    let header = ["NAME", "URL", "PROTOCOL", "AUTH TYPE", "PUBLIC", "STATIC", "GLOBAL"];
    if arguments.text("format") == "json" {
        let shown: BTreeMap<&String, Shown> =
            config.remotes.iter().map(|(name, remote)| (name, Shown::new(remote))).collect();
        return table::print(arguments, &header, &rows, &shown);
    }
    table::print(arguments, &header, &rows, &config.remotes)
}

/// A remote as `list --format=json` shows it: with other names than in the configuration file, and with all fields.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    addr: &'a str,
    auth_type: &'a str,
    domain: &'a str,
    project: &'a str,
    protocol: &'a str,
    public: bool,
    global: bool,
    r#static: bool,
}

impl Shown<'_> {
    fn new(remote: &Remote) -> Shown<'_> {
        Shown {
            addr: &remote.addr,
            auth_type: &remote.auth_type,
            domain: &remote.domain,
            project: &remote.project,
            protocol: &remote.protocol,
            public: remote.public,
            global: remote.global,
            r#static: remote.r#static,
        }
    }
}

fn row(name: &str, remote: &Remote, current: bool) -> Vec<String> {
    let yes_or_no = |yes: bool| if yes { "YES" } else { "NO" }.to_owned();
    let authentication = match remote.auth_type.as_str() {
        "" if remote.addr.starts_with("unix:") => "file access".to_owned(),
        "" if remote.protocol == "simplestreams" => "none".to_owned(),
        "" => "tls".to_owned(),
        "candid" if !remote.domain.is_empty() => format!("candid ({})", remote.domain),
        other => other.to_owned(),
    };
    vec![
        if current { format!("{name} (current)") } else { name.to_owned() },
        remote.addr.clone(),
        if remote.protocol.is_empty() { "lxd".to_owned() } else { remote.protocol.clone() },
        authentication,
        yes_or_no(remote.public),
        yes_or_no(remote.r#static),
        yes_or_no(remote.global),
    ]
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let name = arguments.word(0);
    let found = changeable(session, name)?;
    if found.global {
        return Err(Error::invalid(format!("Remote {name} is global and cannot be removed")));
    }
    let mut config = session.config.borrow_mut();
    if config.default_remote == name {
        return Err(Error::invalid("Can't remove the default remote"));
    }
    config.remotes.remove(name);
    // Remotes without a certificate have no such file.
    let _ = std::fs::remove_file(config.server_certificate(name));
    config.save()
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let (from, to) = (arguments.word(0), arguments.word(1));
    let found = changeable(session, from)?;
    let mut config = session.config.borrow_mut();
    if config.remotes.contains_key(to) {
        return Err(Error::conflict(format!("Remote {to} already exists")));
    }
    let certificate = config.server_certificate(from);
    let own = Remote { global: false, ..found.clone() };
    if certificate.exists() {
        config.remotes.insert(to.to_owned(), own.clone());
        let target = config.server_certificate(to);
        if found.global {
            copy_certificate(&certificate, &target)?;
        } else {
            std::fs::rename(&certificate, &target)
                .with_context(|| format!("Failed to rename {}", certificate.display()))?;
        }
    }
    config.remotes.remove(from);
    config.remotes.insert(to.to_owned(), own);
    if config.default_remote == from {
        to.clone_into(&mut config.default_remote);
    }
    config.save()
}

async fn set_url(session: &Session, arguments: &Arguments) -> Result<()> {
    let name = arguments.word(0);
    let found = changeable(session, name)?;
    let mut config = session.config.borrow_mut();
    let global = config.server_certificate(name);
    let own = Remote { addr: arguments.word(1).to_owned(), global: false, ..found.clone() };
    config.remotes.insert(name.to_owned(), own);
    if found.global && global.exists() {
        copy_certificate(&global, &config.server_certificate(name))?;
    }
    config.save()
}

async fn switch(session: &Session, arguments: &Arguments) -> Result<()> {
    let name = arguments.word(0);
    let mut config = session.config.borrow_mut();
    if !config.remotes.contains_key(name) {
        return Err(missing(name));
    }
    name.clone_into(&mut config.default_remote);
    config.save()
}

fn copy_certificate(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("Failed to create {}", folder.display()))?;
    }
    std::fs::copy(from, to).map(|_| ()).with_context(|| format!("Failed to copy {}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_listed_with_what_stands_for_nothing() {
        let remote = |addr: &str, protocol: &str| Remote {
            addr: addr.to_owned(),
            protocol: protocol.to_owned(),
            ..Remote::default()
        };
        for (remote, current, expected) in [
            (remote("unix://", ""), true, ["x (current)", "unix://", "lxd", "file access"]),
            (remote("https://i", "simplestreams"), false, ["x", "https://i", "simplestreams", "none"]),
            (remote("https://s:8443", "lxd"), false, ["x", "https://s:8443", "lxd", "tls"]),
        ] {
            assert_eq!(row("x", &remote, current)[..4], expected);
        }
    }
}
