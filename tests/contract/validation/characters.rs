//! The rules of the contract and those in Rust that say the same with other words: what a name may be made
//! of, what white space is, and the digits of each currency. Compared over all of Unicode, and over all
//! codes of three letters.

use super::corpus::CONTRACT;
use orders_domain::{
    currency::{minor_digits, payable_digits},
    text::{is_hidden, is_name, is_printable},
};
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

fn all_characters() -> impl Iterator<Item = char> {
    (0..=0x10_ffff).filter_map(char::from_u32)
}

/// The fields of the contract that have rules, with their rules.
fn fields_with_rules() -> Vec<(FieldDescriptor, DynamicMessage)> {
    let extension = CONTRACT
        .get_extension_by_name("buf.validate.field")
        .unwrap();
    let messages = CONTRACT.all_messages();
    let ours = messages.filter(|message| message.package_name() == "orders.v1");
    let fields = ours.flat_map(|message| message.fields().collect::<Vec<_>>());
    let mut found = Vec::new();
    for field in fields {
        let options = field.options();
        if options.has_extension(&extension)
            && let Value::Message(rules) = options.get_extension(&extension).as_ref()
        {
            found.push((field, rules.clone()));
        }
    }
    found
}

fn text_of(message: &DynamicMessage, name: &str) -> String {
    let value = message.get_field_by_name(name).unwrap();
    value.as_str().unwrap_or_default().to_owned()
}

/// Every pattern of the contract, by the id of its rule. Each stands once: in `rules.proto`.
fn patterns() -> BTreeMap<String, Regex> {
    let predefined = CONTRACT
        .get_extension_by_name("buf.validate.predefined")
        .unwrap();
    let literal = Regex::new(r"^!rule \|\| this\.matches\(r'(.*)'\)$").unwrap();
    let mut patterns = BTreeMap::new();
    for extension in CONTRACT.all_extensions() {
        let options = extension.options();
        if extension.package_name() != "orders.v1" || !options.has_extension(&predefined) {
            continue;
        }
        let rules = options.get_extension(&predefined).into_owned();
        let rules = rules
            .as_message()
            .unwrap()
            .get_field_by_name("cel")
            .unwrap();
        for rule in rules.as_list().unwrap() {
            let rule = rule.as_message().unwrap();
            let expression = text_of(rule, "expression");
            if let Some(found) = literal.captures(&expression) {
                let pattern = Regex::new(&found[1]).unwrap();
                patterns.insert(text_of(rule, "id"), pattern);
            }
        }
    }
    patterns
}

/// The rule in words of Rust that a pattern writes down.
fn rule_of(id: &str) -> fn(&str) -> bool {
    match id {
        "string.printable" => |text| text.chars().all(is_printable),
        "string.trimmed" => |text| text.trim() == text,
        "string.storable" => |text| !text.contains('\0'),
        "string.not_blank" => |text| !text.trim().is_empty(),
        "string.order_id" => |text| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        },
        "string.country_code" => {
            |text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
        }
        "string.last4" => |text| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()),
        "string.order_by" => |text| text.bytes().all(|byte| byte == b' '),
        other => panic!("no rule in Rust is known for {other}"),
    }
}

#[test]
fn each_pattern_takes_what_its_rule_in_rust_takes() {
    let patterns = patterns();
    assert_eq!(patterns.len(), 8, "{:?}", patterns.keys());
    for (id, pattern) in &patterns {
        let is_right = rule_of(id);
        for c in all_characters() {
            for text in [
                c.to_string(),
                format!("a{c}b"),
                format!("a{c}"),
                format!("{c}a"),
            ] {
                assert_eq!(
                    pattern.is_match(&text),
                    is_right(&text),
                    "{id} with {text:?}, U+{:04X}",
                    u32::from(c)
                );
            }
        }
    }
}

#[test]
fn a_name_is_printable_and_trimmed() {
    let patterns = patterns();
    let (printable, trimmed) = (&patterns["string.printable"], &patterns["string.trimmed"]);
    for c in all_characters() {
        for text in [
            c.to_string(),
            format!("a{c}b"),
            format!("a{c}"),
            format!("{c}a"),
        ] {
            let is_right = printable.is_match(&text) && trimmed.is_match(&text);
            assert_eq!(is_right, is_name(&text), "{text:?}, U+{:04X}", u32::from(c));
        }
    }
}

/// The tables are of a version of Unicode; the `regex` crate brings its own.
#[test]
fn what_is_hidden_and_what_is_invisible_is_as_unicode_has_it() {
    let format = Regex::new(r"^\p{Cf}$").unwrap();
    let ignorable = Regex::new(r"^\p{Default_Ignorable_Code_Point}$").unwrap();
    for c in all_characters() {
        let text = c.to_string();
        let separator = matches!(c, '\u{2028}' | '\u{2029}');
        let hidden = c.is_control() || separator || format.is_match(&text);
        assert_eq!(is_hidden(c), hidden, "U+{:04X}", u32::from(c));
        let printable = !hidden && !ignorable.is_match(&text);
        assert_eq!(is_printable(c), printable, "U+{:04X}", u32::from(c));
    }
}

/// The codes in the lists of a rule about minor units, by the digits that the rule gives them.
fn listed(expression: &str) -> BTreeMap<String, u32> {
    let list = Regex::new(r"in \[([^\]]*)\] \? (10*)").unwrap();
    let code = Regex::new("'([A-Z]{3})'").unwrap();
    let mut digits = BTreeMap::new();
    for found in list.captures_iter(expression) {
        // A step of 10^9 nanos is a currency without digits.
        let step: u64 = found[2].parse().unwrap();
        for one in code.captures_iter(&found[1]) {
            let before = digits.insert(one[1].to_owned(), 9 - step.ilog10());
            assert_eq!(before, None, "{} is listed twice", &one[1]);
        }
    }
    digits
}

#[test]
fn the_rules_about_minor_units_know_the_currencies_of_the_server() {
    let letters = 'A'..='Z';
    let codes: Vec<String> = letters
        .clone()
        .flat_map(|a| letters.clone().map(move |b| (a, b)))
        .flat_map(|(a, b)| letters.clone().map(move |c| [a, b, c].iter().collect()))
        .collect();
    let mut rules = BTreeSet::new();
    for (field, all) in fields_with_rules() {
        let cel = all.get_field_by_name("cel").unwrap().into_owned();
        for rule in cel.as_list().unwrap() {
            let rule = rule.as_message().unwrap();
            if text_of(rule, "id") != "money.minor_unit" {
                continue;
            }
            let listed = listed(&text_of(rule, "expression"));
            for code in &codes {
                match (payable_digits(code), listed.get(code)) {
                    (Ok(2), None) => {}
                    (Ok(digits), Some(listed)) => assert_eq!(*listed, digits, "{code}"),
                    (Ok(digits), None) => panic!("{code} has {digits} digits and is not listed"),
                    (Err(refused), Some(_)) => panic!("{code} is listed, but {refused:?}"),
                    (Err(_), None) => {}
                }
            }
            rules.insert(field.full_name().to_owned());
        }
    }
    assert_eq!(rules.len(), 3, "{rules:?}");
    let payable = codes.iter().filter(|code| payable_digits(code).is_ok());
    assert_eq!(payable.count(), 156);
    let known = codes.iter().filter(|code| minor_digits(code).is_some());
    assert_eq!(known.count(), 167);
}
