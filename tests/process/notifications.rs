//! What people are told, as a real SMTP server gets it.

use orders::v1::{OrderState, ReviewDecision};
use orders_test_support::{
    Placing, ServerOptions, TestServer, eventually, server, sku,
    smtp::{Mail, PASSWORD, SmtpServer, milestones},
    temporal::free_port,
};
use std::{collections::BTreeSet, process::Command, time::Instant};

/// Everything that people are told of, in one order.
const POLICY: &str = r#"
    [[policy]]
    name = "told"
    secure = "RESERVE_THEN_PAY"
    payment = "SALE"
    approval_above = 5000
    approval_timeout = "1h"
    pickup_reminder = "300ms"
    delivery = "CONFIRM"
    cancel_until = "DISPATCH"
    retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }
"#;

const PRE_ORDER: [&str; 5] = [
    "received",
    "paid",
    "fulfillment_started",
    "picked_up",
    "delivered",
];

const PENDING: &str =
    "SELECT count(*) FROM notifications WHERE order_id = $1 AND state = 'PENDING'";
const FAILED: &str = "SELECT count(*) FROM notifications WHERE order_id = $1 AND state = 'FAILED'
                      AND last_error LIKE '%no such mailbox%'";
const DELIVERED: &str = "SELECT count(*) FROM notifications WHERE order_id = $1
                         AND state = 'DELIVERED' AND delivered_time > 0";

/// Mails through a server at that port, to an address of each audience.
fn options(port: u16) -> ServerOptions {
    ServerOptions::default()
        .env("ORDERS_SMTP_URL", &SmtpServer::url(port))
        .arg("--mail-from=Shop <shop@example.com>")
        .arg("--mail-to={customer_id}@customers.example.com")
        .arg("--mail-reviewers=reviewers@example.com")
        .arg("--mail-fulfillment=warehouse@example.com")
}

fn of_customer(mut placing: Placing, customer_id: &str) -> Placing {
    placing.0.customer_id = customer_id.to_owned();
    placing
}

/// A pre-order, from its placing to its end.
async fn pre_order(server: &TestServer, customer_id: &str) -> String {
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = of_customer(Placing::pre_order(&sku, 30), customer_id);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    to_the_end(server, &id).await;
    id
}

async fn to_the_end(server: &TestServer, id: &str) {
    let client = server.client().await;
    client.start_fulfillment(id).await.unwrap();
    client.confirm_pickup(id).await.unwrap();
    client.confirm_delivery(id).await.unwrap();
    client.until(id, OrderState::Completed).await;
}

fn assert_once(mails: &[Mail]) {
    let ids: BTreeSet<_> = mails.iter().map(|mail| &mail.id).collect();
    assert_eq!(ids.len(), mails.len(), "{mails:#?}");
}

#[tokio::test]
async fn each_milestone_is_mailed_once_to_whom_it_concerns() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies.toml");
    std::fs::write(&policies, POLICY).unwrap();
    let port = free_port();
    let smtp = SmtpServer::start(port).await;
    let policies = format!("--policies={}", policies.display());
    let server = TestServer::start(options(port).arg(&policies)).await;
    let client = server.client().await;

    // Everything that can be told of one order that ends well ...
    let began = Instant::now();
    let shelf = sku();
    client.stock(&shelf, 10).await;
    let reviewed = Placing::new("told", &shelf).price(6_000, 0);
    let reviewed_id = reviewed.id();
    client.place(reviewed).await;
    client
        .until(&reviewed_id, OrderState::AwaitingApproval)
        .await;
    let approved = client.review(&reviewed_id, ReviewDecision::Approve).await;
    approved.unwrap();
    let reminder = |told: &[String]| told.contains(&"pickup_reminder/2".to_owned());
    smtp.until(&reviewed_id, "two reminders", reminder).await;
    client.confirm_pickup(&reviewed_id).await.unwrap();
    client.confirm_delivery(&reviewed_id).await.unwrap();
    let last = |told: &[String]| told.last().is_some_and(|last| last == "delivered");
    let mails = smtp.until(&reviewed_id, "the delivery's mail", last).await;
    println!("an order and its mails took {:?}", began.elapsed());
    assert_once(&mails);
    let told = milestones(&mails);
    let reminders = told
        .iter()
        .filter(|name| name.starts_with("pickup_reminder/"));
    let reminders = reminders.count();
    let before = ["received", "paid", "approval_needed", "fulfillment_started"];
    assert_eq!(told[..4], before);
    assert_eq!(told[4..4 + reminders].first().unwrap(), "pickup_reminder/1");
    assert_eq!(told[4 + reminders..], ["picked_up", "delivered"]);
    for (mail, milestone) in mails.iter().zip(&told) {
        let to = match milestone.as_str() {
            "approval_needed" => "reviewers@example.com",
            reminder if reminder.starts_with("pickup_reminder/") => "warehouse@example.com",
            _ => "customer-1@customers.example.com",
        };
        assert_eq!(mail.recipients, [to], "{milestone}");
        assert_eq!(mail.to, to);
        assert_eq!(mail.sender, "shop@example.com");
        assert_eq!(mail.from, "Shop <shop@example.com>");
        assert!(mail.id.ends_with("@example.com>"), "{}", mail.id);
        assert!(mail.subject.starts_with(&format!("Order {reviewed_id}: ")));
        let (order, total) = (format!("{reviewed_id}\n"), "6000.00 USD\n");
        assert!(
            mail.text.contains(&order) && mail.text.contains(total),
            "{mail:#?}"
        );
    }

    // ... of one that is cancelled, for a customer whose server is slow to trust us ...
    let placing = of_customer(Placing::pre_order(&shelf, 30), "later");
    let cancelled_id = placing.id();
    client.place(placing).await;
    client
        .until(&cancelled_id, OrderState::AwaitingRelease)
        .await;
    client.cancel(&cancelled_id).await.unwrap();
    // ... and of one whose customer has no mailbox: the others do not suffer.
    let refused_id = pre_order(&server, "nobody").await;
    let good_id = pre_order(&server, "ada").await;

    let last = |told: &[String]| told.last().is_some_and(|last| last == "cancelled");
    let mails = smtp
        .until(&cancelled_id, "the cancelled order's mails", last)
        .await;
    let cancelled = ["received", "paid", "refunded", "cancelled"];
    assert_eq!(milestones(&mails), cancelled);
    assert!(mails[3].text.contains("changed my mind"), "{mails:#?}");
    let all = |told: &[String]| told == PRE_ORDER;
    let mails = smtp.until(&good_id, "the pre-order's mails", all).await;
    assert_eq!(mails[0].recipients, ["ada@customers.example.com"]);
    eventually("the refused mails to be given up", async || {
        (server.count(FAILED, &refused_id).await == 5).then_some(())
    })
    .await;
    assert!(smtp.mails(&refused_id).is_empty());
    assert_eq!(server.count(DELIVERED, &good_id).await, 5);
    let output = server.process.output();
    assert!(!output.contains(PASSWORD) && !output.contains("s3cret"));
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn a_mail_server_that_is_away_delays_mails_and_no_order() {
    let port = free_port();
    let server = TestServer::start(options(port)).await;
    let began = Instant::now();
    let id = pre_order(&server, "ada").await;
    let took = began.elapsed();
    println!("an order without a mail server took {took:?}");
    assert_eq!(server.count(PENDING, &id).await, 5);
    eventually("the first mail to be tried", async || {
        let tried = "SELECT count(*) FROM notifications WHERE order_id = $1 AND attempts >= 1
                     AND milestone = 'received' AND last_error LIKE 'connect: %'";
        (server.count(tried, &id).await >= 1).then_some(())
    })
    .await;

    let smtp = SmtpServer::start(port).await;
    let all = |told: &[String]| told.len() >= 5;
    let mails = smtp.until(&id, "all mails", all).await;
    assert_eq!(milestones(&mails), PRE_ORDER);
    eventually("all to be recorded", async || {
        (server.count(DELIVERED, &id).await == 5).then_some(())
    })
    .await;
    assert_eq!(smtp.mails(&id).len(), 5);
}

#[tokio::test]
async fn killed_before_a_mail_is_recorded_it_is_sent_again_under_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = free_port();
    let smtp = SmtpServer::start(port).await;
    let options = options(port).data_dir(&data);
    let doomed = options
        .clone()
        .env("ORDERS_TEST_ABORT_AFTER", "message_sent");
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = of_customer(Placing::pre_order(&sku, 30), "ada");
    let id = placing.id();
    // The server may die before it answers.
    let _ = client.try_place_unchecked(placing).await;
    assert_eq!(server.ended().await, None, "aborted, not ended");
    assert_eq!(milestones(&smtp.mails(&id)), ["received"]);
    end_leases(&server).await;

    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.until(&id, OrderState::AwaitingRelease).await;
    to_the_end(&server, &id).await;
    let last = |told: &[String]| told.last().is_some_and(|last| last == "delivered");
    let mails = smtp.until(&id, "the delivery's mail", last).await;
    let told = milestones(&mails);
    assert_eq!(told[..2], ["received", "received"], "sent twice");
    assert_eq!(mails[0].id, mails[1].id, "but known as one");
    assert_eq!(mails[0].text, mails[1].text);
    assert_eq!(told[1..], PRE_ORDER, "and all others once, in order");
}

/// As if the time had passed until a dead process's messages may be taken over.
async fn end_leases(server: &TestServer) {
    let mut database = server.database().await;
    let ended = sqlx::query("UPDATE notifications SET next_time = 0 WHERE state = 'PENDING'");
    ended.execute(&mut database).await.unwrap();
    sqlx::Connection::close(database).await.unwrap();
}

#[test]
fn wrong_settings_are_all_named_and_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = ServerOptions::default()
        .arg("--smtp-url=smtp://user:s3cret@127.0.0.1:port")
        .arg("--mail-to={customer}@example.com");
    let options = wrong.env("ORDERS_MAIL_REVIEWERS", "a@example.com, b@example.com");
    let data = folder.path().join("data");
    let output = server::command(&options, &data).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    for name in ["--smtp-url", "--mail-from", "--mail-to", "--mail-reviewers"] {
        assert!(errors.contains(name), "{name}: {errors}");
    }
    assert!(!errors.contains("s3cret"), "{errors}");
    assert!(!data.exists(), "nothing was begun");
    // Help shows values that come from the environment; not this one.
    let help = Command::new(env!("CARGO_BIN_EXE_orders"))
        .args(["serve", "--help"])
        .env("ORDERS_SMTP_URL", "smtp://user:s3cret@mail.example.com")
        .output();
    let help = String::from_utf8_lossy(&help.unwrap().stdout).into_owned();
    assert!(help.contains("--smtp-url") && !help.contains("s3cret"));
}
