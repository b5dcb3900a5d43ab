//! Payment tokens are worth money: they come in, reach the provider, and are found nowhere else.

use base64::{Engine, engine::general_purpose::STANDARD};
use orders::v1::{
    ConfirmPaymentRequest, GetOrderRequest, ListOrderEventsRequest, ListOrdersRequest, OrderState,
    PaymentMethod, SignalOrderRequest, signal_order_request,
};
use orders_test_support::{Cli, Placing, ServerOptions, TestServer, shared, sku, temporal, unique};
use prost::Message;
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use std::{collections::BTreeSet, process::Command};
use tonic::Code;

/// All tables in which some column holds `text`.
async fn tables_with(database: &mut AnyConnection, text: &str) -> BTreeSet<String> {
    let columns = match database.backend_name() {
        "PostgreSQL" => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT)
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
        _ => {
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table'"
        }
    };
    let columns = sqlx::query(columns)
        .fetch_all(&mut *database)
        .await
        .unwrap();
    let mut tables = BTreeSet::new();
    for row in columns {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let count = format!(
            r#"SELECT COUNT(*) FROM "{table}" WHERE CAST("{column}" AS TEXT) LIKE '%{text}%'"#
        );
        // The names are the database's own, and the text is the test's.
        let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(count));
        if count.fetch_one(&mut *database).await.unwrap() > 0 {
            tables.insert(table);
        }
    }
    tables
}

/// The history of a workflow as Temporal keeps it, with all payloads decoded beside it.
fn history(address: &str, workflow_id: &str) -> String {
    fn decoded(value: &Value, into: &mut String) {
        match value {
            Value::String(text) => {
                if let Ok(bytes) = STANDARD.decode(text) {
                    into.push_str(&String::from_utf8_lossy(&bytes));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| decoded(item, into)),
            Value::Object(fields) => fields.values().for_each(|field| decoded(field, into)),
            _ => {}
        }
    }
    let output = Command::new(temporal::tool("temporal").expect("run `make tools`"))
        .args(["workflow", "show", "--workflow-id", workflow_id])
        .args(["--output", "json", "--address", address])
        .output()
        .unwrap();
    assert!(output.status.success(), "{workflow_id}: {output:?}");
    let mut text = String::from_utf8(output.stdout).unwrap();
    let history = serde_json::from_str(&text).unwrap();
    decoded(&history, &mut text);
    text
}

fn holds(message: &impl Message, text: &str) -> bool {
    let (bytes, text) = (message.encode_to_vec(), text.as_bytes());
    bytes.windows(text.len()).any(|part| part == text)
}

#[tokio::test]
async fn a_token_is_found_nowhere_once_it_was_used() {
    let options = ServerOptions::default().env("ORDERS_LOG_LEVEL", "debug");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let (sku, customer, token) = (sku(), unique("customer"), unique("canary"));
    client.stock(&sku, 10).await;
    let placing = |policy: &str| {
        let mut placing = match policy {
            "pre-order" => Placing::pre_order(&sku, 30),
            policy => Placing::new(policy, &sku),
        };
        placing.0.customer_id = customer.clone();
        placing.token(&token)
    };

    // Each policy's way, one of them back; and twice a confirmation that brings the token, too.
    let [standard, held, lane, outside] =
        ["standard", "pre-order", "shipping-lane", "external-payment"].map(placing);
    let ids = [&standard, &held, &lane, &outside].map(Placing::id);
    let again = standard.clone();
    for placing in [standard, held, lane, outside] {
        let order = client.place(placing).await;
        assert!(!holds(&order, &token), "PlaceOrder");
    }
    client.until(&ids[0], OrderState::InTransit).await;
    client.confirm_delivery(&ids[0]).await.unwrap();
    client.until(&ids[0], OrderState::Completed).await;
    client.until(&ids[1], OrderState::AwaitingRelease).await;
    client.cancel(&ids[1]).await.unwrap();
    client.until(&ids[1], OrderState::Cancelled).await;
    client.until(&ids[2], OrderState::Completed).await;
    let waiting = client.until(&ids[3], OrderState::AwaitingPayment).await;
    let method = PaymentMethod {
        token: token.clone(),
        last4: "4242".to_owned(),
        ..PaymentMethod::default()
    };
    let confirm = signal_order_request::ConfirmPayment {
        transaction_id: unique("bank"),
        amount: waiting.total.clone(),
        payment_method: Some(method.clone()),
    };
    let signal = SignalOrderRequest {
        order_id: ids[3].clone(),
        request_id: unique("signal"),
        command: Some(signal_order_request::Command::ConfirmPayment(confirm)),
        ..SignalOrderRequest::default()
    };
    client.orders.clone().signal_order(signal).await.unwrap();
    client.until(&ids[3], OrderState::InTransit).await;
    let late = ConfirmPaymentRequest {
        order_id: ids[3].clone(),
        request_id: unique("confirm"),
        transaction_id: unique("bank"),
        amount: waiting.total,
        payment_method: Some(method),
        ..ConfirmPaymentRequest::default()
    };
    let _ = client.orders.clone().confirm_payment(late).await;
    client.confirm_delivery(&ids[3]).await.unwrap();
    client.until(&ids[3], OrderState::Completed).await;

    // The same request again is known without its token being kept.
    let order = client.place(again).await;
    assert_eq!(order.state(), OrderState::Completed);
    assert!(!holds(&order, &token), "PlaceOrder again");

    let mut service = client.orders.clone();
    let listed = ListOrdersRequest {
        filter: format!("customer_id = {customer:?}"),
        ..ListOrdersRequest::default()
    };
    let listed = service.list_orders(listed).await.unwrap().into_inner();
    assert_eq!(listed.orders.len(), 4);
    assert!(!holds(&listed, &token), "ListOrders");
    let (_, mut watch) = client.watch_many("", "").await.unwrap();
    client.place(placing("standard")).await;
    let told = orders_test_support::watch::next(&mut watch).await.unwrap();
    assert!(!holds(&told.unwrap(), &token), "WatchOrders");
    let (cli, address) = (Cli::of(&server), server.temporal_address());
    for id in &ids {
        let order_id = id.clone();
        let order = GetOrderRequest {
            order_id: order_id.clone(),
            ..GetOrderRequest::default()
        };
        let order = service.get_order(order).await.unwrap().into_inner();
        assert!(
            holds(&order, &customer) && !holds(&order, &token),
            "GetOrder"
        );
        let events = ListOrderEventsRequest {
            order_id,
            page_size: 1_000,
            ..ListOrderEventsRequest::default()
        };
        let events = service
            .list_order_events(events)
            .await
            .unwrap()
            .into_inner();
        assert!(
            !events.events.is_empty() && !holds(&events, &token),
            "ListOrderEvents"
        );
        for (event, order) in client.watch_to_the_end(id, 0).await {
            assert!(
                !holds(&event, &token) && !holds(&order, &token),
                "WatchOrder"
            );
        }
        for command in ["get", "events", "compensations"] {
            for output in ["text", "json"] {
                let said = cli.out(&[command, id, "--output", output]);
                assert!(!said.contains(&token), "{command}: {said}");
            }
        }
        let history = history(&address, &format!("order/{id}"));
        assert!(history.contains(&customer), "the payloads are read");
        assert!(!history.contains(&token), "{history}");
    }
    let lane = history(&address, &format!("shipping/{}", ids[2]));
    assert!(lane.contains(&customer) && !lane.contains(&token), "{lane}");
    let log = server.process.output();
    assert!(log.contains(&ids[0]) && !log.contains(&token), "the log");
    orders_test_support::eventually("the last order to be paid", async || {
        let mut database = server.database().await;
        assert!(
            tables_with(&mut database, &customer)
                .await
                .contains("orders")
        );
        let found = tables_with(&mut database, &token).await;
        database.close().await.unwrap();
        // Nowhere else at any time, and in the end not even there.
        let elsewhere = found.iter().find(|table| *table != "payment_tokens");
        assert_eq!(elsewhere, None);
        found.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_token_of_one_customer_is_refused_for_another() {
    let server = shared().await;
    let client = server.client().await;
    let (sku, token) = (sku(), unique("pm"));
    client.stock(&sku, 10).await;
    let placing = |customer: &str, token: &str| {
        let mut placing = Placing::new("standard", &sku).token(token);
        placing.0.customer_id = customer.to_owned();
        placing
    };
    let (ada, mallory) = (unique("ada"), unique("mallory"));
    let first = placing(&ada, &token);
    let first_id = client.place(first.clone()).await.order_id;
    client.until(&first_id, OrderState::InTransit).await;

    // Also after the token was used and deleted.
    let stolen = placing(&mallory, &token);
    for _ in 0..2 {
        let refused = client.try_place(stolen.clone()).await.unwrap_err();
        assert_eq!(refused.code, Code::FailedPrecondition);
        assert_eq!(refused.reason, "PAYMENT_TOKEN_OF_ANOTHER_CUSTOMER");
        let said = format!("{refused:?}");
        assert!(!said.contains(&token) && !said.contains(&ada), "{said}");
    }
    let nothing = client.try_get(&stolen.id()).await.unwrap_err();
    assert_eq!(nothing, Code::NotFound);
    // A refusal is not remembered: with its own token the same order is placed.
    client.place(stolen.token(&unique("pm"))).await;
    // Its owner may use it again, and ask again.
    client.place(placing(&ada, &token)).await;
    assert_eq!(client.place(first).await.order_id, first_id);
    // The embedded provider's test tokens belong to everybody.
    for customer in [&ada, &mallory] {
        client.place(placing(customer, "tok-good")).await;
    }
}
