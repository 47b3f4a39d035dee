//! The one holder of everything: what handlers, tasks and monitors work with.

pub mod apparmor;
pub mod archive_file;
pub mod backups;
pub mod certificates;
pub mod check;
pub mod database;
pub mod devlxd;
pub mod dirs;
pub mod facts;
pub mod images;
pub mod instances;
pub mod metrics;
pub mod migration;
pub mod network_acls;
pub mod network_zones;
pub mod networks;
pub mod notes;
pub mod profiles;
pub mod projects;
pub mod ready;
pub mod recover;
pub mod resources;
pub mod server;
pub mod settings;
pub mod storage;
pub mod warnings;

use crate::auth::trust::TrustStore;
use crate::boot::shutdown::End;
use crate::dns::Dns;
use crate::rest::events::Events;
use crate::rest::listen::Https;
use crate::rest::operation::Plan;
use crate::rest::operations::Operations;
use crate::rest::peer::{Peer, Requestor};
use crate::rest::route::May;
use crate::rest::tls::Identity;
use crate::rest::turn::Turns;
use crate::rest::{self, Service};
use apparmor::AppArmor;
use corten_api::error::Result;
use corten_api::event::EventLifecycleRequestor;
use corten_db::Db;
use dirs::Dirs;
use facts::Host;
use hyper::HeaderMap;
use images::Images;
use instances::Instances;
use ready::Ready;
use serde_json::Value;
use settings::Settings;
use std::sync::{Arc, OnceLock};
use storage::pools::Pools;
use tokio::runtime::Handle;

/// A call to this daemon.
pub type Call = rest::call::Call<App>;
/// An endpoint of this daemon.
pub type Endpoint = rest::route::Endpoint<App>;

/// Everything that the daemon has.
pub struct App {
    /// Where its files are.
    pub dirs: Dirs,
    /// What it remembers.
    pub db: Db,
    /// Where sockets are served; blocking code uses it to wait for async code.
    pub runtime: Handle,
    /// Who listens to what happens.
    pub events: Arc<Events>,
    /// What goes on in the background.
    pub operations: Arc<Operations>,
    /// The server's configuration.
    pub settings: Settings,
    /// The certificates that are trusted.
    pub trust: TrustStore,
    /// The server's own certificate.
    pub identity: Identity,
    /// What does not change about this host.
    pub host: Host,
    /// What there is of AppArmor.
    pub apparmor: AppArmor,
    /// How far the start has come, and whether the end is near.
    pub ready: Ready,
    /// What is known of instances beside the database.
    pub instances: Instances,
    /// What is known of images beside the database.
    pub images: Images,
    /// The open storage pools.
    pub pools: Pools,
    /// The HTTPS listener, once there is one.
    pub https: OnceLock<Https<App>>,
    /// The listener of `core.metrics_address`, once there is one.
    pub metrics: OnceLock<Https<App>>,
    /// The DNS server for network zones, once there is one.
    pub dns: OnceLock<Dns>,
    /// What clients are changing.
    pub changes: Turns,
    /// Ends the process.
    pub end: End,
    /// Answers to `GET /1.0`, made already.
    pub server_view: crate::routes::server::Cache,
}

impl App {
    /// Plans an operation on behalf of a call: it has the call's project and requestor.
    pub fn plan(&self, call: &Call, description: &'static str) -> Plan {
        Plan::new(call.project(), description).requestor(call.lifecycle_requestor())
    }

    /// Tells the listeners that something came, changed or went.
    pub fn lifecycle(&self, project: &str, action: &str, source: &str, requestor: Option<EventLifecycleRequestor>) {
        self.lifecycle_with(project, action, source, requestor, []);
    }

    /// As [`App::lifecycle`], with what the event says besides.
    pub fn lifecycle_with<const N: usize>(
        &self,
        project: &str,
        action: &str,
        source: &str,
        requestor: Option<EventLifecycleRequestor>,
        context: [(&str, Value); N],
    ) {
        let context = context.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        self.events.lifecycle(project, action, source, context, requestor);
    }
}

impl Service for App {
    fn identify(&self, peer: &Peer) -> Requestor {
        crate::auth::requestor::identify(peer, &self.trust)
    }

    fn generation(&self) -> u64 {
        self.trust.generation()
    }

    fn admit(&self, call: &Call, may: May) -> Result<()> {
        crate::auth::may::admit(self, call, may)
    }

    fn headers(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        self.settings.cors(asked, answer);
    }

    fn changes(&self) -> &Turns {
        &self.changes
    }

    fn stirred(&self) {
        self.operations.quiet().stir();
    }
}
