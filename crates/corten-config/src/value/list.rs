//! Comma separated lists.

use super::Kind;
use super::go_text::quoted;

/// A list whose items another type takes; spaces around commas do not count.
#[derive(Clone, Copy, Debug)]
pub struct ListOf<K>(pub K);

impl<K: Kind> Kind for ListOf<K> {
    type Value = Vec<K::Value>;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Vec<K::Value>, String> {
        let items = text.split(',').map(str::trim);
        items.map(|item| self.0.parse(item).map_err(|why| format!("Item {}: {why}", quoted(item)))).collect()
    }

    fn accepts(&self) -> String {
        match self.0.accepts() {
            item if item.is_empty() => "a comma separated list".to_owned(),
            item => format!("a comma separated list of: {item}"),
        }
    }
}

/// Splits a list, dropping empty items.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::number::Unsigned;

    #[test]
    fn lists() {
        assert_eq!(ListOf(Unsigned).parse("1, 2,3"), Ok(vec![1, 2, 3]));
        let words = "Item \"x\": Invalid value for uint32 \"x\": strconv.ParseUint: parsing \"x\": invalid syntax";
        assert_eq!(ListOf(Unsigned).parse("1,x"), Err(words.to_owned()));
        assert_eq!(items(" a,, b ").collect::<Vec<_>>(), ["a", "b"]);
    }
}
