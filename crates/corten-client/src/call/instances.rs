//! Calls about instances and their snapshots.

use corten_api::error::Result;
use corten_api::instance::{Instance, InstancePut, InstancesPost};
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::instance_state::{InstanceState, InstanceStatePut};
use corten_api::url::path;
use hyper::Method;

use crate::operation::Running;
use crate::server::Server;

impl Server {
    /// An instance, with its version.
    ///
    /// # Errors
    /// The server's own error, as for all calls here.
    pub async fn instance(&self, name: &str) -> Result<(Instance, String)> {
        self.get_with_etag(&path(["instances", name])).await
    }

    /// The state of an instance.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn instance_state(&self, name: &str) -> Result<InstanceState> {
        self.get(&path(["instances", name, "state"])).await
    }

    /// A snapshot of an instance, with its version.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn instance_snapshot(&self, instance: &str, name: &str) -> Result<(InstanceSnapshot, String)> {
        self.get_with_etag(&path(["instances", instance, "snapshots", name])).await
    }

    /// Creates an instance.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn create_instance(&self, post: &InstancesPost) -> Result<Running> {
        self.start(Method::POST, "/1.0/instances", post, "").await
    }

    /// Replaces the configuration of an instance.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn update_instance(&self, name: &str, put: &InstancePut, etag: &str) -> Result<Running> {
        self.start(Method::PUT, &path(["instances", name]), put, etag).await
    }

    /// Starts, stops, freezes… an instance.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn change_instance_state(&self, name: &str, put: &InstanceStatePut) -> Result<Running> {
        self.start(Method::PUT, &path(["instances", name, "state"]), put, "").await
    }

    /// Deletes an instance, or a snapshot named `instance/snapshot`.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn delete_instance(&self, name: &str) -> Result<Running> {
        let path = match name.split_once('/') {
            Some((instance, snapshot)) => path(["instances", instance, "snapshots", snapshot]),
            None => path(["instances", name]),
        };
        self.start(Method::DELETE, &path, &(), "").await
    }
}
