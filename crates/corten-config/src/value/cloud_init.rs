//! Seeds of cloud-init: YAML where they must be.

use corten_api::yaml;

use super::Kind;

/// YAML of any shape, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Yaml;

fn check_yaml(text: &str) -> Result<(), String> {
    match yaml::from_str::<serde_json::Value>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("yaml: {}", error.message)),
    }
}

impl Kind for Yaml {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        check_yaml(text).map(|()| text.to_owned())
    }

    fn accepts(&self) -> String {
        "YAML".to_owned()
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
    }
}
