//! How the daemon is linked: what only the loader reads stays small, since it stays in memory.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // Forty thousand pointers are relocated at each start, because the daemon, which reads what strangers made, has no
    // fixed address. Told in 24 bytes each they are 1 MB; packed, 12 kB.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    // A library less to load. A linker that reads libraries in their order only takes the shared one.
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
}
