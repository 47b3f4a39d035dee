//! Certificates that clients bring.

use crate::auth::certificate;

pub fn run(data: &[u8]) {
    let _ = certificate::check(data);
    let _ = certificate::is_valid(data);
}
