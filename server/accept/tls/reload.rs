//! Reads certificates again that change while the server runs. New handshakes use the new ones; open
//! connections keep the old ones.

use super::{Tls, load::Stamp};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::{signal::unix::Signal, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

/// The time between two looks at the files.
const POLL: Duration = Duration::from_secs(2);

/// The time between two warnings about the same certificate.
const REMIND: SignedDuration = SignedDuration::from_hours(24);

impl Tls {
    /// Reads the files again when they change, and at each signal on `hangup`, until `stopping`. Also warns
    /// of certificates that expire.
    pub async fn watch(self, hangup: Option<Signal>, stopping: CancellationToken) {
        let mut hangup = hangup;
        self.log_certificate();
        let mut warned = self.warn();
        let mut tried = self.stamps();
        let mut before = tried.clone();
        loop {
            let asked = tokio::select! {
                () = stopping.cancelled() => return,
                () = received(&mut hangup) => true,
                () = sleep(POLL) => false,
            };
            let files = self.clone();
            let Ok(now) = spawn_blocking(move || files.0.files.stamps()).await else {
                continue;
            };
            // The certificate and the key are two files, and are rarely replaced in the same moment.
            let is_settled = now == before && now != tried;
            before.clone_from(&now);
            if asked || is_settled {
                tried = now;
                self.reload().await;
                warned = self.warn();
            } else if Timestamp::now().duration_since(warned) >= REMIND {
                warned = self.warn();
            }
        }
    }

    /// Reads the files. If they cannot be used, the old certificates stay in use.
    pub(super) async fn reload(&self) {
        let files = self.clone();
        match spawn_blocking(move || files.0.files.load()).await {
            Ok(Ok(loaded)) => {
                self.replace(loaded);
                self.log_certificate();
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the certificates are not reloaded; the old ones stay in use");
            }
            Err(error) => tracing::error!(%error, "reading the certificates panicked: a bug"),
        }
    }

    fn log_certificate(&self) {
        let current = self.current();
        if let Some(own) = current.own() {
            let (name, serial, until) = (&own.name, &own.serial, own.until);
            tracing::info!(name, serial, %until, "the TLS certificate in use");
        }
    }

    /// Logs a warning for each certificate that expires soon. Returns the current time.
    fn warn(&self) -> Timestamp {
        let now = Timestamp::now();
        let current = self.current();
        for warning in current.warnings(now) {
            tracing::warn!("{warning}");
        }
        now
    }

    /// Returns the state of the files just before they were read.
    pub(super) fn stamps(&self) -> Vec<Stamp> {
        self.current().stamps.clone()
    }
}

/// Waits for the next signal. Without a source of signals it never returns.
async fn received(hangup: &mut Option<Signal>) {
    let received = match hangup {
        Some(hangup) => hangup.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending().await
    }
}
