//! What a twin is to do, read off the history that an order has left. All sizes are bytes of JSON.

use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use temporalio_common::{
    protos::temporal::api::{
        common::v1::Payloads,
        history::v1::{
            HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event::Attributes,
        },
        update::v1::outcome::Value,
    },
    search_attributes::{SearchAttributeKey, SearchAttributes},
};

/// Where an order stands, for Temporal's own tools.
pub const STATE: &str = "OrderState";

/// A twin, and what is sent to it.
#[derive(Clone)]
pub struct Plan {
    /// What its workflow is started with.
    pub input: Input,
    /// What orders are filtered by.
    pub attributes: SearchAttributes,
    /// In their sequence.
    pub messages: Vec<Message>,
}

/// What a twin's workflow is started with: as long as the order of its order.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Input {
    /// What the steps outside of messages gave back.
    pub records: Vec<usize>,
    /// How many messages it gets.
    pub messages: usize,
    /// For how many of them, the first ones, it waits with a timer.
    pub timers: usize,
    /// How long it waits after the last one, in milliseconds.
    pub wait: u64,
    /// What its child is given and gives back.
    pub child: Option<(usize, usize)>,
    /// Whether it shows where it stands.
    pub shows: bool,
    padding: String,
}

/// What a twin or its child is told: as long as what an order is told.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Message {
    /// What its step gives back.
    pub record: usize,
    /// The answer to it.
    pub answer: usize,
    padding: String,
}

impl Message {
    /// One that is `length` long.
    pub fn of_length(length: usize, record: usize, answer: usize) -> Message {
        let mut message = Message {
            record,
            answer,
            padding: String::new(),
        };
        message.padding = padding(&message, length);
        message
    }
}

impl Plan {
    /// To do what the order of that shape did that has left these events.
    pub fn of(shape: &Shape, events: &[HistoryEvent]) -> Plan {
        let mut seen = Seen::default();
        let attributes = events.iter().filter_map(|event| event.attributes.as_ref());
        attributes.for_each(|attributes| seen.see(attributes));
        let messages: Vec<Message> = seen
            .messages
            .iter()
            .map(|of| Message::of_length(of.length, of.record, of.answer))
            .collect();
        assert_eq!(messages.len(), shape.messages, "{}", shape.policy);
        let mut input = Input {
            records: seen.records,
            messages: messages.len(),
            timers: seen.timers,
            wait: shape.wait.map_or(0, |wait| wait.as_millis() as u64),
            child: seen.child,
            shows: seen.shows,
            padding: String::new(),
        };
        input.padding = padding(&input, seen.input);
        Plan {
            attributes: attributes_of(shape, input.shows),
            input,
            messages,
        }
    }
}

/// What is long in a history, and what takes a timer.
#[derive(Default)]
struct Seen {
    input: usize,
    shows: bool,
    records: Vec<usize>,
    messages: Vec<SeenMessage>,
    is_in_message: bool,
    timers: usize,
    given: usize,
    child: Option<(usize, usize)>,
}

#[derive(Default)]
struct SeenMessage {
    length: usize,
    record: usize,
    answer: usize,
}

impl Seen {
    fn see(&mut self, attributes: &Attributes) {
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                self.input = started.input.as_ref().map_or(0, size);
                self.shows = has_state(started);
            }
            Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
                let request = accepted.accepted_request.as_ref();
                let input = request.and_then(|request| request.input.as_ref());
                let args = input.and_then(|input| input.args.as_ref());
                self.messages.push(SeenMessage {
                    length: args.map_or(0, size),
                    ..SeenMessage::default()
                });
                self.is_in_message = true;
            }
            Attributes::MarkerRecordedEventAttributes(marker) => {
                let record = marker.details.get("result").map_or(0, size);
                match self.messages.last_mut().filter(|_| self.is_in_message) {
                    Some(message) => message.record = record,
                    None => self.records.push(record),
                }
            }
            Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
                let outcome = completed.outcome.as_ref();
                let value = outcome.and_then(|outcome| outcome.value.as_ref());
                if let (Some(Value::Success(answer)), Some(message)) =
                    (value, self.messages.last_mut())
                {
                    message.answer = size(answer);
                }
                self.is_in_message = false;
            }
            Attributes::TimerCanceledEventAttributes(_) => self.timers += 1,
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(child) => {
                self.given = child.input.as_ref().map_or(0, size);
            }
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(child) => {
                self.child = Some((self.given, child.result.as_ref().map_or(0, size)));
            }
            _ => {}
        }
    }
}

fn has_state(started: &WorkflowExecutionStartedEventAttributes) -> bool {
    let shown = started.search_attributes.as_ref();
    shown.is_some_and(|shown| shown.indexed_fields.contains_key(STATE))
}

fn attributes_of(shape: &Shape, shows: bool) -> SearchAttributes {
    let text = |name, value: &str| {
        SearchAttributeKey::<String>::keyword(name)
            .try_value_set(value.to_owned())
            .unwrap()
    };
    let mut attributes = vec![
        text("CustomerId", "customer-1"),
        text("OrderPolicy", shape.policy),
    ];
    if shows {
        attributes.push(text(STATE, "PLACED"));
    }
    SearchAttributes::new(attributes)
}

fn size(payloads: &Payloads) -> usize {
    let payloads = payloads.payloads.iter();
    payloads.map(|payload| payload.data.len()).sum()
}

/// What is missing to `length`.
fn padding(value: &impl Serialize, length: usize) -> String {
    let bare = serde_json::to_vec(value).unwrap().len();
    "x".repeat(length.saturating_sub(bare))
}

/// A text that is `length` long in JSON.
pub fn text(length: usize) -> String {
    "x".repeat(length.saturating_sub(2))
}
