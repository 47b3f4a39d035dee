//! `raw.lxc`, which users write.

pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = crate::instance::container::raw_lxc::check(text);
    }
}
