//! The list of all targets: a name, which seeds and dictionary go by as well, and what is done with the bytes.

mod archive;
mod certificate;
mod control;
mod device_rules;
mod dns;
mod filter;
mod image_file;
mod leases;
mod lxc_config;
mod migration;
mod multipart;
mod protocol;
mod raw_lxc;
mod seccomp;
mod sftp_client;
mod sftp_server;
mod simplestreams;
mod squashfs;
mod template;
mod unpack;
mod url;
mod values;
mod websocket;
mod yaml;

/// A target: it looks at the bytes in every way that a user of the parser would, and panics where something is wrong.
pub type Target = fn(&[u8]);

/// All of them.
pub const ALL: &[(&str, Target)] = &[
    ("archive", archive::run),
    ("backup_index", yaml::backup_index),
    ("certificate", certificate::run),
    ("control", control::run),
    ("device_rules", device_rules::run),
    ("dns_question", dns::question),
    ("dns_record", dns::record),
    ("filter", filter::run),
    ("image_file", image_file::run),
    ("image_metadata", yaml::image_metadata),
    ("leases", leases::run),
    ("lxc_config", lxc_config::run),
    ("migration", migration::run),
    ("multipart", multipart::run),
    ("protocol", protocol::run),
    ("raw_lxc", raw_lxc::run),
    ("seccomp", seccomp::run),
    ("sftp_client", sftp_client::run),
    ("sftp_server", sftp_server::run),
    ("simplestreams", simplestreams::run),
    ("squashfs", squashfs::run),
    ("template", template::run),
    ("unpack", unpack::run),
    ("url", url::run),
    ("values", values::run),
    ("websocket", websocket::run),
    ("yaml_documents", yaml::documents),
    ("yaml_text", yaml::text),
];
