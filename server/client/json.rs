//! Messages as JSON and back: the Protobuf mapping, as grpcurl writes it.

use super::failure::Failure;
use orders::FILE_DESCRIPTOR_SET;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::ser::Formatter;

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
    String::from_utf8(text).map_err(|error| Failure::unexpected(error.to_string()))
}

/// Reads a message from one JSON document; `whence` names it in errors. Field names may be as in
/// the proto (`order_id`) or as JSON has them (`orderId`).
pub fn read<M: Message + Name + Default>(whence: &str, text: &str) -> Result<M, Failure> {
    let wrong = |error: String| Failure::usage(format!("{whence} cannot be read: {error}"));
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor::<M>()?, &mut deserializer)
        .map_err(|error| wrong(error.to_string()))?;
    deserializer
        .end()
        .map_err(|error| wrong(error.to_string()))?;
    dynamic
        .transcode_to()
        .map_err(|error| wrong(error.to_string()))
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
}
