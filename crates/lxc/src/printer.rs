//! Writing to standard output without panicking when the reader has gone.

use std::io::Write;

/// Writes text to standard output. When the reader of a pipe has closed it (`lxc list | head`), the program ends as a
/// program killed by SIGPIPE would be seen to end: quietly.
pub fn print(text: &str) {
    print_bytes(text.as_bytes());
}

/// Writes a line to standard output; see [`print`].
pub fn print_line(text: &str) {
    let mut line = String::with_capacity(text.len() + 1);
    line.push_str(text);
    line.push('\n');
    print_bytes(line.as_bytes());
}

/// Writes bytes to standard output; see [`print`].
pub fn print_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Writes a line to standard error; a closed one is ignored.
pub fn warn_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
