//! Random policies, orders, failures and commands.

use super::{
    ledger::{Answer, Ledger, Stock},
    world::{ELSEWHERE, World},
};
use crate::{
    address::Address,
    command::{
        CancelOrder, Command, CommandKind, CommandRequest, ConfirmPayment, ConfirmPickup,
        RetryOrder, ReviewOrder, UpdateShippingAddress,
    },
    money::Money,
    order::{LineItem, Order},
    payment_method::{PaymentMethod, PaymentMethodType, PaymentToken},
    place::{NewOrder, place, total_violation, violations},
    policy::{
        CancelCutoff, DeliveryMode, Lane, PaymentMode, Policy, RetryPolicy, SecureOrder,
        ShippingMode, book::PolicyBook,
    },
    state::ReviewDecision,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::time::Duration;

/// One order and everything that happens around it.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) policy: Policy,
    pub(super) line_items: Vec<LineItem>,
    pub(super) on_hand: i64,
    pub(super) answers: Vec<Answer>,
    pub(super) commands: Vec<Arrival>,
    /// Whether people do what the order waits for, when nothing else happens.
    pub(super) helpful: bool,
}

/// A command on its way.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// It comes when this much has happened to the order.
    pub(super) at: usize,
    /// It comes when the deadline of the wait is over, but was not noticed yet.
    pub(super) late: bool,
    pub(super) signal: bool,
    kind: CommandKind,
    /// Which content: 0 is what the order needs.
    content: u8,
    /// Repeats are likely.
    request: u8,
    expected_revision: Option<bool>,
}

pub(super) const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

impl Scenario {
    pub(super) fn world(&self) -> World {
        let release = self
            .policy
            .holds()
            .then_some(START + jiff::SignedDuration::from_hours(48));
        let mut world = world(&self.policy, self.line_items.clone(), self.on_hand, release);
        world.answers = self.answers.iter().copied().collect();
        world
    }
}

impl Arrival {
    pub(super) fn request(&self, order: &Order) -> CommandRequest {
        let right = self.content == 0;
        let reason = format!("reason {}", self.content);
        let command = match self.kind {
            CommandKind::ConfirmPayment => Command::ConfirmPayment(ConfirmPayment {
                // The same transaction comes again, also with another amount.
                transaction_id: match (self.content, self.request % 5) {
                    (3, 0) => ELSEWHERE.to_owned(),
                    (_, number) => format!("txn {number}"),
                },
                amount: match self.content {
                    1 => Money::new("EUR", order.total.minor),
                    2 => Money::new("USD", order.total.minor / 2 + 1),
                    3 => Money::new("USD", order.total.minor + 1),
                    _ => order.total.clone(),
                },
                payment_method: PaymentMethodType::Paypal,
                last4: String::new(),
            }),
            CommandKind::ReviewOrder => Command::ReviewOrder(ReviewOrder {
                decision: match right {
                    true => ReviewDecision::Approve,
                    false => ReviewDecision::Reject,
                },
                reviewer: "reviewer".to_owned(),
                reason,
            }),
            CommandKind::StartFulfillment => Command::StartFulfillment,
            CommandKind::ConfirmPickup => Command::ConfirmPickup(ConfirmPickup {
                tracking_number: (!right).then_some(reason),
            }),
            CommandKind::ConfirmDelivery => Command::ConfirmDelivery,
            CommandKind::UpdateShippingAddress => {
                Command::UpdateShippingAddress(UpdateShippingAddress {
                    shipping_address: address(&reason),
                })
            }
            CommandKind::CancelOrder => Command::CancelOrder(CancelOrder { reason }),
            CommandKind::RetryOrder => Command::RetryOrder(RetryOrder { reason }),
            CommandKind::ResolvePayment => unreachable!("the ledgers know better"),
        };
        CommandRequest {
            request_id: format!("request-{}", self.request),
            actor: format!("actor-{}", self.request),
            expected_revision: self
                .expected_revision
                .map(|right| order.revision - i64::from(!right)),
            seen_revision: 0,
            attempt: String::new(),
            command,
        }
    }
}

pub(super) fn address(line1: &str) -> Address {
    Address {
        line1: line1.to_owned(),
        city: "Berlin".to_owned(),
        postal_code: "10115".to_owned(),
        country_code: "DE".to_owned(),
        ..Address::default()
    }
}

/// A world with one order that was just placed.
pub(super) fn world(
    policy: &Policy,
    line_items: Vec<LineItem>,
    on_hand: i64,
    release_time: Option<Timestamp>,
) -> World {
    let new = NewOrder {
        order_id: "order-1".to_owned(),
        customer_id: "customer-1".to_owned(),
        line_items,
        shipping_address: address("the first address"),
        payment_method: Some(PaymentMethod {
            kind: PaymentMethodType::CreditCard,
            last4: String::new(),
        }),
        payment_token: PaymentToken::new("tok-good"),
        payment_id: None,
        release_time,
    };
    assert_eq!(violations(&new, policy, START), []);
    assert_eq!(total_violation(&new.line_items), None);
    let mut ledger = Ledger::default();
    for item in &new.line_items {
        let stock = Stock {
            supplied: on_hand,
            on_hand,
            ..Stock::default()
        };
        ledger.stock.insert(item.sku.clone(), stock);
    }
    let placed = place(new, policy, "customer", "request-place", START).expect("a total");
    World::new(placed, ledger)
}

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    (
        policy(),
        vec(line_item(), 1..4),
        prop_oneof![1 => 0..4i64, 6 => Just(100)],
        vec(answer(), 0..24),
        vec(arrival(), 0..10),
        prop::bool::weighted(0.7),
    )
        .prop_map(
            |(policy, line_items, on_hand, answers, mut commands, helpful)| {
                commands.sort_by_key(|arrival| arrival.at);
                Scenario {
                    policy,
                    line_items,
                    on_hand,
                    answers,
                    commands,
                    helpful,
                }
            },
        )
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        10 => Just(Answer::Good),
        1 => Just(Answer::Refused),
        3 => Just(Answer::Failed),
        4 => Just(Answer::Lost),
        2 => Just(Answer::Silent),
    ]
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (
        (0..16usize, prop::bool::weighted(0.1), any::<bool>()),
        select(CommandKind::ALL).prop_filter("the ledgers know better", |kind| {
            *kind != CommandKind::ResolvePayment
        }),
        prop_oneof![2 => Just(0u8), 1 => 1..4u8],
        0..10u8,
        prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))],
    )
        .prop_map(
            |((at, late, signal), kind, content, request, expected_revision)| Arrival {
                at,
                late,
                signal,
                kind,
                content,
                request,
                expected_revision,
            },
        )
}

fn line_item() -> impl Strategy<Value = LineItem> {
    (0..3u8, 1..4i64, 1..400_000i64).prop_map(|(sku, quantity, price)| LineItem {
        sku: format!("sku-{sku}"),
        name: String::new(),
        quantity,
        unit_price: Money::new("USD", price),
    })
}

/// A preset, or any policy that can work.
pub(super) fn policy() -> impl Strategy<Value = Policy> {
    let book = PolicyBook::presets().expect("the presets can be read");
    let presets: Vec<Policy> = book.iter().cloned().collect();
    prop_oneof![1 => select(presets), 2 => random_policy()]
}

pub(super) fn random_policy() -> impl Strategy<Value = Policy> {
    use PaymentMode::{AuthorizeCapture, External, Sale};
    use SecureOrder::{PayOnly, PayThenReserve, ReserveThenPay};
    let secure = vec![
        (ReserveThenPay, Sale),
        (ReserveThenPay, AuthorizeCapture),
        (ReserveThenPay, External),
        (PayThenReserve, Sale),
        (PayThenReserve, AuthorizeCapture),
        (PayOnly, Sale),
        (PayOnly, AuthorizeCapture),
        (PayOnly, External),
    ];
    (
        (any::<bool>(), select(secure), wait()),
        option::of((0..6_000i64, wait())),
        option::weighted(0.3, wait()),
        option::weighted(0.4, wait()),
        (select(DeliveryMode::ALL), wait(), wait()),
        select(CancelCutoff::ALL),
        (retry(), option::of(retry()), option::of(retry()), 1..6u32),
        (
            select(vec![Lane::Local, Lane::Regular]),
            select(ShippingMode::ALL),
            10..2_000u64,
        ),
    )
        .prop_map(
            |(first, approval, grace, pickup, delivery, cancel_until, retries, ways)| {
                let (lane, shipping, attempt_ms) = ways;
                let (fraud_check, (secure, payment), timeout) = first;
                let (mode, after, estimated_delivery) = delivery;
                Policy {
                    name: "random".to_owned(),
                    description: "Any policy that can work.".to_owned(),
                    fraud_check,
                    secure,
                    payment,
                    payment_timeout: (payment == External).then_some(timeout),
                    approval_above: approval.map(|(above, _)| above),
                    approval_timeout: approval.map(|(_, timeout)| timeout),
                    release_grace: grace,
                    pickup_reminder: pickup,
                    delivery: mode,
                    delivery_after: (mode == DeliveryMode::AutoAfter).then_some(after),
                    estimated_delivery,
                    cancel_until,
                    retry: retries.0,
                    payment_retry: retries.1,
                    shipping_retry: retries.2.filter(|_| shipping == ShippingMode::Lane),
                    shipping,
                    attempt_timeout: Duration::from_millis(attempt_ms),
                    reservation_expiry: None,
                    authorization_expiry: None,
                    attention_after: retries.3,
                    lane,
                }
            },
        )
}

fn wait() -> impl Strategy<Value = Duration> {
    (1..1_000_000u64, 0..1_000u64)
        .prop_map(|(seconds, ms)| Duration::from_millis(seconds * 1_000 + ms))
}

fn retry() -> impl Strategy<Value = RetryPolicy> {
    (0..5u32, 1..10_000u64, 100..1_000u32, 0..600_000u64).prop_map(
        |(max_attempts, first, backoff, more)| RetryPolicy {
            max_attempts,
            initial_interval: Duration::from_millis(first),
            backoff: f64::from(backoff) / 100.0,
            max_interval: Duration::from_millis(first + more),
        },
    )
}
