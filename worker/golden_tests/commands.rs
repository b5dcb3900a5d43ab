//! Commands: in histories as updates and signals, and as the input of `record_command`. What tells two
//! requests of one id apart stands in the table `requests`.

use super::{
    orders::{address, money},
    sample::Sample,
};
use orders_domain::{
    command::{
        CancelOrder, Command, CommandRequest, ConfirmPayment, ConfirmPickup, PaymentOutcome,
        ResolvePayment, RetryOrder, ReviewOrder, UpdateShippingAddress,
    },
    payment_method::PaymentMethodType,
    state::ReviewDecision,
    step::Step,
};
use std::collections::BTreeMap;

/// One request of each command, and their fingerprints.
pub fn samples() -> Vec<Sample> {
    let mut fingerprints = BTreeMap::new();
    let mut samples = Vec::new();
    for command in commands() {
        let kind = command.kind().to_string();
        let request = request(command);
        fingerprints.insert(kind.clone(), request.fingerprint("order-1"));
        let name = kind.to_lowercase().replace('_', "-");
        samples.push(Sample::new(format!("command-{name}"), request));
    }
    samples.push(Sample::new("command-fingerprints", fingerprints));
    samples
}

pub fn request(command: Command) -> CommandRequest {
    CommandRequest {
        request_id: "request-1".to_owned(),
        actor: "ada".to_owned(),
        expected_revision: Some(6),
        seen_revision: 6,
        attempt: "attempt-1".to_owned(),
        command,
    }
}

fn commands() -> Vec<Command> {
    std::iter::successors(Some(first()), after).collect()
}

fn first() -> Command {
    Command::ConfirmPayment(ConfirmPayment {
        transaction_id: "txn-1".to_owned(),
        amount: money(),
        payment_method: PaymentMethodType::Paypal,
        last4: "4242".to_owned(),
    })
}

/// A new command does not compile until it has its place in the row.
fn after(command: &Command) -> Option<Command> {
    Some(match command {
        Command::ConfirmPayment(_) => Command::ReviewOrder(ReviewOrder {
            decision: ReviewDecision::Approve,
            reviewer: "admin@example.com".to_owned(),
            reason: "verified".to_owned(),
        }),
        Command::ReviewOrder(_) => Command::StartFulfillment,
        Command::StartFulfillment => Command::ConfirmPickup(ConfirmPickup {
            tracking_number: Some("TRACK-1".to_owned()),
        }),
        Command::ConfirmPickup(_) => Command::ConfirmDelivery,
        Command::ConfirmDelivery => Command::UpdateShippingAddress(UpdateShippingAddress {
            shipping_address: address(),
        }),
        Command::UpdateShippingAddress(_) => Command::CancelOrder(CancelOrder {
            reason: "changed my mind".to_owned(),
        }),
        Command::CancelOrder(_) => Command::RetryOrder(RetryOrder {
            reason: "the bank is back".to_owned(),
        }),
        Command::RetryOrder(_) => Command::ResolvePayment(ResolvePayment {
            step: Step::ChargePayment,
            outcome: PaymentOutcome::Succeeded,
            transaction_id: "txn-1".to_owned(),
            evidence: "the bank's statement".to_owned(),
            reason: "asked by telephone".to_owned(),
        }),
        Command::ResolvePayment(_) => return None,
    })
}
