//! The settings of mails.

use clap::Args;
use orders_worker::provider::{
    NotificationProvider,
    embedded::notification::EmbeddedNotification,
    smtp_notification::{CUSTOMER_ID, Setting, SmtpNotification, SmtpSettings},
};
use std::{fmt, sync::Arc};

/// Whether and how people are written to.
#[derive(Args, Clone, Default)]
#[group(skip)]
pub struct MailSettings {
    /// The SMTP server that mails are sent through: smtp://user:password@host:port, smtps://...,
    /// or smtp://...?tls=required. Without it, what people are told is kept and logged only.
    // The value may hold a password, and --help shows those of the environment.
    #[arg(
        long,
        env = "ORDERS_SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub smtp_url: Option<String>,

    /// Who mails are from, as in `Shop <shop@example.com>`.
    #[arg(long, env = "ORDERS_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// The customer's address, in which {customer_id} stands for the order's customer id
    /// [default: {customer_id}].
    #[arg(long, env = "ORDERS_MAIL_TO", value_name = "TEMPLATE")]
    pub mail_to: Option<String>,

    /// Where it is said that an order waits for a review; else that is logged only.
    #[arg(long, env = "ORDERS_MAIL_REVIEWERS", value_name = "ADDRESS")]
    pub mail_reviewers: Option<String>,

    /// Where it is said that a parcel was not picked up yet; else that is logged only.
    #[arg(long, env = "ORDERS_MAIL_FULFILLMENT", value_name = "ADDRESS")]
    pub mail_fulfillment: Option<String>,
}

/// Why nobody could be written to: all reasons, one a line, each with its setting.
#[derive(Debug, thiserror::Error)]
#[error("the settings of mails cannot be used:\n  {}", .0.join("\n  "))]
pub struct MailSettingsError(Vec<String>);

/// A password must not be written anywhere.
impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MailSettings {
            smtp_url,
            mail_from,
            mail_to,
            mail_reviewers,
            mail_fulfillment,
        } = self;
        f.debug_struct("MailSettings")
            .field("smtp_url", &smtp_url.as_ref().map(|_| "***"))
            .field("mail_from", mail_from)
            .field("mail_to", mail_to)
            .field("mail_reviewers", mail_reviewers)
            .field("mail_fulfillment", mail_fulfillment)
            .finish()
    }
}

impl MailSettings {
    /// Who tells people, by these settings.
    ///
    /// # Errors
    /// When a setting is wrong or missing.
    pub fn notification(&self) -> Result<Arc<dyn NotificationProvider>, MailSettingsError> {
        let Some(url) = &self.smtp_url else {
            return match self.without_server() {
                problems if problems.is_empty() => Ok(Arc::new(EmbeddedNotification)),
                problems => Err(MailSettingsError(problems)),
            };
        };
        let settings = SmtpSettings {
            url: url.clone(),
            from: self.mail_from.clone().unwrap_or_default(),
            to: self.mail_to.as_deref().unwrap_or(CUSTOMER_ID).to_owned(),
            reviewers: self.mail_reviewers.clone(),
            fulfillment: self.mail_fulfillment.clone(),
        };
        let smtp = SmtpNotification::new(&settings).map_err(|problems| {
            let line = |problem: &orders_worker::provider::smtp_notification::Problem| {
                let missing = problem.setting == Setting::From && self.mail_from.is_none();
                let reason = match missing {
                    true => "is required with --smtp-url",
                    false => &problem.reason,
                };
                format!("{} {reason}", name(problem.setting))
            };
            MailSettingsError(problems.iter().map(line).collect())
        })?;
        Ok(Arc::new(smtp))
    }

    /// Who sets an address and forgets the server would wait for mails in vain.
    fn without_server(&self) -> Vec<String> {
        let given = [
            (Setting::From, &self.mail_from),
            (Setting::To, &self.mail_to),
            (Setting::Reviewers, &self.mail_reviewers),
            (Setting::Fulfillment, &self.mail_fulfillment),
        ];
        let given = given.into_iter().filter(|(_, value)| value.is_some());
        given
            .map(|(setting, _)| {
                let server = name(Setting::Url);
                format!("{} has no effect without {server}", name(setting))
            })
            .collect()
    }
}

fn name(setting: Setting) -> &'static str {
    match setting {
        Setting::Url => "--smtp-url (ORDERS_SMTP_URL)",
        Setting::From => "--mail-from (ORDERS_MAIL_FROM)",
        Setting::To => "--mail-to (ORDERS_MAIL_TO)",
        Setting::Reviewers => "--mail-reviewers (ORDERS_MAIL_REVIEWERS)",
        Setting::Fulfillment => "--mail-fulfillment (ORDERS_MAIL_FULFILLMENT)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(settings: &MailSettings) -> String {
        match settings.notification() {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn all_problems_are_named_at_once() {
        let text = |text: &str| Some(text.to_owned());
        let wrong = MailSettings {
            smtp_url: text("smtp://user:secret@mail.example.com?tls=maybe"),
            mail_from: None,
            mail_to: text("everybody"),
            mail_reviewers: text("a@example.com, b@example.com"),
            mail_fulfillment: text("warehouse"),
        };
        let found = problems(&wrong);
        for name in [
            "--smtp-url",
            "--mail-to",
            "--mail-reviewers",
            "--mail-fulfillment",
        ] {
            assert!(
                found.contains(&format!("\n  {name} (ORDERS_")),
                "{name}: {found}"
            );
        }
        let missing = "\n  --mail-from (ORDERS_MAIL_FROM) is required with --smtp-url";
        assert!(found.contains(missing), "{found}");
        assert!(!found.contains("secret") && !format!("{wrong:?}").contains("secret"));

        let no_server = MailSettings {
            mail_from: text("shop@example.com"),
            ..MailSettings::default()
        };
        assert!(problems(&no_server).contains("--mail-from (ORDERS_MAIL_FROM) has no effect"));
        assert_eq!(problems(&MailSettings::default()), "");
    }
}
