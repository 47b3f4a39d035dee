//! Who is at the other end of a connection.

use corten_api::error::Error;
use corten_api::event::EventLifecycleRequestor;
use corten_api::url::DEFAULT_PROJECT;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// What the connection itself tells.
#[derive(Clone, Debug)]
pub enum Peer {
    /// A local process (`SO_PEERCRED`, unix(7)).
    Unix {
        /// Its user.
        uid: u32,
        /// The user's name, or `uid=N` where it has none.
        user: String,
    },
    /// A TLS client.
    Tls {
        /// Where it connects from.
        address: SocketAddr,
        /// The certificate whose key it has proved to own, in DER.
        certificate: Option<Vec<u8>>,
    },
    /// A process of an instance, over the socket that instances see: project and name, or why it is none.
    Instance(Result<(String, String), Error>),
}

/// How far a client is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Not at all.
    Untrusted,
    /// For reading metrics only.
    Metrics,
    /// In these projects only.
    Projects(BTreeSet<String>),
    /// Without restriction.
    Admin,
}

/// Who asks, as handlers and events see it.
#[derive(Clone, Debug)]
pub struct Requestor {
    /// User name on the unix socket, fingerprint of the certificate on TLS.
    pub username: String,
    /// `unix` or `tls`; empty for untrusted clients.
    pub protocol: &'static str,
    /// `@` for the unix socket, else IP address and port.
    pub address: String,
    /// How far it is trusted.
    pub trust: Trust,
    /// The client's certificate in DER, trusted or not.
    pub certificate: Option<Vec<u8>>,
    /// The instance that asks, over the socket of its own: project and name, or why it is none.
    pub instance: Option<Result<(String, String), Error>>,
}

impl Requestor {
    /// As lifecycle events and operations show it.
    pub fn lifecycle(&self) -> EventLifecycleRequestor {
        EventLifecycleRequestor {
            username: self.username.clone(),
            protocol: self.protocol.to_string(),
            address: self.address.clone(),
        }
    }

    /// Whether this is a trusted client.
    pub fn is_trusted(&self) -> bool {
        matches!(self.trust, Trust::Admin | Trust::Projects(_))
    }

    /// Whether nothing is forbidden to it.
    pub fn is_admin(&self) -> bool {
        self.trust == Trust::Admin
    }

    /// Whether it may see into a project.
    pub fn may_enter(&self, project: &str) -> bool {
        match &self.trust {
            Trust::Admin => true,
            Trust::Projects(projects) => projects.contains(project),
            Trust::Untrusted | Trust::Metrics => false,
        }
    }

    /// Takes out of a list of users, which are paths, those of projects that it may not see into.
    pub fn keep_visible(&self, users: &mut Vec<String>) {
        users.retain(|user| {
            let project = user.split_once("?project=").map_or(DEFAULT_PROJECT, |(_, project)| project);
            self.may_enter(project)
        });
    }
}

/// The name of a local user, from `/etc/passwd`; `uid=N` where it has none.
pub fn user_name(uid: u32) -> String {
    let number = uid.to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_string())
    });
    found.unwrap_or_else(|| format!("uid={number}"))
}
