//! The query part of a request's URL.

/// The fields of a query, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`; a bare `?` and unknown fields are fine.
    pub fn parse(text: Option<&str>) -> Query {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return Query::default();
        }
        Query(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a field; empty when it is absent, as LXD treats both alike.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether the field is there and says yes, in any of LXD's words for it.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name).to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
    }
}
