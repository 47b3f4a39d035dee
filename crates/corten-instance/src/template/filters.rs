//! Filters: `value|name:argument`.

use super::{LONGEST, Value};

/// Applies the filter `name`.
///
/// # Errors
/// When there is none of that name, or it cannot do with these values.
pub fn apply(name: &str, of: Value, argument: Option<Value>) -> Result<Value, String> {
    let text = |value: &Value| value.to_string();
    let given = argument.clone().unwrap_or_default();
    let made = match name {
        "default" => return Ok(if of.is_true() { of } else { given }),
        "default_if_none" => return Ok(if of == Value::Nothing { given } else { of }),
        "safe" => return Ok(of),
        "length" => Value::Integer(i64::try_from(length(&of)).unwrap_or(i64::MAX)),
        "length_is" => Value::Truth(given == Value::Integer(i64::try_from(length(&of)).unwrap_or(i64::MAX))),
        "first" => end(&of, true),
        "last" => end(&of, false),
        "join" => match &of {
            Value::List(values) => {
                let words: Vec<String> = values.iter().map(text).collect();
                let between = text(&given);
                let length = words.iter().map(String::len).sum::<usize>();
                if length.saturating_add(between.len().saturating_mul(words.len())) > LONGEST {
                    return Err(format!("a value becomes longer than {LONGEST} bytes"));
                }
                Value::Text(words.join(&between))
            }
            other => other.clone(),
        },
        "split" => {
            let separator = text(&given);
            let words: Vec<Value> = text(&of).split(separator.as_str()).map(Value::from).collect();
            Value::List(words)
        }
        "integer" => Value::Integer(text(&of).trim().parse::<f64>().map_or(0, truncated)),
        "float" => Value::Float(text(&of).trim().parse().unwrap_or(0.0)),
        "add" => match (&of, &given) {
            (Value::Integer(one), Value::Integer(other)) => Value::Integer(one.saturating_add(*other)),
            (one, other) => Value::Text(format!("{one}{other}")),
        },
        "yesno" => {
            let words = argument.map_or_else(|| "yes,no,maybe".to_string(), |words| words.to_string());
            let mut words = words.split(',');
            let (yes, no) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let word = match &of {
                Value::Nothing => words.next().unwrap_or(no),
                of if of.is_true() => yes,
                _ => no,
            };
            Value::from(word)
        }
        _ => Value::Text(of_text(name, &text(&of), &given)?),
    };
    Ok(made)
}

/// Filters that make a text of a text.
fn of_text(name: &str, text: &str, given: &Value) -> Result<String, String> {
    Ok(match name {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "capfirst" => capitalised(text),
        "title" => text.split(' ').map(|word| capitalised(&word.to_lowercase())).collect::<Vec<_>>().join(" "),
        "cut" => text.replace(&given.to_string(), ""),
        "addslashes" => {
            let slashed = |letter: char| if matches!(letter, '\\' | '"' | '\'') { Some('\\') } else { None };
            text.chars().flat_map(|letter| slashed(letter).into_iter().chain([letter])).collect()
        }
        "escape" | "force_escape" => escaped(text),
        "wordcount" => text.split_whitespace().count().to_string(),
        "truncatechars" => match given {
            Value::Integer(most) if length(&Value::from(text)) > usize::try_from(*most).unwrap_or(0) => {
                let most = usize::try_from(*most).unwrap_or(0);
                let kept: String = text.chars().take(most.saturating_sub(3)).collect();
                format!("{kept}...")
            }
            _ => text.to_string(),
        },
        "urlencode" => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
            text.bytes().map(one).collect()
        }
        other => return Err(format!("Filter '{other}' not found.")),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "what does not fit becomes the nearest that does")]
fn truncated(number: f64) -> i64 {
    number as i64
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.chars().count(),
        Value::List(values) => values.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    }
}

fn end(value: &Value, first: bool) -> Value {
    let found = match value {
        Value::List(values) => (if first { values.first() } else { values.last() }).cloned(),
        Value::Text(text) => {
            let letter = if first { text.chars().next() } else { text.chars().next_back() };
            letter.map(|letter| Value::Text(letter.to_string()))
        }
        _ => None,
    };
    found.unwrap_or_else(|| Value::from(""))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn escaped(text: &str) -> String {
    let pairs = [("&", "&amp;"), (">", "&gt;"), ("<", "&lt;"), ("\"", "&quot;"), ("'", "&#39;")];
    pairs.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}
