//! Whose money, how much of it, how often.

use super::{CAPTURED, CHARGES, KEPT, MOVEMENTS, REFUNDS};
use orders::{
    google::r#type::Money,
    v1::{CloseReason, LineItem, OrderState, PaymentState, ReviewDecision},
};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, order::dollars, shared, sku, unique,
};
use tonic::Code;

/// Seed 004: the second order got the payment of the first, and refunding one marked the other. Here
/// each order has a payment of its own.
#[tokio::test]
async fn defect_01_two_orders_never_share_a_payment() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = || Placing::new("approval", &sku).price(8_999, 900_000_000);
    let (first, second) = (placing(), placing());
    let (first_id, second_id) = (first.id(), second.id());
    tokio::join!(client.place(first), client.place(second));
    let first = client.until(&first_id, OrderState::AwaitingApproval).await;
    let second = client.until(&second_id, OrderState::AwaitingApproval).await;
    let (first, second) = (first.payment.unwrap(), second.payment.unwrap());
    assert_ne!(first.payment_id, second.payment_id);
    assert_ne!(first.transaction_id, second.transaction_id);

    client
        .review(&first_id, ReviewDecision::Reject)
        .await
        .unwrap();
    client.until(&first_id, OrderState::Rejected).await;
    let other = client.get(&second_id).await.payment.unwrap();
    assert_eq!(other.state(), PaymentState::Captured);
    assert!(other.refunded_amount.is_none());
    client
        .review(&second_id, ReviewDecision::Approve)
        .await
        .unwrap();
    client.until(&second_id, OrderState::InTransit).await;
    for (id, refunds, kept) in [(&first_id, 1, 0), (&second_id, 0, 899_990)] {
        assert_eq!(server.count(CHARGES, id).await, 1);
        assert_eq!(server.count(REFUNDS, id).await, refunds);
        assert_eq!(server.count(KEPT, id).await, kept);
    }
}

/// Seed 003: a cancellation after the charge kept the money. Here it is given back, also while the
/// shipping lane is at work.
#[tokio::test]
async fn defect_02_a_cancel_after_the_charge_gives_the_money_back() {
    let failing = ServerOptions::default()
        .arg("--simulate")
        .arg("shipping:error=1");
    let server = TestServer::start(failing).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("shipping-lane", &sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::InFulfillment).await;
    assert_eq!(server.count(CAPTURED, &id).await, 1_999);
    client.cancel(&id).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::CustomerCancelled);
    let payment = order.payment.unwrap();
    assert_eq!(payment.state(), PaymentState::Refunded);
    assert_eq!(payment.refunded_amount, order.total);
    assert_eq!(server.count(REFUNDS, &id).await, 1);
    assert_eq!(server.count(KEPT, &id).await, 0);
}

/// Seed 001: 1.00 was accepted for 999.99. Here it counts for 1.00, and the order waits for the rest.
#[tokio::test]
async fn defect_04_one_dollar_does_not_pay_nine_hundred_ninety_nine() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("external-payment", &sku).price(999, 990_000_000);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    let euros = Money {
        currency_code: "EUR".to_owned(),
        ..dollars(999, 990_000_000)
    };
    let refused = client.confirm_payment(&id, euros).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
    assert_eq!(refused.reason, "CURRENCY_MISMATCH");
    for amount in [dollars(0, 0), dollars(-1, 0)] {
        let refused = client.confirm_payment(&id, amount).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument);
    }
    assert_eq!(server.count(MOVEMENTS, &id).await, 0);
    let part = client.confirm_payment(&id, dollars(1, 0)).await.unwrap();
    assert_eq!(part.state(), OrderState::AwaitingPayment);
    assert_eq!(part.payment.unwrap().captured_amount, Some(dollars(1, 0)));
    let rest = dollars(998, 990_000_000);
    client
        .confirm_payment_as(&id, "TXN-rest", rest)
        .await
        .unwrap();
    client.until(&id, OrderState::InTransit).await;
    assert_eq!(server.count(CAPTURED, &id).await, 99_999);
}

/// Seed 000: when the answer to the charge was lost, the retry charged again. Here the key of the
/// charge finds the first one.
#[tokio::test]
async fn defect_08_a_lost_answer_charges_once() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30).token("tok-lost-answer");
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    assert_eq!(
        client.count_events(&id, "ATTEMPT_FAILED").await,
        1,
        "lost once"
    );
    assert_eq!(server.count(CHARGES, &id).await, 1);
    assert_eq!(server.count(CAPTURED, &id).await, 1_999);
}

/// All seeds count money as floats, where 0.1 + 0.2 is not 0.3. Here it is exact to the minor unit of
/// its currency, taken and given back.
#[tokio::test]
async fn defect_14_money_is_exact() {
    let server = shared().await;
    let client = server.client().await;
    let cents = |count: i32| ("USD", 0, count * 10_000_000);
    // Lines of (currency, units, nanos) and pieces; the total in minor units.
    let cases = [
        // As floats 0.30000000000000004, and truncated to cents 0.30 or 0.31.
        (vec![(cents(10), 1), (cents(20), 1)], 30),
        (vec![(cents(10), 3)], 30),
        (vec![(("USD", 1, 150_000_000), 100)], 11_500),
        (vec![(("USD", 19, 990_000_000), 100)], 199_900),
        // 2^53 + 1 cents: the first that a float cannot hold.
        (
            vec![(("USD", 90_071_992_547_409, 930_000_000), 1)],
            9_007_199_254_740_993,
        ),
        // Yen have no minor unit, dinars have three digits.
        (vec![(("JPY", 1_234, 0), 3)], 3_702),
        (vec![(("KWD", 0, 1_000_000), 3)], 3),
    ];
    for (lines, total) in cases {
        let sku = sku();
        client.stock(&sku, 1_000).await;
        let mut placing = Placing::pre_order(&sku, 30);
        let items = lines.iter().map(|((currency, units, nanos), quantity)| {
            item(&sku, money(currency, *units, *nanos), *quantity)
        });
        placing.0.line_items = items.collect();
        paid_and_refunded(&client, server, placing, total).await;
    }
    let sku = sku();
    client.stock(&sku, 1).await;
    for (price, field) in [
        (
            money("JPY", 1, 500_000_000),
            "line_items[0].unit_price.nanos",
        ),
        (money("USD", 0, 1), "line_items[0].unit_price.nanos"),
    ] {
        let mut placing = Placing::pre_order(&sku, 30);
        placing.0.line_items = vec![item(&sku, price, 1)];
        let refused = client.try_place(placing).await.unwrap_err();
        assert_eq!(refused.fields(), [field], "half a yen is no amount");
    }
}

fn money(currency: &str, units: i64, nanos: i32) -> Money {
    Money {
        currency_code: currency.to_owned(),
        units,
        nanos,
    }
}

fn item(sku: &str, price: Money, quantity: i64) -> LineItem {
    LineItem {
        sku: sku.to_owned(),
        name: unique("thing"),
        quantity,
        unit_price: Some(price),
    }
}

/// What is taken is the total, and what is given back is what was taken.
async fn paid_and_refunded(client: &Client, server: &TestServer, placing: Placing, total: i64) {
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::AwaitingRelease).await;
    assert_eq!(order.payment.unwrap().captured_amount, order.total);
    assert_eq!(server.count(CAPTURED, &id).await, total);
    client.cancel(&id).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.payment.unwrap().refunded_amount, order.total);
    assert_eq!(server.count(KEPT, &id).await, 0);
}
