//! The rules of one field, as a call of a check in `proto/rules`.

use super::{Contract, Error, PACKAGE, by_hand, rules_in, unknown};
use prost_reflect::{Cardinality, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, Value};

/// What `buf.validate.field` says of a field, whatever its type.
#[derive(Default)]
struct Common {
    required: bool,
    /// Whether the rules pass over an empty value.
    ignore_empty: bool,
    /// The rules of the field's type.
    typed: Option<DynamicMessage>,
}

/// Writes the check of a field; empty when it has no rules.
///
/// # Errors
/// When one of its rules is not known.
pub(crate) fn check(contract: &Contract, field: &FieldDescriptor) -> Result<String, Error> {
    let common = match rules_in(&field.options(), &contract.field) {
        Some(rules) => common(field, &rules)?,
        None => Common::default(),
    };
    if field.cardinality() == Cardinality::Repeated {
        return repeated(field, &common);
    }
    match field.kind() {
        Kind::String => text(contract, field, &common),
        Kind::Int32 | Kind::Int64 => whole(field, &common),
        Kind::Enum(kind) => choice(field, &kind, &common),
        Kind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => {
            time(field, &common)
        }
        Kind::Message(inner) => {
            without_typed(field, &common)?;
            let (name, rust) = (field.name(), rust(field));
            let mut check = String::new();
            if common.required {
                check.push_str(&format!(
                    "        found.present({name:?}, self.{rust}.is_some());\n"
                ));
            }
            if inner.package_name() == PACKAGE {
                check.push_str(&format!(
                    "        found.message({name:?}, self.{rust}.as_ref());\n"
                ));
            }
            Ok(check)
        }
        _ => {
            without_typed(field, &common)?;
            match common.required {
                true => Err(unknown(
                    field.full_name(),
                    "`required` is not known of its type",
                )),
                false => Ok(String::new()),
            }
        }
    }
}

/// The Rust name of a field.
fn rust(field: &FieldDescriptor) -> String {
    match field.name() {
        "type" => "r#type".to_owned(),
        name => name.to_owned(),
    }
}

fn common(field: &FieldDescriptor, rules: &DynamicMessage) -> Result<Common, Error> {
    by_hand::accept(field.full_name(), rules)?;
    let mut common = Common::default();
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("cel", _) => {}
            ("required", Value::Bool(required)) => common.required = *required,
            ("ignore", Value::EnumNumber(number @ 0..=1)) => common.ignore_empty = *number == 1,
            (
                "string" | "int32" | "int64" | "enum" | "repeated" | "timestamp",
                Value::Message(typed),
            ) => common.typed = Some(typed.clone()),
            (name, _) => return Err(not_known(field, name)),
        }
    }
    Ok(common)
}

fn not_known(field: &FieldDescriptor, rule: &str) -> Error {
    unknown(field.full_name(), format!("the rule {rule} is not known"))
}

fn without_typed(field: &FieldDescriptor, common: &Common) -> Result<(), Error> {
    match &common.typed {
        Some(_) => Err(unknown(field.full_name(), "has rules of another type")),
        None => Ok(()),
    }
}

/// The rules of the field's type that are set, each with its value.
fn typed(common: &Common) -> impl Iterator<Item = (String, Value)> {
    let rules = common.typed.iter().flat_map(|rules| rules.fields());
    rules.map(|(rule, value)| (rule.name().to_owned(), value.clone()))
}

fn text(contract: &Contract, field: &FieldDescriptor, common: &Common) -> Result<String, Error> {
    let (mut most, mut not_in, mut rules) = (None, Vec::new(), Vec::new());
    for (rule, value) in typed(common) {
        match (rule.as_str(), value) {
            ("max_len", Value::U64(length)) => most = Some(length),
            ("not_in", Value::List(texts)) => {
                let texts = texts
                    .iter()
                    .filter_map(|text| text.as_str().map(str::to_owned));
                not_in.extend(texts);
            }
            (name, _) => return Err(not_known(field, name)),
        }
    }
    for (rule, value) in common.typed.iter().flat_map(|rules| rules.extensions()) {
        match (contract.predefined.get(rule.full_name()), value.as_bool()) {
            (Some(predefined), Some(true)) => rules.push(predefined),
            _ => return Err(not_known(field, rule.full_name())),
        }
    }
    if !common.required && common.typed.is_none() {
        return Ok(String::new());
    }
    let printable = rules.iter().any(|rule| rule.is_printable());
    let wanted = match (most, rules.iter().find_map(|rule| rule.wanted())) {
        (Some(most), _) if printable => format!("1 to {most} printable characters"),
        (Some(most), _) => format!("1 to {most} characters"),
        (None, wanted) => wanted.unwrap_or_default().to_owned(),
    };
    let names: Vec<String> = rules.iter().flat_map(|rule| rule.names()).collect();
    let names: Vec<String> = names.iter().map(|name| format!("&{name}")).collect();
    let required = common.required.then_some(wanted);
    Ok(format!(
        "        found.text({:?}, &self.{}, &Text {{ required: {required:?}, empty_is_fine: {}, most: {most:?}, rules: &[{}], not_in: &{not_in:?} }});\n",
        field.name(),
        rust(field),
        common.ignore_empty,
        names.join(", "),
    ))
}

fn whole(field: &FieldDescriptor, common: &Common) -> Result<String, Error> {
    let (mut least, mut most) = (None, None);
    for (rule, value) in typed(common) {
        let number = value.as_i64().or_else(|| value.as_i32().map(i64::from));
        match (rule.as_str(), number) {
            ("gte", Some(number)) => least = Some(number),
            ("lte", Some(number)) => most = Some(number),
            (name, _) => return Err(not_known(field, name)),
        }
    }
    if !common.required && common.typed.is_none() {
        return Ok(String::new());
    }
    if common.ignore_empty {
        return Err(not_known(field, "ignore"));
    }
    let (name, rust, required) = (field.name(), rust(field), common.required);
    let optional = field.supports_presence();
    let value = match field.kind() {
        _ if optional => "value".to_owned(),
        Kind::Int32 => format!("i64::from(self.{rust})"),
        _ => format!("self.{rust}"),
    };
    let check = format!(
        "found.whole({name:?}, {value}, &Whole {{ required: {required}, optional: {optional}, least: {least:?}, most: {most:?} }});\n"
    );
    Ok(match (optional, required) {
        (false, _) => format!("        {check}"),
        (true, false) => {
            format!("        if let Some(value) = self.{rust} {{\n            {check}        }}\n")
        }
        (true, true) => {
            return Err(unknown(
                field.full_name(),
                "`required` is not known of an optional number",
            ));
        }
    })
}

fn choice(
    field: &FieldDescriptor,
    kind: &EnumDescriptor,
    common: &Common,
) -> Result<String, Error> {
    let mut allowed: Vec<i32> = Vec::new();
    for (rule, value) in typed(common) {
        match (rule.as_str(), value) {
            ("defined_only", Value::Bool(true)) => {
                allowed = kind.values().map(|value| value.number()).collect();
            }
            ("in", Value::List(numbers)) => {
                allowed = numbers.iter().filter_map(Value::as_i32).collect();
            }
            (name, _) => return Err(not_known(field, name)),
        }
    }
    if allowed.is_empty() {
        return match common.required || common.typed.is_some() {
            true => Err(unknown(
                field.full_name(),
                "an enum needs `defined_only` or `in`",
            )),
            false => Ok(String::new()),
        };
    }
    let names = allowed.iter().filter(|number| **number != 0).map(|number| {
        let value = kind.get_value(*number);
        let name = value.map(|value| value.name().to_owned());
        name.ok_or_else(|| {
            unknown(
                field.full_name(),
                format!("{number} is no value of its enum"),
            )
        })
    });
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let wanted = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => return Err(unknown(field.full_name(), "its enum has no values")),
    };
    Ok(format!(
        "        found.choice({:?}, self.{}, &Choice {{ required: {}, allowed: &{allowed:?}, wanted: {wanted:?} }});\n",
        field.name(),
        rust(field),
        common.required,
    ))
}

fn time(field: &FieldDescriptor, common: &Common) -> Result<String, Error> {
    let (mut least, mut most) = (None, None);
    for (rule, value) in typed(common) {
        let time = value.as_message().map(|time| {
            let seconds = time
                .get_field_by_name("seconds")
                .and_then(|value| value.as_i64());
            let nanos = time
                .get_field_by_name("nanos")
                .and_then(|value| value.as_i32());
            (seconds.unwrap_or_default(), nanos.unwrap_or_default())
        });
        match (rule.as_str(), time) {
            ("gte", Some(time)) => least = Some(time),
            ("lte", Some(time)) => most = Some(time),
            (name, _) => return Err(not_known(field, name)),
        }
    }
    match (least, most, common.required) {
        (None, None, false) => Ok(String::new()),
        (Some(least), Some(most), false) => Ok(format!(
            "        found.time({:?}, self.{}.as_ref(), {least:?}, {most:?});\n",
            field.name(),
            rust(field),
        )),
        _ => Err(unknown(
            field.full_name(),
            "a time needs `gte` and `lte`, and is not required",
        )),
    }
}

fn repeated(field: &FieldDescriptor, common: &Common) -> Result<String, Error> {
    let (mut least, mut most) = (None, None);
    for (rule, value) in typed(common) {
        match (rule.as_str(), value) {
            ("min_items", Value::U64(count)) => least = Some(count),
            ("max_items", Value::U64(count)) => most = Some(count),
            (name, _) => return Err(not_known(field, name)),
        }
    }
    if common.required || common.ignore_empty {
        return Err(not_known(field, "required or ignore"));
    }
    let (name, rust) = (field.name(), rust(field));
    let items = match field.kind() {
        Kind::Message(inner) if inner.package_name() == PACKAGE => format!("&self.{rust}"),
        _ => {
            return Err(unknown(
                field.full_name(),
                "only messages are known in a list",
            ));
        }
    };
    let (Some(least), Some(most)) = (least, most) else {
        return Err(unknown(
            field.full_name(),
            "a list needs `min_items` and `max_items`",
        ));
    };
    Ok(format!(
        "        found.list({name:?}, {items}, {least}, {most});\n"
    ))
}
