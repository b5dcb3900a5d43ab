//! What every field and every RPC of the contract has to say of itself.

use super::{Error, unknown};
use prost_reflect::{
    DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, Value,
};

/// The packages whose fields carry a data class.
const PACKAGES: [&str; 2] = ["orders.v1", "orders.provider.v1"];

/// The package whose RPCs carry a method option.
const SERVED: &str = "orders.v1";

/// Numbers of google.api.FieldBehavior.
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;

/// Numbers of orders.v1.MethodKind.
const CHANGE: i32 = 2;
const STREAM: i32 = 3;

/// Checks that every field has a data class, as strict as what is in it, and every RPC a method option that fits it.
///
/// # Errors
/// With the first that has none, or one that does not fit.
pub fn lint(set: &[u8]) -> Result<(), Error> {
    let pool = DescriptorPool::decode(set)?;
    let extension = |name: &str| {
        let found = pool.get_extension_by_name(name);
        found.ok_or_else(|| unknown(name, "is not in the descriptor set"))
    };
    let classes = Classes {
        data: extension("orders.v1.data")?,
        behavior: extension("google.api.field_behavior")?,
    };
    for message in pool.all_messages() {
        if is_ours(&message) {
            for field in message.fields() {
                classes.check(&field)?;
            }
        }
    }
    let option = extension("orders.v1.method")?;
    for service in pool.services() {
        if service.package_name() == SERVED {
            for method in service.methods() {
                check_method(&method, &option)?;
            }
        }
    }
    Ok(())
}

fn is_ours(message: &MessageDescriptor) -> bool {
    PACKAGES.contains(&message.package_name())
}

/// The options that say how a field's content has to be treated.
struct Classes {
    data: ExtensionDescriptor,
    behavior: ExtensionDescriptor,
}

impl Classes {
    fn check(&self, field: &FieldDescriptor) -> Result<(), Error> {
        let declared = self.declared(field);
        if declared == 0 {
            let what = "has no data class: add `(orders.v1.data) = DATA_CLASS_...`";
            return Err(unknown(field.full_name(), what));
        }
        let inside = self.of(field, false);
        if declared != inside {
            let what = format!(
                "has the data class {declared}, but the strictest field in it has {inside}"
            );
            return Err(unknown(field.full_name(), what));
        }
        Ok(())
    }

    /// The number of the class that a field declares; 0 for none.
    fn declared(&self, field: &FieldDescriptor) -> i32 {
        let class = field.options().get_extension(&self.data).as_enum_number();
        class.unwrap_or_default()
    }

    /// The number of the class that a field has: for one of our messages, that of the strictest field in it.
    fn of(&self, field: &FieldDescriptor, in_answer: bool) -> i32 {
        let in_answer = in_answer || self.behaves(field, OUTPUT_ONLY);
        match field.kind() {
            Kind::Message(inner) if is_ours(&inner) => inner
                .fields()
                .filter(|field| !(in_answer && self.behaves(field, INPUT_ONLY)))
                .map(|field| self.of(&field, in_answer))
                .max()
                .unwrap_or(1),
            _ => self.declared(field),
        }
    }

    fn behaves(&self, field: &FieldDescriptor, behavior: i32) -> bool {
        let options = field.options();
        let all = options.get_extension(&self.behavior);
        let mut all = all.as_list().unwrap_or_default().iter();
        all.any(|value| value.as_enum_number() == Some(behavior))
    }
}

fn check_method(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Result<(), Error> {
    let name = method.full_name();
    let options = method.options();
    if !options.has_extension(option) {
        return Err(unknown(name, "has no `option (orders.v1.method)`"));
    }
    let option = options.get_extension(option);
    let get = |field: &str| {
        let message = option.as_message()?;
        Some(message.get_field_by_name(field)?.into_owned())
    };
    let kind = get("kind").as_ref().and_then(Value::as_enum_number);
    let kind = kind.unwrap_or_default();
    let has_timeout = option
        .as_message()
        .is_some_and(|message| message.has_field_by_name("default_timeout"));
    let scope = get("scope");
    let scope = scope.as_ref().and_then(|scope| scope.as_str());
    let is_change = method.input().get_field_by_name("request_id").is_some();
    let what = if kind == 0 || scope.is_none_or(str::is_empty) {
        "needs a kind and a scope"
    } else if (kind == STREAM) != method.is_server_streaming() {
        "is a stream exactly when its kind says so"
    } else if (kind == STREAM) == has_timeout {
        "needs a default_timeout exactly when it is no stream"
    } else if (kind == CHANGE) != is_change {
        "is a change exactly when its request has a request_id"
    } else {
        return Ok(());
    };
    Err(unknown(name, what))
}

#[cfg(test)]
mod tests;
