//! A message as a mail.

use lettre::{
    Address,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use orders_domain::message::Message;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, UNIX_EPOCH};

/// Everything but letters, digits, `-` and `_`: what is left, and `%`, may stand in a Message-ID.
const ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A domain's dots stay.
const DOMAIN: &AsciiSet = &ID.remove(b'.');

/// A mail, ready to be sent.
pub(super) struct Mail {
    /// Who writes.
    pub(super) from: Address,
    /// Who gets it. One address.
    pub(super) to: Address,
    /// Headers and text.
    pub(super) content: Vec<u8>,
}

impl Mail {
    /// The same message gives the same mail, byte by byte.
    pub(super) fn new(message: &Message, from: &Mailbox, to: Address) -> Result<Mail, String> {
        let mail = lettre::Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(&message.subject)
            .message_id(Some(message_id(message, from.email.domain())))
            .date(date(message))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone());
        let content = mail.map_err(|error| error.to_string())?.formatted();
        Ok(Mail {
            from: from.email.clone(),
            to,
            content,
        })
    }
}

/// The message's id as mail has it. Dots only part order and milestone, so that no two messages
/// share one; the sender's domain parts it from everybody else's.
pub(super) fn message_id(message: &Message, domain: &str) -> String {
    let order = utf8_percent_encode(&message.order_id, ID);
    let milestone = utf8_percent_encode(&message.milestone, ID);
    let domain = utf8_percent_encode(domain, DOMAIN);
    format!("<{order}.{milestone}@{domain}>")
}

fn date(message: &Message) -> std::time::SystemTime {
    // A mail knows no time before 1970.
    let seconds = message.time.as_second().max(0).unsigned_abs();
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Asks receivers not to answer that they are on holiday (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
