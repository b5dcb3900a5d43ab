//! Every policy that ships with the server, and every way that an order can go under it, with the
//! policies' real numbers: where days must pass, on the Temporal that skips time, else on the dev
//! server.
//!
//! The table in [`table`] is what is run, what is checked for gaps, and what is printed.

mod outcome;
mod providers;
mod row;
mod run;
mod table;

pub use providers::Servers;
pub use run::drive;
pub use table::all;

use orders::v1::{CloseReason, CompensationStep, OrderState, ReviewDecision};
use orders_test_support::Placing;

/// One way of one order.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The policy, one of those that ship with the server.
    pub policy: &'static str,
    /// What is special about this way, in words.
    pub path: &'static str,
    /// Which provider fails.
    pub failing: Failing,
    /// What is done to the order, in this order.
    pub steps: Vec<Do>,
    /// How it must end.
    pub end: End,
    /// The payment token.
    pub token: &'static str,
    /// Whole dollars of the total.
    pub price: i64,
    /// Pieces of which one is on the shelf.
    pub pieces: i64,
}

/// The provider that answers every attempt with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failing {
    /// All are well.
    Nobody,
    /// The fraud check.
    Fraud,
    /// The payment provider.
    Payment,
    /// The inventory.
    Inventory,
    /// The carrier.
    Carrier,
}

/// Something done to an order, or waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Do {
    /// Wait until it is in this state.
    Until(OrderState),
    /// Wait until the carrier was asked to fetch the parcel.
    UntilPickupRequested,
    /// Wait until an attempt has failed.
    UntilFailed,
    /// CancelOrder.
    Cancel,
    /// ReviewOrder.
    Review(ReviewDecision),
    /// StartFulfillment.
    StartFulfillment,
    /// ConfirmPickup.
    ConfirmPickup,
    /// ConfirmDelivery.
    ConfirmDelivery,
    /// ConfirmPayment of the total.
    Pay,
    /// Let the days pass. The order's deadline (where it has one) is this many seconds away.
    Pass(Option<i64>),
}

/// How an order must end.
#[derive(Clone, Debug)]
pub struct End {
    /// Why it closed; its state follows from that.
    pub reason: CloseReason,
    /// What became of the money.
    pub money: Money,
    /// What was undone, in this order.
    pub undone: Vec<CompensationStep>,
    /// Seconds from placing to closing, where time decides.
    pub seconds: Option<i64>,
}

/// What became of an order's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// It never moved.
    Untouched,
    /// It was held, and let go.
    Voided,
    /// It was taken, and given back.
    Refunded,
    /// It was taken.
    Captured,
}

impl Scenario {
    /// The order to place; `sku` has one piece.
    pub fn placing(&self, sku: &str) -> Placing {
        let placing = match self.policy {
            "pre-order" => Placing::pre_order(sku, 90),
            policy => Placing::new(policy, sku),
        };
        placing
            .token(self.token)
            .price(self.price, 0)
            .quantity(self.pieces)
    }

    /// The total in cents.
    pub fn cents(&self) -> i64 {
        self.price * self.pieces * 100
    }

    /// The steps before the days pass.
    pub fn first_steps(&self) -> &[Do] {
        &self.steps[..self.passes_at()]
    }

    /// The step in which the days pass, and those after it.
    pub fn last_steps(&self) -> &[Do] {
        &self.steps[self.passes_at()..]
    }

    /// Whether days must pass for it.
    pub fn takes_days(&self) -> bool {
        !self.last_steps().is_empty()
    }

    fn passes_at(&self) -> usize {
        let passes = |step: &Do| matches!(step, Do::Pass(_));
        let found = self.steps.iter().position(passes);
        found.unwrap_or(self.steps.len())
    }
}
