//! Templates as they are, as they might be, and as they must not be.

use super::*;
use proptest::prelude::*;

fn made(text: &str) -> Result<String, String> {
    let instance = [("name", "c1"), ("type", "container"), ("privileged", "false")];
    let instance: BTreeMap<String, String> = instance.map(|(key, value)| (key.into(), value.into())).into();
    let properties = BTreeMap::from([("default".to_string(), "#cloud-config\n{}".to_string())]);
    let config = [("user.foo", "bar\n"), ("user.network_mode", "dhcp"), ("limits.cpu", "2")];
    let config: BTreeMap<String, String> = config.map(|(key, value)| (key.into(), value.into())).into();
    let variables = BTreeMap::from([
        ("trigger".to_string(), Value::from("start")),
        ("path".to_string(), Value::from("/etc/hostname")),
        ("instance".to_string(), Value::texts(&instance)),
        ("container".to_string(), Value::texts(&instance)),
        ("properties".to_string(), Value::texts(&properties)),
        ("config".to_string(), Value::texts(&config)),
    ]);
    render(text, variables, &config).map_err(|error| error.to_string())
}

#[test]
fn templates_of_images_in_the_wild() {
    let network = "{% if config_get(\"user.network-config\", \"\") == \"\" %}version: 1
config:
  - type: physical
    name: {% if instance.type == \"virtual-machine\" %}enp5s0{% else %}eth0{% endif %}
    subnets:
      - type: {% if config_get(\"user.network_mode\", \"\") == \"link-local\" %}manual{% else %}dhcp{% endif %}
        control: auto{% else %}{{ config_get(\"user.network-config\", \"\") }}{% endif %}\n";
    for (text, wanted) in [
        ("{{ container.name }}\n", "c1\n"),
        ("127.0.1.1\t{{ container.name }}\n", "127.0.1.1\tc1\n"),
        ("{{ config_get(\"user.user-data\", properties.default) }}\n", "#cloud-config\n{}\n"),
        ("{{ config_get(\"user.foo\", \"_unset_\") }}|{{ config_get('user.none', '_unset_') }}", "bar|_unset_"),
        (
            "{{ config_get(\"cloud-init.user-data\", config_get(\"user.user-data\", properties.default)) }}",
            "#cloud-config\n{}",
        ),
        (
            network,
            "version: 1\nconfig:\n  - type: physical\n    name: eth0\n    subnets:\n      - type: dhcp\n        control: auto\n",
        ),
        ("{{ container.none.more }}{{ nothing }}.", "."),
    ] {
        assert_eq!(made(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn the_language() {
    for (text, wanted) in [
        ("a{# {{ not shown }} #}b", "ab"),
        ("{% comment %}{{ x }{% endcomment %}b", "b"),
        ("{% verbatim %}{{ x }}{% endverbatim %}", "{{ x }}"),
        ("{{ \"}}\" }}{{ '%}' }}", "}}%}"),
        ("a \n{{- 1 -}}\n b", "a1b"),
        ("{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 % 4 }} {{ 1.5 + 1 }} {{ -3 }}", "5 3 2.500000 -3"),
        ("{% if 1 < 2 and not (2 < 1) %}y{% endif %}", "y"),
        ("{% if !true || false && true %}y{% else %}n{% endif %}", "n"),
        ("{% if \"a\" in \"cat\" and \"limits.cpu\" in config %}y{% endif %}", "y"),
        ("{% if trigger == \"create\" %}c{% elif trigger == \"start\" %}s{% else %}o{% endif %}", "s"),
        ("{% ifequal trigger \"start\" %}s{% else %}o{% endifequal %}", "s"),
        ("{% ifnotequal trigger \"start\" %}s{% else %}o{% endifnotequal %}", "o"),
        (
            "{% for k, v in config %}{{ forloop.Counter }}{{ k }}={{ v|cut:\"\n\" }};{% endfor %}",
            "1limits.cpu=2;2user.foo=bar;3user.network_mode=dhcp;",
        ),
        (
            "{% for x in \"b,a\"|split:\",\" %}{{ x }}{% if not forloop.Last %}+{% endif %}{% empty %}e{% endfor %}",
            "b+a",
        ),
        ("{% for x in nothing %}{{ x }}{% empty %}e{% endfor %}", "e"),
        ("{% with n=instance.name %}{{ n }}{% endwith %}{{ n }}", "c1"),
        ("{% set n = \"x\" %}{{ n }}", "x"),
        ("{% firstof nothing \"\" \"third\" %}", "third"),
        ("{% autoescape on %}{{ \"<\" }}{% endautoescape %}", "<"),
        ("{{ config[\"limits.cpu\"] }}{{ \"abc\"|first }}{{ \"abc\"|last|upper }}", "2aC"),
        (
            "{{ nothing|default:\"d\" }} {{ \"a b\"|title }} {{ \"abc\"|length }} {{ true }} {{ \"x\"|yesno:\"j,n\" }}",
            "d A B 3 True j",
        ),
        ("{{ \"abcdefgh\"|truncatechars:5 }}{{ \"a b\"|urlencode }}{{ \"<\"|escape }}", "ab...a%20b&lt;"),
    ] {
        assert_eq!(made(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (text, wanted) in [
        (
            "a\n{% include \"/etc/passwd\" %}",
            "line 2: Usage of tag 'include' is not allowed (sandbox restriction active).",
        ),
        ("{% ssi \"/etc/passwd\" %}", "line 1: Usage of tag 'ssi' is not allowed (sandbox restriction active)."),
        ("{% nonsense %}", "line 1: Tag 'nonsense' not found (or beginning tag not provided)"),
        ("{% endif %}", "line 1: Tag 'endif' not found (or beginning tag not provided)"),
        ("{{ x", "line 1: \"}}\" is missing"),
        ("\n\n{{ 1 + }}", "line 3: a value is missing"),
        ("{{ open(\"/etc/passwd\") }}", "line 1: \"open\" is not a function"),
        ("{{ config_get(\"a\") }}", "line 1: config_get takes a key and a default"),
        ("{{ 1|nonsense }}", "line 1: Filter 'nonsense' not found."),
        ("{% if 1 %}", "line 0: Unexpected EOF, expected tag endif."),
        ("{{ 1 / 0 }}", "line 1: these two cannot be calculated with"),
    ] {
        assert_eq!(made(text), Err(wanted.to_string()), "{text}");
    }
}

#[test]
fn hostile_templates_end() {
    let digits = "\"0123456789\"";
    let loops = "{% for x in A %}".repeat(12) + "x" + &"{% endfor %}".repeat(12);
    assert!(made(&loops.replace('A', digits)).is_err_and(|why| why.contains("does too much")));
    let doubled = format!("{{% set a = {digits} %}}") + &"{% set a = a + a %}".repeat(60);
    assert!(made(&doubled).is_err_and(|why| why.contains("longer than")));
    for deep in [
        "{{ ".to_string() + &"(".repeat(100_000) + "1",
        "{{ ".to_string() + &"not ".repeat(100_000) + "1 }}",
        "{{ 1".to_string() + &" + 1".repeat(100_000) + " }}",
        "{{ a".to_string() + &".b".repeat(100_000) + " }}",
        "{{ a".to_string() + &"|lower".repeat(100_000) + " }}",
        "{% if 1 %}".repeat(100_000),
        "{{ ".to_string() + &"config_get(".repeat(100_000),
        "{{ 1".to_string() + &"|default:(1".repeat(50_000) + " }}",
    ] {
        assert!(made(&deep).is_err(), "{}", &deep[..20]);
    }
}

#[test]
fn large_values_are_paid_for() {
    let large = "{% set a = \"0123456789abcdef\" %}".to_string() + &"{% set a = a + a %}".repeat(16);
    for (more, wanted) in [
        // Many copies of a value, which would be kept all at once.
        ("{% set b = a %}".repeat(40_000), "does too much"),
        // A repetition over every letter, a list of every letter, and what is put between them.
        ("{% for x in a %}{% endfor %}".to_string(), "does too much"),
        ("{{ a|split:\"\"|length }}".to_string(), "does too much"),
        ("{% set l = \"0123456789\"|split:\"\" %}{{ l|join:a }}".to_string(), "longer than"),
        // Names that are looked for among very many.
        ("{% set n = 1 %}".repeat(60_000) + &"{{ m }}".repeat(10_000), "does too much"),
    ] {
        let made = made(&(large.clone() + &more));
        assert!(made.as_ref().is_err_and(|why| why.contains(wanted)), "{}: {made:?}", &more[..20]);
    }
    // What real templates do with user data of some size costs little.
    let real = large.replace("16", "12") + &"{% if a == \"\" %}{% endif %}".repeat(20);
    assert_eq!(
        made(&real.replace(&"{% set a = a + a %}".repeat(16), &"{% set a = a + a %}".repeat(10))),
        Ok(String::new())
    );
}

#[test]
fn raw_text_ends_at_its_own_tag() {
    for (text, wanted) in [
        ("{% verbatim %}{%}{% endverbatim %}x", "{%}x"),
        ("{% verbatim %}{% if %}{%{% endverbatim %}x", "{% if %}{%x"),
        ("{% comment %}%}{% a{% endcomment %}x", "x"),
        ("{% verbatim %}{%- endverbatim -%}x", "x"),
    ] {
        assert_eq!(made(text).as_deref(), Ok(wanted), "{text}");
    }
    // Many beginnings before one end take no time by their square.
    let begun = "{% verbatim %}".to_string() + &"{%".repeat(500_000) + "%}";
    assert!(made(&begun).is_err());
}

proptest! {
    #[test]
    fn any_text_is_made_or_refused(text in "([a-z ]|\\{\\{|\\}\\}|\\{%|%\\}|[(\"'|:.=!<>+*/,\\[\\]-]|if |for |in |endif|endfor|config|config_get\\(|é){0,60}") {
        let _ = made(&text);
    }
}
