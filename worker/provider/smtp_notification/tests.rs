//! What can be shown without a server. What a server sees: tests/notifications.rs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{
    Setting, SmtpNotification, SmtpSettings,
    mail::{Mail, message_id},
    recipients::{Recipients, Template, address, mailbox},
    server::SmtpServer,
};
use jiff::Timestamp;
use orders_domain::{message::Message, milestone::Audience};

fn message(order_id: &str, milestone: &str) -> Message {
    Message {
        order_id: order_id.to_owned(),
        milestone: milestone.to_owned(),
        audience: Audience::Customer,
        customer_id: "ada".to_owned(),
        time: Timestamp::constant(1_767_225_600, 0),
        subject: format!("Order {order_id}: shipped"),
        text: "Grüße, 你好\n.\nthe end\n".to_owned(),
    }
}

fn settings() -> SmtpSettings {
    SmtpSettings {
        url: "smtp://127.0.0.1:2525".to_owned(),
        from: "Shop <shop@example.com>".to_owned(),
        to: "{customer_id}".to_owned(),
        reviewers: None,
        fulfillment: None,
    }
}

#[test]
fn ids_are_valid_stable_and_never_shared() {
    let id = |order: &str, milestone: &str| message_id(&message(order, milestone), "example.com");
    assert_eq!(id("order-1", "paid"), "<order-1.paid@example.com>");
    let reminder = id("order-1", "pickup_reminder/2");
    assert_eq!(reminder, "<order-1.pickup_reminder%2F2@example.com>");
    assert_eq!(id("a.b", "paid"), "<a%2Eb.paid@example.com>");
    assert_ne!(id("a.b", "c"), id("a", "b.c"));
    assert_ne!(id("a%2E", "c"), id("a.", "c"));
    let wild = id("<x>@evil\r\nBcc: y", "ü");
    assert_eq!(wild, "<%3Cx%3E%40evil%0D%0ABcc%3A%20y.%C3%BC@example.com>");
}

#[test]
fn a_mail_is_the_same_at_every_attempt() {
    let from = mailbox("Shöp <shop@example.com>").unwrap();
    let order_id = "o".repeat(64);
    let message = message(&order_id, "pickup_reminder/12");
    let mail = || Mail::new(&message, &from, address("ada@example.com").unwrap()).unwrap();
    let content = String::from_utf8(mail().content).unwrap();
    assert_eq!(content.as_bytes(), mail().content);
    assert!(content.is_ascii(), "any server can take it");
    let (headers, _) = content.split_once("\r\n\r\n").unwrap();
    for line in [
        "To: ada@example.com".to_owned(),
        format!("Message-ID: <{order_id}.pickup_reminder%2F12@example.com>"),
        "Date: Thu, 01 Jan 2026 00:00:00 +0000".to_owned(),
        "Auto-Submitted: auto-generated".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
    ] {
        assert!(
            headers.lines().any(|found| found == line),
            "{line}: {headers}"
        );
    }
    assert!(content.lines().all(|line| line.len() < 998), "{content}");
}

#[test]
fn a_customer_id_becomes_one_address_or_none() {
    let as_it_is = Template::parse("{customer_id}").unwrap();
    let of_domain = Template::parse("{customer_id}@customers.example.com").unwrap();
    let filled = |template: &Template, id: &str| template.fill(id).ok().map(|to| to.to_string());
    let ada = Some("ada@example.com".to_owned());
    assert_eq!(filled(&as_it_is, "ada@example.com"), ada);
    assert_eq!(filled(&as_it_is, "ada"), None);
    let ada = Some("ada@customers.example.com".to_owned());
    assert_eq!(filled(&of_domain, "ada"), ada);
    for evil in [
        "",
        "ada@evil.example",
        "ada@evil.example,b",
        "ada, bob",
        "ada bob",
        "ada\r\nBcc: bob@evil.example",
        "ada\nRCPT TO:<bob@evil.example>",
        "ada>",
        "<ada",
        "@evil.example:ada",
        "\"ada\"",
        "Ada <ada@evil.example>",
        "ada@[127.0.0.1] x",
        "ada\0",
        "ada\u{2028}bob",
        "{customer_id}@evil.example",
    ] {
        assert_eq!(filled(&of_domain, evil), None, "{evil:?}");
    }
    for evil in [
        "",
        "ada@evil.example, bob@evil.example",
        "ada@evil.example\r\nBcc: bob@evil.example",
        "Ada <ada@evil.example>",
        "ada@evil.example bob",
        "\"a b\"@evil.example",
        "ada@evil.example>\r\nRCPT TO:<bob@evil.example",
    ] {
        assert_eq!(filled(&as_it_is, evil), None, "{evil:?}");
    }
}

#[test]
fn who_has_no_address_is_not_written_to() {
    let recipients = Recipients {
        customer: Template::parse("{customer_id}@example.com").unwrap(),
        reviewers: Some(address("reviewers@example.com").unwrap()),
        fulfillment: None,
    };
    let to = |audience| {
        let message = Message {
            audience,
            ..message("order-1", "paid")
        };
        let to = recipients.of(&message).unwrap();
        to.map(|to| to.to_string())
    };
    let reviewers = Some("reviewers@example.com".to_owned());
    assert_eq!(to(Audience::Reviewers), reviewers);
    assert_eq!(to(Audience::Customer), Some("ada@example.com".to_owned()));
    assert_eq!(to(Audience::Fulfillment), None);
}

#[test]
fn all_wrong_settings_are_named_and_no_password() {
    assert!(SmtpNotification::new(&settings()).is_ok());
    let wrong = SmtpSettings {
        url: "smtp://user:secret@:port".to_owned(),
        from: "nobody".to_owned(),
        to: "{customer}@example.com".to_owned(),
        reviewers: Some("a@example.com, b@example.com".to_owned()),
        fulfillment: Some(String::new()),
    };
    let problems = SmtpNotification::new(&wrong).err().unwrap();
    let settings: Vec<_> = problems.iter().map(|problem| problem.setting).collect();
    let all = [
        Setting::Url,
        Setting::From,
        Setting::To,
        Setting::Reviewers,
        Setting::Fulfillment,
    ];
    assert_eq!(settings, all);
    assert!(!format!("{problems:?}").contains("secret"), "{problems:?}");
}

#[test]
fn the_url_is_lettres() {
    for good in [
        "smtp://localhost",
        "smtp://[::1]:2525",
        "smtp://user:p%40ss@mail.example.com:2525",
        "smtp://user:pass@mail.example.com/our.name?tls=required",
        "smtp://mail.example.com?tls=opportunistic",
        "smtps://user:pass@mail.example.com",
    ] {
        assert!(SmtpServer::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://user@mail.example.com",
        "smtp://user:secret@mail.example.com?tls=yes",
        "smtp://user:secret@mail.example.com?verify=no",
        "smtps://user:secret@mail.example.com:99999",
    ] {
        let error = SmtpServer::parse(bad).err().expect(bad);
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_template_that_is_never_an_address_is_refused() {
    for bad in [
        "",
        "{customer_id}@",
        "{id}@example.com",
        "a b@example.com",
        "{customer_id",
    ] {
        assert!(Template::parse(bad).is_err(), "{bad:?}");
    }
    // All mails to one mailbox: for a try-out.
    assert!(Template::parse("everything@example.com").is_ok());
}
