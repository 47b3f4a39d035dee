//! Calls about images and their aliases.

use corten_api::error::Result;
use corten_api::image::{Image, ImageAliasesEntry, ImageAliasesPost, ImagePut};
use corten_api::url::path;
use hyper::Method;

use crate::operation::Running;
use crate::server::Server;

impl Server {
    /// An image, with its version.
    ///
    /// # Errors
    /// The server's own error, as for all calls here.
    pub async fn image(&self, fingerprint: &str) -> Result<(Image, String)> {
        self.get_with_etag(&path(["images", fingerprint])).await
    }

    /// Changes what may be changed of an image.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn update_image(&self, fingerprint: &str, put: &ImagePut, etag: &str) -> Result<()> {
        self.put(&path(["images", fingerprint]), put, etag).await
    }

    /// Deletes an image.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn delete_image(&self, fingerprint: &str) -> Result<Running> {
        self.start(Method::DELETE, &path(["images", fingerprint]), &(), "").await
    }

    /// An alias.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn image_alias(&self, name: &str) -> Result<ImageAliasesEntry> {
        self.get(&path(["images", "aliases", name])).await
    }

    /// All aliases.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn image_aliases(&self) -> Result<Vec<ImageAliasesEntry>> {
        self.get("/1.0/images/aliases?recursion=1").await
    }

    /// Creates an alias.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn create_image_alias(&self, name: &str, target: &str) -> Result<()> {
        let post = ImageAliasesPost { name: name.to_owned(), target: target.to_owned(), ..ImageAliasesPost::default() };
        self.post("/1.0/images/aliases", &post).await
    }

    /// Deletes an alias.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn delete_image_alias(&self, name: &str) -> Result<()> {
        self.delete(&path(["images", "aliases", name])).await
    }
}
