//! Bodies of several files: taken apart the same, however they are cut.

use crate::library::multipart::{Found, Parser};

type Parts = (Vec<(String, String, Vec<u8>)>, bool);

pub fn run(data: &[u8]) {
    let whole = parts(data, usize::MAX);
    for step in [1, 3, 70] {
        assert_eq!(parts(data, step), whole, "cut every {step}");
    }
}

fn parts(body: &[u8], step: usize) -> Parts {
    let mut parser = Parser::new("multipart/form-data; boundary=xy").expect("a form");
    let mut files: Vec<(String, String, Vec<u8>)> = Vec::new();
    for piece in body.chunks(step.min(body.len().max(1))) {
        let fed = parser.feed(piece, |found| {
            match found {
                Found::File(name, file) => files.push((name, file, Vec::new())),
                Found::Data(data) => files.last_mut().expect("a file before its content").2.extend_from_slice(data),
            }
            Ok(())
        });
        if fed.is_err() {
            // How much was handed on before an error may depend on the cuts.
            return (Vec::new(), false);
        }
    }
    let ended = parser.finish().is_ok();
    (if ended { files } else { Vec::new() }, ended)
}
