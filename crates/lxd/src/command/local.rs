//! A small blocking client for the local daemon: one connection, one request at a time (RFC 9112).

use crate::app::dirs::Dirs;
use corten_api::envelope::Envelope;
use corten_api::error::{Context, Error, Kind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

/// A connection to the daemon's unix socket.
pub struct Local(BufReader<UnixStream>);

impl Local {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens, in LXD's words.
    pub fn connect() -> Result<Local> {
        let path = Dirs::from_env().socket;
        let stream = UnixStream::connect(&path)
            .with_context(|| format!("Failed to connect to local LXD: dial unix {}", path.display()))?;
        Ok(Local(BufReader::new(stream)))
    }

    /// Sends a request and reads the answer's metadata.
    ///
    /// # Errors
    /// The daemon's own, or what broke the connection.
    pub fn ask<T: DeserializeOwned>(&mut self, method: &str, path: &str, body: Option<&impl Serialize>) -> Result<T> {
        self.exchange(method, path, body)?.read()
    }

    /// As [`Local::ask`], for answers that say no more than that it is done.
    ///
    /// # Errors
    /// The daemon's own, or what broke the connection.
    pub fn tell(&mut self, method: &str, path: &str, body: Option<&impl Serialize>) -> Result<()> {
        let _: serde_json::Value = self.ask(method, path, body)?;
        Ok(())
    }

    /// Sends a request without a body.
    ///
    /// # Errors
    /// The daemon's own, or what broke the connection.
    pub fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.ask("GET", path, None::<&()>)
    }

    /// Sends a request and reads the whole envelope.
    ///
    /// # Errors
    /// What broke the connection; an error of the daemon is in the envelope.
    pub fn exchange(&mut self, method: &str, path: &str, body: Option<&impl Serialize>) -> Result<Envelope> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| Error::internal(error.to_string()))?,
            None => Vec::new(),
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: lxd\r\n").into_bytes();
        if !body.is_empty() {
            write!(request, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
                .context("Failed to write the request")?;
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(&body);
        self.0.get_mut().write_all(&request).context("Failed to send the request")?;
        let answer = self.read_answer().context("Failed to read the answer")?;
        serde_json::from_slice(&answer)
            .map_err(|error| Error { kind: Kind::Internal, message: format!("The answer is not LXD's: {error}") })
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_string())
    }

    fn read_answer(&mut self) -> std::io::Result<Vec<u8>> {
        let _status = self.line()?;
        let mut length = None;
        let mut chunked = false;
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok(),
                "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
                _ => (),
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = u64::from_str_radix(&self.line()?, 16).map_err(std::io::Error::other)?;
                self.0.by_ref().take(size).read_to_end(&mut body)?;
                self.line()?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        self.0.by_ref().take(length.unwrap_or(0)).read_to_end(&mut body)?;
        Ok(body)
    }
}
