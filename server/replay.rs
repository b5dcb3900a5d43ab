//! `orders replay`: asked before a deploy whether this build can go on with the orders in flight.

use crate::{
    settings::ReplaySettings,
    temporal::{
        Temporal, TemporalError,
        connect::{ConnectError, Profile},
        replay::{Replayed, Selection},
    },
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long Temporal may take to answer at first.
const CONNECT: Duration = Duration::from_secs(5);

/// Why histories could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ReplayCommandError {
    /// There is nothing to look at.
    #[error(
        "whose histories? Set --temporal-address (or TEMPORAL_ADDRESS, or an address in \
         temporal.toml); a server with a Temporal of its own prints that address when it starts"
    )]
    NoTemporal,
    /// Temporal cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It stopped answering, or refused.
    #[error("Temporal cannot be asked for the histories: {0}")]
    Temporal(#[from] TemporalError),
}

impl ReplayCommandError {
    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoTemporal => 2,
            _ => 3,
        }
    }
}

/// What was looked at.
#[derive(Debug, Default)]
struct Counts {
    open: usize,
    closed: usize,
    failed: usize,
}

impl Counts {
    fn add(&mut self, replayed: &Replayed) {
        match replayed.open {
            true => self.open += 1,
            false => self.closed += 1,
        }
        self.failed += usize::from(replayed.failure.is_some());
    }
}

/// Replays the histories of a running Temporal, prints those that this build cannot go on with, and
/// says whether there are none. Carries out nothing, and touches no database.
///
/// # Errors
/// When Temporal cannot be asked.
pub async fn replay(settings: ReplaySettings) -> Result<bool, ReplayCommandError> {
    let address = settings.temporal_address.as_deref();
    let profile = Profile::load(address, settings.namespace.as_deref())?;
    if profile.address().is_none() {
        return Err(ReplayCommandError::NoTemporal);
    }
    let client = profile.connect_saying(CONNECT, |line| eprintln!("orders: {line}"));
    let temporal = Temporal::new(client.await?, &settings.task_queue);
    let selection = Selection {
        closed_since: since(settings.closed_since),
        limit: settings.limit,
    };
    let mut counts = Counts::default();
    let replayed = temporal.replay(selection, |replayed| {
        counts.add(&replayed);
        if let Some(failure) = &replayed.failure {
            let Replayed {
                workflow_id,
                run_id,
                ..
            } = &replayed;
            println!("{workflow_id} (run {run_id}): {failure}");
        }
    });
    replayed.await?;
    let Counts {
        open,
        closed,
        failed,
    } = counts;
    println!(
        "{open} open and {closed} closed histories replayed on task queue {}, {failed} of them cannot go on \
         with this build",
        settings.task_queue
    );
    Ok(failed == 0)
}

/// None for no time at all: then closed ones are left out.
fn since(time: Duration) -> Option<Timestamp> {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    let begin = Timestamp::now()
        .saturating_sub(time)
        .unwrap_or(Timestamp::MIN);
    (!time.is_zero()).then_some(begin)
}
