//! The messenger by mail: SMTP.
//!
//! A mail's Message-ID is made from the message's id and is the same at every attempt, so that a
//! receiver shows a mail that came twice once. Who has no address configured is not written to;
//! what they would be told stands in the store and in the log.

mod mail;
mod recipients;
mod server;

#[cfg(test)]
mod tests;

use super::{
    DeliveryError, NotificationProvider, embedded::notification::EmbeddedNotification,
    smtp_notification::mail::Mail,
};
use async_trait::async_trait;
use lettre::message::Mailbox;
use orders_domain::message::Message;
use recipients::{Recipients, Template};
use server::SmtpServer;

/// What stands for the order's customer id in [`SmtpSettings::to`].
pub const CUSTOMER_ID: &str = "{customer_id}";

/// Where mails go, and how.
#[derive(Clone)]
pub struct SmtpSettings {
    /// `smtp://user:password@host:port`, `smtps://...`; `?tls=required` asks for STARTTLS.
    pub url: String,
    /// Who writes: `Shop <shop@example.com>`.
    pub from: String,
    /// The customer's address, with [`CUSTOMER_ID`] in it.
    pub to: String,
    /// The reviewers' address.
    pub reviewers: Option<String>,
    /// The address of those who see to it that parcels are picked up.
    pub fulfillment: Option<String>,
}

/// One of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// [`SmtpSettings::url`].
    Url,
    /// [`SmtpSettings::from`].
    From,
    /// [`SmtpSettings::to`].
    To,
    /// [`SmtpSettings::reviewers`].
    Reviewers,
    /// [`SmtpSettings::fulfillment`].
    Fulfillment,
}

/// What is wrong with a setting. Never holds the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub setting: Setting,
    /// What it must be instead.
    pub reason: String,
}

/// Sends mails.
pub struct SmtpNotification {
    server: SmtpServer,
    from: Mailbox,
    recipients: Recipients,
}

impl SmtpNotification {
    /// A messenger with these settings. Nothing is sent, and nobody asked, before the first
    /// message.
    ///
    /// # Errors
    /// All that is wrong with the settings.
    pub fn new(settings: &SmtpSettings) -> Result<SmtpNotification, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |setting, reason| problems.push(Problem { setting, reason });
        let server = SmtpServer::parse(&settings.url);
        let server = server.map_err(|reason| note(Setting::Url, reason)).ok();
        let from = recipients::mailbox(&settings.from);
        let from = from.map_err(|reason| note(Setting::From, reason)).ok();
        let customer = Template::parse(&settings.to);
        let customer = customer.map_err(|reason| note(Setting::To, reason)).ok();
        let mut group = |setting, address: &Option<String>| {
            let address = address.as_deref().map(recipients::address).transpose();
            address.map_err(|reason| note(setting, reason)).ok()
        };
        let reviewers = group(Setting::Reviewers, &settings.reviewers);
        let fulfillment = group(Setting::Fulfillment, &settings.fulfillment);
        match (server, from, customer, reviewers, fulfillment) {
            (Some(server), Some(from), Some(customer), Some(reviewers), Some(fulfillment)) => {
                Ok(SmtpNotification {
                    server,
                    from,
                    recipients: Recipients {
                        customer,
                        reviewers,
                        fulfillment,
                    },
                })
            }
            _ => Err(problems),
        }
    }
}

#[async_trait]
impl NotificationProvider for SmtpNotification {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let to = self.recipients.of(message);
        let Some(to) = to.map_err(DeliveryError::Rejected)? else {
            return EmbeddedNotification.deliver(message).await;
        };
        let mail = Mail::new(message, &self.from, to).map_err(DeliveryError::Rejected)?;
        self.server.send(&mail).await?;
        let Message {
            order_id,
            milestone,
            audience,
            ..
        } = message;
        tracing::info!(order_id, milestone, %audience, "mailed");
        Ok(())
    }
}
