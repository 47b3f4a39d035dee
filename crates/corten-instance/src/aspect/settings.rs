//! Limits as files of the control groups, for a container that is about to start.

use corten_api::error::{Error, Result};
use corten_host::cgroup::knobs::table::writes;
use corten_host::cgroup::{Controller, Layout, Limit};
use corten_runtime::spec::Setting;

/// The files and values of `limits`, which all belong to `controller`.
///
/// # Errors
/// When this host does not have the controller.
pub fn settings(layout: &Layout, controller: Controller, limits: &[Limit]) -> Result<Vec<Setting>> {
    let missing = || Error::invalid(format!("This host has no cgroup {controller} controller for the limits asked for"));
    let place = layout.controller(controller).ok_or_else(missing)?;
    let name = controller.name(place.version).ok_or_else(missing)?;
    // A limit of swap counts from that of memory, which comes first.
    let memory = limits.iter().find_map(|limit| if let Limit::Memory(bytes) = limit { *bytes } else { None });
    let mut settings = Vec::new();
    for limit in limits {
        for write in writes(limit, place.version, memory).ok_or_else(missing)? {
            // Where kernels differ in a file's name, the one that is there takes the value.
            let optional = write.optional || write.names.len() > 1;
            settings.extend(write.names.into_iter().map(|file| Setting {
                controller: name.to_string(),
                file,
                value: write.value.clone(),
                optional,
            }));
        }
    }
    Ok(settings)
}
