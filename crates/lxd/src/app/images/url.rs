//! Images that a web server hands out by a page's address: it says in headers where the file is, and its hash.

use corten_api::error::{Context, Error, Result};
use corten_client::endpoint::Endpoint;
use corten_client::http::{Ask, Connections};
use corten_client::simplestreams::fetch::Address;
use corten_client::tls::{self, Trust};
use hyper::Method;

use super::origin::Origin;

/// Asks the web server where the image of this address is.
///
/// # Errors
/// When it cannot be asked, or does not say.
pub async fn resolve(url: &str, architectures: &[String]) -> Result<Origin> {
    if url.is_empty() {
        return Err(Error::invalid("Missing URL"));
    }
    let Address { secure, host, port, path } = Address::parse(url)?;
    let endpoint = match secure {
        true => Endpoint::Tls { host, port, config: tls::config(Trust::System, None)? },
        false => Endpoint::Plain { host, port },
    };
    let version = env!("CARGO_PKG_VERSION");
    let ask = Ask::new(Method::HEAD, path)
        .header("lxd-server-architectures", architectures.join(", "))
        .header("lxd-server-version", version);
    let server = Connections::new(endpoint, format!("LXD {version}"));
    let reply = server.send(ask).await.with_context(|| format!("Failed to ask {url}"))?;
    let header = |name: &str| {
        let value = reply.response.headers().get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| !value.is_empty()).map(str::to_string)
    };
    let hash = header("lxd-image-hash").ok_or_else(|| Error::invalid("Missing LXD-Image-Hash header"))?;
    let file = header("lxd-image-url").ok_or_else(|| Error::invalid("Missing LXD-Image-URL header"))?;
    Ok(Origin { server: file, protocol: "direct".to_string(), alias: hash, ..Origin::default() })
}
