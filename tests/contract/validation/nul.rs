//! No text of any request has the character U+0000: PostgreSQL takes it in no text, and a caller who is told
//! that the database is unavailable sends the same again and again.

use super::{corpus, corpus::CONTRACT, coverage::is_output};
use jiff::Timestamp;
use orders_domain::policy::book::PolicyBook;
use orders_server::convert::{CheckError, check};
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};

/// A message with a NUL put into one of its texts, for each text that a caller sets; and where that is.
fn spoilt(message: &DynamicMessage, path: &str) -> Vec<(String, DynamicMessage)> {
    let mut all = Vec::new();
    for field in message.descriptor().fields() {
        if is_output(&field.options()) {
            continue;
        }
        let path = format!("{path}.{}", field.name());
        let mut add = |path: &str, value: Value| {
            let mut message = message.clone();
            message.set_field(&field, value);
            all.push((path.to_owned(), message));
        };
        let value = message.get_field(&field).into_owned();
        match (field.kind(), value) {
            (Kind::String, Value::String(text)) if !field.is_list() => {
                add(&path, Value::String(format!("{text}\0x")));
            }
            (Kind::Message(_), Value::Message(inner)) if message.has_field(&field) => {
                for (path, inner) in spoilt(&inner, &path) {
                    add(&path, Value::Message(inner));
                }
            }
            (Kind::Message(_), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let item = item.as_message().unwrap();
                    for (path, item) in spoilt(item, &format!("{path}[{index}]")) {
                        let mut items = items.clone();
                        items[index] = Value::Message(item);
                        add(&path, Value::List(items));
                    }
                }
            }
            _ => {}
        }
    }
    all
}

#[test]
fn no_text_of_any_request_may_have_a_nul() {
    let (policies, now) = (PolicyBook::presets().unwrap(), Timestamp::now());
    let (mut texts, mut taken) = (0, Vec::new());
    for case in corpus::load() {
        // Of the others, something else is wrong.
        if !case.violations.is_empty() {
            continue;
        }
        let descriptor = CONTRACT.get_message_by_name(&case.message).unwrap();
        let message = DynamicMessage::decode(descriptor, case.bytes.as_slice()).unwrap();
        for (path, message) in spoilt(&message, &case.message) {
            texts += 1;
            let checked = check(&case.message, &message.encode_to_vec(), &policies, now);
            if !matches!(checked, Err(CheckError::Invalid(_))) {
                taken.push(path);
            }
        }
    }
    taken.sort();
    taken.dedup();
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    assert!(texts > 500, "only {texts} texts were tried");
}
