//! `orders events`: what happened to an order, in words.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    lines::Side,
    options::{ClientOptions, Format},
    pages, print, time,
    words::{self, small},
};
use clap::Args;
use orders::v1::{
    ListOrderEventsRequest, ListOrderEventsResponse, OrderEvent, OrderEventType as Type,
    OrderState, Step,
};
use prost_types::Timestamp;

/// Arguments of `orders events`.
#[derive(Args, Debug)]
pub struct Events {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Events {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let read = pages::read(0, async |page_size, page_token| {
            let request = ListOrderEventsRequest {
                order_id: self.order_id.clone(),
                page_size,
                page_token,
            };
            let answer = connection.call(&request, async |request| {
                connection.orders().list_order_events(request).await
            });
            let message = answer.await?.message;
            Ok((message.events, message.next_page_token))
        });
        let (events, next_page_token) = read.await?;
        let all = ListOrderEventsResponse {
            events,
            next_page_token,
        };
        print::answer(self.client.output, &all, |lines| {
            let head = [
                ("REVISION", Side::Right),
                ("TIME", Side::Left),
                ("ELAPSED", Side::Right),
                ("BY", Side::Left),
                ("WHAT", Side::Left),
            ];
            let placed = all.events.first().and_then(|event| event.time);
            let rows = all.events.iter().map(|event| row(event, placed.as_ref()));
            lines.table(&head, &rows.collect::<Vec<_>>());
        })
    }
}

fn row(event: &OrderEvent, placed: Option<&Timestamp>) -> Vec<String> {
    let time = event.time.as_ref();
    let elapsed = placed.zip(time).map(|(from, to)| time::elapsed(from, to));
    vec![
        event.revision.to_string(),
        time.map_or_else(String::new, time::local_with_millis),
        elapsed.unwrap_or_default(),
        event.actor.clone(),
        what(event),
    ]
}

/// What happened, in words, with the reason.
pub(super) fn what(event: &OrderEvent) -> String {
    let kind = event.r#type();
    let step = small(words::step(event.step()), "_");
    let what = match kind {
        Type::AttemptFailed => {
            let (attempt, error) = (event.attempt, &event.error);
            format!("{step} attempt {attempt} failed: {error}")
        }
        Type::Compensated => format!("undone: {step}"),
        Type::PaymentCaptured if event.step() == Step::ChargePayment => {
            "payment charged".to_owned()
        }
        Type::PaymentRequested => "waits for the payment".to_owned(),
        Type::ApprovalRequested => "waits for a review".to_owned(),
        // Only a rejection has the order undone.
        Type::Reviewed if event.order_state() == OrderState::Cancelling => "rejected".to_owned(),
        Type::Reviewed => "approved".to_owned(),
        Type::Held => "held until the release".to_owned(),
        Type::Screened => "screened: nothing found".to_owned(),
        Type::PickupReminded => "carrier reminded of the pickup".to_owned(),
        Type::CancelRequested => "cancellation requested".to_owned(),
        Type::RetryRequested => "tried at once by an operator".to_owned(),
        Type::PaymentResolved => format!("{step} resolved by an operator"),
        Type::PaymentVerified => format!("{step} answered by the provider"),
        Type::CommandRefused => "command refused".to_owned(),
        // The names of the others say it.
        kind => small(words::event_type(kind), " "),
    };
    let state = words::state(event.order_state());
    let reason = ["CLOSE_REASON_", "DEADLINE_KIND_"]
        .iter()
        .find_map(|prefix| event.reason.strip_prefix(prefix))
        .unwrap_or(&event.reason);
    match (kind, reason) {
        (Type::Closed, reason) => format!("{what}: {state} ({reason})"),
        (_, "") => what,
        (_, reason) => format!("{what} ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        let mut event = OrderEvent {
            r#type: Type::AttemptFailed.into(),
            step: Step::ChargePayment.into(),
            attempt: 2,
            error: "no answer".to_owned(),
            reason: "the outcome is unknown".to_owned(),
            ..OrderEvent::default()
        };
        let expected = "charge_payment attempt 2 failed: no answer (the outcome is unknown)";
        assert_eq!(what(&event), expected);
        event.r#type = Type::Closed.into();
        event.order_state = OrderState::Cancelled.into();
        event.reason = "CLOSE_REASON_CUSTOMER_CANCELLED".to_owned();
        assert_eq!(what(&event), "closed: CANCELLED (CUSTOMER_CANCELLED)");
        event.r#type = Type::DeadlinePassed.into();
        event.reason = "DEADLINE_KIND_RELEASE".to_owned();
        assert_eq!(what(&event), "deadline passed (RELEASE)");
        event.r#type = Type::InventoryReserved.into();
        event.reason.clear();
        assert_eq!(what(&event), "inventory reserved");
        event.r#type = Type::Reviewed.into();
        event.reason = "too much".to_owned();
        event.order_state = OrderState::Cancelling.into();
        assert_eq!(what(&event), "rejected (too much)");
        event.order_state = OrderState::Placed.into();
        event.reason.clear();
        assert_eq!(what(&event), "approved");
    }
}
