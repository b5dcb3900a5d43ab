//! What is to happen around one order, thrown before it begins.

use super::{dice::Dice, send::Asked};
use orders::{
    google::r#type::Money,
    v1::{
        LineItem, PaymentMethod, PaymentMethodType, PaymentMode, PlaceOrderRequest, Policy,
        ReviewDecision,
        signal_order_request::{self as signal, Command},
    },
};
use orders_test_support::order::{address, dollars};
use std::time::{Duration, SystemTime};

/// The skus, and how many pieces of each are there at the beginning: some run out.
pub const STOCK: &[(&str, i64)] = &[
    ("plenty-1", 100_000),
    ("plenty-2", 100_000),
    ("plenty-3", 100_000),
    ("scarce-1", 40),
    ("scarce-2", 80),
];

/// Mostly good.
const TOKENS: &[&str] = &[
    "tok-good",
    "tok-good",
    "tok-good",
    "tok-good",
    "tok-good",
    "tok-good",
    "tok-good",
    "tok-declined",
    "tok-fraud",
    "tok-lost-answer",
];

/// An order with everything that happens around it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is placed, without a release time.
    pub placing: PlaceOrderRequest,
    /// As the server shows it.
    pub policy: Policy,
    /// Whether somebody does what the order waits for, where its deadline would come soon.
    pub helpful: bool,
    /// Whether it is placed twice.
    pub twice: bool,
    /// Commands, the earliest first.
    pub commands: Vec<Planned>,
    /// For what is thrown later on.
    pub dice: Dice,
}

/// A command that comes some time after the placing.
#[derive(Clone, Debug)]
pub struct Planned {
    /// How long after.
    pub after: Duration,
    /// What is asked, without an expected revision.
    pub asked: Asked,
    /// How far the expected revision is from the order's, where one is given.
    pub expects: Option<i64>,
}

impl Plan {
    /// The plan of order `number`.
    pub fn throw(seed: u64, number: u64, policies: &[Policy]) -> Plan {
        let mut dice = Dice::new(seed, number);
        let policy = dice.pick(policies);
        let placing = placing(seed, number, &policy, &mut dice);
        let mut plan = Plan {
            policy,
            helpful: dice.chance(65),
            twice: dice.chance(10),
            commands: Vec::new(),
            placing,
            dice: dice.clone(),
        };
        for count in 0..dice.between(0, 6) {
            let planned = planned(&plan, count, &mut dice);
            plan.commands.push(planned);
        }
        plan.commands.sort_by_key(|planned| planned.after);
        plan
    }

    /// The total, in cents: worked out apart from the server.
    pub fn cents(&self) -> i64 {
        let cents = |price: &Money| price.units * 100 + i64::from(price.nanos) / 10_000_000;
        let items = self.placing.line_items.iter();
        items
            .map(|item| item.quantity * cents(item.unit_price.as_ref().unwrap()))
            .sum()
    }

    /// Whether the policy wants a review of this order.
    pub fn needs_review(&self) -> bool {
        let above = self.policy.approval_threshold_units;
        above.is_some_and(|units| self.cents() > units * 100)
    }

    /// The placing, with a release soon (or, for a policy with long waits, late) where one is needed.
    pub fn placing_now(&self) -> PlaceOrderRequest {
        let mut placing = self.placing.clone();
        if self.policy.hold {
            let soon = match is_long(self.policy.release_grace_period) {
                true => Duration::from_secs(24 * 3600),
                false => Duration::from_millis(400),
            };
            placing.release_time = Some((SystemTime::now() + soon).into());
        }
        placing
    }

    /// A request of this order that nobody else has made.
    pub fn asked(&self, name: &str, command: Command, by_signal: bool) -> Asked {
        let order_id = self.placing.order_id.clone();
        Asked {
            request_id: format!("{order_id}/{name}"),
            order_id,
            expected_revision: None,
            command,
            by_signal,
        }
    }
}

/// Whether a wait is too long for a test.
pub fn is_long(wait: Option<prost_types::Duration>) -> bool {
    wait.is_some_and(|wait| wait.seconds > 5)
}

/// A command with right content, or (`good` false) with content that is refused or ends the order.
pub fn command(order_id: &str, number: usize, cents: i64, good: bool) -> Command {
    match number {
        0 => Command::ConfirmPayment(signal::ConfirmPayment {
            transaction_id: format!("paid elsewhere for {order_id}"),
            amount: Some(Money {
                currency_code: if good { "USD" } else { "EUR" }.to_owned(),
                ..cents_of(cents)
            }),
            payment_method: Some(PaymentMethod {
                r#type: PaymentMethodType::Paypal.into(),
                ..PaymentMethod::default()
            }),
        }),
        1 => Command::ReviewOrder(signal::ReviewOrder {
            decision: match good {
                true => ReviewDecision::Approve.into(),
                false => ReviewDecision::Reject.into(),
            },
            reviewer: "reviewer".to_owned(),
            reason: String::new(),
        }),
        2 => Command::StartFulfillment(signal::StartFulfillment {}),
        3 => Command::ConfirmPickup(signal::ConfirmPickup {
            tracking_number: if good { "" } else { "of the driver" }.to_owned(),
        }),
        4 => Command::ConfirmDelivery(signal::ConfirmDelivery {}),
        5 => Command::UpdateShippingAddress(signal::UpdateShippingAddress {
            shipping_address: Some(address(if good { "2 New St" } else { "3 Newest St" })),
        }),
        _ => Command::CancelOrder(signal::CancelOrder {
            reason: "changed my mind".to_owned(),
        }),
    }
}

fn placing(seed: u64, number: u64, policy: &Policy, dice: &mut Dice) -> PlaceOrderRequest {
    let line_items = (0..dice.between(1, 3)).map(|_| LineItem {
        sku: dice.pick(STOCK).0.to_owned(),
        name: String::new(),
        quantity: dice.between(1, 4) as i64,
        // Above 5,000 in some: what the presets want to have reviewed.
        unit_price: Some(cents_of(match dice.chance(15) {
            true => dice.between(500_000, 900_000) as i64,
            false => dice.between(100, 9_000) as i64,
        })),
    });
    let line_items = line_items.collect();
    let order_id = format!("soak-{seed}-{number}");
    let paid_outside = policy.payment_mode() == PaymentMode::External && dice.chance(50);
    PlaceOrderRequest {
        request_id: format!("{order_id}/place"),
        customer_id: format!("customer-{}", dice.between(1, 9)),
        policy: policy.name.clone(),
        line_items,
        shipping_address: Some(address("1 Main St")),
        payment_method: (!paid_outside).then(|| PaymentMethod {
            r#type: PaymentMethodType::CreditCard.into(),
            token: dice.pick(TOKENS).to_owned(),
            last4: "4242".to_owned(),
        }),
        order_id,
        ..PlaceOrderRequest::default()
    }
}

/// Few request ids, so that some come twice: as repeats, or with another content.
fn planned(plan: &Plan, count: u64, dice: &mut Dice) -> Planned {
    let earlier = plan.commands.iter().map(|planned| planned.asked.clone());
    let earlier: Vec<Asked> = earlier.collect();
    let by_signal = dice.chance(50);
    // An order that is cancelled early has little to show.
    let kind = match dice.between(0, 9) {
        kind @ 0..=6 => kind as usize,
        kind => kind as usize - 7,
    };
    let order_id = &plan.placing.order_id;
    let command = command(order_id, kind, plan.cents(), dice.chance(75));
    let mut asked = plan.asked(&format!("command-{count}"), command, by_signal);
    if !earlier.is_empty() && dice.chance(20) {
        let before = dice.pick(&earlier);
        asked.request_id = before.request_id;
        if dice.chance(70) {
            asked.command = before.command;
        }
    }
    // Most while there is still something to ask for.
    let latest = if dice.chance(60) { 300 } else { 1_500 };
    Planned {
        after: Duration::from_millis(dice.between(0, latest)),
        expects: dice.chance(10).then(|| dice.pick(&[0, 0, -1, 1])),
        asked,
    }
}

fn cents_of(cents: i64) -> Money {
    dollars(cents / 100, (cents % 100) as i32 * 10_000_000)
}
