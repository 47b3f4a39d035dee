//! Somebody who asks over HTTPS, with a certificate of their own or as a stranger.

use serde_json::Value;

use crate::Host;

/// Makes `NAME.crt` and `NAME.key` in the host's folder.
pub fn certificate(host: &Host, name: &str) {
    host.sh(&format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -days 30 -subj /CN={name} \
         -keyout {name}.key -out {name}.crt 2>/dev/null"
    ));
}

/// A request to port 8443 with the certificate of this name, `words` being more of curl's; the status code and the answer.
///
/// # Panics
/// When curl says no status code.
pub fn over_https(host: &Host, name: &str, words: &str, path: &str) -> (u16, Value) {
    let said = host.sh(&format!(
        "curl -k -s --noproxy '*' --cert {name}.crt --key {name}.key -w '\\n%{{http_code}}' {words} 'https://127.0.0.1:8443{path}'"
    ));
    let (body, code) = said.trim_end().rsplit_once('\n').unwrap_or(("", said.trim()));
    (code.parse().expect("a status code"), serde_json::from_str(body.trim()).unwrap_or(Value::Null))
}
