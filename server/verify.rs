//! `orders verify`: checks the whole store against its own rules and against Temporal, and repairs
//! what became of two backups that are not of the same moment.
//!
//! # Layout
//! - `settings`: the command line
//! - `reach`: the database and Temporal, wherever they are
//! - `compare`: the store against Temporal
//! - `repair`: what can be put right, and how
//! - `report`: what is printed

mod compare;
pub mod reach;
mod repair;
mod report;
mod settings;

pub use reach::ReachError;
pub use settings::VerifySettings;

use compare::Compare;
use report::Report;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong, or is any more.
    Clean,
    /// Something is wrong.
    Findings,
}

/// Checks everything and prints what is wrong.
///
/// # Errors
/// When the database or Temporal cannot be reached.
pub async fn verify(settings: VerifySettings) -> Result<Verdict, ReachError> {
    let mut report = Report::new(settings.json);
    if !settings.no_temporal {
        reach::require_temporal(&settings.common)?;
    }
    let store = reach::store(&settings.common).await?;
    // Temporal first: a server that is not there is better known at once.
    let temporal = match settings.no_temporal {
        true => None,
        false => Some(reach::temporal(&settings.common).await?),
    };
    let now = orders_store::clock::now();
    let checked = store
        .verify(now, |finding| report.say(finding.into()))
        .await;
    report.checked(checked?);
    if let Some(reached) = &temporal {
        let compare = Compare {
            store: &store,
            temporal: &reached.temporal,
            repair: settings.repair,
            outside_payments: settings.common.payment.payment_provider.is_some(),
        };
        let compared = compare.all(&mut report).await;
        report.compared(compared?);
    }
    store.close().await;
    if let Some(reached) = temporal {
        reached.leave().await;
    }
    Ok(report.end())
}
