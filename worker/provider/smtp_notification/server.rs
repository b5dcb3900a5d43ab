//! The SMTP server that takes our mails.
//!
//! Connections are kept for the next mail. One whose mail was not sent to its end is dropped, also
//! when the sending is given up halfway: nobody could tell what its next answer is about.

use super::mail::Mail;
use crate::provider::DeliveryError;
use lettre::transport::smtp::{
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters},
    commands::{Data, Mail as MailFrom, Rcpt},
    extension::{ClientId, Extension, MailParameter},
};
use percent_encoding::percent_decode_str;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use url::Url;

/// How long the connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection that nobody used for so long is not used again: servers end such.
const IDLE: Duration = Duration::from_secs(30);

/// The most connections that are kept.
const KEPT: usize = 4;

const FORM: &str = "must be smtp://[user:password@]host[:port], smtps://..., or smtp://... with \
                    ?tls=required or ?tls=opportunistic";

/// How to reach the server, and the connections to it.
pub(super) struct SmtpServer {
    host: String,
    port: u16,
    hello: ClientId,
    security: Security,
    credentials: Option<Credentials>,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

enum Security {
    /// None.
    Plain,
    /// STARTTLS, where the server offers it.
    Opportunistic(TlsParameters),
    /// STARTTLS, or nothing is sent.
    Required(TlsParameters),
    /// TLS from the first byte.
    Wrapper(TlsParameters),
}

impl SmtpServer {
    /// Reads the URL, in lettre's form. The error does not hold it: it may hold a password.
    pub(super) fn parse(url: &str) -> Result<SmtpServer, String> {
        let url = Url::parse(url).map_err(|error| format!("{FORM} ({error})"))?;
        let mut tls = None;
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "tls" => tls = Some(value),
                _ => return Err(format!("{FORM} (there is no other parameter than tls)")),
            }
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("{FORM} (the host is missing)"))?;
        // What is connected to and what a certificate names has no brackets.
        let host = host.trim_matches(['[', ']']).to_owned();
        let parameters =
            || TlsParameters::new(host.clone()).map_err(|error| format!("cannot be used: {error}"));
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (Security::Plain, 25),
            ("smtp", Some("opportunistic")) => (Security::Opportunistic(parameters()?), 587),
            ("smtp", Some("required")) => (Security::Required(parameters()?), 587),
            ("smtps", None) => (Security::Wrapper(parameters()?), 465),
            _ => return Err(FORM.to_owned()),
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(SmtpServer {
            port: url.port().unwrap_or(port),
            hello,
            security,
            credentials: credentials(&url)?,
            kept: Mutex::default(),
            host,
        })
    }

    /// Sends one mail. Dropped halfway, the mail may have been sent or not.
    pub(super) async fn send(&self, mail: &Mail) -> Result<(), DeliveryError> {
        let mut connection = self.connection().await.map_err(|e| failed("connect", &e))?;
        let mut parameters = Vec::new();
        if !(mail.from.as_ref() as &str).is_ascii() || !(mail.to.as_ref() as &str).is_ascii() {
            if !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                let reason = "the mail server takes only addresses in ASCII";
                return Err(DeliveryError::Rejected(reason.to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // A refused sender is a mistake in our settings: the mail waits until that is mended.
        let from = MailFrom::new(Some(mail.from.clone()), parameters);
        let from = connection.command(from).await;
        from.map_err(|error| failed("MAIL FROM", &error))?;
        let to = Rcpt::new(mail.to.clone(), Vec::new());
        let to = connection.command(to).await;
        to.map_err(|error| refused("RCPT TO", &error))?;
        let data = connection.command(Data).await;
        data.map_err(|error| refused("DATA", &error))?;
        let taken = connection.message(&mail.content).await;
        taken.map_err(|error| refused("the end of DATA", &error))?;
        self.keep(connection);
        Ok(())
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        while let Some(mut connection) = self.kept_one() {
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
        let wrapper = match &self.security {
            Security::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let (timeout, hello) = (Some(CONNECT), &self.hello);
        let connection =
            AsyncSmtpConnection::connect_tokio1(address, timeout, hello, wrapper, None);
        let mut connection = connection.await?;
        match &self.security {
            Security::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), hello).await?;
            }
            Security::Required(parameters) => {
                connection.starttls(parameters.clone(), hello).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn kept_one(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, since)| since.elapsed() < IDLE);
        kept.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push((connection, Instant::now()));
        }
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let decoded = |text| {
        let text = percent_decode_str(text).decode_utf8();
        let text = text.map_err(|_| "has a user or password that is not UTF-8");
        text.map(std::borrow::Cow::into_owned)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => {
            Err("must have both a user and a password, or none".to_owned())
        }
        (user, Some(password)) => {
            let credentials = Credentials::new(decoded(user)?, decoded(password)?);
            Ok(Some(credentials))
        }
    }
}

/// It is about us or the server, not about this mail: later it may work.
fn failed(stage: &str, error: &lettre::transport::smtp::Error) -> DeliveryError {
    DeliveryError::Failed(format!("{stage}: {error}"))
}

/// It may be about this mail: then it will never work.
fn refused(stage: &str, error: &lettre::transport::smtp::Error) -> DeliveryError {
    match error.is_permanent() {
        true => DeliveryError::Rejected(format!("{stage}: {error}")),
        false => failed(stage, error),
    }
}
