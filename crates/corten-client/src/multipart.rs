//! Bodies of several files (RFC 7578): written for uploads, taken apart piece by piece for downloads.

use std::io::Read;

use corten_api::error::{Error, Result};

/// A body of named files that is read from one end to the other, with its length.
pub struct Form {
    /// The `Content-Type` header.
    pub content_type: String,
    /// Everything.
    pub body: Box<dyn Read + Send>,
    /// Bytes.
    pub length: u64,
}

/// A file of a form: field, file name, content, length in bytes.
pub type Field = (&'static str, String, Box<dyn Read + Send>, u64);

/// Puts files together. `boundary` must not occur in them; sixty random digits will not.
pub fn form(fields: Vec<Field>, boundary: &str) -> Form {
    let mut body: Box<dyn Read + Send> = Box::new(std::io::empty());
    let mut length = 0;
    for (place, (name, file, content, size)) in fields.into_iter().enumerate() {
        let start = if place == 0 { "" } else { "\r\n" };
        // A quote in a file name would end it; LXD only uses the name to guess how the file is compressed.
        let file = file.replace(['"', '\\', '\r', '\n'], "_");
        let head = format!(
            "{start}--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        length += head.len() as u64 + size;
        body = Box::new(body.chain(std::io::Cursor::new(head.into_bytes())).chain(content));
    }
    let tail = format!("\r\n--{boundary}--\r\n");
    length += tail.len() as u64;
    body = Box::new(body.chain(std::io::Cursor::new(tail.into_bytes())));
    Form { content_type: format!("multipart/form-data; boundary={boundary}"), body, length }
}

/// What is found in a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A file begins: its field and its name.
    File(String, String),
    /// Some of its content.
    Data(&'a [u8]),
}

/// Takes a body apart as it arrives.
pub struct Parser {
    /// The boundary with what comes before it.
    mark: Vec<u8>,
    waiting: Vec<u8>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Before,
    AfterMark,
    Head,
    Content,
    Over,
}

/// The largest head of a file that is believed in, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

impl Parser {
    /// A parser for a `Content-Type` header; `None` when the body is a single file.
    pub fn new(content_type: &str) -> Option<Parser> {
        let (kind, rest) = content_type.split_once(';')?;
        if !kind.trim().starts_with("multipart/") {
            return None;
        }
        let boundary = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
        // The first mark has no line end before it; one is made up.
        let waiting = b"\r\n".to_vec();
        Some(Parser { mark: format!("\r\n--{boundary}").into_bytes(), waiting, state: State::Before })
    }

    /// Takes the next bytes and hands on what is in them.
    ///
    /// # Errors
    /// When they are no such body, or what `take` fails with.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Found<'_>) -> Result<()>) -> Result<()> {
        self.waiting.extend_from_slice(bytes);
        loop {
            let at = find(&self.waiting, &self.mark);
            match self.state {
                State::Over => return Ok(()),
                State::Before | State::Content => {
                    // The last bytes may be the start of a mark.
                    let safe = at.unwrap_or_else(|| self.waiting.len().saturating_sub(self.mark.len() - 1));
                    if self.state == State::Content && safe > 0 {
                        take(Found::Data(&self.waiting[..safe]))?;
                    }
                    self.waiting.drain(..safe);
                    if at.is_none() {
                        return Ok(());
                    }
                    self.waiting.drain(..self.mark.len());
                    self.state = State::AfterMark;
                }
                State::AfterMark => {
                    let Some(end) = self.waiting.get(..2) else { return Ok(()) };
                    self.state = match end {
                        b"\r\n" => State::Head,
                        b"--" => State::Over,
                        _ => return Err(broken("a boundary is followed by neither a line end nor two dashes")),
                    };
                    self.waiting.drain(..2);
                }
                State::Head => {
                    let Some(end) = find(&self.waiting, b"\r\n\r\n") else {
                        if self.waiting.len() > LARGEST_HEAD {
                            return Err(broken("the head of a file does not end"));
                        }
                        return Ok(());
                    };
                    let (name, file) = names(&String::from_utf8_lossy(&self.waiting[..end]));
                    self.waiting.drain(..end + 4);
                    self.state = State::Content;
                    take(Found::File(name, file))?;
                }
            }
        }
    }

    /// Makes sure that the body came to its end.
    ///
    /// # Errors
    /// When it was cut off.
    pub fn finish(self) -> Result<()> {
        if self.state == State::Over { Ok(()) } else { Err(broken("it was cut off")) }
    }
}

fn broken(what: &str) -> Error {
    Error::internal(format!("Multipart body cannot be read: {what}"))
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    // The mark begins with a carriage return: looking for that first keeps this quick on large files.
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == mark[0]) {
        let at = from + at;
        if text[at..].starts_with(mark) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The field and the file name in the head of a file.
fn names(head: &str) -> (String, String) {
    let line = head.lines().find(|line| line.to_lowercase().starts_with("content-disposition:")).unwrap_or_default();
    let value = |key: &str| {
        let found = line.split(';').find_map(|part| part.trim().strip_prefix(key));
        found.unwrap_or_default().trim_matches('"').to_owned()
    };
    (value("name="), value("filename="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &[u8], content_type: &str, step: usize) -> Result<Vec<(String, String, Vec<u8>)>> {
        let mut parser = Parser::new(content_type).unwrap();
        let mut files: Vec<(String, String, Vec<u8>)> = Vec::new();
        for piece in body.chunks(step) {
            parser.feed(piece, |found| {
                match found {
                    Found::File(name, file) => files.push((name, file, Vec::new())),
                    Found::Data(data) => files.last_mut().unwrap().2.extend_from_slice(data),
                }
                Ok(())
            })?;
        }
        parser.finish()?;
        Ok(files)
    }

    #[test]
    fn what_is_written_is_read_back_however_it_is_cut() {
        let tricky = b"\r\n--x\r\n-\r\r\n\n--xy--".to_vec();
        let fields: Vec<Field> = vec![
            ("metadata", "m\"eta".to_owned(), Box::new(std::io::Cursor::new(tricky.clone())), tricky.len() as u64),
            ("rootfs", "r".to_owned(), Box::new(std::io::empty()), 0),
        ];
        let mut made = form(fields, "boundary123");
        let mut body = Vec::new();
        made.body.read_to_end(&mut body).unwrap();
        assert_eq!(body.len() as u64, made.length);
        for step in [1, 2, 7, 1000] {
            let files = parts(&body, &made.content_type, step).unwrap();
            assert_eq!(
                files,
                [
                    ("metadata".to_owned(), "m_eta".to_owned(), tricky.clone()),
                    ("rootfs".to_owned(), "r".to_owned(), Vec::new())
                ]
            );
        }
        assert!(parts(&body[..body.len() - 5], &made.content_type, 64).is_err());
    }

    #[test]
    fn single_files_are_no_forms() {
        assert!(Parser::new("application/octet-stream").is_none());
    }
}
