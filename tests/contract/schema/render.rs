//! A schema as text: one line for each service, method, message, field and value, in an order that
//! does not depend on files, so that a change is a change of few lines.

use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, ServiceDescriptor,
};
use std::{collections::BTreeSet, fmt::Write};

/// The services and, in full, the packages `shown`; of what else is used, only the files' names.
pub fn render(services: &BTreeSet<String>, pool: &DescriptorPool, shown: &[&str]) -> String {
    let mut text = String::from(
        "# The contract as reflection tells it. Written by `make golden`, not by hand.\n\n",
    );
    for name in services {
        let service = pool.get_service_by_name(name).expect("a listed service");
        render_service(&mut text, &service);
    }
    for package in shown {
        let is_of = |name: &str| name == *package;
        let mut messages: Vec<_> = pool.all_messages().collect();
        messages.retain(|message| is_of(message.package_name()) && !message.is_map_entry());
        messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));
        for message in messages {
            render_message(&mut text, &message);
        }
        let mut enums: Vec<_> = pool.all_enums().collect();
        enums.retain(|kind| is_of(kind.package_name()));
        enums.sort_by(|a, b| a.full_name().cmp(b.full_name()));
        for kind in enums {
            render_enum(&mut text, &kind);
        }
    }
    let files: BTreeSet<String> = pool.files().map(|file| file.name().to_owned()).collect();
    text.push_str("files {\n");
    for file in files {
        writeln!(text, "  {file}").unwrap();
    }
    text.push_str("}\n");
    text
}

fn render_service(text: &mut String, service: &ServiceDescriptor) {
    writeln!(
        text,
        "service {}{} {{",
        service.full_name(),
        options(&service.options())
    )
    .unwrap();
    for method in service.methods() {
        let stream = |is_stream| if is_stream { "stream " } else { "" };
        writeln!(
            text,
            "  rpc {}({}{}) returns ({}{}){}",
            method.name(),
            stream(method.is_client_streaming()),
            method.input().full_name(),
            stream(method.is_server_streaming()),
            method.output().full_name(),
            options(&method.options()),
        )
        .unwrap();
    }
    text.push_str("}\n\n");
}

fn render_message(text: &mut String, message: &MessageDescriptor) {
    writeln!(
        text,
        "message {}{} {{",
        message.full_name(),
        options(&message.options())
    )
    .unwrap();
    // By number.
    for field in message.fields() {
        writeln!(text, "  {}", field_line(&field)).unwrap();
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        writeln!(
            text,
            "  oneof {}{}",
            oneof.name(),
            options(&oneof.options())
        )
        .unwrap();
    }
    for range in message.reserved_ranges() {
        writeln!(text, "  reserved {} to {}", range.start, range.end - 1).unwrap();
    }
    for name in message.reserved_names() {
        writeln!(text, "  reserved {name}").unwrap();
    }
    text.push_str("}\n\n");
}

fn field_line(field: &FieldDescriptor) -> String {
    let is_optional = field.field_descriptor_proto().proto3_optional();
    let oneof = field
        .containing_oneof()
        .filter(|oneof| !oneof.is_synthetic());
    let label = match (field.cardinality(), oneof) {
        _ if field.is_map() => String::new(),
        (Cardinality::Repeated, _) => "repeated ".to_owned(),
        (Cardinality::Required, _) => "required ".to_owned(),
        (Cardinality::Optional, Some(oneof)) => format!("oneof {} ", oneof.name()),
        (Cardinality::Optional, None) if is_optional => "optional ".to_owned(),
        (Cardinality::Optional, None) => String::new(),
    };
    let (kind, name, number) = (type_name(field), field.name(), field.number());
    format!(
        "{label}{kind} {name} = {number}{}",
        options(&field.options())
    )
}

fn type_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            format!("map<{}, {}>", type_name(&key), type_name(&value))
        }
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn render_enum(text: &mut String, kind: &EnumDescriptor) {
    writeln!(
        text,
        "enum {}{} {{",
        kind.full_name(),
        options(&kind.options())
    )
    .unwrap();
    for value in kind.values() {
        let options = options(&value.options());
        writeln!(text, "  {} = {}{options}", value.name(), value.number()).unwrap();
    }
    for range in kind.reserved_ranges() {
        writeln!(text, "  reserved {} to {}", range.start(), range.end()).unwrap();
    }
    for name in kind.reserved_names() {
        writeln!(text, "  reserved {name}").unwrap();
    }
    text.push_str("}\n\n");
}

/// The options, custom ones too, as JSON. Patterns have line separators and the like: escaped, so
/// that a line is a line in every editor.
fn options(options: &DynamicMessage) -> String {
    match serde_json::to_value(options).unwrap() {
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        value => {
            let visible = |c: char| match c.is_ascii() {
                true => c.to_string(),
                false => format!("\\u{:04x}", u32::from(c)),
            };
            format!(
                " {}",
                value.to_string().chars().map(visible).collect::<String>()
            )
        }
    }
}
