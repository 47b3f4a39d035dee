//! Owners, modes and numbers of device nodes.

use super::Kind;
use super::go_text::parse_uint;

/// Permission bits in octal.
#[derive(Clone, Copy, Debug)]
pub struct FileMode;

impl Kind for FileMode {
    type Value = u32;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u32, String> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| digits);
        mode.ok_or_else(|| "Invalid value for an octal file mode".to_owned())
    }

    fn accepts(&self) -> String {
        "octal digits such as 0660".to_owned()
    }
}

/// The id of a user or group.
#[derive(Clone, Copy, Debug)]
pub struct UnixId;

impl Kind for UnixId {
    type Value = u32;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u32, String> {
        let id = parse_uint(text).ok().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| "Invalid value for a UNIX ID".to_owned())
    }
}

/// The major or minor number of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceNumber;

impl Kind for DeviceNumber {
    type Value = u32;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u32, String> {
        let number = parse_uint(text).ok().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| "Invalid value for a UNIX device number".to_owned())
    }
}

/// A range of ids, `1000` or `1000-1999`.
#[derive(Clone, Copy, Debug)]
pub struct IdRange;

impl Kind for IdRange {
    /// The first id and the last.
    type Value = (u32, u32);
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<(u32, u32), String> {
        let number = |part: &str| parse_uint(part).ok().and_then(|number| u32::try_from(number).ok());
        let quoted = super::go_text::quoted(text);
        let (start, end) = match text.split_once('-') {
            Some((start, end)) => (start, Some(end)),
            None => (text, None),
        };
        let start = number(start).ok_or_else(|| format!("Invalid number {quoted}"))?;
        let Some(end) = end else { return Ok((start, start)) };
        let end = number(end).ok_or_else(|| format!("Invalid end number {quoted}"))?;
        match start < end {
            true => Ok((start, end)),
            false => Err(format!("Start number {start} must be lower than end number {end}")),
        }
    }

    fn accepts(&self) -> String {
        "an id or a range such as 1000-1999".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        assert_eq!(FileMode.parse("0660"), Ok(0o660));
        assert_eq!(FileMode.parse("0668"), Err("Invalid value for an octal file mode".to_owned()));
        assert_eq!(FileMode.parse("+660"), Err("Invalid value for an octal file mode".to_owned()));
        assert_eq!(UnixId.parse("-1"), Err("Invalid value for a UNIX ID".to_owned()));
        assert_eq!(DeviceNumber.parse("x"), Err("Invalid value for a UNIX device number".to_owned()));
        assert_eq!(IdRange.parse("5-9"), Ok((5, 9)));
        assert_eq!(IdRange.parse("9-5"), Err("Start number 9 must be lower than end number 5".to_owned()));
        assert_eq!(IdRange.parse("a-5"), Err("Invalid number \"a-5\"".to_owned()));
        assert_eq!(IdRange.parse("5-a"), Err("Invalid end number \"5-a\"".to_owned()));
    }
}
