//! Paths and queries of requests.

use corten_api::url;

use crate::rest::query::Query;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_eq!(url::unescape(&url::escape(text)).as_deref(), Some(text));
    assert_eq!(Query::parse(Some(&format!("a={}", url::escape_query(text)))).get("a"), text);
    let _ = url::unescape(text);
    let query = Query::parse(Some(text));
    let _ = (query.get("project"), query.flag("all-projects"));
}
