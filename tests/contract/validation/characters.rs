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

/// Every pattern of the contract, with the fields that have it.
fn patterns() -> BTreeMap<String, Vec<String>> {
    let mut patterns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (field, rules) in fields_with_rules() {
        let Some(Value::Message(rules)) = rules.get_field_by_name("string").map(|v| v.into_owned())
        else {
            continue;
        };
        let pattern = text_of(&rules, "pattern");
        if !pattern.is_empty() {
            let name = field.full_name().to_owned();
            patterns.entry(pattern).or_default().push(name);
        }
    }
    patterns
}

#[test]
fn each_pattern_takes_what_its_rule_in_rust_takes() {
    let patterns = patterns();
    let mut names = 0;
    for (pattern, fields) in &patterns {
        let regex = Regex::new(pattern).unwrap();
        let Some(is_right) = rule_of(&regex) else {
            panic!("no rule in Rust is known for {pattern:?} of {fields:?}");
        };
        // A class that a text of people may be of goes over all of Unicode; an ASCII one has nothing there.
        let is_wide = regex.is_match("\u{e4} \u{e4}");
        for c in all_characters().filter(|c| is_wide || *c < '\u{3000}') {
            for text in [c.to_string(), format!("a{c}b"), format!("a{c}")] {
                assert_eq!(
                    regex.is_match(&text),
                    is_right(&text),
                    "{fields:?} with {:?}, U+{:04X}",
                    text,
                    u32::from(c)
                );
            }
        }
        names += usize::from(regex.is_match("a b")) * fields.len();
    }
    assert!(names > 40, "only {names} fields with a pattern for text");
}

/// The rule that a pattern writes down, by what it says of a few texts that tell the rules apart.
fn rule_of(pattern: &Regex) -> Option<fn(&str) -> bool> {
    let takes = |text: &str| pattern.is_match(text);
    match (
        takes("a b"),
        takes(" a"),
        takes("a.b"),
        takes("AB"),
        takes("1234"),
        takes("place_time"),
    ) {
        // A name.
        (true, false, true, true, true, true) => Some(is_name),
        // Any text. No database keeps a NUL.
        (true, true, true, true, true, true) if takes("") => Some(|text| !text.contains('\0')),
        // A text that says something.
        (true, true, true, true, true, true) => {
            Some(|text| !text.trim().is_empty() && !text.contains('\0'))
        }
        // An order id.
        (false, false, true, true, true, true) => Some(|text| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }),
        // A country.
        (false, false, false, true, false, false) => {
            Some(|text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        }
        // The last digits of a card.
        (false, false, false, false, true, false) => {
            Some(|text| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
        }
        // An order of a list.
        (false, false, false, false, false, true) => Some(|text| text.bytes().all(|b| b == b' ')),
        _ => None,
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
