//! The sources of the project, each as its author wrote it and once more without comments and the insides of texts.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of Rust.
pub struct Source {
    /// Relative to the project.
    pub path: PathBuf,
    /// As written.
    pub text: String,
    /// The same lines with comments and the contents of string literals blanked out.
    pub code: String,
}

/// All Rust files of the workspace's members, and the fuzz targets; the program around these is made by libFuzzer's macro.
///
/// # Errors
/// When one cannot be read.
pub fn all(project: &Path) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "xtask", "fuzz/src/targets"] {
        walk(project, &project.join(folder), &mut found)?;
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn walk(project: &Path, folder: &Path, found: &mut Vec<Source>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("reading {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            walk(project, &path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| format!("reading {}: {error}", path.display()))?;
            let path = path.strip_prefix(project).unwrap_or(&path).to_path_buf();
            found.push(Source { path, code: without_comments(&text), text });
        }
    }
    Ok(())
}

/// Blanks out comments and the insides of string literals; line breaks stay where they are.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, length) = match first {
            '/' if rest.starts_with("//") => (0, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (0, block_comment(rest)),
            '"' => (0, string(rest)),
            'r' if !ends_in_word(&code) && raw_string(rest).is_some() => (0, raw_string(rest).unwrap_or(1)),
            '\'' => (0, character(rest)),
            _ => (first.len_utf8(), first.len_utf8()),
        };
        let (piece, after) = rest.split_at(length);
        code.push_str(&piece[..kept]);
        code.extend(piece[kept..].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    code
}

fn ends_in_word(code: &str) -> bool {
    // The `b` of `br"…"` is no word of its own.
    let word = code.strip_suffix('b').unwrap_or(code);
    word.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Comments may be nested.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let marks = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    let inside = rest.get(1 + marks..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    Some(2 + marks + inside.find(&end)? + end.len())
}

/// A character literal whole, or only the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].char_indices();
    match inside.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |at| 3 + at + 1),
        Some((_, c)) if rest[1 + c.len_utf8()..].starts_with('\'') => 2 + c.len_utf8(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn only_code_is_left() {
        let cases = [
            ("a // unsafe\nb", "a          \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"f("un\"safe", 1)"#, r#"f(          , 1)"#),
            ("f(r#\"a\"b\"#) c", "f(        ) c"),
            ("'\\'' 'x' &'a str '\"'", "         & a str    "),
            ("for_r\"x\"", "for_r   "),
        ];
        for (text, code) in cases {
            assert_eq!(without_comments(text), code, "{text}");
        }
    }
}
