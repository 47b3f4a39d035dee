//! The console: attached, logged, resized.

use std::io::{Read, Write};

use corten_runtime::{Error, Exit};

use crate::harness::{Scratch, sh};

#[test]
fn what_is_typed_arrives_and_what_is_shown_is_kept() {
    let Some(scratch) = Scratch::new() else { return };
    let mut spec = scratch.script("tty; while read line; do echo \"got $line\"; done");
    spec.console_log = Some(scratch.dir.join("console.log"));
    let (container, watch) = scratch.start(&spec);
    let mut console = std::fs::File::from(container.console(false).expect("attached"));
    // What is typed is shown at once, even before the program has said its first word.
    while container.console_log().expect("a log") != b"/dev/pts/0\r\n" {}
    console.write_all(b"hello\n").expect("typed");
    let mut shown = String::new();
    while !shown.contains("got hello\r\n") {
        let mut buffer = [0u8; 64];
        let count = console.read(&mut buffer).expect("output");
        assert!(count > 0, "{shown:?}");
        shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    let busy = container.console(false).expect_err("somebody is attached");
    assert_eq!(busy.errno(), Some(rustix::io::Errno::BUSY.raw_os_error()), "{busy}");
    let mut forced = std::fs::File::from(container.console(true).expect("forced"));
    assert_eq!(console.read(&mut [0u8; 64]).expect("the end"), 0);
    drop(console);
    let log = String::from_utf8(container.console_log().expect("a log")).expect("text");
    assert!(log.starts_with("/dev/pts/0\r\n") && log.ends_with("got hello\r\n"), "{log:?}");
    container.clear_console_log().expect("cleared");
    assert!(container.console_log().expect("a log").is_empty());
    container.console_resize(100, 30).expect("resized");
    assert_eq!(sh(&container, "stty size < /dev/console").out, "30 100\n");
    forced.write_all(b"\x04").expect("typed");
    assert_eq!(watch.wait().expect("ended"), Exit::Exited(0));
    assert!(matches!(container.console(false), Err(Error::Gone)));
    assert!(scratch.dir.join("console.log").exists());
}

#[test]
fn it_goes_on_with_nobody_attached_and_keeps_the_last_of_it() {
    let Some(scratch) = Scratch::new() else { return };
    let mut spec = scratch.script("seq 1 20000; echo done > /tmp/done; sleep 1000");
    spec.console_ring = 1000;
    let (container, watch) = scratch.start(&spec);
    while sh(&container, "test -e /tmp/done").status != 0 {}
    let log = container.console_log().expect("a log");
    assert_eq!(log.len(), 1000);
    assert!(log.ends_with(b"19999\r\n20000\r\n"));
    container.kill().expect("killed");
    watch.wait().expect("ended");
}
