//! Cutting a template into texts, outputs and tags, and those into tokens.

use super::Error;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// `{{ … }}`
    Output(Vec<Token>, usize),
    /// `{% name … %}`
    Tag(String, Vec<Token>, usize),
}

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name or keyword.
    Name(String),
    /// A text in quotes.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
}

/// Longer ones first.
const SYMBOLS: [&str; 26] = [
    "==", ">=", "<=", "&&", "||", "!=", "<>", "{", "}", "(", ")", "[", "]", "+", "-", "*", "/", "%", "<", ">", ":",
    ",", ".", "|", "!", "=",
];

/// The pieces of a template.
///
/// # Errors
/// For what is not closed, and for characters that mean nothing.
pub fn pieces(text: &str) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let (mut rest, mut line, mut trim) = (text, 1, false);
    while !rest.is_empty() {
        let at = rest
            .match_indices('{')
            .map(|(at, _)| at)
            .find(|at| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')));
        let (plain, tagged) = rest.split_at(at.unwrap_or(rest.len()));
        let mut shown = if trim { plain.trim_start() } else { plain };
        if tagged.as_bytes().get(2) == Some(&b'-') {
            shown = shown.trim_end();
        }
        if !shown.is_empty() {
            pieces.push(Piece::Text(shown.to_string()));
        }
        line += plain.matches('\n').count();
        if tagged.is_empty() {
            break;
        }
        let close = match tagged.as_bytes()[1] {
            b'{' => "}}",
            b'%' => "%}",
            _ => "#}",
        };
        let end = end_of(&tagged[2..], close).ok_or_else(|| Error::new(line, format!("{close:?} is missing")))?;
        let body = &tagged[2..2 + end];
        rest = &tagged[2 + end + 2..];
        trim = body.len() > 1 && body.ends_with('-');
        let inside = body.strip_prefix('-').unwrap_or(body);
        let inside = inside.strip_suffix('-').unwrap_or(inside);
        match close {
            "}}" => pieces.push(Piece::Output(tokens(inside, line)?, line)),
            "%}" if inside.trim() == "verbatim" => {
                let (raw, after) =
                    until_tag(rest, "endverbatim").ok_or_else(|| Error::new(line, "\"endverbatim\" is missing"))?;
                pieces.push(Piece::Text(raw.to_string()));
                line += rest[..rest.len() - after.len()].matches('\n').count();
                rest = after;
            }
            "%}" if inside.trim() == "comment" => {
                let (_, after) =
                    until_tag(rest, "endcomment").ok_or_else(|| Error::new(line, "\"endcomment\" is missing"))?;
                line += rest[..rest.len() - after.len()].matches('\n').count();
                rest = after;
            }
            "%}" => {
                let mut words = tokens(inside, line)?;
                if words.is_empty() {
                    return Err(Error::new(line, "a tag without a name"));
                }
                let Token::Name(name) = words.remove(0) else {
                    return Err(Error::new(line, "a tag must begin with its name"));
                };
                pieces.push(Piece::Tag(name, words, line));
            }
            _ => {}
        }
        line += body.matches('\n').count();
    }
    Ok(pieces)
}

/// Where `close` is, but for what stands in quotes.
fn end_of(text: &str, close: &str) -> Option<usize> {
    if close == "#}" {
        return text.find(close);
    }
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(mark) if letter == mark => quote = None,
            Some(_) => {}
            None if text[at..].starts_with(close) => return Some(at),
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None => {}
        }
    }
    None
}

/// What is before the tag `name`, and what is behind it.
fn until_tag<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let mut from = 0;
    loop {
        let end = text[from..].find("%}")? + from;
        // Of several beginnings only the last can be that of the tag.
        if let Some(at) = text[from..end].rfind("{%").map(|at| at + from)
            && text[at + 2..end].trim_matches('-').trim() == name
        {
            return Some((&text[..at], &text[end + 2..]));
        }
        from = end + 2;
    }
}

/// The tokens of an expression or tag.
fn tokens(text: &str, line: usize) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '"' || first == '\'' {
            quoted(rest, first).ok_or_else(|| Error::new(line, "a text without its second quote"))?
        } else if first.is_ascii_digit() {
            number(rest).ok_or_else(|| Error::new(line, "a number that is too large"))?
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            (Token::Name(rest[..length].to_string()), length)
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.ok_or_else(|| Error::new(line, format!("{first:?} means nothing here")))?;
            (Token::Symbol(symbol), symbol.len())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str, mark: char) -> Option<(Token, usize)> {
    let (mut content, mut escaped) = (String::new(), false);
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => {
                content.push(match letter {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
                escaped = false;
            }
            '\\' => escaped = true,
            letter if letter == mark => return Some((Token::Text(content), at + 1)),
            letter => content.push(letter),
        }
    }
    None
}

fn number(text: &str) -> Option<(Token, usize)> {
    let digits = |text: &str| text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    let behind = text[whole..].strip_prefix('.').map_or(0, digits);
    if behind == 0 {
        return Some((Token::Integer(text[..whole].parse().ok()?), whole));
    }
    let length = whole + 1 + behind;
    Some((Token::Float(text[..length].parse().ok()?), length))
}
