//! Folding events into an order. The only place that changes one.

use super::{
    command::PaymentOutcome,
    event::{Change, Event},
    later::later,
    order::{Deadline, Fault, Order},
    payment_method::{PaymentMethod, PaymentMethodType},
    policy::DeliveryMode,
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState,
    },
    step::{CompensationOutcome, REFUSED_WAIT, Step},
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
            Change::Screened => {
                self.screened = true;
                self.succeeded(Step::Screen);
            }
            Change::FraudDetected { .. } => self.refused(Step::Screen, CloseReason::Fraud),
            Change::InventoryReserved { reservation_id } => {
                self.reservation.state = ReservationState::Reserved;
                self.reservation.reservation_id = Some(reservation_id.clone());
                self.succeeded(Step::ReserveInventory);
            }
            Change::OutOfStock { .. } => {
                self.reservation.state = ReservationState::Unavailable;
                self.refused(Step::ReserveInventory, CloseReason::OutOfStock);
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
            Change::PaymentInitiated { step } => {
                self.in_flight = Some(*step);
                let first = matches!(step, Step::AuthorizePayment | Step::ChargePayment);
                if first && !self.unknown.contains(step) {
                    self.payment.state = PaymentState::Pending;
                }
            }
            Change::PaymentAuthorized {
                transaction_id,
                amount,
            } => {
                self.payment.state = PaymentState::Authorized;
                self.payment.transaction_id = Some(transaction_id.clone());
                self.payment.authorized = *amount;
                self.succeeded(Step::AuthorizePayment);
            }
            Change::PaymentCaptured {
                step,
                transaction_id,
                amount,
            } => {
                self.payment.authorized = self.payment.authorized.max(*amount);
                self.captured(*step, transaction_id, *amount, now);
            }
            Change::PaymentDeclined { .. } => {
                self.payment.state = PaymentState::Declined;
                // The refusal is also the answer to an earlier attempt whose own was lost.
                self.unknown.retain(|unknown| !unknown.is_payment());
                // So it is to a person who said that it had not happened.
                self.vouched
                    .retain(|vouched| vouched.outcome != PaymentOutcome::NotHappened);
                self.in_flight = None;
                self.end(CloseReason::PaymentDeclined);
            }
            Change::AttemptFailed {
                step,
                error,
                unknown,
                refused,
                ..
            } => self.failed(*step, error, *unknown, *refused, now),
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
                self.deadline = None;
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
                self.deadline = None;
            }
            Change::PackagePrepared {
                shipment_id,
                carrier,
                tracking_number,
            } => {
                self.known_as(shipment_id, carrier, tracking_number);
                self.shipment.state = ShipmentState::Requested;
                self.succeeded(Step::PreparePackage);
            }
            Change::PickupRequested {
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
                self.succeeded(Step::RequestPickup);
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
                self.unknown.retain(|step| *step != Step::RequestPickup);
                self.fault = self.fault.take().filter(|fault| !fault.step.is_shipping());
                self.dispatched(ShipmentState::PickedUp, *estimated_delivery_time, now);
            }
            Change::Shipped {
                shipment_id,
                carrier,
                tracking_number,
                estimated_delivery_time,
            } => {
                self.shipment.shipment_id = Some(shipment_id.clone());
                self.shipment.carrier = Some(carrier.clone());
                self.shipment.tracking_number = Some(tracking_number.clone());
                self.dispatched(ShipmentState::InTransit, *estimated_delivery_time, now);
                self.succeeded(Step::DispatchShipment);
            }
            Change::ReservationCommitted => {
                self.reservation.state = ReservationState::Committed;
                self.succeeded(Step::CommitReservation);
            }
            Change::ShippingAddressUpdated { address } => {
                self.shipping_address = address.clone();
                // The carrier has the old one with a prepared package or a requested pickup, perhaps
                // also with a request that failed or whose answer was lost: whatever counts for the
                // confirmation of the pickup counts here. (A parcel that is dispatched by us gets the
                // newest address in that very step.)
                let prepare = Step::PreparePackage;
                let prepared = self.done.contains(&prepare) || self.unknown.contains(&prepare);
                self.shipment.redirect_due |= self.policy.pickup_reminder.is_some()
                    && (prepared || self.pickup_was_requested());
            }
            Change::ShipmentRedirected => {
                self.shipment.redirect_due = false;
                self.shipment.redirects += 1;
                self.succeeded(Step::RedirectShipment);
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
                step,
                outcome,
                amount,
            } => self.compensated(*step, *outcome, *amount, now),
            Change::RetryRequested { .. } => self.retry_now(now),
            Change::PaymentResolved { .. } => self.resolved(change, actor, now),
            Change::PaymentVerified {
                step,
                outcome,
                transaction_id,
                amount,
            } => self.verified(*step, *outcome, transaction_id, *amount, now),
            Change::Closed { reason } => {
                self.ending = Some(*reason);
                self.state = reason.closed_state();
                self.deadline = None;
                self.fault = None;
                self.close_time = Some(now);
            }
        }
    }

    pub(super) fn succeeded(&mut self, step: Step) {
        if self.fault.as_ref().is_some_and(|fault| fault.step == step) {
            self.fault = None;
        }
        self.unknown.retain(|unknown| *unknown != step);
        // Whoever vouched that it had not happened is answered.
        self.vouched
            .retain(|vouched| vouched.step != step || vouched.outcome == PaymentOutcome::Succeeded);
        self.in_flight = self.in_flight.filter(|asked| *asked != step);
        if step.undone_by().is_some() && !self.done.contains(&step) {
            self.done.push(step);
        }
    }

    fn refused(&mut self, step: Step, reason: CloseReason) {
        self.unknown.retain(|unknown| *unknown != step);
        self.end(reason);
    }

    fn failed(&mut self, step: Step, error: &str, unknown: bool, refused: bool, now: Timestamp) {
        let before = self.fault.take().filter(|fault| fault.step == step);
        let (attempts, since, before_unknown) = match before {
            Some(fault) => (fault.attempts + 1, fault.since, fault.unknown),
            None => (1, now, false),
        };
        let lasting = step.undone_by().is_some() || step == Step::DispatchShipment;
        if unknown && lasting && !self.unknown.contains(&step) {
            self.unknown.push(step);
        }
        self.in_flight = self.in_flight.filter(|asked| *asked != step);
        if unknown && step.is_payment() {
            self.payment.state = PaymentState::Indeterminate;
        } else if step.is_payment() && self.payment.state == PaymentState::Pending {
            self.payment.state = PaymentState::None;
        }
        // A refusal says nothing of an earlier attempt whose own answer was lost ("given back already", say):
        // the provider is asked what became of that one, before a person is.
        let refused = refused && !before_unknown;
        if step.is_compensation() {
            let entry = self.compensations.iter_mut().find(|c| c.step == step);
            if let Some(entry) = entry {
                entry.attempts += 1;
            }
        }
        let retry = step.retry(&self.policy);
        // Undoing is never given up, and what the carrier (perhaps) has cannot be called back.
        let must_go_on = step.is_compensation() || self.may_be_dispatched();
        if retry.is_exhausted(attempts) && !must_go_on {
            self.end(step.exhausted_reason());
            return;
        }
        let wait = if refused {
            REFUSED_WAIT
        } else {
            step.wait_after(&self.policy, attempts)
        };
        self.fault = Some(Fault {
            step,
            attempts,
            last_error: error.to_owned(),
            since,
            retry_time: later(now, wait),
            unknown: unknown || before_unknown,
            refused,
        });
    }

    /// What the carrier calls the parcel. A number that came with ConfirmPickup stays.
    fn known_as(&mut self, shipment_id: &str, carrier: &str, tracking_number: &str) {
        self.shipment.shipment_id = Some(shipment_id.to_owned());
        self.shipment.carrier = Some(carrier.to_owned());
        let number = &mut self.shipment.tracking_number;
        number.get_or_insert_with(|| tracking_number.to_owned());
    }

    pub(super) fn captured(
        &mut self,
        step: Step,
        transaction_id: &str,
        amount: i64,
        now: Timestamp,
    ) {
        self.payment.state = PaymentState::Captured;
        self.payment.transaction_id = Some(transaction_id.to_owned());
        self.payment.captured = amount;
        self.payment.capture_time = Some(now);
        self.succeeded(step);
    }

    /// Shows what the payer paid with, as a confirmation names it.
    fn paid_with(&mut self, kind: PaymentMethodType, last4: &str) {
        let given = PaymentMethod {
            kind,
            last4: last4.to_owned(),
        };
        match &mut self.payment_method {
            Some(method) if given.kind == PaymentMethodType::Unspecified => {
                if !given.last4.is_empty() {
                    method.last4 = given.last4;
                }
            }
            method => *method = Some(given),
        }
    }

    /// Money from outside counts towards the total. The order stops waiting once all of it is there.
    fn counted(&mut self, transaction_id: &str, counted: i64, now: Timestamp) {
        let captured = self.payment.captured + counted;
        self.payment.authorized = captured;
        if captured < self.total.minor {
            self.payment.captured = captured;
            self.payment.transaction_id = Some(transaction_id.to_owned());
            self.succeeded(Step::ChargePayment);
            return;
        }
        self.captured(Step::ChargePayment, transaction_id, captured, now);
        if self.state == OrderState::AwaitingPayment {
            self.state = OrderState::Placed;
            self.deadline = None;
        }
    }

    fn wait_until(&mut self, kind: DeadlineKind, expire_time: Timestamp) {
        self.deadline = Some(Deadline { kind, expire_time });
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
        self.deadline = None;
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
        self.deadline = None;
    }

    /// Turns the order round: from here on it is undone, newest step first.
    fn end(&mut self, reason: CloseReason) {
        self.state = OrderState::Cancelling;
        self.ending = Some(reason);
        self.deadline = None;
        self.fault = None;
        self.compensations = self.compensation_plan();
        // Its answer comes too late to count: what it was is asked by its key when it is undone.
        let late = self.in_flight.take();
        if let Some(step) = late.filter(|step| !self.unknown.contains(step)) {
            self.unknown.push(step);
            self.payment.state = PaymentState::Indeterminate;
        }
        if self.payment.captured > 0 {
            self.payment.state = PaymentState::Refunding;
        } else if self.payment.state == PaymentState::Pending {
            self.payment.state = PaymentState::None;
        }
    }

    fn compensated(
        &mut self,
        step: Step,
        outcome: CompensationOutcome,
        amount: i64,
        now: Timestamp,
    ) {
        if let Some(entry) = self.compensations.iter_mut().find(|c| c.step == step) {
            entry.attempts += 1;
        }
        self.undone(step, outcome, amount, now);
    }

    /// A compensation has its outcome.
    pub(super) fn undone(
        &mut self,
        step: Step,
        outcome: CompensationOutcome,
        amount: i64,
        now: Timestamp,
    ) {
        if let Some(entry) = self.compensations.iter_mut().find(|c| c.step == step) {
            entry.outcome = outcome;
            entry.time = Some(now);
        }
        self.succeeded(step);
        let done = outcome == CompensationOutcome::Done;
        match step {
            Step::RefundPayment if done => {
                // The refund of a capture whose answer was lost shows that it had happened.
                self.payment.captured = self.payment.captured.max(amount);
                self.payment.authorized = self.payment.authorized.max(amount);
                self.payment.refunded = amount;
                self.payment.state = PaymentState::Refunded;
            }
            Step::VoidAuthorization if done => {
                self.payment.authorized = self.payment.authorized.max(amount);
                self.payment.state = PaymentState::Voided;
            }
            Step::RefundPayment | Step::VoidAuthorization
                if self.payment.state == PaymentState::Indeterminate =>
            {
                self.payment.state = match &self.payment {
                    payment if payment.refunded > 0 => PaymentState::Refunded,
                    payment if payment.authorized > 0 => PaymentState::Authorized,
                    _ => PaymentState::None,
                };
            }
            Step::ReleaseReservation if done => self.reservation.state = ReservationState::Released,
            Step::CancelShipment if done => self.shipment.state = ShipmentState::Cancelled,
            _ => {}
        }
    }
}
