//! Bad requests: every field is named at once, and nothing is started.

use orders::v1::{LineItem, PlaceOrderRequest, SetStockItemRequest, StockItem};
use orders_test_support::{Placing, Refused, order::dollars, shared, sku, temporal, unique};
use std::time::{Duration, SystemTime};
use tonic::Code;

#[tokio::test]
async fn an_empty_request_names_everything_that_is_missing() {
    let client = shared().await.client().await;
    let refused = client
        .try_place(PlaceOrderRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
    let fields = refused.fields();
    for field in [
        "customer_id",
        "line_items",
        "policy",
        "request_id",
        "shipping_address",
    ] {
        assert!(
            fields.contains(&field.to_owned()),
            "{field} is missing in {fields:?}"
        );
    }
}

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_is_started() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let good = || Placing::new("standard", &sku).0;
    let item = |quantity, units, nanos| LineItem {
        sku: sku.clone(),
        name: String::new(),
        quantity,
        unit_price: Some(dollars(units, nanos)),
    };
    let mut euros = item(1, 1, 0);
    euros.unit_price.as_mut().unwrap().currency_code = "EUR".to_owned();
    let mut no_currency = item(1, 1, 0);
    no_currency.unit_price.as_mut().unwrap().currency_code = "XYZ".to_owned();
    let past = SystemTime::now() - Duration::from_secs(8 * 24 * 3600);

    let cases: Vec<(&str, PlaceOrderRequest, Vec<&str>)> = vec![
        (
            "no items",
            PlaceOrderRequest {
                line_items: vec![],
                ..good()
            },
            vec!["line_items"],
        ),
        (
            "quantities",
            PlaceOrderRequest {
                line_items: vec![item(0, 1, 0), item(-1, 1, 0)],
                ..good()
            },
            vec!["line_items[0].quantity", "line_items[1].quantity"],
        ),
        (
            "a negative price",
            PlaceOrderRequest {
                line_items: vec![item(1, -1, 0)],
                ..good()
            },
            vec!["line_items[0].unit_price"],
        ),
        (
            "nanos out of range",
            PlaceOrderRequest {
                line_items: vec![item(1, 1, 1_000_000_000)],
                ..good()
            },
            vec!["line_items[0].unit_price.nanos"],
        ),
        (
            "finer than a cent",
            PlaceOrderRequest {
                line_items: vec![item(1, 1, 1)],
                ..good()
            },
            vec!["line_items[0].unit_price.nanos"],
        ),
        (
            "mixed currencies",
            PlaceOrderRequest {
                line_items: vec![item(1, 1, 0), euros],
                ..good()
            },
            vec!["line_items[1].unit_price.currency_code"],
        ),
        (
            "an unknown currency",
            PlaceOrderRequest {
                line_items: vec![no_currency],
                ..good()
            },
            vec!["line_items[0].unit_price.currency_code"],
        ),
        (
            "no address",
            PlaceOrderRequest {
                shipping_address: None,
                ..good()
            },
            vec!["shipping_address"],
        ),
        (
            "an unknown policy",
            PlaceOrderRequest {
                policy: "nonsense".to_owned(),
                ..good()
            },
            vec!["policy"],
        ),
        (
            "a release that is over",
            PlaceOrderRequest {
                policy: "pre-order".to_owned(),
                release_time: Some(past.into()),
                ..good()
            },
            vec!["release_time"],
        ),
        (
            "a pre-order without release",
            PlaceOrderRequest {
                policy: "pre-order".to_owned(),
                ..good()
            },
            vec!["release_time"],
        ),
        (
            "characters that do not belong in an id",
            PlaceOrderRequest {
                order_id: "../etc passwd".to_owned(),
                ..good()
            },
            vec!["order_id"],
        ),
        (
            "no payment method",
            PlaceOrderRequest {
                payment_method: None,
                ..good()
            },
            vec!["payment_method"],
        ),
        (
            "an unknown sku",
            PlaceOrderRequest {
                line_items: vec![LineItem {
                    sku: unique("nothing"),
                    ..item(1, 1, 0)
                }],
                ..good()
            },
            vec!["line_items[0].sku"],
        ),
    ];
    for (name, request, expected) in cases {
        let id = request.order_id.clone();
        let refused = client.try_place(request).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument, "{name}: {refused:?}");
        let fields = refused.fields();
        let found = expected
            .iter()
            .all(|field| fields.iter().any(|f| f.starts_with(field)));
        assert!(found, "{name}: {expected:?} is not in {fields:?}");
        assert_eq!(fields.len(), expected.len(), "{name}: {fields:?}");
        assert_not_started(server, &id).await;
    }
}

async fn assert_not_started(server: &orders_test_support::TestServer, order_id: &str) {
    let rows = "SELECT count(*) FROM orders WHERE order_id = $1";
    assert_eq!(server.count(rows, order_id).await, 0);
    let client = temporal::connect(&server.temporal_address()).await;
    let handle = client
        .get_workflow_handle::<temporalio_client::UntypedWorkflow>(format!("order/{order_id}"));
    let described = handle.describe(Default::default()).await;
    assert!(
        described.is_err(),
        "Temporal has a workflow for a refused order"
    );
}

#[tokio::test]
async fn ten_thousand_line_items_get_a_short_answer() {
    let client = shared().await.client().await;
    let mut placing = Placing::new("standard", "sku");
    placing.0.line_items = vec![placing.0.line_items[0].clone(); 10_000];
    let refused = client.try_place(placing).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(refused.fields(), ["line_items"]);
}

#[tokio::test]
async fn very_many_violations_get_an_answer_that_every_client_takes() {
    let client = shared().await.client().await;
    let mut placing = Placing::new("no-such-policy", "sku");
    placing.0.request_id = "\u{1F4B6}".repeat(100_000);
    placing.0.line_items = vec![LineItem::default(); 200];
    let refused = client.orders.clone().place_order(placing.0).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    // Base64 makes three bytes four, and the message escapes each byte that is no ASCII by three.
    let message = status.message().bytes();
    let message: usize = message
        .map(|byte| if byte.is_ascii() { 1 } else { 3 })
        .sum();
    let size = status.details().len() * 4 / 3 + message;
    assert!(size < 7 * 1024, "{size} bytes of trailers");
    let refused = Refused::from(status);
    let bad = refused.details.bad_request().unwrap();
    let last = bad.field_violations.last().unwrap();
    assert_eq!(last.field, "");
    assert!(last.description.ends_with("more violations"), "{last:?}");
}

#[tokio::test]
async fn commands_name_their_fields_too() {
    let client = shared().await.client().await;
    let request = orders::v1::ReviewOrderRequest {
        order_id: "not an id!".to_owned(),
        expected_revision: Some(-1),
        ..Default::default()
    };
    let refused = client
        .orders
        .clone()
        .review_order(request)
        .await
        .unwrap_err();
    let refused = Refused::from(refused);
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(
        refused.fields(),
        [
            "decision",
            "expected_revision",
            "order_id",
            "request_id",
            "reviewer"
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let client = shared().await.client().await;
    let refused = client.cancel("no-such-order").await.unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::NotFound, "ORDER_NOT_FOUND")
    );
    let info = refused.details.resource_info().unwrap();
    assert_eq!(
        (info.resource_type.as_str(), info.resource_name.as_str()),
        ("orders.v1.Order", "no-such-order")
    );
    let request = orders::v1::GetStockItemRequest {
        sku: "no-such-sku".to_owned(),
    };
    let refused = client
        .inventory
        .clone()
        .get_stock_item(request)
        .await
        .unwrap_err();
    assert_eq!(Refused::from(refused).reason, "STOCK_ITEM_NOT_FOUND");
}

#[tokio::test]
async fn stock_numbers_are_checked() {
    let client = shared().await.client().await;
    let request = SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: String::new(),
            on_hand: Some(-1),
            reorder_point: Some(-1),
            ..StockItem::default()
        }),
        ..SetStockItemRequest::default()
    };
    let refused = Refused::from(
        client
            .inventory
            .clone()
            .set_stock_item(request)
            .await
            .unwrap_err(),
    );
    assert_eq!(refused.code, Code::InvalidArgument);
    let fields = refused.fields();
    for field in [
        "request_id",
        "stock_item.on_hand",
        "stock_item.reorder_point",
        "stock_item.sku",
    ] {
        assert!(
            fields.contains(&field.to_owned()),
            "{field} is missing in {fields:?}"
        );
    }
}
