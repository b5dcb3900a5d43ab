//! What the corpus has to have: every request, every field of it, and a bad case for every rule.

use super::{
    corpus::{self, CONTRACT, Case},
    paths::without_indices,
};
use orders_domain::policy::book::PolicyBook;
use orders_server::convert::{CheckError, check};
use prost_reflect::{DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor};
use std::collections::BTreeSet;

/// Every request of the two services.
pub fn requests() -> Vec<MessageDescriptor> {
    let services = CONTRACT.services();
    let ours = services.filter(|service| service.package_name() == "orders.v1");
    let methods = ours.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| method.input()).collect()
}

fn extension(name: &str) -> ExtensionDescriptor {
    CONTRACT
        .get_extension_by_name(name)
        .expect("the set has validate.proto")
}

/// Whether a field's google.api.field_behavior says that only the server sets it.
pub fn is_output(options: &DynamicMessage) -> bool {
    let behavior = options.get_extension(&extension("google.api.field_behavior"));
    let values = behavior.as_list().unwrap();
    values.iter().any(|value| value.as_enum_number() == Some(3))
}

/// What a request has.
#[derive(Default)]
struct Seen {
    /// Each field that a caller sets.
    fields: BTreeSet<String>,
    /// Each path at which a rule finds something.
    rules: BTreeSet<String>,
}

fn look(message: &MessageDescriptor, path: &str, seen: &mut Seen) {
    let join = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    if message
        .options()
        .has_extension(&extension("buf.validate.message"))
    {
        seen.rules.insert(path.to_owned());
    }
    for oneof in message.oneofs() {
        if oneof
            .options()
            .has_extension(&extension("buf.validate.oneof"))
        {
            seen.rules.insert(join(oneof.name()));
        }
    }
    for field in message.fields() {
        let (path, options) = (join(field.name()), field.options());
        if is_output(&options) {
            continue;
        }
        if options.has_extension(&extension("buf.validate.field")) {
            seen.rules.insert(path.clone());
        }
        seen.fields.insert(path.clone());
        // Rules can stand only in messages of the contract.
        if let Kind::Message(inner) = field.kind()
            && inner.package_name() == "orders.v1"
        {
            look(&inner, &path, seen);
        }
    }
}

/// Whether one of the cases says something about this field, or about a part of it.
fn is_changed(cases: &[&Case], field: &str) -> bool {
    let part = format!("{field}.");
    let changed = cases.iter().flat_map(|case| &case.changed);
    changed
        .map(|path| without_indices(path))
        .any(|path| path == field || path.starts_with(&part))
}

#[test]
fn every_request_every_field_and_every_rule_is_in_the_corpus() {
    let cases = corpus::load();
    let (mut missing, mut rules) = (Vec::new(), 0);
    for request in requests() {
        let name = request.full_name();
        let cases: Vec<&Case> = cases.iter().filter(|case| case.message == name).collect();
        if !cases.iter().any(|case| case.violations.is_empty()) {
            missing.push(format!("{name} has no good case"));
        }
        let mut seen = Seen::default();
        look(&request, "", &mut seen);
        rules += seen.rules.len();
        let broken: BTreeSet<String> = cases
            .iter()
            .flat_map(|case| &case.rules)
            .map(|path| without_indices(path))
            .collect();
        missing.extend(
            seen.rules
                .difference(&broken)
                .map(|rule| format!("{name}: no case breaks the rule at {rule:?}")),
        );
        let untouched = seen
            .fields
            .iter()
            .filter(|field| !is_changed(&cases, field));
        missing.extend(untouched.map(|field| format!("{name}: no case changes {field}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(rules > 100, "only {rules} rules were found");
}

#[test]
fn the_server_can_check_every_request_of_its_services() {
    let policies = PolicyBook::presets().unwrap();
    for request in requests() {
        let name = request.full_name();
        let checked = check(name, &[], &policies, jiff::Timestamp::now());
        assert!(!matches!(checked, Err(CheckError::Unknown(_))), "{name}");
    }
}
