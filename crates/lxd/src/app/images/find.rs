//! Finding images, and how the API shows them.

use corten_api::error::{Error, Result};
use corten_api::image::{Image, ImageAlias, ImageSource};
use corten_api::time::Time;
use corten_api::url::DEFAULT_PROJECT;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{architecture, images};

use crate::app::App;
use crate::app::projects::Scope;

/// Names of the kinds of images; LXD's numbers are the places in this list.
pub const KINDS: [&str; 2] = ["container", "virtual-machine"];

/// The one image of a project whose fingerprint begins so.
///
/// # Errors
/// 404 when there is none; when several do.
pub fn by_prefix(view: &View<'_>, project: &str, prefix: &str) -> Result<images::Image, Abort> {
    let mut found = images::by_prefix(view, Some(project), prefix)?;
    match (found.pop(), found.is_empty()) {
        (Some(image), true) => Ok(image),
        (None, _) => Err(Error::not_found("Image not found").into()),
        (Some(_), false) => Err(Error::internal("More than one image matches").into()),
    }
}

/// The name of a kind of image.
pub fn kind_name(kind: i64) -> &'static str {
    usize::try_from(kind).ok().and_then(|at| KINDS.get(at)).unwrap_or(&KINDS[0])
}

/// The number of a kind of image.
pub fn kind_code(name: &str) -> i64 {
    KINDS.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
}

/// An image as the API shows it.
pub fn shown(row: images::Image) -> Image {
    let time = |moment: Option<jiff::Timestamp>| moment.map_or(Time::ZERO, Time::from);
    Image {
        auto_update: row.auto_update,
        properties: row.properties,
        public: row.public,
        expires_at: time(row.expires),
        profiles: row.profiles,
        aliases: row.aliases.into_iter().map(|(name, description)| ImageAlias { name, description }).collect(),
        architecture: architecture::name(row.architecture).unwrap_or_default().to_string(),
        cached: row.cached,
        filename: row.filename,
        fingerprint: row.fingerprint,
        size: row.size,
        update_source: row.source.map(|source| ImageSource {
            alias: source.alias,
            certificate: source.certificate,
            protocol: source.protocol,
            server: source.server,
            image_type: String::new(),
        }),
        r#type: kind_name(row.kind).to_string(),
        created_at: time(row.created),
        last_used_at: time(row.last_used),
        uploaded_at: Time::from(row.uploaded),
    }
}

/// The image with the profiles that its instances get in this project, which may share images and not profiles.
///
/// # Errors
/// The database's.
pub fn seen_from(view: &View<'_>, scope: &Scope, image: images::Image) -> Result<images::Image, Abort> {
    if scope.images() == scope.profiles() || scope.images() != DEFAULT_PROJECT {
        return Ok(image);
    }
    let profiles = images::profiles_in(view, image.id, scope.profiles())?;
    Ok(images::Image { profiles, ..image })
}

impl App {
    /// All images that a project sees, or only those that anyone may see.
    ///
    /// # Errors
    /// The database's.
    pub fn list_images(&self, scope: &Scope, public_only: bool) -> Result<Vec<Image>> {
        let rows = self.view(|view| {
            let rows = images::list(view, Some(scope.images()))?;
            rows.into_iter().map(|row| seen_from(view, scope, row)).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(rows.into_iter().filter(|row| row.public || !public_only).map(shown).collect())
    }

    /// The image of a project whose fingerprint begins so.
    ///
    /// # Errors
    /// 404 when there is none; when several do.
    pub fn find_image(&self, project: &str, prefix: &str) -> Result<images::Image> {
        self.view(|view| by_prefix(view, project, prefix))
    }
}
