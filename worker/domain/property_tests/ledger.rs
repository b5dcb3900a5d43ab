//! The outside of the world: a payment provider, a warehouse and a carrier with ledgers of their
//! own. As strict as the ports promise: a key has one effect, and what the first call brought stays.

use crate::{
    address::Address,
    effect::Effect,
    event::Change,
    order::Order,
    step::{CompensationOutcome, Step},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How a call ends, where the script has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// As the ledgers say.
    Good,
    /// A business refusal, unless the effect of this key is there already.
    Refused,
    /// It failed, and nothing happened.
    Failed,
    /// It happened, but nobody heard of it.
    Lost,
    /// It did not happen, and nobody heard of that either.
    Silent,
}

/// What the caller hears.
pub(super) enum Reply {
    Change(Change),
    Refused,
    Failed,
    NoAnswer,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) supplied: i64,
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
    pub(super) shipped: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    /// Where the carrier takes it.
    pub(super) address: Address,
    pub(super) cancelled: bool,
    pub(super) dispatched: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) authorized: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    /// What arrived from outside, in all.
    pub(super) received: i64,
    pub(super) voided: bool,
    pub(super) stock: BTreeMap<String, Stock>,
    /// What is held for the order.
    pub(super) held: BTreeMap<String, i64>,
    pub(super) parcel: Option<Parcel>,
    /// Every call that came through, in order.
    pub(super) calls: Vec<Step>,
    /// Every effect, in order: a repeated key has none.
    pub(super) effects: Vec<Step>,
    /// The keys of the effects, as the real providers get them.
    keys: BTreeSet<String>,
}

impl Ledger {
    pub(super) fn ask(
        &mut self,
        order: &Order,
        effect: Effect,
        answer: Answer,
        now: Timestamp,
    ) -> Reply {
        let step = effect.step;
        self.calls.push(step);
        match answer {
            Answer::Failed => Reply::Failed,
            Answer::Refused if !self.has(step) => Reply::Refused,
            Answer::Good | Answer::Refused => self.act(order, effect, now),
            Answer::Silent => Reply::NoAnswer,
            Answer::Lost => {
                self.act(order, effect, now);
                Reply::NoAnswer
            }
        }
    }

    pub(super) fn has(&self, step: Step) -> bool {
        self.effects.contains(&step)
    }

    /// Money from outside, of which a part counts towards the total.
    pub(super) fn confirm(&mut self, order: &Order, amount: i64, counted: i64) {
        self.received += amount;
        if counted > 0 {
            let effect = order.effect(Step::ChargePayment);
            self.receive(order, effect);
        }
        self.authorized += counted;
        self.captured += counted;
    }

    /// The driver has fetched the parcel, whatever the carrier's office knows.
    pub(super) fn picked_up(&mut self, order: &Order) {
        assert_eq!(self.captured, order.total.minor, "fetched unpaid");
        let asked = self.calls.contains(&Step::RequestPickup);
        assert!(asked, "fetched before the carrier was asked");
        let unknown = self.parcel_for(order, false);
        // Without a shipment of the carrier's, the address is the one on the parcel.
        let parcel = self.parcel.get_or_insert(unknown);
        assert!(!parcel.cancelled, "fetched after it was called off");
        assert_eq!(
            parcel.address, order.shipping_address,
            "fetched for an old address"
        );
        parcel.dispatched = true;
    }

    /// Whether the key of an effect is new; then it is had.
    fn first(&mut self, order: &Order, effect: Effect) -> bool {
        let is_first = self.keys.insert(effect.key(&order.order_id));
        if is_first {
            self.effects.push(effect.step);
        }
        is_first
    }

    /// A receipt, whose key is new, too. All of them together are one charge.
    fn receive(&mut self, order: &Order, effect: Effect) {
        let is_first = self.keys.insert(effect.key(&order.order_id));
        assert!(is_first, "{effect} twice");
        if !self.has(effect.step) {
            self.effects.push(effect.step);
        }
    }

    fn act(&mut self, order: &Order, effect: Effect, now: Timestamp) -> Reply {
        let step = effect.step;
        let total = order.total.minor;
        let name = || format!("{}/{step}", order.order_id);
        Reply::Change(match step {
            Step::Screen => Change::Screened { effect },
            Step::ReserveInventory => {
                if !self.has(step) && !self.reserve(order, effect) {
                    return Reply::Refused;
                }
                Change::InventoryReserved {
                    effect,
                    reservation_id: name(),
                }
            }
            Step::AuthorizePayment => {
                if self.first(order, effect) {
                    self.authorized += total;
                }
                Change::PaymentAuthorized {
                    effect,
                    transaction_id: name(),
                    amount: total,
                }
            }
            Step::CapturePayment | Step::ChargePayment => {
                if self.first(order, effect) {
                    if step == Step::ChargePayment {
                        self.authorized += total;
                    }
                    self.captured += total;
                }
                assert!(
                    !self.voided,
                    "captured after the authorization was given back"
                );
                Change::PaymentCaptured {
                    effect,
                    transaction_id: name(),
                    amount: total,
                }
            }
            Step::PreparePackage => {
                if self.first(order, effect) {
                    self.parcel = Some(self.parcel_for(order, false));
                }
                Change::PackagePrepared {
                    effect,
                    shipment_id: name(),
                    carrier: "carrier".to_owned(),
                    tracking_number: "TRK".to_owned(),
                }
            }
            Step::RequestPickup => {
                if self.first(order, effect) {
                    self.parcel = Some(self.parcel_for(order, false));
                }
                Change::PickupRequested {
                    effect,
                    shipment_id: name(),
                    carrier: "carrier".to_owned(),
                    tracking_number: "TRK".to_owned(),
                }
            }
            Step::RedirectShipment => {
                let parcel = self.parcel.as_mut().expect("a parcel to redirect");
                parcel.address = order.shipping_address.clone();
                self.first(order, effect);
                Change::ShipmentRedirected { effect }
            }
            Step::DispatchShipment => {
                if self.first(order, effect) {
                    self.parcel = Some(self.parcel_for(order, true));
                }
                Change::Shipped {
                    effect,
                    shipment_id: name(),
                    carrier: "carrier".to_owned(),
                    tracking_number: "TRK".to_owned(),
                    estimated_delivery_time: order.estimated_delivery(now),
                }
            }
            Step::CommitReservation => {
                if self.first(order, effect) {
                    self.unhold(true);
                }
                Change::ReservationCommitted { effect }
            }
            Step::CancelShipment
            | Step::RefundPayment
            | Step::VoidAuthorization
            | Step::ReleaseReservation => self.undo(order, effect),
        })
    }

    fn undo(&mut self, order: &Order, effect: Effect) -> Change {
        let step = effect.step;
        let owed = self.captured - self.refunded;
        let parcel = self.parcel.as_mut();
        let callable = parcel.is_some_and(|p| !p.cancelled && !p.dispatched);
        let needed = match step {
            Step::CancelShipment => callable,
            Step::RefundPayment => owed > 0,
            Step::VoidAuthorization => self.authorized > 0 && self.captured == 0 && !self.voided,
            _ => !self.held.is_empty(),
        };
        let done = needed || self.has(step);
        if needed {
            assert!(self.first(order, effect), "{effect} twice");
            match step {
                Step::CancelShipment => {
                    self.parcel.as_mut().expect("seen above").cancelled = true;
                }
                Step::RefundPayment => self.refunded += owed,
                Step::VoidAuthorization => self.voided = true,
                _ => self.unhold(false),
            }
        }
        Change::Compensated {
            effect,
            outcome: match done {
                true => CompensationOutcome::Done,
                false => CompensationOutcome::NotNeeded,
            },
            amount: match step {
                Step::RefundPayment if done => self.refunded,
                Step::VoidAuthorization if done => self.authorized,
                _ => 0,
            },
        }
    }

    fn reserve(&mut self, order: &Order, effect: Effect) -> bool {
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        for item in &order.line_items {
            *wanted.entry(item.sku.clone()).or_default() += item.quantity;
        }
        let free = |sku: &String| self.stock.get(sku).map_or(0, |s| s.on_hand - s.reserved);
        if wanted.iter().any(|(sku, quantity)| free(sku) < *quantity) {
            return false;
        }
        self.first(order, effect);
        for (sku, quantity) in &wanted {
            self.stock.entry(sku.clone()).or_default().reserved += quantity;
        }
        self.held = wanted;
        true
    }

    /// Nothing is held any more: it was shipped, or is free again.
    fn unhold(&mut self, shipped: bool) {
        for (sku, quantity) in std::mem::take(&mut self.held) {
            let stock = self.stock.entry(sku).or_default();
            stock.reserved -= quantity;
            if shipped {
                stock.on_hand -= quantity;
                stock.shipped += quantity;
            }
        }
    }

    fn parcel_for(&self, order: &Order, dispatched: bool) -> Parcel {
        assert_eq!(self.captured, order.total.minor, "shipped unpaid");
        assert_eq!(self.refunded, 0, "shipped after the refund");
        Parcel {
            address: order.shipping_address.clone(),
            cancelled: false,
            dispatched,
        }
    }
}
