//! Types of values: each reads the text of a key, and refuses it in LXD's words.
//!
//! An empty text means "not set" for every key, and never reaches a type. Types that have parameters (a range, a
//! choice)
//! carry them as constants.

pub mod block_size;
pub mod boolean;
pub mod byte_size;
pub mod choice;
pub mod cloud_init;
pub mod compression;
pub mod cpu_allowance;
pub mod cpu_set;
pub mod expiry;
pub mod go_text;
pub mod hardware_id;
pub mod id_map;
pub mod ip;
pub mod ip_range;
pub mod list;
pub mod listen_address;
pub mod mac;
pub mod memory_limit;
pub mod mode;
pub mod number;
pub mod path;
pub mod proxy_address;
pub mod rate;
pub mod schedule;
pub mod subnet;
pub mod text;
pub mod url;
pub mod vlan;

/// A type of value.
pub trait Kind: Sync + 'static {
    /// What the text is read as.
    type Value: Default;
    /// The word for the type in the reference: `bool`, `integer`, `string` or `blob`.
    const WORD: &'static str;

    /// Reads a text that is not empty; the error is a sentence without the key's name, as LXD words it.
    ///
    /// # Errors
    /// Why the text is not a value of this type.
    fn parse(&self, text: &str) -> Result<Self::Value, String>;

    /// What is taken, in a few words for the reference; empty where the word for the type says it.
    fn accepts(&self) -> String {
        String::new()
    }
}
