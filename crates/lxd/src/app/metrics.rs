//! Figures of running instances in the text format of OpenMetrics, with LXD's names.

pub mod families;
pub mod gather;

use families::{ALL, Family};
use std::fmt::Write;

/// Names of labels with their values, in the order of the names.
pub type Labels = Vec<(&'static str, String)>;

/// Samples on their way to the text.
#[derive(Default)]
pub struct Samples(Vec<(Family, Labels, f64)>);

impl Samples {
    /// Adds a sample.
    pub fn add(&mut self, family: Family, labels: Labels, value: f64) {
        self.0.push((family, labels, value));
    }

    /// Adds a count; beyond 2^53 the last digits are lost, as in LXD.
    #[expect(clippy::cast_precision_loss, reason = "the format has floating point numbers only")]
    pub fn count(&mut self, family: Family, labels: Labels, value: u64) {
        self.add(family, labels, value as f64);
    }

    /// The whole text: families in LXD's order, each with its help and type.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (family, name, help) in ALL {
            let mut samples = self.0.iter().filter(|(of, ..)| of == family).peekable();
            if samples.peek().is_none() {
                continue;
            }
            let counter = name.ends_with("_total") && *family != Family::Procs;
            let kind = if counter { "counter" } else { "gauge" };
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            for (_, labels, value) in samples {
                let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
                let _ = writeln!(text, "{name}{{{}}} {}", labels.join(","), number(*value));
            }
        }
        text.push_str("# EOF\n");
        text
    }
}

/// A number as Go's `FormatFloat` has it by `g`: the shortest text that reads back as the same number, with an exponent
/// below 1e-4 and from 1e6 on.
fn number(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) && value.is_finite() {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_lxds() {
        let mut samples = Samples::default();
        let labels = |name: &str| vec![("name", name.to_string()), ("project", "default".to_string())];
        samples.count(Family::Procs, labels("c1"), 12);
        samples.add(Family::CpuSeconds, labels("c1"), 0.25);
        samples.count(Family::Procs, labels("c2"), 3);
        let wanted = "# HELP lxd_cpu_seconds_total The total number of CPU time used in seconds.\n\
            # TYPE lxd_cpu_seconds_total counter\n\
            lxd_cpu_seconds_total{name=\"c1\",project=\"default\"} 0.25\n\
            # HELP lxd_procs_total The number of running processes.\n\
            # TYPE lxd_procs_total gauge\n\
            lxd_procs_total{name=\"c1\",project=\"default\"} 12\n\
            lxd_procs_total{name=\"c2\",project=\"default\"} 3\n\
            # EOF\n";
        assert_eq!(samples.render(), wanted);
        assert_eq!(Samples::default().render(), "# EOF\n");
        let texts = [0.0, 1.0, 123_456.0, 1e6, 1_234_567.0, 0.5, 0.0001, 0.000_01].map(number);
        assert_eq!(texts, ["0", "1", "123456", "1e+06", "1.234567e+06", "0.5", "0.0001", "1e-05"]);
    }
}
