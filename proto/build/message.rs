//! The checks of one message.

use super::{Contract, Error, by_hand, field, rules_in, unknown};
use prost_reflect::{Kind, MessageDescriptor, OneofDescriptor};
use std::fmt::Write;

/// Writes the implementation of `Check` for a message.
///
/// # Errors
/// When one of its rules is not known.
pub(crate) fn implementation(
    contract: &Contract,
    message: &MessageDescriptor,
) -> Result<String, Error> {
    let name = message.full_name();
    if let Some(rules) = rules_in(&message.options(), &contract.message) {
        for (rule, _) in rules.fields() {
            if rule.name() != "cel" {
                return Err(unknown(
                    name,
                    format!("the rule {} is not known", rule.name()),
                ));
            }
        }
        by_hand::accept(name, &rules)?;
    }
    let mut checks = String::new();
    let mut written = Vec::new();
    for field in message.fields() {
        let oneof = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        match oneof {
            None => checks.push_str(&field::check(contract, &field)?),
            Some(oneof) if written.contains(&oneof) => {}
            Some(oneof) => {
                checks.push_str(&choice(contract, message, &oneof)?);
                written.push(oneof);
            }
        }
    }
    let found = if checks.is_empty() { "_found" } else { "found" };
    let path = path(message);
    Ok(format!(
        "impl Check for {path} {{\n    fn check(&self, {found}: &mut Found) {{\n{checks}    }}\n}}\n\n"
    ))
}

/// Writes the check of a oneof of messages.
fn choice(
    contract: &Contract,
    message: &MessageDescriptor,
    oneof: &OneofDescriptor,
) -> Result<String, Error> {
    let name = oneof.full_name();
    let rules = rules_in(&oneof.options(), &contract.oneof);
    let set: Vec<_> = rules.iter().flat_map(|rules| rules.fields()).collect();
    if set.iter().any(|(rule, _)| rule.name() != "required") {
        return Err(unknown(name, "only `required` is known of a oneof"));
    }
    let required = set.iter().any(|(_, value)| value.as_bool() == Some(true));
    let mut arms = String::new();
    let mut names = Vec::new();
    for field in oneof.fields() {
        let Kind::Message(_) = field.kind() else {
            return Err(unknown(
                field.full_name(),
                "only messages are known in a oneof",
            ));
        };
        if rules_in(&field.options(), &contract.field).is_some() {
            return Err(unknown(field.full_name(), "no rule is known in a oneof"));
        }
        let (field, variant) = (field.name(), camel(field.name()));
        let _ = writeln!(
            arms,
            "            Some({}::{}::{variant}(inner)) => found.inside({field:?}, |found| inner.check(found)),",
            module(message),
            camel(oneof.name()),
        );
        names.push(field.to_owned());
    }
    let none = if required {
        let wanted = format!("is required: one of {}", names.join(", "));
        format!("found.push({:?}, {wanted:?})", oneof.name())
    } else {
        "{}".to_owned()
    };
    let field = oneof.name();
    Ok(format!(
        "        match &self.{field} {{\n            None => {none},\n{arms}        }}\n"
    ))
}

/// The path of the Rust type of a message: `crate::v1::signal_order_request::CancelOrder`.
fn path(message: &MessageDescriptor) -> String {
    let parent = message.parent_message().as_ref().map(module);
    let parent = parent.unwrap_or_else(|| "crate::v1".to_owned());
    format!("{parent}::{}", message.name())
}

/// The Rust module of what is inside of a message.
fn module(message: &MessageDescriptor) -> String {
    let mut snake = String::new();
    for letter in message.name().chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    format!("crate::v1::{snake}")
}

/// A name as a Rust variant: `cancel_order` is `CancelOrder`.
fn camel(name: &str) -> String {
    let words = name.split('_');
    words
        .map(|word| {
            word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
        })
        .collect()
}
