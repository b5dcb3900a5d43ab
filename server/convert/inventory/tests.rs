use super::*;
use orders_store::stock_command::PIECES_MOST;
use proptest::prelude::*;

fn fields<T>(parsed: Parsed<T>) -> Vec<String> {
    let found = parsed.err().unwrap_or_default();
    found.into_iter().map(|violation| violation.field).collect()
}

const NONE: [&str; 0] = [];

fn set(on_hand: i64, reorder_point: i64, reorder_level: i64) -> v1::SetStockItemRequest {
    v1::SetStockItemRequest {
        stock_item: Some(v1::StockItem {
            sku: "sku-1".to_owned(),
            on_hand: Some(on_hand),
            reserved: 77,
            available: -1,
            reorder_point: Some(reorder_point),
            reorder_level: Some(reorder_level),
            revision: -1,
        }),
        request_id: "request-1".to_owned(),
        actor: String::new(),
        expected_revision: None,
    }
}

#[test]
fn a_sku_has_1_to_64_printable_characters() {
    let get = |sku: String| get_stock_item(&v1::GetStockItemRequest { sku });
    assert_eq!(get("sku 1".to_owned()), Ok("sku 1".to_owned()));
    assert!(get("ä".repeat(64)).is_ok());
    for sku in [
        "ä".repeat(65),
        String::new(),
        " a".to_owned(),
        "a\0".to_owned(),
    ] {
        assert_eq!(fields(get(sku)), ["sku"]);
    }
}

#[test]
fn stock_has_its_limits_and_what_the_server_sets_is_passed_over() {
    let asked = set_stock_item(&set(10, 5, 8)).unwrap();
    assert_eq!(
        asked.command,
        StockCommand::Set {
            on_hand: Some(10),
            reorder_point: Some(5),
            reorder_level: Some(8),
        }
    );
    let wrong = |a, b, c| fields(set_stock_item(&set(a, b, c)));
    let most = PIECES_MOST;
    assert_eq!(wrong(0, 0, 0), NONE);
    assert_eq!(wrong(most, most, most), NONE);
    assert_eq!(wrong(most + 1, 0, 0), ["stock_item.on_hand"]);
    assert_eq!(wrong(-1, 0, 0), ["stock_item.on_hand"]);
    assert_eq!(wrong(0, most + 1, 0), ["stock_item.reorder_point"]);
    assert_eq!(wrong(0, -1, 0), ["stock_item.reorder_point"]);
    assert_eq!(wrong(0, 0, most + 1), ["stock_item.reorder_level"]);
    assert_eq!(wrong(0, 0, -1), ["stock_item.reorder_level"]);
    assert_eq!(wrong(0, 5, 0), NONE);
    assert_eq!(wrong(0, 5, 5), NONE);
    assert_eq!(wrong(0, 5, 4), ["stock_item.reorder_level"]);
    assert_eq!(
        fields(set_stock_item(&Default::default())),
        ["stock_item", "request_id"]
    );
    let mut long = set(0, 0, 0);
    long.request_id = "x".repeat(129);
    long.actor = "x".repeat(129);
    assert_eq!(fields(set_stock_item(&long)), ["request_id", "actor"]);
}

#[test]
fn what_is_left_out_is_not_zero() {
    let mut part = set(10, 5, 8);
    let item = part.stock_item.as_mut().unwrap();
    (item.on_hand, item.reorder_level) = (None, None);
    let asked = set_stock_item(&part).unwrap();
    assert_eq!(
        asked.command,
        StockCommand::Set {
            on_hand: None,
            reorder_point: Some(5),
            reorder_level: None,
        }
    );
    // Whether it fits to what is kept, the store knows.
    let item = part.stock_item.as_mut().unwrap();
    (item.reorder_point, item.reorder_level) = (None, Some(1));
    assert!(set_stock_item(&part).is_ok());
    part.expected_revision = Some(-1);
    assert_eq!(fields(set_stock_item(&part)), ["expected_revision"]);
    part.expected_revision = Some(0);
    assert_eq!(set_stock_item(&part).unwrap().expected_revision, Some(0));
}

#[test]
fn an_adjustment_has_a_difference_and_a_reason() {
    let adjust = |delta, reason: &str, expected_revision| {
        adjust_stock(&v1::AdjustStockRequest {
            sku: "sku-1".to_owned(),
            delta,
            reason: reason.to_owned(),
            request_id: "request-1".to_owned(),
            actor: "grace".to_owned(),
            expected_revision,
        })
    };
    let asked = adjust(-4, "broken", Some(3)).unwrap();
    assert_eq!(
        (asked.sku.as_str(), asked.expected_revision),
        ("sku-1", Some(3))
    );
    let command = StockCommand::Adjust {
        delta: -4,
        reason: "broken".to_owned(),
    };
    assert_eq!(asked.command, command);
    for delta in [PIECES_MOST, -PIECES_MOST, 1, -1] {
        assert!(adjust(delta, "x", None).is_ok(), "{delta}");
    }
    for delta in [0, PIECES_MOST + 1, -PIECES_MOST - 1, i64::MIN, i64::MAX] {
        assert_eq!(fields(adjust(delta, "x", None)), ["delta"], "{delta}");
    }
    assert_eq!(
        fields(adjust(1, " ", Some(0))),
        ["reason", "expected_revision"]
    );
    assert_eq!(
        fields(adjust_stock(&Default::default())),
        ["sku", "delta", "reason", "request_id"]
    );
}

#[test]
fn lists_go_on_where_the_page_before_ended() {
    let stock = |page_size, page_token| {
        list_stock_items(&v1::ListStockItemsRequest {
            page_size,
            page_token,
        })
    };
    let first = stock(0, String::new()).unwrap();
    assert_eq!((first.after_sku.as_str(), first.page_size), ("", 50));
    let token = first.token("sku-9");
    assert_eq!(stock(0, token.clone()).unwrap().after_sku, "sku-9");
    assert_eq!(
        fields(stock(-1, "x".to_owned())),
        ["page_size", "page_token"]
    );

    let supplier = |sku: &str, page_token: String| {
        list_supplier_orders(&v1::ListSupplierOrdersRequest {
            sku: sku.to_owned(),
            page_size: 5,
            page_token,
        })
    };
    let last = Position {
        open_time: "2026-01-01T00:00:00Z".parse().unwrap(),
        supplier_order_id: "supply-1".to_owned(),
    };
    let all = supplier("", String::new()).unwrap();
    assert_eq!((all.sku.clone(), all.after.clone()), (None, None));
    let next = supplier("", all.token(&last)).unwrap();
    assert_eq!(next.after, Some(last.clone()));
    assert_eq!(
        supplier("a", String::new()).unwrap().sku.as_deref(),
        Some("a")
    );
    assert_eq!(fields(supplier("a", all.token(&last))), ["page_token"]);
    assert_eq!(fields(supplier("", token)), ["page_token"]);
    assert_eq!(fields(supplier(&"x".repeat(65), String::new())), ["sku"]);
}

#[test]
fn a_supplier_order_is_open_until_it_is_delivered() {
    let open_time: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let open = SupplierOrder {
        supplier_order_id: "sup-1".to_owned(),
        sku: "a".to_owned(),
        quantity: 9_999,
        open_time,
        due_time: Some(open_time),
        deliver_time: None,
    };
    let message = supplier_order(&open);
    assert_eq!(message.state(), v1::SupplierOrderState::Open);
    assert_eq!((message.quantity, message.deliver_time), (9_999, None));
    let delivered = SupplierOrder {
        deliver_time: Some(open_time),
        ..open
    };
    let message = supplier_order(&delivered);
    assert_eq!(message.state(), v1::SupplierOrderState::Delivered);
    assert_eq!(message.deliver_time, message.open_time);
}

proptest! {
    #[test]
    fn no_stock_panics(a: i64, b: i64, c: i64, sku in ".{0,70}") {
        let mut request = set(a, b, c);
        if let Some(item) = &mut request.stock_item {
            item.sku = sku;
        }
        if let Ok(StockRequest { command: StockCommand::Set { on_hand, .. }, .. }) =
            set_stock_item(&request)
        {
            prop_assert!(on_hand.is_some_and(|pieces| pieces >= 0));
        }
    }
}
