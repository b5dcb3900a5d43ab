//! What every workflow of an order keeps: the order, as the fold of the events that it knows of, and
//! what has arrived for it. The store may be ahead of it, never behind.

use super::inbox::Inbox;
use orders_domain::{event::Event, order::Order};
use temporalio_common::data_converters::{
    GenericPayloadConverter, PayloadConverter, RawValue, SerializationContext,
    SerializationContextData, TemporalDeserializable, TemporalSerializable,
    WorkflowSerializationContext,
};

/// A workflow that keeps an order.
pub(super) trait KeepsOrder: 'static {
    /// The order, as far as this workflow knows. None when there is none that it could work on: its
    /// input cannot be read, or the store does not know the order. Such a workflow fails.
    fn order(&self) -> Option<&Order>;

    /// Folds the events of an answer in; those known already are passed over.
    fn fold(&mut self, events: &[Event]);

    /// Gives the order up, for that reason.
    fn give_up(&mut self, why: String);

    /// What has arrived and is not applied.
    fn inbox(&self) -> &Inbox;

    /// The same, to be changed.
    fn inbox_mut(&mut self) -> &mut Inbox;
}

/// The longest reason why an input cannot be read, in characters.
const REASON_MOST: usize = 300;

/// Reads the input of a workflow. The SDK would fail the task of one whose input cannot be read, again
/// and again without end; this lets the workflow fail.
pub(super) fn read_input<T: TemporalDeserializable + 'static>(
    input: RawValue,
) -> Result<T, String> {
    let converter = PayloadConverter::default();
    let data = SerializationContextData::Workflow(WorkflowSerializationContext::new());
    let context = SerializationContext::new(&data, &converter);
    let read = converter.from_payloads(&context, input.payloads);
    read.map_err(|error| {
        let error: String = error.to_string().chars().take(REASON_MOST).collect();
        format!("the input of this workflow cannot be read: {error}")
    })
}

/// The input of a workflow as it is sent.
pub fn write_input<T: TemporalSerializable + 'static>(input: &T) -> RawValue {
    RawValue::from_value(input, &PayloadConverter::default())
}
