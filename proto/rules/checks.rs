//! The checks of one field, by its type. They mean what protovalidate means.

use super::{Check, Found};
use prost_types::Timestamp;
use regex::Regex;
use std::sync::LazyLock;

/// How many characters are looked at to name the one that is wrong. A text may be as large as a request.
const LOOKED_AT: usize = 1_000;

/// A predefined rule of texts.
pub(super) struct Rule {
    /// Its id in the contract.
    pub(super) id: &'static str,
    /// What is wrong with a text that breaks it.
    pub(super) message: &'static str,
    /// How it is told.
    pub(super) test: Test,
}

/// How a predefined rule is told.
pub(super) enum Test {
    /// The text matches a pattern. The build script has compiled it, so that it is there.
    Matches(LazyLock<Option<Regex>>),
    /// The text is none of these.
    NotIn(&'static [&'static str]),
}

impl Rule {
    fn holds(&self, text: &str) -> bool {
        match &self.test {
            Test::Matches(pattern) => pattern.as_ref().is_some_and(|regex| regex.is_match(text)),
            Test::NotIn(texts) => !texts.contains(&text),
        }
    }

    /// What is wrong with a text that breaks the rule.
    fn description(&self, text: &str) -> String {
        let message = self.message;
        let is_wrong = |c: &char| !self.holds(c.encode_utf8(&mut [0; 4]));
        match text.chars().take(LOOKED_AT).find(is_wrong) {
            // Such a character cannot be seen, so its number is said.
            Some(wrong) if self.id == "string.printable" => {
                format!("{message}, not U+{:04X}", u32::from(wrong))
            }
            _ => message.to_owned(),
        }
    }
}

/// The rules of a text.
pub(super) struct Text<'a> {
    /// What a text has to be that must not be empty.
    pub(super) required: Option<&'a str>,
    /// Whether the other rules pass over an empty text.
    pub(super) empty_is_fine: bool,
    /// The most characters.
    pub(super) most: Option<usize>,
    /// Predefined rules.
    pub(super) rules: &'a [&'static Rule],
    /// What the text must not be.
    pub(super) not_in: &'a [&'a str],
}

/// The rules of a whole number.
pub(super) struct Whole {
    /// Whether it must not be 0.
    pub(super) required: bool,
    /// Whether it may be left out.
    pub(super) optional: bool,
    /// The least.
    pub(super) least: Option<i64>,
    /// The most.
    pub(super) most: Option<i64>,
}

/// The rules of an enum.
pub(super) struct Choice {
    /// Whether it must not be 0.
    pub(super) required: bool,
    /// The numbers that it may have.
    pub(super) allowed: &'static [i32],
    /// Their names.
    pub(super) wanted: &'static str,
}

impl Found {
    pub(super) fn text(&mut self, field: &str, text: &str, rules: &Text<'_>) {
        if text.is_empty() {
            match rules.required {
                Some("") => return self.push(field, "is required"),
                Some(wanted) => return self.push(field, format!("is required: {wanted}")),
                None if rules.empty_is_fine => return,
                None => {}
            }
        }
        if let Some(most) = rules.most
            // A text has no more characters than bytes.
            && text.len() > most
        {
            let length = text.chars().count();
            if length > most {
                let most = grouped(i64::try_from(most).unwrap_or(i64::MAX));
                let description = format!("must have at most {most} characters, not {length}");
                self.push(field, description);
            }
        }
        if let Some(broken) = rules.rules.iter().find(|rule| !rule.holds(text)) {
            self.push(field, broken.description(text));
        }
        if rules.not_in.contains(&text) {
            self.push(field, format!("must not be {text:?}"));
        }
    }

    pub(super) fn whole(&mut self, field: &str, number: i64, rules: &Whole) {
        let Whole {
            required,
            optional,
            least,
            most,
        } = *rules;
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("from {} to {}", grouped(least), grouped(most)),
            (Some(least), None) => format!("{} or more", grouped(least)),
            (None, Some(most)) => format!("at most {}", grouped(most)),
            (None, None) => "a number".to_owned(),
        };
        if required && number == 0 {
            return self.push(field, format!("is required: {range}, and not 0"));
        }
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let left_out = if optional { ", or left out" } else { "" };
            self.push(field, format!("must be {range}{left_out}"));
        }
    }

    pub(super) fn choice(&mut self, field: &str, number: i32, rules: &Choice) {
        let wanted = rules.wanted;
        if rules.required && number == 0 {
            self.push(field, format!("is required: {wanted}"));
        } else if !rules.allowed.contains(&number) {
            self.push(field, format!("must be {wanted}"));
        }
    }

    pub(super) fn present(&mut self, field: &str, is_there: bool) {
        if !is_there {
            self.push(field, "is required");
        }
    }

    pub(super) fn message(&mut self, field: &'static str, message: Option<&impl Check>) {
        if let Some(message) = message {
            self.inside(field, |found| message.check(found));
        }
    }

    pub(super) fn list(
        &mut self,
        field: &'static str,
        items: &[impl Check],
        least: usize,
        most: usize,
    ) {
        let (count, items_name) = (items.len(), field.replace('_', " "));
        if count < least {
            self.push(
                field,
                format!("is required: {least} to {most} {items_name}"),
            );
        } else if count > most {
            // Not each of them as well: a request may bring very many.
            let description = format!("must be at most {most} {items_name}, not {count}");
            return self.push(field, description);
        }
        for (index, item) in items.iter().enumerate() {
            self.inside_item(field, index, |found| item.check(found));
        }
    }

    pub(super) fn time(
        &mut self,
        field: &str,
        time: Option<&Timestamp>,
        least: (i64, i32),
        most: (i64, i32),
    ) {
        let Some(time) = time else { return };
        // Nanos out of range are another rule's; here the moment counts that they come to.
        let moment = |seconds, nanos| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let is_within = moment(least.0, least.1) <= moment(time.seconds, time.nanos)
            && moment(time.seconds, time.nanos) <= moment(most.0, most.1);
        if !is_within {
            let shown = |(seconds, nanos)| Timestamp { seconds, nanos };
            let (least, most) = (shown(least), shown(most));
            self.push(field, format!("must be from {least} to {most}"));
        }
    }
}

/// A number with a comma between each three digits.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
