//! Certificates that clients bring, and times until tokens end.

use crate::auth::certificate;

pub fn run(data: &[u8]) {
    let _ = certificate::check(data);
    let _ = certificate::is_valid(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = certificate::expiry(text);
    }
}
