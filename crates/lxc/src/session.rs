//! What all commands share while the program runs: configuration, global flags, open servers, exit status.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use corten_api::error::{Error, Result};
use corten_client::server::Server;

use crate::arguments::Arguments;
use crate::config::Config;
use crate::log;
use crate::remote;

/// The program's state during one command.
pub struct Session {
    /// Remotes, aliases and defaults of the user.
    pub config: RefCell<Config>,
    /// `--quiet`: no progress, no announcements.
    pub quiet: bool,
    /// `--debug`: requests and replies are shown.
    debug: bool,
    /// `--project`: overrides the remote's project.
    pub project: Option<String>,
    servers: RefCell<HashMap<String, Server>>,
    status: Cell<u8>,
}

/// A thing named on the command line, `[<remote>:]<name>`, with the server that has it.
#[derive(Clone)]
pub struct Resource {
    /// The remote's name.
    pub remote: String,
    /// The connection to it.
    pub server: Server,
    /// The rest after the colon.
    pub name: String,
}

impl Session {
    /// A session for a configuration and the global flags on the line.
    pub fn new(config: Config, arguments: &Arguments) -> Session {
        let project = arguments.text("project");
        Session {
            config: RefCell::new(config),
            quiet: arguments.is_set("quiet"),
            debug: arguments.is_set("debug"),
            project: (!project.is_empty()).then(|| project.to_owned()),
            servers: RefCell::default(),
            status: Cell::new(0),
        }
    }

    /// What the program exits with when the command succeeds (`exec` passes on what ran).
    pub fn exit_with(&self, status: u8) {
        self.status.set(status);
    }

    /// The exit status set so far.
    pub fn status(&self) -> u8 {
        self.status.get()
    }

    /// Splits `[<remote>:]<name>`.
    ///
    /// # Errors
    /// When the part before the colon is no remote.
    pub fn parse_remote(&self, text: &str) -> Result<(String, String)> {
        self.config.borrow().parse_remote(text)
    }

    /// The server of a remote, connected once; image-only remotes are refused.
    ///
    /// # Errors
    /// When the remote does not exist, is an image server or cannot be reached.
    pub async fn server(&self, remote: &str) -> Result<Server> {
        if let Some(server) = self.servers.borrow().get(remote) {
            return Ok(server.clone());
        }
        let found = self.config.borrow().remote(remote)?.clone();
        if found.public || found.protocol == "simplestreams" {
            return Err(Error::invalid("The remote isn't a private LXD server"));
        }
        let server = remote::connect(&self.config.borrow(), remote, &found, self.project.as_deref())?;
        if self.debug {
            server.watch(log::exchange);
        }
        self.servers.borrow_mut().insert(remote.to_owned(), server.clone());
        Ok(server)
    }

    /// The thing that `text` names and its server.
    ///
    /// # Errors
    /// As [`Session::parse_remote`] and [`Session::server`].
    pub async fn resource(&self, text: &str) -> Result<Resource> {
        let (remote, name) = self.parse_remote(text)?;
        let server = self.server(&remote).await?;
        Ok(Resource { remote, server, name })
    }

    /// Several things, perhaps on several servers.
    ///
    /// # Errors
    /// As [`Session::resource`], for the first that fails.
    pub async fn resources(&self, texts: &[String]) -> Result<Vec<Resource>> {
        let mut found = Vec::with_capacity(texts.len());
        for text in texts {
            found.push(self.resource(text).await?);
        }
        Ok(found)
    }
}
