//! How the program is asked to stop.

use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A signal that comes this soon after the first one is the same request: a supervisor or a terminal
/// often signals the process and then its whole group.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// Asked to stop or not. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Asked by SIGTERM or Ctrl-C. A second one, half a second later or more, ends the process at
    /// once, with code 1.
    ///
    /// # Errors
    /// When the system refuses to tell of signals.
    pub fn on_signals() -> std::io::Result<Stop> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = Stop::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            let mut first = None;
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                let first = first.get_or_insert_with(Instant::now);
                if asked.0.is_cancelled() && first.elapsed() >= SAME_REQUEST {
                    eprintln!("orders: stopped at once, as asked twice");
                    std::process::exit(1);
                }
                asked.0.cancel();
            }
        });
        Ok(stop)
    }

    /// Waits until asked.
    pub async fn asked(&self) {
        self.0.cancelled().await;
    }
}
