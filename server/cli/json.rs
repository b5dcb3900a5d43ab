//! Messages as JSON and back: the Protobuf mapping, as grpcurl writes it.

use super::failure::Failure;
use orders::FILE_DESCRIPTOR_SET;
use orders_domain::{rfc3339, visible};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use serde_json::{Value, ser::Formatter};

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// What the API says about a message: its fields with their names.
pub fn descriptor<M: Name>() -> Result<MessageDescriptor, Failure> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET)
        .map_err(|error| Failure::unexpected(format!("the descriptors are broken: {error}")))?;
    let name = M::full_name();
    pool.get_message_by_name(&name)
        .ok_or_else(|| Failure::unexpected(format!("the descriptors lack {name}")))
}

/// A message with its fields by name.
pub fn dynamic<M: Message + Name>(message: &M) -> Result<DynamicMessage, Failure> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>()?);
    dynamic
        .transcode_from(message)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", M::full_name())))?;
    Ok(dynamic)
}

/// A message as one JSON document, in lines.
pub fn write<M: Message + Name>(message: &M) -> Result<String, Failure> {
    let mut text = Vec::new();
    write_with(&mut serde_json::Serializer::pretty(&mut text), message)?;
    as_text(text)
}

/// A message as one JSON document on one line.
pub fn write_line<M: Message + Name>(message: &M) -> Result<String, Failure> {
    let mut text = Vec::new();
    write_with(&mut serde_json::Serializer::new(&mut text), message)?;
    as_text(text)
}

fn write_with<M: Message + Name, F: Formatter>(
    serializer: &mut serde_json::Serializer<&mut Vec<u8>, F>,
    message: &M,
) -> Result<(), Failure> {
    dynamic(message)?
        .serialize_with_options(serializer, &SerializeOptions::new())
        .map_err(|error| Failure::unexpected(format!("{}: {error}", M::full_name())))
}

fn as_text(text: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(text).map_err(|error| Failure::unexpected(error.to_string()))?;
    Ok(visible::in_json(text))
}

/// Reads a message from one JSON document; `whence` names it in errors. Field names may be as in
/// the proto (`order_id`) or as JSON has them (`orderId`).
pub fn read<M: Message + Name + Default>(whence: &str, text: &str) -> Result<M, Failure> {
    let wrong = |error: String| Failure::usage(format!("{whence} cannot be read: {error}"));
    let descriptor = descriptor::<M>()?;
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if let Some(time) = wrong_time(&descriptor, &document) {
        let form = "give a time as 2034-11-20T00:00:00Z, with its offset";
        return Err(wrong(format!("{}: {form}", visible::escaped(time))));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor, &mut deserializer)
        .map_err(|error| wrong(error.to_string()))?;
    dynamic
        .transcode_to()
        .map_err(|error| wrong(error.to_string()))
}

/// The first time in a document that is not in the form of RFC 3339. The library below reads more: a time
/// without an offset, which it takes for UTC, say.
fn wrong_time<'a>(message: &MessageDescriptor, document: &'a Value) -> Option<&'a str> {
    let Value::Object(fields) = document else {
        return None;
    };
    let known = fields.iter().filter_map(|(name, value)| {
        let by_json = message.get_field_by_json_name(name);
        let field = by_json.or_else(|| message.get_field_by_name(name))?;
        match field.kind() {
            Kind::Message(inner) => Some((inner, value)),
            _ => None,
        }
    });
    for (inner, value) in known {
        let one = std::slice::from_ref(value);
        let values = value.as_array().map_or(one, Vec::as_slice);
        for value in values {
            let wrong = match value {
                Value::String(time) if inner.full_name() == TIMESTAMP => {
                    rfc3339::parse(time).is_none().then_some(time.as_str())
                }
                value => wrong_time(&inner, value),
            };
            if wrong.is_some() {
                return wrong;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::v1::{Order, OrderState, PlaceOrderRequest};

    #[test]
    fn messages_are_written_as_grpcurl_writes_them() {
        let order = Order {
            order_id: "order-1".to_owned(),
            state: OrderState::InTransit.into(),
            revision: 7,
            place_time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 500_000_000,
            }),
            ..Order::default()
        };
        let written: serde_json::Value = serde_json::from_str(&write(&order).unwrap()).unwrap();
        let expected = serde_json::json!({
            "orderId": "order-1",
            "state": "ORDER_STATE_IN_TRANSIT",
            "revision": "7",
            "placeTime": "1970-01-01T00:00:00.500Z",
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn documents_are_read_with_either_names() {
        let document = r#"{"order_id": "order-1", "customerId": "ada",
            "line_items": [{"sku": "console", "quantity": "2", "unit_price":
                {"currency_code": "USD", "units": 499, "nanos": 990000000}}]}"#;
        let request: PlaceOrderRequest = read("order.json", document).unwrap();
        assert_eq!(
            (&*request.order_id, &*request.customer_id),
            ("order-1", "ada")
        );
        assert_eq!(request.line_items[0].quantity, 2);
        for wrong in ["", "{", r#"{"order": 1}"#, "{} {}", "[]"] {
            let failure = read::<PlaceOrderRequest>("order.json", wrong).unwrap_err();
            assert!(failure.to_string().contains("order.json"), "{failure}");
        }
    }

    #[test]
    fn times_in_a_document_have_an_offset_that_exists() {
        let read = |time: &str| {
            let document = format!(r#"{{"release_time": "{time}"}}"#);
            let snake = super::read::<PlaceOrderRequest>("order.json", &document);
            let document = document.replace("release_time", "releaseTime");
            let camel = super::read::<PlaceOrderRequest>("order.json", &document);
            assert_eq!(snake.is_ok(), camel.is_ok(), "{time}");
            snake.map(|request| request.release_time.map(|time| time.seconds))
        };
        assert_eq!(
            read("2026-01-01T01:00:00+01:00").unwrap(),
            Some(1_767_225_600)
        );
        for wrong in [
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+25:00",
            "2026-01-01T00:00:00+01",
            "2026-01-01T24:00:00Z",
            "2026-01-01T23:59:60Z",
            "2026-01-01",
        ] {
            let failure = read(wrong).unwrap_err().to_string();
            assert!(failure.contains("give a time as"), "{failure}");
        }
        // What is no time is not looked at.
        let document = r#"{"order_id": "2026-01-01"}"#;
        assert!(super::read::<PlaceOrderRequest>("order.json", document).is_ok());
    }
}
