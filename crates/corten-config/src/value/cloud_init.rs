//! Seeds of cloud-init: YAML where they must be.

use corten_api::yaml;
use serde_json::Value;

use super::Kind;

/// A mapping in YAML, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Yaml;

fn check_yaml(text: &str) -> Result<(), String> {
    let value = yaml::from_str::<Value>(text).map_err(|error| error.message)?;
    let (tag, scalar) = match value {
        Value::Null | Value::Object(_) => return Ok(()),
        Value::Array(_) => ("!!seq", None),
        Value::Bool(_) => ("!!bool", Some(text)),
        Value::Number(_) if text.contains(['.', 'e', 'E']) => ("!!float", Some(text)),
        Value::Number(_) => ("!!int", Some(text)),
        Value::String(_) => ("!!str", Some(text)),
    };
    let shown = scalar.map(|text| match text.trim().get(..7) {
        Some(start) if text.trim().len() > 10 => format!(" `{start}...`"),
        _ => format!(" `{}`", text.trim()),
    });
    let shown = shown.unwrap_or_default();
    Err(format!("yaml: unmarshal errors:\n  line 1: cannot unmarshal {tag}{shown} into struct {{}}"))
}

impl Kind for Yaml {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        check_yaml(text).map(|()| text.to_owned())
    }

    fn accepts(&self) -> String {
        "a mapping in YAML".to_owned()
    }
}

/// User or vendor data: YAML after a line `#cloud-config`, or anything that does not begin so.
#[derive(Clone, Copy, Debug)]
pub struct UserData;

impl Kind for UserData {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        if let Some(body) = text.strip_prefix("#cloud-config\n") {
            check_yaml(body)?;
        }
        Ok(text.to_owned())
    }

    fn accepts(&self) -> String {
        "#cloud-config and YAML below it, or another format of cloud-init".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds() {
        assert!(UserData.parse("#cloud-config").is_ok());
        assert!(UserData.parse("#cloud-config\npackages: [vim]\n").is_ok());
        assert!(UserData.parse("#!/bin/sh\n: [").is_ok());
        assert!(UserData.parse("#cloud-config\npackages: [vim").is_err());
        assert!(Yaml.parse("version: 2").is_ok());
        assert!(Yaml.parse("a: [").expect_err("not YAML").starts_with("yaml: "));
        let cases = [("true", "!!bool `true`"), ("10.0.0.0/24", "!!str `10.0.0....`"), ("- a", "!!seq")];
        for (text, shown) in cases {
            let words = format!("yaml: unmarshal errors:\n  line 1: cannot unmarshal {shown} into struct {{}}");
            assert_eq!(Yaml.parse(text), Err(words));
        }
    }
}
