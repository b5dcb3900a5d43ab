use super::{super::place_order::samples, super::signal_order, *};
use orders::v1::signal_order_request as signal;
use orders_domain::{
    command::ReviewOrder, money::Money, payment_method::PaymentMethodType, place::Violation,
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
