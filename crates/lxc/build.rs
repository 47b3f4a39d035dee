//! How the client is linked: what is run for every command, and ends soon, must begin soon.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // At an address of its choice a program must first write its thirty thousand pointers anew, which took two thirds of
    // the time of `lxc --version`. LXD's client has a fixed address too; libraries, heap and stacks are placed at random
    // all the same.
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // One library less to find and to load. A linker that reads libraries in their order only takes the shared one.
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
}
