//! What callers hear: who may ask, what an accepted command shows, that a refused one changes
//! nothing.

use super::world::World;
use crate::{
    address::Address,
    command::{
        CancelOrder, Command, CommandKind, ConfirmPayment, ConfirmPickup, Refusal, ReviewOrder,
        UpdateShippingAddress,
    },
    event::Change,
    order::Order,
    payment_method::PaymentMethodType,
    state::{CloseReason, OrderState, ReviewDecision, ShipmentState},
};

/// `allowed_commands` is what `decide` lets pass, and looking changes nothing (I10).
pub(super) fn allowed_agrees_with_decide(world: &World) {
    let order = &world.order;
    let allowed = order.allowed_commands();
    for command in samples(order) {
        let decision = command.decide(order, order.update_time);
        let refusal = Refusal::not_allowed(command.kind(), order);
        // Money is recorded at any time, and offered only where the order asks for it.
        let is_money = command.kind() == CommandKind::ConfirmPayment;
        match allowed.contains(&command.kind()) || is_money {
            true => assert!(decision.is_ok(), "{:?} in {}", command.kind(), order.state),
            false => assert_eq!(decision, Err(refusal)),
        }
    }
}

/// One of each command, with content that fits the order.
pub(super) fn samples(order: &Order) -> Vec<Command> {
    let commands = vec![
        Command::ConfirmPayment(ConfirmPayment {
            transaction_id: "txn".to_owned(),
            amount: order.total.clone(),
            payment_method: PaymentMethodType::BankTransfer,
            last4: String::new(),
        }),
        Command::ReviewOrder(ReviewOrder {
            decision: ReviewDecision::Approve,
            reviewer: "reviewer".to_owned(),
            reason: String::new(),
        }),
        Command::StartFulfillment,
        Command::ConfirmPickup(ConfirmPickup {
            tracking_number: None,
        }),
        Command::ConfirmDelivery,
        Command::UpdateShippingAddress(UpdateShippingAddress {
            shipping_address: Address::default(),
        }),
        Command::CancelOrder(CancelOrder {
            reason: "changed my mind".to_owned(),
        }),
    ];
    let kinds: Vec<CommandKind> = commands.iter().map(Command::kind).collect();
    let all = CommandKind::ALL.iter().copied();
    let all: Vec<CommandKind> = all.filter(|kind| !kind.is_for_operators()).collect();
    assert_eq!(kinds, all);
    commands
}

/// I5: a refused command changes nothing; a refused signal is an event and nothing else.
pub(super) fn refused(before: &World, world: &World, refusal: &Refusal, signal: bool) {
    let is_recorded = refusal.is_recorded();
    if !signal && !is_recorded {
        return assert_unchanged(before, world);
    }
    let new = &world.events[before.events.len()..];
    assert!(new.len() <= 1);
    let mut expected = before.order.clone();
    for event in new {
        match &event.change {
            Change::CommandRefused { reason, .. } if !is_recorded => {
                assert_eq!(*reason, refusal.to_string());
            }
            Change::PaymentRefused { reason, .. } if is_recorded => {
                assert_eq!(*reason, refusal.to_string());
                expected.payment.received = world.order.payment.received.clone();
            }
            _ => panic!("{event:?} after a refused command"),
        }
        expected.revision = event.revision;
        expected.update_time = event.time;
    }
    assert_eq!(world.order, expected);
    assert_eq!(world.ledger, before.ledger);
}

pub(super) fn assert_unchanged(before: &World, world: &World) {
    assert_eq!(world.events.len(), before.events.len());
    assert_eq!(world.order, before.order);
    assert_eq!(world.ledger, before.ledger);
}

/// I5: an accepted command shows in the order at once.
pub(super) fn shows(command: &Command, world: &World, revision: i64) {
    let order = &world.order;
    match command {
        Command::ConfirmPayment(command) => {
            let receipt = world.receipts.get(&command.transaction_id);
            assert_eq!(receipt, Some(&command.amount));
        }
        Command::ReviewOrder(command) => {
            assert_eq!(order.approval.decision, Some(command.decision));
            assert_eq!(order.approval.reviewer.as_ref(), Some(&command.reviewer));
            assert_eq!(order.approval.reason.as_ref(), Some(&command.reason));
            assert!(order.approval.time.is_some());
            let rejected = order.ending == Some(CloseReason::ApprovalRejected);
            assert_eq!(rejected, command.decision == ReviewDecision::Reject);
        }
        Command::StartFulfillment => assert_eq!(order.state, OrderState::InFulfillment),
        Command::ConfirmPickup(command) => {
            assert!(order.shipment.dispatched);
            if command.tracking_number.is_some() {
                assert_eq!(order.shipment.tracking_number, command.tracking_number);
            }
        }
        Command::ConfirmDelivery => assert_eq!(order.shipment.state, ShipmentState::Delivered),
        Command::UpdateShippingAddress(command) => {
            assert_eq!(order.shipping_address, command.shipping_address);
        }
        Command::CancelOrder(command) => {
            assert_eq!(order.ending, Some(CloseReason::CustomerCancelled));
            assert_eq!(order.cancel_reason.as_ref(), Some(&command.reason));
            assert!(matches!(
                order.state,
                OrderState::Cancelling | OrderState::Cancelled
            ));
        }
        Command::RetryOrder(_) => {
            let mut faults = order.faults.iter();
            assert!(faults.all(|fault| fault.retry_time <= order.update_time));
        }
        Command::ResolvePayment(_) => unreachable!("the ledgers know better"),
    }
    assert!(revision <= order.revision);
}
