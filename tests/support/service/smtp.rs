//! A real SMTP server, and what it was given.

use crate::{eventually, process::Process};
use serde::Deserialize;
use std::{path::Path, process::Command};

/// The password that it wants, to be looked for where it must not be.
pub const PASSWORD: &str = "s3cret/pass";

/// A mail as it arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The Message-ID.
    pub id: String,
    /// The header To.
    pub to: String,
    /// The header From.
    pub from: String,
    /// The header Subject.
    pub subject: String,
    /// The decoded text.
    pub text: String,
}

/// The server. What its script says of names (`nobody`, `later`) holds.
pub struct SmtpServer {
    process: Process,
}

impl SmtpServer {
    /// Starts it at a port.
    pub async fn start(port: u16) -> SmtpServer {
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/venv/bin/python");
        assert!(Path::new(python).exists(), "run `make test-tools`");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/service/smtp_server.py");
        let mut command = Command::new(python);
        command.arg(script).arg(port.to_string());
        command.args(["orders", PASSWORD]);
        let mut server = SmtpServer {
            process: Process::spawn(command),
        };
        eventually("the SMTP server", async || {
            let ended = server.process.ended();
            assert!(ended.is_none(), "{}", server.process.output());
            server.process.line_with("\"listening\"")
        })
        .await;
        server
    }

    /// The URL of a server at that port, with the login.
    pub fn url(port: u16) -> String {
        let password = PASSWORD.replace('/', "%2F");
        format!("smtp://orders:{password}@127.0.0.1:{port}")
    }

    /// What arrived about an order so far, oldest first.
    pub fn mails(&self, order_id: &str) -> Vec<Mail> {
        let output = self.process.output();
        let mails = output
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let about = format!("<{order_id}.");
        mails
            .filter(|mail: &Mail| mail.id.starts_with(&about))
            .collect()
    }

    /// Waits until so much has arrived about an order that `wanted` is content.
    pub async fn until(
        &self,
        order_id: &str,
        what: &str,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Vec<Mail> {
        eventually(what, async || {
            let mails = self.mails(order_id);
            wanted(&milestones(&mails)).then_some(mails)
        })
        .await
    }
}

/// The milestones in the ids of mails.
pub fn milestones(mails: &[Mail]) -> Vec<String> {
    let milestone = |mail: &Mail| {
        let id = mail.id.split('@').next().unwrap();
        id.split('.').nth(1).unwrap().replace("%2F", "/")
    };
    mails.iter().map(milestone).collect()
}
