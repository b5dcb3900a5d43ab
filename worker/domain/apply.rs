//! Folding events into an order. The only place that changes one.

mod attempt;
mod compensate;
mod money;

use super::{
    command::PaymentOutcome,
    event::{Change, Event},
    later::later,
    order::Order,
    policy::DeliveryMode,
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState,
    },
    step::Step,
};
use jiff::Timestamp;

impl Order {
    /// Folds one event in. An event that was folded in already (its revision is not newer) is
    /// passed over, so that overlapping reads of the log do no harm.
    pub fn apply(&mut self, event: &Event) {
        if event.revision <= self.revision {
            return;
        }
        self.revision = event.revision;
        self.update_time = self.update_time.max(event.time);
        self.change(&event.change, &event.actor, event.time);
    }

    /// The order as the event of its placing holds it, with that event folded in.
    pub fn from_placed(event: &Event) -> Option<Order> {
        match &event.change {
            Change::Placed { order } => Some((**order).clone()),
            _ => None,
        }
    }

    fn change(&mut self, change: &Change, actor: &str, now: Timestamp) {
        match change {
            Change::Placed { .. } | Change::CommandRefused { .. } => {}
            Change::Screened { effect } => {
                self.screened = true;
                self.succeeded(*effect);
            }
            Change::FraudDetected { effect, .. } => self.refused(*effect, CloseReason::Fraud),
            Change::InventoryReserved {
                effect,
                reservation_id,
            } => {
                self.reservation.state = ReservationState::Reserved;
                self.reservation.reservation_id = Some(reservation_id.clone());
                self.succeeded(*effect);
            }
            Change::OutOfStock { effect, .. } => {
                self.reservation.state = ReservationState::Unavailable;
                self.refused(*effect, CloseReason::OutOfStock);
            }
            Change::PaymentRequested { expire_time } => {
                self.state = OrderState::AwaitingPayment;
                self.payment.state = PaymentState::Pending;
                self.wait_until(DeadlineKind::Payment, *expire_time);
            }
            Change::PaymentConfirmed {
                transaction_id,
                amount,
                counted,
                payment_method,
                last4,
            } => {
                if *counted > 0 {
                    self.paid_with(*payment_method, last4);
                    self.counted(transaction_id, *counted, now);
                }
                self.receive(amount.minor, *counted, now);
            }
            Change::PaymentRefused {
                transaction_id,
                amount,
                reason,
                other_order_id,
            } => {
                let other = other_order_id.as_ref();
                let other = other.map_or_else(String::new, |id| format!(" (order {id})"));
                let question = format!(
                    "{amount} as {transaction_id} was confirmed and refused: {reason}{other}"
                );
                self.question(question, now);
            }
            Change::PaymentDisputed {
                transaction_id,
                other_order_id,
            } => {
                let question = format!(
                    "{transaction_id} is a transaction of the payment provider and was also confirmed \
                     by a caller; the other order is {other_order_id}"
                );
                self.question(question, now);
            }
            Change::PaymentInitiated { effect } => {
                self.in_flight = Some(*effect);
                let is_first = matches!(effect.step, Step::AuthorizePayment | Step::ChargePayment);
                if is_first && !self.unknown.contains(effect) {
                    self.payment.state = PaymentState::Pending;
                }
            }
            Change::PaymentAuthorized {
                effect,
                transaction_id,
                amount,
            } => {
                self.payment.state = PaymentState::Authorized;
                self.payment.transaction_id = Some(transaction_id.clone());
                self.payment.authorized = *amount;
                self.succeeded(*effect);
            }
            Change::PaymentCaptured {
                effect,
                transaction_id,
                amount,
            } => {
                self.payment.authorized = self.payment.authorized.max(*amount);
                self.captured(*effect, transaction_id, *amount, now);
            }
            Change::PaymentDeclined { .. } => {
                self.payment.state = PaymentState::Declined;
                // The refusal is also the answer to an earlier attempt whose own was lost.
                self.unknown.retain(|unknown| !unknown.step.is_payment());
                // So it is to a person who said that it had not happened.
                self.vouched
                    .retain(|vouched| vouched.outcome != PaymentOutcome::NotHappened);
                self.in_flight = None;
                self.end(CloseReason::PaymentDeclined);
            }
            Change::AttemptFailed {
                effect,
                error,
                unknown,
                refused,
                ..
            } => self.failed(*effect, error, *unknown, *refused, now),
            Change::ApprovalRequested { expire_time } => {
                self.state = OrderState::AwaitingApproval;
                self.wait_until(DeadlineKind::Approval, *expire_time);
            }
            Change::Reviewed {
                decision,
                reviewer,
                reason,
            } => {
                self.approval.decision = Some(*decision);
                self.approval.reviewer = Some(reviewer.clone());
                self.approval.reason = Some(reason.clone());
                self.approval.time = Some(now);
                self.wait_no_longer(DeadlineKind::Approval);
                match decision {
                    ReviewDecision::Approve => self.state = OrderState::Placed,
                    ReviewDecision::Reject => self.end(CloseReason::ApprovalRejected),
                }
            }
            Change::Held { expire_time } => {
                self.state = OrderState::AwaitingRelease;
                self.wait_until(DeadlineKind::Release, *expire_time);
            }
            Change::FulfillmentStarted => {
                self.state = OrderState::InFulfillment;
                self.wait_no_longer(DeadlineKind::Release);
            }
            Change::PackagePrepared {
                effect,
                shipment_id,
                carrier,
                tracking_number,
            } => {
                self.known_as(shipment_id, carrier, tracking_number);
                self.shipment.state = ShipmentState::Requested;
                self.succeeded(*effect);
            }
            Change::PickupRequested {
                effect,
                shipment_id,
                carrier,
                tracking_number,
            } => {
                self.known_as(shipment_id, carrier, tracking_number);
                self.shipment.state = ShipmentState::Requested;
                self.await_pickup(now);
                // A first request brings the newest address. One that repeats an earlier request may
                // only have confirmed the older one.
                self.shipment.redirect_due &= self.pickup_was_requested();
                self.succeeded(*effect);
            }
            Change::PickupReminded => {
                self.shipment.reminders += 1;
                self.await_pickup(now);
            }
            Change::PickedUp {
                tracking_number,
                estimated_delivery_time,
            } => {
                if let Some(number) = tracking_number {
                    self.shipment.tracking_number = Some(number.clone());
                }
                // The parcel is gone, so a request whose answer is missing is not repeated.
                self.unknown
                    .retain(|unknown| unknown.step != Step::RequestPickup);
                self.faults.retain(|fault| !fault.effect.step.is_shipping());
                self.dispatched(ShipmentState::PickedUp, *estimated_delivery_time, now);
            }
            Change::Shipped {
                effect,
                shipment_id,
                carrier,
                tracking_number,
                estimated_delivery_time,
            } => {
                self.shipment.shipment_id = Some(shipment_id.clone());
                self.shipment.carrier = Some(carrier.clone());
                self.shipment.tracking_number = Some(tracking_number.clone());
                self.dispatched(ShipmentState::InTransit, *estimated_delivery_time, now);
                self.succeeded(*effect);
            }
            Change::ReservationCommitted { effect } => {
                self.reservation.state = ReservationState::Committed;
                self.succeeded(*effect);
            }
            Change::ShippingAddressUpdated { address } => {
                self.shipping_address = address.clone();
                // The carrier has the old one with a prepared package or a requested pickup, perhaps
                // also with a request that failed or whose answer was lost: whatever counts for the
                // confirmation of the pickup counts here. (A parcel that is dispatched by us gets the
                // newest address in that very step.)
                let prepare = Step::PreparePackage;
                let prepared = self.has_done(prepare) || self.is_unknown(prepare);
                self.shipment.redirect_due |= self.policy.pickup_reminder.is_some()
                    && (prepared || self.pickup_was_requested());
            }
            Change::ShipmentRedirected { effect } => {
                self.shipment.redirect_due = false;
                self.shipment.redirects += 1;
                self.succeeded(*effect);
            }
            Change::Delivered => self.delivered(now),
            Change::CancelRequested { reason } => {
                self.cancel_reason = Some(reason.clone());
                self.end(CloseReason::CustomerCancelled);
            }
            Change::DeadlinePassed { kind } => match kind {
                DeadlineKind::Payment => self.end(CloseReason::PaymentTimeout),
                DeadlineKind::Approval => self.end(CloseReason::ApprovalTimeout),
                DeadlineKind::Release => self.end(CloseReason::ReleaseDeadlinePassed),
                // Its own change, PickupReminded, is recorded instead.
                DeadlineKind::PickupReminder => {}
                DeadlineKind::Delivery => self.delivered(now),
            },
            Change::Compensated {
                effect,
                outcome,
                amount,
            } => self.compensated(*effect, *outcome, *amount, now),
            Change::RetryRequested { .. } => self.retry_now(now),
            Change::PaymentResolved { .. } => self.resolved(change, actor, now),
            Change::PaymentVerified {
                effect,
                outcome,
                transaction_id,
                amount,
            } => self.verified(*effect, *outcome, transaction_id, *amount, now),
            Change::Closed { reason } => {
                self.ending = Some(*reason);
                self.state = reason.closed_state();
                self.deadlines.clear();
                self.faults.clear();
                self.close_time = Some(now);
            }
        }
    }

    /// What the carrier calls the parcel. A number that came with ConfirmPickup stays.
    fn known_as(&mut self, shipment_id: &str, carrier: &str, tracking_number: &str) {
        self.shipment.shipment_id = Some(shipment_id.to_owned());
        self.shipment.carrier = Some(carrier.to_owned());
        let number = &mut self.shipment.tracking_number;
        number.get_or_insert_with(|| tracking_number.to_owned());
    }

    fn await_pickup(&mut self, now: Timestamp) {
        if let Some(interval) = self.policy.pickup_reminder {
            self.wait_until(DeadlineKind::PickupReminder, later(now, interval));
        }
    }

    fn dispatched(&mut self, state: ShipmentState, estimated: Timestamp, now: Timestamp) {
        self.state = OrderState::InTransit;
        self.shipment.state = state;
        self.shipment.dispatched = true;
        self.shipment.ship_time = Some(now);
        self.shipment.estimated_delivery_time = Some(estimated);
        self.wait_no_longer(DeadlineKind::PickupReminder);
        match (self.policy.delivery, self.policy.delivery_after) {
            (DeliveryMode::AutoAfter, Some(after)) => {
                self.wait_until(DeadlineKind::Delivery, later(now, after));
            }
            (DeliveryMode::OnShip, _) => self.delivered(now),
            _ => {}
        }
    }

    fn delivered(&mut self, now: Timestamp) {
        self.shipment.state = ShipmentState::Delivered;
        self.shipment.delivery_time = Some(now);
        self.wait_no_longer(DeadlineKind::Delivery);
    }
}
