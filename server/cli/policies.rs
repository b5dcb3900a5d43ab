//! `orders policies`: the policies with their numbers.
//!
//! A sheet names the fields as the API does, whichever they are: a policy may grow new numbers,
//! and none of them may be missing here.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    json,
    lines::Lines,
    options::{ClientOptions, Format},
    print, time,
    words::small,
};
use clap::Args;
use orders::v1::{ListPoliciesRequest, Policy, RetryPolicy};
use prost::Name;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, ReflectMessage, Value};
use prost_types::Duration;

/// Arguments of `orders policies`.
#[derive(Args, Debug)]
pub struct Policies {
    /// Only this policy.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Policies {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let answer = connection.call(&ListPoliciesRequest {}, async |request| {
            connection.orders().list_policies(request).await
        });
        let mut message = answer.await?.message;
        if let Some(name) = &self.name {
            message.policies.retain(|policy| policy.name == *name);
            if message.policies.is_empty() {
                return Err(Failure::not_found(format!("there is no policy {name}")));
            }
        }
        let policies = message.policies.iter();
        let sheets: Vec<DynamicMessage> = policies.map(json::dynamic).collect::<Result<_, _>>()?;
        print::answer(self.client.output, &message, |lines| {
            for (number, (policy, fields)) in message.policies.iter().zip(&sheets).enumerate() {
                if number > 0 {
                    lines.line("");
                }
                sheet(lines, policy, fields);
            }
        })
    }
}

fn sheet(lines: &mut Lines, policy: &Policy, fields: &DynamicMessage) {
    lines.line(&policy.name);
    lines.line(format!("  {}", policy.description));
    for field in fields.descriptor().fields() {
        let unset = field.supports_presence() && !fields.has_field(&field);
        if unset || ["name", "description"].contains(&field.name()) {
            continue;
        }
        let name = field.name().replace('_', " ");
        let text = value(&field, &fields.get_field(&field));
        lines.line(format!("  {name:<26}{text}"));
    }
}

fn value(field: &FieldDescriptor, value: &Value) -> String {
    match (field.kind(), value) {
        (Kind::Enum(kind), Value::EnumNumber(number)) => enum_name(&kind, *number),
        (_, Value::Bool(true)) => "yes".to_owned(),
        (_, Value::Bool(false)) => "no".to_owned(),
        (_, Value::Message(message)) => message_text(message),
        (_, Value::I64(number)) => number.to_string(),
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

fn message_text(message: &DynamicMessage) -> String {
    let name = message.descriptor();
    if name.full_name() == "google.protobuf.Duration" {
        let duration = message.transcode_to::<Duration>();
        return duration.map_or_else(|_| String::new(), |duration| time::exact(&duration));
    }
    if name.full_name() == RetryPolicy::full_name() {
        let retry = message.transcode_to::<RetryPolicy>();
        return retry.map_or_else(|_| String::new(), |retry| retry_text(&retry));
    }
    message.to_string()
}

/// `3 attempts, first again after 1 s, then x 2, at most 1 min`.
fn retry_text(retry: &RetryPolicy) -> String {
    let attempts = match retry.max_attempts {
        0 => "attempts without limit".to_owned(),
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let first = retry.initial_interval.as_ref().map(time::exact);
    let first = first.map_or_else(String::new, |first| format!(", again after {first}"));
    let factor = match retry.backoff_coefficient {
        1.0 => String::new(),
        factor => format!(", then x {factor}"),
    };
    let most = retry.max_interval.as_ref().map(time::exact);
    let most = most.map_or_else(String::new, |most| format!(", at most {most}"));
    format!("{attempts}{first}{factor}{most}")
}

/// The name of an enum's value without the name of the enum, which is its prefix.
fn enum_name(kind: &EnumDescriptor, number: i32) -> String {
    let Some(value) = kind.get_value(number) else {
        return number.to_string();
    };
    let letters = |text: &str| small(text, "");
    let mut prefix = String::new();
    for word in value.name().split_inclusive('_') {
        prefix.push_str(word);
        if letters(&prefix) == letters(kind.name()) {
            let short = value.name().strip_prefix(&prefix);
            return short.unwrap_or(value.name()).to_owned();
        }
    }
    value.name().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::v1::{PaymentMode, SecureOrder};

    #[test]
    fn a_sheet_has_every_number() {
        let second = Duration {
            seconds: 1,
            nanos: 0,
        };
        let policy = Policy {
            name: "mine".to_owned(),
            description: "For me.".to_owned(),
            secure_order: SecureOrder::ReserveThenPay.into(),
            payment_mode: PaymentMode::AuthorizeCapture.into(),
            approval_threshold_units: Some(0),
            approval_timeout: Some(Duration {
                seconds: 86_400,
                nanos: 0,
            }),
            retry: Some(RetryPolicy {
                max_attempts: 3,
                initial_interval: Some(second),
                backoff_coefficient: 2.0,
                max_interval: None,
            }),
            ..Policy::default()
        };
        let mut lines = Lines::default();
        sheet(&mut lines, &policy, &json::dynamic(&policy).unwrap());
        let text = lines.into_text();
        let shown = [
            "mine\n  For me.\n",
            "  fraud check               no\n",
            "  secure order              RESERVE_THEN_PAY\n",
            "  payment mode              AUTHORIZE_CAPTURE\n",
            "  approval threshold units  0\n",
            "  approval timeout          1 d\n",
            "  retry                     3 attempts, again after 1 s, then x 2\n",
        ];
        for part in shown {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("payment timeout"), "{text}");
    }
}
