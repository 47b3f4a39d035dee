//! The client's `config.yml`, alone and together with that of the system.

use crate::config::document;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (own, global) = text.split_once('\0').map_or((text, None), |(own, global)| (own, Some(global)));
    let Ok(config) = document::read(own, global) else { return };
    assert!(!config.default_remote.is_empty() && config.remotes.contains_key("local"));
    let _ = config.parse_remote("local:c1/a:b");
    let written = config.text().expect("what was read can be written");
    if written.contains(['\u{2028}', '\u{2029}', '\u{85}']) {
        return;
    }
    let again = document::read(&written, global).unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!((again.default_remote, again.aliases), (config.default_remote, config.aliases), "{written}");
    assert_eq!(again.remotes, config.remotes, "{written}");
}
