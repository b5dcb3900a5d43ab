//! Predefined rules: the extensions of `buf.validate.StringRules` in `rules.proto`.

use super::{Error, PACKAGE, rules_in, unknown};
use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor};
use regex::Regex;
use std::collections::BTreeMap;

/// The rules that can be extended here.
const EXTENDED: &str = "buf.validate.StringRules";

/// One predefined rule: all of its expressions have to hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Predefined {
    expressions: Vec<Expression>,
}

#[derive(Debug, PartialEq, Eq)]
struct Expression {
    id: String,
    message: String,
    test: Test,
}

/// The forms of an expression that are known.
#[derive(Debug, PartialEq, Eq)]
enum Test {
    /// `!rule || this.matches(r'...')`
    Matches(String),
    /// `!rule || !(this in ['...', '...'])`
    NotIn(Vec<String>),
}

/// Reads the predefined rules of the contract, by the full names of their extensions.
pub(crate) fn read(
    pool: &DescriptorPool,
    option: &ExtensionDescriptor,
) -> Result<BTreeMap<String, Predefined>, Error> {
    let mut found = BTreeMap::new();
    let ours = pool
        .all_extensions()
        .filter(|extension| extension.package_name() == PACKAGE);
    for extension in ours {
        let Some(rules) = rules_in(&extension.options(), option) else {
            continue;
        };
        let name = extension.full_name();
        if extension.containing_message().full_name() != EXTENDED {
            return Err(unknown(name, format!("only {EXTENDED} can be extended")));
        }
        let cel = rules.get_field_by_name("cel");
        let cel = cel.as_ref().and_then(|value| value.as_list());
        let expressions = cel.unwrap_or_default().iter().map(|rule| {
            let rule = rule.as_message();
            let rule = rule.ok_or_else(|| unknown(name, "has a rule that is no message"))?;
            expression(rule)
        });
        let expressions = expressions.collect::<Result<Vec<_>, _>>()?;
        if expressions.is_empty() {
            return Err(unknown(name, "has no rule in CEL"));
        }
        found.insert(name.to_owned(), Predefined { expressions });
    }
    Ok(found)
}

/// A text of a message of options; empty when it is not set.
pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    let text = value.as_ref().and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}

fn expression(rule: &DynamicMessage) -> Result<Expression, Error> {
    let (id, message) = (text(rule, "id"), text(rule, "message"));
    let written = text(rule, "expression");
    let test = test(&id, &written)?;
    if id.is_empty() || message.is_empty() {
        return Err(unknown(id, "a rule needs an id and a message"));
    }
    Ok(Expression { id, message, test })
}

fn test(id: &str, written: &str) -> Result<Test, Error> {
    let inner = |start: &str, end: &str| {
        let rest = written.strip_prefix(start)?;
        rest.strip_suffix(end)
    };
    if let Some(pattern) = inner("!rule || this.matches(r'", "')") {
        Regex::new(pattern).map_err(|error| unknown(id, error.to_string()))?;
        return Ok(Test::Matches(pattern.to_owned()));
    }
    if let Some(list) = inner("!rule || !(this in ['", "'])") {
        return Ok(Test::NotIn(list.split("', '").map(str::to_owned).collect()));
    }
    let what = format!(
        "no check can be made of {written:?}: write `!rule || this.matches(r'...')` or `!rule || !(this in ['...'])`"
    );
    Err(unknown(id, what))
}

impl Predefined {
    /// The names of the rule's items in the generated module.
    pub(crate) fn names(&self) -> Vec<String> {
        self.expressions.iter().map(Expression::name).collect()
    }

    /// The message of a rule with one expression, which also says what a missing text has to be.
    pub(crate) fn wanted(&self) -> Option<&str> {
        match self.expressions.as_slice() {
            [one] => one.message.strip_prefix("must be "),
            _ => None,
        }
    }

    /// Whether the rule is about characters that can be seen.
    pub(crate) fn is_printable(&self) -> bool {
        self.expressions
            .iter()
            .any(|expression| expression.id == "string.printable")
    }

    /// The rule's items in the generated module.
    pub(crate) fn items(&self) -> String {
        self.expressions.iter().map(Expression::item).collect()
    }
}

impl Expression {
    fn name(&self) -> String {
        self.id.replace(['.', '-'], "_").to_uppercase()
    }

    fn item(&self) -> String {
        let Self { id, message, test } = self;
        let name = self.name();
        let test = match test {
            Test::Matches(pattern) => {
                format!("Test::Matches(LazyLock::new(|| Regex::new({pattern:?}).ok()))")
            }
            Test::NotIn(names) => format!("Test::NotIn(&{names:?})"),
        };
        format!(
            "static {name}: Rule = Rule {{\n    id: {id:?},\n    message: {message:?},\n    test: {test},\n}};\n\n"
        )
    }
}
