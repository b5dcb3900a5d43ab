use super::{super::place_order::samples, super::signal_order, *};
use orders::v1::signal_order_request as signal;
use orders_domain::{
    command::{
        CancelOrder, ConfirmPayment, ConfirmPickup, RetryOrder, ReviewOrder, UpdateShippingAddress,
    },
    money::Money,
    payment_method::PaymentMethodType,
    place::Violation,
    state::ReviewDecision,
};
use proptest::prelude::*;

const NONE: [&str; 0] = [];

fn fields<T>(parsed: Parsed<T>) -> Vec<String> {
    let found: Vec<Violation> = parsed.err().unwrap_or_default();
    found.into_iter().map(|violation| violation.field).collect()
}

fn confirm() -> v1::ConfirmPaymentRequest {
    v1::ConfirmPaymentRequest {
        order_id: "order-1".to_owned(),
        request_id: "request-1".to_owned(),
        actor: "bank".to_owned(),
        expected_revision: Some(3),
        transaction_id: "tx-1".to_owned(),
        amount: Some(samples::usd(10_00)),
        payment_method: Some(samples::payment_method()),
    }
}

fn review() -> v1::ReviewOrderRequest {
    v1::ReviewOrderRequest {
        order_id: "order-1".to_owned(),
        request_id: "request-1".to_owned(),
        actor: "alice".to_owned(),
        decision: v1::ReviewDecision::Reject.into(),
        ..Default::default()
    }
}

/// The commands as signals, each with one thing wrong.
fn wrong_signals() -> Vec<(signal::Command, &'static str)> {
    use signal::Command as C;
    let confirm = signal::ConfirmPayment {
        transaction_id: String::new(),
        amount: Some(samples::usd(1)),
        payment_method: None,
    };
    let review = signal::ReviewOrder {
        decision: 0,
        reviewer: String::new(),
        reason: String::new(),
    };
    let by_nobody = signal::ReviewOrder {
        decision: v1::ReviewDecision::Approve.into(),
        reviewer: "anonymous".to_owned(),
        reason: String::new(),
    };
    let pickup = signal::ConfirmPickup {
        tracking_number: "x".repeat(65),
    };
    let cancel = signal::CancelOrder {
        reason: "x".repeat(501),
    };
    let address = signal::UpdateShippingAddress {
        shipping_address: Some(v1::Address {
            country_code: "XX".to_owned(),
            ..samples::address()
        }),
    };
    vec![
        (C::ConfirmPayment(confirm), "confirm_payment.transaction_id"),
        (C::ReviewOrder(review), "review_order.decision"),
        (C::ReviewOrder(by_nobody), "review_order.reviewer"),
        (C::ConfirmPickup(pickup), "confirm_pickup.tracking_number"),
        (C::CancelOrder(cancel), "cancel_order.reason"),
        (
            C::UpdateShippingAddress(address),
            "update_shipping_address.shipping_address.country_code",
        ),
    ]
}

#[test]
fn every_command_needs_an_order_a_request_and_no_impossible_revision() {
    let head = |order_id: &str, request_id: &str, actor: &str, revision| {
        fields(start_fulfillment(&v1::StartFulfillmentRequest {
            order_id: order_id.to_owned(),
            request_id: request_id.to_owned(),
            actor: actor.to_owned(),
            expected_revision: revision,
        }))
    };
    assert_eq!(head("o", "r", "", None), NONE);
    assert_eq!(head("o", &"r".repeat(128), &"a".repeat(128), Some(1)), NONE);
    assert_eq!(head("o", &"r".repeat(129), "", None), ["request_id"]);
    assert_eq!(head("o", "r", &"a".repeat(129), None), ["actor"]);
    assert_eq!(head("o", "r", "", Some(0)), ["expected_revision"]);
    assert_eq!(head("o", "r", "", Some(-1)), ["expected_revision"]);
    assert_eq!(head("", "", "\n", Some(0)).len(), 4);
    assert_eq!(head(&"o".repeat(64), "r", "", None), NONE);
    assert_eq!(head(&"o".repeat(65), "r", "", None), ["order_id"]);
}

#[test]
fn a_payment_has_an_amount_and_a_transaction() {
    let (order_id, request) = confirm_payment(&confirm()).unwrap();
    assert_eq!(order_id, "order-1");
    assert_eq!(request.expected_revision, Some(3));
    let Command::ConfirmPayment(command) = request.command else {
        panic!("another command");
    };
    assert_eq!(command.amount, Money::new("USD", 10_00));
    assert_eq!(command.payment_method, PaymentMethodType::CreditCard);
    let wrong = |change: fn(&mut v1::ConfirmPaymentRequest)| {
        let mut request = confirm();
        change(&mut request);
        fields(confirm_payment(&request))
    };
    assert_eq!(wrong(|r| r.payment_method = None), NONE);
    assert_eq!(wrong(|r| r.payment_method = Some(Default::default())), NONE);
    assert_eq!(wrong(|r| r.amount = None), ["amount"]);
    assert_eq!(wrong(|r| r.amount = Some(samples::usd(0))), ["amount"]);
    assert_eq!(wrong(|r| r.amount = Some(samples::usd(-1))), ["amount"]);
    assert_eq!(wrong(|r| r.amount = Some(samples::usd(1))), NONE);
    assert_eq!(
        wrong(|r| r.amount = Some(Default::default())),
        ["amount.currency_code"]
    );
    assert_eq!(wrong(|r| r.transaction_id = "x".repeat(128)), NONE);
    assert_eq!(
        wrong(|r| r.transaction_id = "x".repeat(129)),
        ["transaction_id"]
    );
    assert_eq!(wrong(|r| r.transaction_id.clear()), ["transaction_id"]);
}

#[test]
fn a_review_has_a_decision_and_is_by_the_actor_unless_it_says_otherwise() {
    let command = |request: &v1::ReviewOrderRequest| review_order(request).unwrap().1.command;
    let by = |reviewer: &str| {
        Command::ReviewOrder(ReviewOrder {
            decision: ReviewDecision::Reject,
            reviewer: reviewer.to_owned(),
            reason: String::new(),
        })
    };
    assert_eq!(command(&review()), by("alice"));
    let reviewer = "bob".to_owned();
    assert_eq!(
        command(&v1::ReviewOrderRequest {
            reviewer,
            ..review()
        }),
        by("bob")
    );
    // Nobody is not enough: an approval needs somebody who answers for it.
    for (actor, reviewer, wrong) in [
        ("", "", &["reviewer"][..]),
        ("anonymous", "", &["reviewer"]),
        ("alice", "anonymous", &["reviewer"]),
        ("alice", "orders", &["reviewer"]),
        ("orders", "", &["actor"]),
        ("", "bob", &[]),
    ] {
        let request = v1::ReviewOrderRequest {
            actor: actor.to_owned(),
            reviewer: reviewer.to_owned(),
            ..review()
        };
        assert_eq!(
            fields(review_order(&request)),
            wrong,
            "{actor:?} {reviewer:?}"
        );
    }
    for decision in [0, 3, -1] {
        let request = v1::ReviewOrderRequest {
            decision,
            ..review()
        };
        assert_eq!(fields(review_order(&request)), ["decision"]);
    }
    let sized = |reviewer: usize, reason: usize| {
        let (reviewer, reason) = ("x".repeat(reviewer), "x".repeat(reason));
        fields(review_order(&v1::ReviewOrderRequest {
            reviewer,
            reason,
            ..review()
        }))
    };
    assert_eq!(sized(128, 500), NONE);
    assert_eq!(sized(129, 501), ["reviewer", "reason"]);
}

#[test]
fn the_other_commands_have_their_limits() {
    let pickup = |number: &str| {
        confirm_pickup(&v1::ConfirmPickupRequest {
            order_id: "o".to_owned(),
            request_id: "r".to_owned(),
            tracking_number: number.to_owned(),
            ..Default::default()
        })
    };
    let Command::ConfirmPickup(command) = pickup("").unwrap().1.command else {
        panic!("another command");
    };
    assert_eq!(command.tracking_number, None);
    assert!(pickup(&"x".repeat(64)).is_ok());
    assert_eq!(fields(pickup(&"x".repeat(65))), ["tracking_number"]);
    let cancel = |length: usize, validate_only| {
        cancel_order(&v1::CancelOrderRequest {
            order_id: "o".to_owned(),
            request_id: "r".to_owned(),
            reason: "ä".repeat(length),
            validate_only,
            ..Default::default()
        })
    };
    assert!(cancel(500, true).unwrap().2);
    assert!(!cancel(0, false).unwrap().2);
    assert_eq!(fields(cancel(501, false)), ["reason"]);
    let address = update_shipping_address(&v1::UpdateShippingAddressRequest {
        order_id: "o".to_owned(),
        request_id: "r".to_owned(),
        ..Default::default()
    });
    assert_eq!(fields(address), ["shipping_address"]);
    let delivered = confirm_delivery(&v1::ConfirmDeliveryRequest::default());
    assert_eq!(fields(delivered), ["order_id", "request_id"]);
}

#[test]
fn a_signal_is_the_same_command_with_the_paths_of_its_own_message() {
    let v1::ConfirmPaymentRequest {
        transaction_id,
        amount,
        payment_method,
        ..
    } = confirm();
    let mut request = v1::SignalOrderRequest {
        order_id: "order-1".to_owned(),
        request_id: "request-1".to_owned(),
        actor: "bank".to_owned(),
        expected_revision: Some(3),
        command: Some(signal::Command::ConfirmPayment(signal::ConfirmPayment {
            transaction_id,
            amount,
            payment_method,
        })),
    };
    assert_eq!(signal_order(&request), confirm_payment(&confirm()));
    request.command = None;
    assert_eq!(fields(signal_order(&request)), ["command"]);
    for (command, field) in wrong_signals() {
        request.command = Some(command);
        assert_eq!(fields(signal_order(&request)), [field]);
    }
    use signal::Command as C;
    request.command = Some(C::StartFulfillment(signal::StartFulfillment {}));
    assert_eq!(
        signal_order(&request).unwrap().1.command,
        Command::StartFulfillment
    );
    request.command = Some(C::ConfirmDelivery(signal::ConfirmDelivery {}));
    assert_eq!(
        signal_order(&request).unwrap().1.command,
        Command::ConfirmDelivery
    );
}

proptest! {
    #[test]
    fn no_command_panics(
        t in prop::collection::vec(".{0,140}", 6), revision: Option<i64>, decision: i32,
        units: i64, nanos: i32,
    ) {
        let amount = orders::google::r#type::Money { currency_code: t[5].clone(), units, nanos };
        let _ = confirm_payment(&v1::ConfirmPaymentRequest {
            order_id: t[0].clone(),
            request_id: t[1].clone(),
            actor: t[2].clone(),
            expected_revision: revision,
            transaction_id: t[3].clone(),
            amount: Some(amount),
            payment_method: None,
        });
        let _ = review_order(&v1::ReviewOrderRequest {
            order_id: t[0].clone(),
            request_id: t[1].clone(),
            actor: t[2].clone(),
            expected_revision: revision,
            decision,
            reviewer: t[3].clone(),
            reason: t[4].clone(),
        });
    }
}

/// What a text field may be tried with.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "a",
    "a b",
    " a",
    "a\0b",
    "a\nb",
    "a\u{1b}[31m",
    "a\u{202e}b",
    "a\u{200b}",
    "orders",
    "Temporal",
    "anonymous",
    "signal/run/1",
];

/// The API and the check of the domain, which signals and updates meet that come without the API, take the same.
#[test]
fn the_domain_refuses_what_the_api_refuses() {
    let long = [
        "x".repeat(64),
        "x".repeat(65),
        "x".repeat(128),
        "x".repeat(129),
    ];
    let longer = [
        "x".repeat(200),
        "x".repeat(201),
        "ä".repeat(500),
        "ä".repeat(501),
    ];
    let texts = TEXTS.iter().map(|text| (*text).to_owned());
    for text in texts.chain(long).chain(longer) {
        let agree = |what: &str, is_taken: bool, command: Command, head: Option<(&str, &str)>| {
            let (request_id, actor) = head.unwrap_or(("request-1", "grace"));
            let request = CommandRequest {
                request_id: request_id.to_owned(),
                actor: actor.to_owned(),
                expected_revision: None,
                seen_revision: 0,
                attempt: String::new(),
                command,
            };
            let checked = request.check();
            assert_eq!(checked.is_ok(), is_taken, "{what} {text:?}: {checked:?}");
        };
        let given = || text.clone();
        for (request_id, actor) in [(&*text, "grace"), ("request-1", &*text)] {
            let start = v1::StartFulfillmentRequest {
                order_id: "o".to_owned(),
                request_id: request_id.to_owned(),
                actor: actor.to_owned(),
                expected_revision: None,
            };
            let is_taken = start_fulfillment(&start).is_ok();
            let head = Some((request_id, actor));
            agree("head", is_taken, Command::StartFulfillment, head);
        }
        let mut asked = confirm();
        asked.transaction_id = given();
        let command = Command::ConfirmPayment(ConfirmPayment {
            transaction_id: given(),
            amount: Money::new("USD", 1),
            payment_method: PaymentMethodType::Unspecified,
            last4: String::new(),
        });
        agree(
            "transaction",
            confirm_payment(&asked).is_ok(),
            command,
            None,
        );
        let mut asked = confirm();
        if let Some(method) = &mut asked.payment_method {
            method.last4 = given();
        }
        let command = Command::ConfirmPayment(ConfirmPayment {
            transaction_id: "tx".to_owned(),
            amount: Money::new("USD", 1),
            payment_method: PaymentMethodType::Unspecified,
            last4: given(),
        });
        agree("last4", confirm_payment(&asked).is_ok(), command, None);
        // Without a reviewer the API takes the actor; a signal has to name one.
        if !text.is_empty() {
            let mut asked = review();
            asked.reviewer = given();
            let command = Command::ReviewOrder(ReviewOrder {
                decision: ReviewDecision::Reject,
                reviewer: given(),
                reason: String::new(),
            });
            agree("reviewer", review_order(&asked).is_ok(), command, None);
            let asked = v1::ConfirmPickupRequest {
                order_id: "o".to_owned(),
                request_id: "r".to_owned(),
                tracking_number: given(),
                ..Default::default()
            };
            let number = Command::ConfirmPickup(ConfirmPickup {
                tracking_number: Some(given()),
            });
            agree("number", confirm_pickup(&asked).is_ok(), number, None);
        }
        let asked = v1::CancelOrderRequest {
            order_id: "o".to_owned(),
            request_id: "r".to_owned(),
            reason: given(),
            ..Default::default()
        };
        let cancel = Command::CancelOrder(CancelOrder { reason: given() });
        agree("reason", cancel_order(&asked).is_ok(), cancel, None);
        let address = samples::address();
        let fields: [fn(&mut v1::Address) -> &mut String; 6] = [
            |a| &mut a.line1,
            |a| &mut a.line2,
            |a| &mut a.city,
            |a| &mut a.region,
            |a| &mut a.postal_code,
            |a| &mut a.country_code,
        ];
        for field in fields {
            let mut asked = address.clone();
            *field(&mut asked) = given();
            let request = v1::UpdateShippingAddressRequest {
                order_id: "o".to_owned(),
                request_id: "r".to_owned(),
                shipping_address: Some(asked.clone()),
                ..Default::default()
            };
            let is_taken = update_shipping_address(&request).is_ok();
            let v1::Address {
                line1,
                line2,
                city,
                region,
                postal_code,
                country_code,
            } = asked;
            let shipping_address = orders_domain::address::Address {
                line1,
                line2,
                city,
                region,
                postal_code,
                country_code,
            };
            let command =
                Command::UpdateShippingAddress(UpdateShippingAddress { shipping_address });
            agree("address", is_taken, command, None);
        }
        let asked = v1::RetryOrderRequest {
            order_id: "o".to_owned(),
            request_id: "r".to_owned(),
            actor: "grace".to_owned(),
            reason: given(),
        };
        let retry = Command::RetryOrder(RetryOrder { reason: given() });
        agree(
            "retry",
            super::super::retry_order(&asked).is_ok(),
            retry,
            None,
        );
    }
}

#[test]
fn one_confirmation_has_a_most() {
    let with = |units: i64, nanos: i32| {
        let mut asked = confirm();
        asked.amount = Some(orders::google::r#type::Money {
            currency_code: "USD".to_owned(),
            units,
            nanos,
        });
        fields(confirm_payment(&asked))
    };
    assert_eq!(with(90_000_000_000_000, 0), NONE);
    assert_eq!(with(90_000_000_000_000, 10_000_000), ["amount"]);
    assert_eq!(with(92_233_720_368_547_758, 70_000_000), ["amount"]);
}
