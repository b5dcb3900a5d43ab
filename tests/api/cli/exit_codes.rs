//! What scripts go by: exit codes, and errors as JSON.

use orders_test_support::{Cli, shared, sku, temporal, unique};
use std::time::{Duration, Instant};

#[tokio::test]
async fn each_family_of_failures_has_its_own() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku, nobody) = (Cli::of(server), sku(), unique("nobody"));
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let address = ["--line1", "1 Main St"];
    let by_tls = format!("https://{}", server.address);
    let resolve = ["resolve-payment", &id, "--step", "charge_payment"];
    let why = ["--evidence", "statement 7", "--reason", "asked the bank"];
    let resolve = [&resolve[..], &why].concat();
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (vec!["nonsense"], 2, "nonsense"),
        (vec!["get"], 2, "ORDER_ID"),
        (vec!["get", &id, "--timeout", "soon"], 2, "10s"),
        (
            vec!["get", &id, "--timeout", "5"],
            2,
            "the unit is missing: 5s",
        ),
        (vec!["get", &id, "--server", &by_tls], 2, "use http://"),
        (
            vec!["watch", "--after", r#"{"position":"x"}"#],
            2,
            "give the position alone",
        ),
        (
            vec!["stock", "adjust", &sku, "--by", "x", "--reason", "count"],
            2,
            "a whole number of pieces",
        ),
        (
            vec!["stock", "adjust", &sku, "--by", "-6", "--reason", "count"],
            5,
            "of the 5 on hand, at most 4 can be taken away",
        ),
        (resolve.to_vec(), 2, "--succeeded"),
        (
            [&resolve[..], &["--not-happened"]].concat(),
            2,
            "give --actor, or set ORDERS_ACTOR",
        ),
        (
            vec!["get", &id, "--server", "not a url"],
            2,
            "http://HOST:PORT",
        ),
        (
            vec!["get", &id, "--server", "ftp://127.0.0.1:1"],
            2,
            "neither http nor https",
        ),
        (vec!["get", &id, "--wait", "HAPPY"], 2, "AWAITING_RELEASE"),
        (vec!["review", &id], 2, "--approve"),
        (vec!["place", "--customer", "ada"], 2, "--policy"),
        (vec!["get", &nobody], 4, "there is no order"),
        (vec!["stock", "get", &nobody], 4, "there is no stock item"),
        (vec!["policies", &nobody], 4, "there is no policy"),
        (vec!["confirm-delivery", &nobody], 4, "there is no order"),
        (
            vec!["confirm-delivery", &id],
            5,
            "allowed now: start-fulfillment",
        ),
        (
            vec!["start-fulfillment", &id, "--expected-revision", "1"],
            5,
            "not 1",
        ),
        (vec!["stock", "set", &sku, "--on-hand", "0"], 5, "reserved"),
        (
            vec!["get", &id, "--wait", "COMPLETED", "--timeout", "300ms"],
            7,
            "AWAITING_RELEASE",
        ),
    ];
    for (args, code, text) in cases {
        let ran = cli.run(&args);
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert!(ran.err.contains(text), "{args:?}: {ran:?}");
        // Only a wait has an answer, too: the order as it is.
        assert_eq!(ran.out.is_empty(), code != 7, "{args:?}: {ran:?}");
    }
    let incomplete = cli.run(&[&["update-address", &id], &address[..]].concat());
    assert_eq!(incomplete.code, Some(2), "{incomplete:?}");
    for field in ["city", "postal_code", "country_code"] {
        let line = format!("\n  shipping_address.{field}: ");
        assert!(incomplete.err.contains(&line), "{incomplete:?}");
    }
}

#[tokio::test]
async fn an_order_that_closes_otherwise_ends_the_wait() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server), sku());
    client.stock(&sku, 5).await;
    let declined = orders_test_support::Placing::pre_order(&sku, 30).token("tok-declined");
    let id = declined.id();
    client.place(declined).await;
    let begun = Instant::now();
    let ran = cli.run(&["get", &id, "--wait", "AWAITING_RELEASE", "--timeout", "60s"]);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.out.contains("REJECTED (PAYMENT_DECLINED)"), "{ran:?}");
    assert!(ran.err.contains("closed in another state"), "{ran:?}");
    assert!(begun.elapsed() < Duration::from_secs(55));
}

#[tokio::test]
async fn errors_are_json_where_answers_are() {
    let server = shared().await;
    let client = server.client().await;
    let (cli, sku) = (Cli::of(server).env("ORDERS_OUTPUT", "json"), sku());
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let error = |args: &[&str]| -> serde_json::Value {
        let ran = cli.run(args);
        assert_eq!(ran.out, "", "{args:?}");
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(error["exitCode"], ran.code.unwrap(), "{args:?}: {error}");
        error
    };
    let refused = error(&["confirm-delivery", &id, "--request-id", &unique("delivery")]);
    assert_eq!(refused["code"], "FAILED_PRECONDITION");
    assert_eq!(refused["reason"], "COMMAND_NOT_ALLOWED");
    assert_eq!(refused["metadata"]["state"], "ORDER_STATE_AWAITING_RELEASE");
    assert_eq!(refused["safeToSendAgain"], false);
    let invalid = error(&["review", &id, "--approve", "--request-id", ""]);
    assert_eq!(invalid["code"], "INVALID_ARGUMENT");
    assert_eq!(invalid["violations"][0]["field"], "request_id");
    let nowhere = format!("http://127.0.0.1:{}", temporal::free_port());
    let elsewhere = ["--server", &nowhere, "--timeout", "3s"];
    let unreachable =
        error(&[&["cancel", &id, "--request-id", "again-1"], &elsewhere[..]].concat());
    assert_eq!(unreachable["code"], "UNAVAILABLE");
    assert_eq!(unreachable["requestId"], "again-1");
    assert_eq!(unreachable["safeToSendAgain"], true);
}

#[test]
fn a_server_that_is_not_there_is_told_within_the_time_limit() {
    let cli = Cli::at(&format!("127.0.0.1:{}", temporal::free_port()));
    let begun = Instant::now();
    let ran = cli.run(&["cancel", "order-1", "--timeout", "1s"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{ran:?}");
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("cannot be reached: "), "{ran:?}");
    assert!(
        ran.err.contains("safe to send again with --request-id "),
        "{ran:?}"
    );
}

#[test]
fn a_server_that_says_nothing_is_told_within_the_time_limit() {
    // It takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let cli = Cli::at(&silent.local_addr().unwrap().to_string());
    let ran = cli.run(&["get", "order-1", "--timeout", "500ms"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("did not answer within 500ms"), "{ran:?}");
}
