//! Comparing generated text with the file that was agreed on.

use std::path::Path;

/// Compares `text` with `testdata/NAME`; with `CORTEN_BLESS=1` in the environment it becomes that file's content.
pub(crate) fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    if std::env::var_os("CORTEN_BLESS").is_some() {
        std::fs::write(&path, text).expect("the golden file is written");
    }
    let agreed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, agreed, "differs from {}", path.display());
}
