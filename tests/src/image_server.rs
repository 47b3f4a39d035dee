//! A web server on loopback with TLS, and a small simplestreams tree in it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::image;
use crate::run::run;

/// What is at a path.
#[derive(Clone)]
struct Page {
    content: Vec<u8>,
    /// How many bytes are sent before the connection breaks; all of them unless told otherwise.
    sent: usize,
}

type Pages = Arc<Mutex<BTreeMap<String, Page>>>;

/// A server of images.
pub struct ImageServer {
    folder: PathBuf,
    url: String,
    authority: PathBuf,
    pages: Pages,
}

/// The image that [`ImageServer::publish`] serves: files of its tree by their path, and its fingerprint.
pub struct Published {
    /// SHA-256 over both files.
    pub fingerprint: String,
    /// Path of the metadata.
    pub metadata: String,
    /// Path of the root.
    pub root: String,
}

/// Where the two documents of the tree are.
const INDEX: &str = "/streams/v1/index.json";
const PRODUCTS: &str = "/streams/v1/images.json";

impl ImageServer {
    /// Serves nothing yet, on a port of its own; its authority's certificate is in `folder`.
    ///
    /// # Panics
    /// When it cannot.
    pub fn start(folder: &Path) -> ImageServer {
        let authority = folder.join("authority.pem");
        let config = Arc::new(tls(&authority));
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let url = format!("https://{}", listener.local_addr().expect("it is bound"));
        let pages = Pages::default();
        let served = pages.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, pages) = (config.clone(), served.clone());
                // A client that goes away is its own affair.
                std::thread::spawn(move || drop(answer(stream, config, &pages)));
            }
        });
        ImageServer { folder: folder.to_path_buf(), url, authority, pages }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of its authority, for `SSL_CERT_FILE`.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    fn put(&self, path: &str, content: Vec<u8>) {
        let sent = content.len();
        self.pages.lock().expect("nobody panics with it").insert(path.to_string(), Page { content, sent });
    }

    /// Lets the connection break in the middle of a page.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn cut(&self, path: &str) {
        let mut pages = self.pages.lock().expect("nobody panics with it");
        let page = pages.get_mut(path).expect("it was published");
        page.sent = page.content.len() / 2;
    }

    /// Changes one byte of a page.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn corrupt(&self, path: &str) {
        let mut pages = self.pages.lock().expect("nobody panics with it");
        let page = pages.get_mut(path).expect("it was published");
        let middle = page.content.len() / 2;
        page.content[middle] ^= 1;
    }

    /// Serves the busybox image as `busybox`, with `mark` as a file in its root and `serial` as its version.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn publish(&self, serial: &str, mark: &str) -> Published {
        let tree = self.folder.join(format!("published-{serial}"));
        let _ = std::fs::remove_dir_all(&tree);
        image::busybox_tree(&tree);
        std::fs::write(tree.join("rootfs/etc/mark"), mark).expect("a fresh folder");
        let base = format!("/images/busybox/{serial}");
        let (metadata, root) = (format!("{base}/lxd.tar.xz"), format!("{base}/root.tar.xz"));
        let pack = "export XZ_OPT=-0; tar -cJf meta metadata.yaml; tar -C rootfs --numeric-owner -cJf root .";
        shell(&tree, pack);
        let sum = |files: &str| {
            let line = shell(&tree, &format!("cat {files} | sha256sum"));
            line.split_whitespace().next().expect("a hash").to_string()
        };
        let read = |name: &str| std::fs::read(tree.join(name)).expect("it was packed");
        let (meta, rootfs, fingerprint) = (read("meta"), read("root"), sum("meta root"));
        let item = |kind: &str, path: &str, hash: String, size: usize| json!({"ftype": kind, "path": path.trim_start_matches('/'), "sha256": hash, "size": size});
        let mut first = item("lxd.tar.xz", &metadata, sum("meta"), meta.len());
        first["combined_rootxz_sha256"] = json!(fingerprint);
        first["combined_sha256"] = json!(fingerprint);
        let second = item("root.tar.xz", &root, sum("root"), rootfs.len());
        let items = json!({"lxd.tar.xz": first, "root.tar.xz": second});
        let product = "busybox:1:amd64:default";
        let products = json!({
            "content_id": "images", "datatype": "image-downloads", "format": "products:1.0",
            "products": {product: {
                "aliases": "busybox", "arch": "amd64", "os": "Busybox", "release": "1", "release_title": "1",
                "variant": "default", "versions": {serial: {"items": items}},
            }},
        });
        let images = json!({
            "datatype": "image-downloads", "path": PRODUCTS.trim_start_matches('/'), "format": "products:1.0",
            "products": [product],
        });
        self.put(INDEX, json!({"format": "index:1.0", "index": {"images": images}}).to_string().into_bytes());
        self.put(PRODUCTS, products.to_string().into_bytes());
        self.put(&metadata, meta);
        self.put(&root, rootfs);
        Published { fingerprint, metadata, root }
    }
}

fn shell(folder: &Path, script: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]).current_dir(folder);
    run(shell, b"").ok().to_string()
}

/// Makes an authority, whose certificate goes to a file, and a certificate for loopback.
fn tls(authority: &Path) -> ServerConfig {
    let made = |result: Result<KeyPair, rcgen::Error>| result.expect("there are random numbers");
    let (ca_key, key) = (made(KeyPair::generate()), made(KeyPair::generate()));
    let mut ca = CertificateParams::new(Vec::new()).expect("no names");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "The story's authority");
    let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    std::fs::write(authority, ca_pem).expect("the story's folder is ours");
    let params = CertificateParams::new(vec!["127.0.0.1".to_string()]).expect("a name");
    let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key)).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("they belong together")
}

/// Answers the requests of one connection.
fn answer(stream: TcpStream, config: Arc<ServerConfig>, pages: &Pages) -> std::io::Result<()> {
    let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(session, stream));
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split_whitespace().nth(1).unwrap_or_default().to_string();
        let mut length = 0;
        loop {
            let mut header = String::new();
            stream.read_line(&mut header)?;
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if header.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
        let page = pages.lock().map_err(|_| std::io::Error::other("poisoned"))?.get(&path).cloned();
        let Some(page) = page else {
            stream.get_mut().write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.content.len());
        let out = stream.get_mut();
        out.write_all(head.as_bytes())?;
        out.write_all(&page.content[..page.sent])?;
        out.flush()?;
        if page.sent < page.content.len() {
            return Ok(());
        }
    }
}
