//! Images that a pool holds ready, with drivers that do so.

use corten_archive::watch::Watch;

use super::Pool;
use crate::error::Result;
use crate::fill::ImageFiles;
use crate::generic::names;
use crate::volume::Kind;

impl Pool {
    /// Whether instances are made from an image held on the pool (and the image has a volume in the API's eyes).
    pub fn has_optimized_images(&self) -> bool {
        self.driver().info().optimized_images
    }

    /// Fingerprints of the images that the pool holds, those too that only wait for their last volume to go.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn held_images(&self) -> Result<Vec<String>> {
        names::volumes(&self.directory().join(Kind::Image.directory()))
    }

    /// Whether the pool holds this image ready.
    pub fn has_image(&self, fingerprint: &str) -> bool {
        self.driver().has_image(self, fingerprint)
    }

    /// Holds this image ready; at once when it is. Several calls for one image at the same time do the work once.
    ///
    /// # Errors
    /// Why the image cannot be unpacked or mounted; nothing of it is left then.
    pub fn ensure_image(&self, fingerprint: &str, files: &ImageFiles, watch: &Watch) -> Result<()> {
        self.driver().ensure_image(self, fingerprint, files, watch)
    }

    /// The image is not wanted on this pool any more. Its files go with the last volume that was made from it.
    ///
    /// # Errors
    /// What could not be removed.
    pub fn delete_image(&self, fingerprint: &str) -> Result<()> {
        self.driver().delete_image(self, fingerprint)
    }
}
