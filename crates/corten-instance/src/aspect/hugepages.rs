//! `limits.hugepages.*`: how many bytes of each size of huge page.

use corten_api::error::Result;
use corten_host::cgroup::Limit;

use crate::instance::Instance;

/// LXD's key of each size, and the kernel's name for it.
const SIZES: [(&str, &str); 4] = [
    ("limits.hugepages.64KB", "64KB"),
    ("limits.hugepages.1MB", "1MB"),
    ("limits.hugepages.2MB", "2MB"),
    ("limits.hugepages.1GB", "1GB"),
];

/// The limits that the keys ask for; sizes without a key are left alone.
///
/// # Errors
/// When a value is not a size.
pub fn limits(instance: &Instance) -> Result<Vec<Limit>> {
    let mut limits = Vec::new();
    for (key, page) in SIZES {
        let value = instance.get(key);
        if !value.is_empty() {
            let bytes = crate::size::bytes(value).map_err(|error| error.context(format!("Invalid {key}")))?;
            limits.push(Limit::Hugetlb { page: page.to_string(), bytes: Some(bytes) });
        }
    }
    Ok(limits)
}
