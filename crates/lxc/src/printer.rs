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

/// Standard output as something to write to; see [`print`].
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        print_bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes text to standard error; a closed one is ignored.
pub fn warn(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a line to standard error; see [`warn`].
pub fn warn_line(text: &str) {
    warn(&format!("{text}\n"));
}
