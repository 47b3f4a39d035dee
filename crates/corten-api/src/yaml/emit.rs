//! Lays a document out as text: indentation, quoting, folding of long lines at 80 columns.

use std::fmt::Write;

use super::node::Node;
use super::scalar::{self, is_break, is_printable};

/// Columns after which a line is folded at its next single space.
const WIDTH: usize = 80;
/// Columns by which each level goes deeper.
const STEP: usize = 2;
/// Bytes above which a key gets a line of its own, begun with `? `.
const LONG_KEY: usize = 128;

/// Lays out a whole document.
pub(super) fn document(root: &Node) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, after_space: true, only_indented: true };
    emitter.node(root, None, Place::Root);
    emitter.indent(0);
    emitter.out
}

/// Where a value stands, as far as its layout depends on it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

struct Emitter {
    out: String,
    /// Characters since the last line break.
    column: usize,
    /// The last thing written separates what comes next from what was before.
    after_space: bool,
    /// Nothing but spaces and list dashes stands on this line.
    only_indented: bool,
}

impl Emitter {
    /// Writes a value; `level` is the indentation of what it stands in, `None` for the root.
    fn node(&mut self, node: &Node, level: Option<usize>, place: Place) {
        match node {
            Node::Plain(text) => self.scalar(text, level, place, Style::Plain),
            Node::Text(text) => {
                let style = match (text.contains('\n'), scalar::reads_as_text(text)) {
                    (true, _) => Style::Block,
                    (false, true) => Style::Plain,
                    (false, false) => Style::Double,
                };
                self.scalar(text, level, place, style);
            }
            Node::List(items) if items.is_empty() => self.empty("[", "]"),
            Node::Map(entries) if entries.is_empty() => self.empty("{", "}"),
            Node::List(items) => self.list(items, level, place),
            Node::Map(entries) => self.map(entries, level),
        }
    }

    /// A list; below a key its dashes are not indented.
    fn list(&mut self, items: &[Node], level: Option<usize>, place: Place) {
        let beside_key = matches!(place, Place::Key | Place::Value) && !self.only_indented;
        let own = level.map_or(0, |level| if beside_key { level } else { level + STEP });
        for item in items {
            self.indent(own);
            self.indicator("-", true, false, true);
            self.node(item, Some(own), Place::Item);
        }
    }

    fn map(&mut self, entries: &[(Node, Node)], level: Option<usize>) {
        let own = level.map_or(0, |level| level + STEP);
        for (key, value) in entries {
            self.indent(own);
            if is_simple(key) {
                self.node(key, Some(own), Place::Key);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, Some(own), Place::Value);
                self.indent(own);
                self.indicator(":", true, false, true);
            }
            self.node(value, Some(own), Place::Value);
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, true, true, false);
        self.indicator(close, false, false, false);
    }

    fn scalar(&mut self, text: &str, level: Option<usize>, place: Place, wanted: Style) {
        let level = level.unwrap_or(0) + STEP;
        let folds = place != Place::Key;
        match choose(text, place, wanted) {
            Style::Plain => self.plain(text, level, folds),
            Style::Single => self.single_quoted(text, level, folds),
            Style::Double => self.double_quoted(text, level, folds),
            Style::Block => self.block(text, level),
        }
    }

    fn plain(&mut self, text: &str, level: usize, folds: bool) {
        if !self.after_space {
            self.put(' ');
        }
        self.folded(text, level, folds, |emitter, character| emitter.put(character));
        self.after_space = false;
        self.only_indented = false;
    }

    fn single_quoted(&mut self, text: &str, level: usize, folds: bool) {
        self.indicator("'", true, false, false);
        self.folded(text, level, folds, |emitter, character| {
            if character == '\'' {
                emitter.put('\'');
            }
            emitter.put(character);
        });
        self.indicator("'", false, false, false);
        self.after_space = false;
        self.only_indented = false;
    }

    /// Writes text of the plain or single-quoted style, where a line break in the text becomes an empty line.
    fn folded(&mut self, text: &str, level: usize, folds: bool, write: impl Fn(&mut Emitter, char)) {
        let mut after_space = false;
        let mut after_break = false;
        let mut rest = text.char_indices().peekable();
        while let Some((place, character)) = rest.next() {
            let next = rest.peek().map(|&(_, next)| next);
            if character == ' ' {
                let inside = place > 0 && next.is_some();
                if folds && inside && !after_space && self.column > WIDTH && next != Some(' ') {
                    self.indent(level);
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else if is_break(character) {
                if !after_break && character == '\n' {
                    self.line_break('\n');
                }
                self.line_break(character);
                self.only_indented = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent(level);
                }
                write(self, character);
                self.only_indented = false;
                after_space = false;
                after_break = false;
            }
        }
    }

    fn double_quoted(&mut self, text: &str, level: usize, folds: bool) {
        self.indicator("\"", true, false, false);
        let mut after_space = false;
        let mut rest = text.char_indices().peekable();
        while let Some((place, character)) = rest.next() {
            let next = rest.peek().map(|&(_, next)| next);
            if character == ' ' {
                if folds && !after_space && self.column > WIDTH && place > 0 && next.is_some() {
                    self.indent(level);
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                if !is_printable(character) || is_break(character) || matches!(character, '"' | '\\') {
                    escape(character).chars().for_each(|part| self.put(part));
                } else {
                    self.put(character);
                }
                after_space = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.after_space = false;
        self.only_indented = false;
    }

    /// The literal style: `|`, how to read the edges, and the lines as they are.
    fn block(&mut self, text: &str, level: usize) {
        self.indicator("|", true, false, false);
        if text.starts_with([' ', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            self.indicator("2", false, false, false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.indicator("-", false, false, false),
            (true, None) => self.indicator("+", false, false, false),
            (true, Some(before)) if is_break(before) => self.indicator("+", false, false, false),
            (true, Some(_)) => {}
        }
        self.line_break('\n');
        self.only_indented = true;
        self.after_space = true;
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.line_break(character);
                self.only_indented = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent(level);
                }
                self.put(character);
                self.only_indented = false;
                after_break = false;
            }
        }
    }

    /// Begins a line at the given indentation, unless the current one can still serve.
    fn indent(&mut self, level: usize) {
        if !self.only_indented || self.column > level || (self.column == level && !self.after_space) {
            self.line_break('\n');
        }
        while self.column < level {
            self.put(' ');
        }
        self.after_space = true;
        self.only_indented = true;
    }

    fn indicator(&mut self, text: &str, needs_space: bool, is_space: bool, is_indentation: bool) {
        if needs_space && !self.after_space {
            self.put(' ');
        }
        text.chars().for_each(|character| self.put(character));
        self.after_space = is_space;
        self.only_indented &= is_indentation;
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn line_break(&mut self, character: char) {
        self.out.push(character);
        self.column = 0;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Block,
}

/// The wanted style, or the next one that keeps the text as it is.
fn choose(text: &str, place: Place, wanted: Style) -> Style {
    let allowed = scalar::styles(text);
    let mut style = wanted;
    // Go's writer leaves the merge key plain, which then reads as something else.
    if place == Place::Key && (allowed.multiline || text == "<<") {
        style = Style::Double;
    }
    if style == Style::Plain && (!allowed.plain || text.is_empty() && place == Place::Key) {
        style = Style::Single;
    }
    if style == Style::Single && !allowed.single {
        style = Style::Double;
    }
    if style == Style::Block && (!allowed.block || place == Place::Key) {
        style = Style::Double;
    }
    style
}

/// Whether a key fits before a colon on its own line.
fn is_simple(key: &Node) -> bool {
    match key {
        Node::Plain(text) | Node::Text(text) => text.len() <= LONG_KEY && !text.contains(is_break),
        Node::List(_) | Node::Map(_) => false,
    }
}

/// The escape of a character between double quotes.
fn escape(character: char) -> String {
    let short = match character {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(character);
            let mut text = String::from("\\");
            let _ = match code {
                0..=0xff => write!(text, "x{code:02X}"),
                0x100..=0xffff => write!(text, "u{code:04X}"),
                _ => write!(text, "U{code:08X}"),
            };
            return text;
        }
    };
    format!("\\{short}")
}
