//! How the program is asked to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Asked to stop or not. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Asked by SIGTERM or Ctrl-C. The second one ends the process at once, with code 1.
    ///
    /// # Errors
    /// When the system refuses to tell of signals.
    pub fn on_signals() -> std::io::Result<Stop> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = Stop::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if asked.0.is_cancelled() {
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
