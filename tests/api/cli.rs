//! The command line client, against a real server.

mod exit_codes;
mod retry;

use orders::v1::OrderState;
use orders_test_support::{Cli, eventually, shared, sku, unique};
use std::process::{Command, Stdio};

#[tokio::test]
async fn a_pre_order_goes_its_whole_way() {
    let server = shared().await;
    let (cli, sku, id) = (Cli::of(server), sku(), unique("order"));
    let stock = cli.out(&["stock", "set", &sku, "--on-hand", "10"]);
    assert!(stock.contains("AVAILABLE"), "{stock}");

    let placed = cli.held(&id, &sku);
    assert_eq!(placed.code, Some(0), "{placed:?}");
    assert!(
        placed
            .out
            .starts_with(&format!("{id}: AWAITING_RELEASE, revision "))
    );
    assert_eq!(cli.out(&["status", &id]), "AWAITING_RELEASE\n");
    let deadline = cli.out(&["deadline", &id]);
    assert!(deadline.starts_with("RELEASE until "), "{deadline}");
    assert!(deadline.contains(", in 36 d 23 h"), "{deadline}");
    assert_eq!(cli.out(&["compensations", &id]), "none\n");
    let shown = cli.out(&["get", &id]);
    for part in [
        &format!("items          2 x {sku} (Console)  499.99 USD  = 999.98 USD\n"),
        "total          999.98 USD\n",
        "payment        CAPTURED, captured 999.98 USD, credit card ending in 4242",
        "reservation    RESERVED",
        "ship to        1 Main St, San Francisco, 94105, US\n",
        "allowed now    start-fulfillment, update-address, cancel\n",
        "web UI         http://",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }

    let address = ["--line1", "2 Other St", "--city", "Boston"];
    let country = ["--postal-code", "02101", "--country", "US"];
    cli.out(&[&["update-address", &id], &address[..], &country[..]].concat());
    let start = [
        "start-fulfillment",
        &id,
        "--request-id",
        &id,
        "--actor",
        "grace",
    ];
    let started = cli.out(&start);
    assert!(
        started.starts_with(&format!("{id}: IN_FULFILLMENT, revision ")),
        "{started}"
    );
    let again = cli.out(&start);
    assert!(again.ends_with(" (answered before)\n"), "{again}");
    server.client().await.until_pickup_requested(&id).await;
    let picked_up = cli.out(&["confirm-pickup", &id, "--tracking-number", "track-1"]);
    assert!(picked_up.contains("IN_TRANSIT"), "{picked_up}");
    cli.out(&["confirm-delivery", &id]);
    let shown = cli.out(&["get", &id, "--wait", "COMPLETED", "--timeout", "30s"]);
    for part in [
        "state          COMPLETED (COMPLETED)\n",
        "2 Other St, Boston, 02101, US",
        "tracking number track-1",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }

    let events = cli.out(&["events", &id]);
    for part in [
        "ELAPSED",
        "+0.000 s",
        "payment charged",
        "grace",
        "closed: COMPLETED",
    ] {
        assert!(events.contains(part), "{part} in\n{events}");
    }
    let stock = cli.json(&["stock", "get", &sku]);
    assert_eq!(stock["stockItem"]["onHand"], "8");
}

/// What a person changes has a name, whichever command it is.
#[tokio::test]
async fn every_change_is_by_who_is_logged_in_unless_it_says_otherwise() {
    let server = shared().await;
    let client = server.client().await;
    let (sku, id) = (sku(), unique("order"));
    let cli = Cli::of(server).env("USER", "grace");
    cli.out(&["stock", "set", &sku, "--on-hand", "10"]);
    let item = format!("{sku}:1:8999.90");
    let place = [
        "place",
        "--order-id",
        &id,
        "--customer",
        "ada",
        "--policy",
        "approval",
    ];
    let address = [
        "--line1",
        "1 Main St",
        "--city",
        "Boston",
        "--postal-code",
        "02101",
    ];
    let paid = ["--country", "US", "--token", "tok-good", "--item", &item];
    cli.out(&[&place[..], &address[..], &paid[..]].concat());
    client.until(&id, OrderState::AwaitingApproval).await;
    // Nobody cannot approve, nor can the service itself.
    for user in ["", "orders"] {
        let refused = Cli::of(server)
            .env("USER", user)
            .run(&["review", &id, "--approve"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains("reviewer"), "{refused:?}");
    }
    cli.out(
        &[
            &["update-address", &id][..],
            &address[..],
            &["--country", "US"],
        ]
        .concat(),
    );
    cli.out(&["review", &id, "--approve"]);
    let order = client.until(&id, OrderState::InTransit).await;
    assert_eq!(order.approval.unwrap().reviewer, "grace");
    cli.out(&["confirm-delivery", &id, "--actor", "ada"]);
    client.until(&id, OrderState::Completed).await;
    let events = cli.json(&["events", &id]);
    let events = events["events"].as_array().unwrap().iter();
    let by: Vec<&str> = events
        .map(|event| event["actor"].as_str().unwrap())
        .filter(|actor| *actor != "orders")
        .collect();
    assert_eq!(by, ["grace", "grace", "grace", "ada"]);
}

#[tokio::test]
async fn json_is_the_message_of_the_api() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server), sku());
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let order = client.get(&id).await;

    let got = cli.json(&["get", &id]);
    let got = &got["order"];
    assert_eq!(got["orderId"], id.as_str());
    assert_eq!(got["state"], "ORDER_STATE_AWAITING_RELEASE");
    assert_eq!(got["revision"], order.revision.to_string());
    let total = serde_json::json!({"currencyCode": "USD", "units": "19", "nanos": 990_000_000});
    assert_eq!(got["total"], total);
    let placed: jiff::Timestamp = got["placeTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(placed.as_second(), order.place_time.unwrap().seconds);
    for (command, field) in [("status", "state"), ("deadline", "deadline")] {
        let part = cli.json(&[command, &id]);
        assert!(part["order"][field].is_string() || part["order"][field].is_object());
        assert!(part["order"]["lineItems"].is_null(), "{part}");
    }

    let preview = cli.json(&["cancel", &id, "--dry-run"]);
    assert_eq!(preview["preview"]["refundAmount"]["units"], "19");
    let events = cli.json(&["events", &id]);
    let count = events["events"].as_array().unwrap().len();
    assert_eq!(count as i64, order.revision);
    let policies = cli.json(&["policies", "pre-order"]);
    assert_eq!(policies["policies"][0]["releaseGracePeriod"], "604800s");
    // Other tests keep stock on this server, too.
    let stock = cli.json(&["stock", "list"]);
    let mut items = stock["stockItems"].as_array().unwrap().iter();
    let item = items.find(|item| item["sku"] == sku.as_str()).unwrap();
    assert_eq!(item["reorderPoint"], "0");
}

#[tokio::test]
async fn a_dry_run_says_what_a_cancellation_undoes_and_changes_nothing() {
    let server = shared().await;
    let (cli, sku, id) = (Cli::of(server), sku(), unique("order"));
    cli.out(&["stock", "set", &sku, "--on-hand", "10"]);
    assert_eq!(cli.held(&id, &sku).code, Some(0));
    let before = cli.json(&["status", &id]);
    let preview = cli.out(&["cancel", &id, "--dry-run"]);
    assert!(preview.contains("AWAITING_RELEASE"), "{preview}");
    assert!(
        preview.contains(&format!("would release 2 x {sku}")),
        "{preview}"
    );
    assert!(preview.contains("would refund 999.98 USD"), "{preview}");
    assert_eq!(cli.json(&["status", &id]), before);

    let cancelled = cli.out(&["cancel", &id, "--reason", "changed my mind"]);
    assert!(cancelled.contains("CANCELLING"), "{cancelled}");
    assert!(cancelled.contains("will refund 999.98 USD"), "{cancelled}");
    let shown = cli.out(&["get", &id, "--wait", "cancelled", "--timeout", "30s"]);
    assert!(shown.contains("CANCELLED (CUSTOMER_CANCELLED)"), "{shown}");
    let undone = cli.out(&["compensations", &id]);
    let steps: Vec<_> = undone
        .lines()
        .map(|line| line.split("  ").next().unwrap())
        .collect();
    assert_eq!(steps, ["RELEASE_RESERVATION", "REFUND_PAYMENT"], "{undone}");
}

#[tokio::test]
async fn reviews_payments_and_signals_are_sent() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server), sku());
    client.stock(&sku, 50).await;

    let big = orders_test_support::Placing::new("approval", &sku).price(9_000, 0);
    let id = big.id();
    client.place(big).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    let review = [
        "review",
        &id,
        "--approve",
        "--reviewer",
        "admin@example.com",
    ];
    cli.out(&[&review[..], &["--reason", "verified by phone"]].concat());
    let shown = cli.out(&[
        "get",
        &id,
        "--wait",
        "in_transit,completed",
        "--timeout",
        "30s",
    ]);
    assert!(
        shown.contains("APPROVE, by admin@example.com, verified by phone"),
        "{shown}"
    );
    let events = cli.out(&["events", &id]);
    assert!(events.contains("approved (verified by phone)"), "{events}");

    let mut external = orders_test_support::Placing::new("external-payment", &sku);
    external.0.payment_method = None;
    let id = external.id();
    client.place(external).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    let pay = [
        "confirm-payment",
        &id,
        "--transaction-id",
        "tx-1",
        "--type",
        "paypal",
        "--amount",
    ];
    let wrong = cli.run(&[&pay[..], &["0.00"]].concat());
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("  amount: "), "{wrong:?}");
    cli.out(&[&pay[..], &["19.99"]].concat());
    let shown = cli.out(&["get", &id]);
    assert!(shown.contains("paypal, transaction tx-1"), "{shown}");

    let id = client.held(&sku).await;
    let signalled = cli.out(&["start-fulfillment", &id, "--signal", "--request-id", &id]);
    assert_eq!(signalled, format!("{id}: signalled with request id {id}\n"));
    cli.out(&["get", &id, "--wait", "IN_FULFILLMENT", "--timeout", "30s"]);
}

#[tokio::test]
async fn a_payment_is_in_the_currency_of_its_order_unless_it_says_otherwise() {
    let server = shared().await;
    let (cli, sku, id) = (Cli::of(server), sku(), unique("order"));
    cli.out(&["stock", "set", &sku, "--on-hand", "1"]);
    let item = format!("{sku}:1:19.99");
    let place = [
        "place",
        "--order-id",
        &id,
        "--customer",
        "ada",
        "--item",
        &item,
    ];
    let paid = ["--policy", "external-payment", "--currency", "EUR"];
    let address = ["--line1", "1 Main St", "--city", "Berlin"];
    let country = ["--postal-code", "10115", "--country", "DE"];
    let wait = ["--wait", "AWAITING_PAYMENT", "--timeout", "30s"];
    cli.out(&[&place[..], &paid, &address, &country, &wait].concat());
    let confirm = |transaction: &str, more: &[&str]| {
        let pay = ["confirm-payment", &id, "--amount", "19.99"];
        cli.run(&[&pay[..], &["--transaction-id", transaction], more].concat())
    };
    let wrong = unique("bank");
    let refused = confirm(&wrong, &["--currency", "USD"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    for part in [
        "not counted as paid",
        "noted with the order",
        "--currency EUR",
    ] {
        assert!(refused.err.contains(part), "{part} in {refused:?}");
    }
    let paid = confirm(&wrong, &[]);
    assert_eq!(paid.code, Some(0), "{paid:?}");
    let shown = cli.out(&["get", &id]);
    assert!(shown.contains("captured 19.99 EUR"), "{shown}");
}

#[tokio::test]
async fn what_was_ordered_from_the_supplier_is_listed() {
    let server = shared().await;
    let (cli, sku, id) = (Cli::of(server), sku(), unique("order"));
    let reorder = ["--reorder-point", "10", "--reorder-level", "20"];
    cli.out(&[&["stock", "set", &sku, "--on-hand", "10"], &reorder[..]].concat());
    let none = cli.out(&["stock", "supplier-orders", &sku]);
    assert_eq!(none.lines().count(), 1, "{none}");
    assert_eq!(cli.held(&id, &sku).code, Some(0));
    let listed = cli.json(&["stock", "supplier-orders", &sku]);
    let orders = listed["supplierOrders"].as_array().unwrap();
    assert_eq!(orders.len(), 1, "{listed}");
    assert_eq!(orders[0]["quantity"], "12");
    let table = cli.out(&["stock", "supplier-orders", &sku]);
    assert!(table.starts_with("SUPPLIER ORDER"), "{table}");
    assert!(table.contains(&sku), "{table}");
}

#[tokio::test]
async fn an_order_comes_from_a_file_of_the_api() {
    let server = shared().await;
    let (cli, sku, id) = (Cli::of(server), sku(), unique("order"));
    cli.out(&["stock", "set", &sku, "--on-hand", "10"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    let order = serde_json::json!({
        "request_id": unique("place"), "order_id": id, "customerId": "ada", "policy": "standard",
        "line_items": [{"sku": sku, "quantity": "1",
            "unit_price": {"currency_code": "USD", "units": 5}}],
        "shipping_address": {"line1": "1 Main St", "city": "Boston", "postal_code": "02101",
            "country_code": "US"},
        "payment_method": {"token": "tok-good"},
    });
    std::fs::write(&file, order.to_string()).unwrap();
    let path = file.to_str().unwrap();
    let place = ["place", "--file", path];
    assert_eq!(cli.out(&place), format!("{id}: PLACED, revision 1\n"));
    // The request id stands in the file, so the same file again is the same request.
    let again = cli.out(&place);
    assert!(again.ends_with(" (answered before)\n"), "{again}");
    let mixed = cli.run(&[&place[..], &["--customer", "grace"]].concat());
    assert_eq!(mixed.code, Some(2), "{mixed:?}");
    std::fs::write(&file, r#"{"order_idd": "x"}"#).unwrap();
    let wrong = cli.run(&place);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("order_idd"), "{wrong:?}");
}

#[tokio::test]
async fn a_list_is_filtered_and_follows_its_pages() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku, customer) = (Cli::of(server), sku(), unique("cus\"tomer"));
    client.stock(&sku, 10).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut placing = orders_test_support::Placing::new("standard", &sku);
        placing.0.customer_id.clone_from(&customer);
        ids.push(placing.id());
        client.place(placing).await;
    }
    let of_customer = ["list", "--customer", &customer, "--order-by", "place_time"];
    let table = cli.out(&of_customer);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.starts_with("ORDER "), "{table}");
    assert!(table.contains(" 19.99 USD "), "{table}");
    let some = cli.run(&[&of_customer[..], &["--limit", "2"]].concat());
    assert_eq!(
        (some.code, some.out.lines().count()),
        (Some(0), 3),
        "{some:?}"
    );
    assert!(some.err.contains("there are more"), "{some:?}");
    let all = cli.json(&[&of_customer[..], &["--limit", "0", "--policy", "standard"]].concat());
    let found = all["orders"].as_array().unwrap().iter();
    let found: Vec<_> = found
        .map(|order| order["orderId"].as_str().unwrap())
        .collect();
    assert_eq!(found, ids);
    let none = cli.out(&[&of_customer[..], &["--state", "awaiting_payment"]].concat());
    assert_eq!(none.lines().count(), 1, "{none}");
    let wrong = cli.run(&["list", "--filter", "colour = red"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("filter: at 1"), "{wrong:?}");
}

#[tokio::test]
async fn times_are_those_of_the_zone_of_whoever_asks() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let seconds = client.get(&id).await.place_time.unwrap().seconds;
    for (zone, offset) in [("<+0530>-5:30", "+05:30"), ("UTC0", "+00:00")] {
        let placed = jiff::Timestamp::from_second(seconds).unwrap();
        let fixed = jiff::tz::TimeZone::posix(zone).unwrap();
        let local = placed.to_zoned(fixed).strftime("%Y-%m-%d %H:%M:%S");
        let shown = Cli::of(server).env("TZ", zone).out(&["get", &id]);
        let line = format!("placed         {local} {offset}\n");
        assert!(shown.contains(&line), "{line} in\n{shown}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    let cli = Cli::at("127.0.0.1:1");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = cli.out(&["completions", shell]);
        for word in ["start-fulfillment", "expected-revision"] {
            assert!(script.contains(word), "{word} of {shell}");
        }
    }
}

#[test]
fn whoever_reads_may_stop_reading() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_orders"))
        .args(["completions", "bash"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// B3: a count alone turned replenishment off.
#[tokio::test]
async fn a_count_keeps_the_reorder_numbers_and_a_difference_is_added() {
    let server = shared().await;
    let (cli, sku) = (Cli::of(server), sku());
    let numbers = |document: &serde_json::Value| {
        let item = &document["stockItem"];
        ["onHand", "reorderPoint", "reorderLevel", "revision"]
            .map(|name| item[name].as_str().unwrap_or("none").to_owned())
    };
    let reorder = ["--reorder-point", "5", "--reorder-level", "20"];
    cli.out(&[&["stock", "set", &sku, "--on-hand", "10"], &reorder[..]].concat());
    let set = cli.json(&["stock", "set", &sku, "--on-hand", "30"]);
    assert_eq!(numbers(&set), ["30", "5", "20", "2"]);
    let zero = cli.json(&["stock", "set", &sku, "--reorder-level", "0"]);
    assert_eq!(numbers(&zero), ["30", "5", "0", "3"]);
    let adjust = ["stock", "adjust", &sku, "--reason", "goods received"];
    let more = cli.json(&[&adjust[..], &["--by", "+4"]].concat());
    assert_eq!(numbers(&more)[0], "34");
    let fewer = cli.out(&[&adjust[..], &["--by", "-1", "--expected-revision", "4"]].concat());
    assert!(fewer.contains(" 33 "), "{fewer}");
    let late = cli.run(&[&adjust[..], &["--by", "-1", "--expected-revision", "4"]].concat());
    assert_eq!(late.code, Some(5), "{late:?}");
    let nothing = cli.run(&["stock", "set", &sku]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
}

/// I3, FC-20: texts for people may hold anything; a terminal does not obey it, and shows it.
#[tokio::test]
async fn what_cannot_be_seen_is_printed_as_escapes() {
    const HIDDEN: &str = "Con\u{9b}1msole\u{202e}gro.live\u{200b}\u{2028}\u{7f}";
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server), sku());
    client.stock(&sku, 5).await;
    let mut placing = orders_test_support::Placing::pre_order(&sku, 30);
    placing.0.line_items[0].name = HIDDEN.to_owned();
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;

    let shown = cli.out(&["get", &id]);
    let escaped = "Con\\u{9b}1msole\\u{202e}gro.live\\u{200b}\\u{2028}\\u{7f}";
    assert!(shown.contains(escaped), "{shown:?}");
    let document = cli.out(&["get", &id, "--output", "json"]);
    let escaped = "Con\\u009b1msole\\u202egro.live\\u200b\\u2028\\u007f";
    assert!(document.contains(escaped), "{document:?}");
    for printed in [&shown, &document] {
        let raw = printed
            .chars()
            .find(|c| orders_domain::text::is_hidden(*c) && *c != '\n');
        assert_eq!(raw, None, "{printed:?}");
    }
    let read: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(read["order"]["lineItems"][0]["name"], HIDDEN);
}

#[tokio::test]
async fn a_job_polls_with_until_now_and_misses_nothing() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server), sku());
    client.stock(&sku, 5).await;
    let poll = |after: &str| {
        let after = ["--after", after];
        let options = if after[1].is_empty() {
            &[][..]
        } else {
            &after[..]
        };
        let watch = ["watch", "--until-now", "--output", "json"];
        let out = cli.out(&[&watch[..], options].concat());
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let first = poll("");
    let position = first.last().unwrap()["position"].as_str().unwrap();
    let id = client.held(&sku).await;
    let all = client.events(&id).await.len();
    let (mut position, mut count) = (position.to_owned(), 0);
    // With PostgreSQL an event waits for transactions that began before it, also those of other tests: a poll may
    // end before it, and the next one brings it.
    eventually("the events of the order", async || {
        let told = poll(&position);
        let (last, events) = told.split_last().unwrap();
        assert!(last.get("event").is_none(), "{last}");
        position = last["position"].as_str().unwrap().to_owned();
        let of_order = events
            .iter()
            .filter(|told| told["event"]["orderId"] == id.as_str());
        count += of_order.count();
        (count >= all).then_some(())
    })
    .await;
    assert_eq!(count, all);
}
