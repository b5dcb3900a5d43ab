//! Saying when the event log is held back: watches then receive nothing, and nothing fails.

use orders_store::{
    Store,
    log_lag::{LogHeld, LogLag},
};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// A log that does not move for so long is held back: transactions of our own end before.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two log lines on the same hold.
const AGAIN: Duration = Duration::from_secs(300);

/// A log that is behind, and since when it has not moved.
struct Standing {
    position: i64,
    since: Instant,
    said: Option<Instant>,
}

/// Looks until `stop`, and writes a log line when the log is held back, rarely again while it is, and when it
/// moves again.
pub async fn watch_log(store: Store, stop: CancellationToken) {
    if !store.log_can_lag() {
        return;
    }
    let mut standing: Option<Standing> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // Whoever reads the log says when the database cannot be read.
        if let Ok(lag) = store.log_lag().await {
            standing = look(&store, lag, standing).await;
        }
    }
}

async fn look(store: &Store, lag: Option<LogLag>, before: Option<Standing>) -> Option<Standing> {
    let mut standing = match (lag.as_ref(), before) {
        (Some(lag), Some(before)) if lag.position == before.position => before,
        (lag, before) => {
            if let Some(before) = before.filter(|before| before.said.is_some()) {
                let seconds = before.since.elapsed().as_secs();
                tracing::info!(seconds, "the event log moves again");
            }
            return lag.map(|lag| Standing {
                position: lag.position,
                since: Instant::now(),
                said: None,
            });
        }
    };
    let is_due = match standing.said {
        Some(said) => said.elapsed() >= AGAIN,
        None => standing.since.elapsed() >= PATIENCE,
    };
    if let Some(lag) = lag.filter(|_| is_due) {
        let seconds = standing.since.elapsed().as_secs();
        let holder = store.log_holder().await.unwrap_or_default();
        let held = LogHeld { lag, holder };
        tracing::warn!(seconds, "{held}");
        standing.said = Some(Instant::now());
    }
    Some(standing)
}
