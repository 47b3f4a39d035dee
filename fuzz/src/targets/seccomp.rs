//! `raw.seccomp`: read, and made into a program for the kernel.

use corten_host::seccomp::compile::compile;
use corten_host::seccomp::policy::Policy;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(policy) = text.parse::<Policy>() else { return };
    if let Ok(program) = compile(&policy) {
        assert_eq!(program.len() % 8, 0, "instructions of eight bytes");
    }
}
