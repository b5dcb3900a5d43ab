//! The store against Temporal. The store is asked last of the two: it never is behind a workflow
//! unless it was set back.

use super::{
    ReachError,
    repair::{Repair, Trouble},
    report::{Compared, Report, Said},
};
use crate::temporal::{Temporal, TemporalError, inspect::Standing};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use orders_domain::{order::Order, phase};
use orders_store::{Store, supplier_orders::SupplierOrder};
use std::time::Duration;

/// Orders read at once.
const BATCH: i64 = 200;

/// Questions to Temporal at the same time.
const AT_ONCE: usize = 8;

/// What changed since then may be on its way: a start, an end, a delivery. As long as a server may take
/// that was killed, was started again, and sweeps.
const MOMENT: SignedDuration = SignedDuration::from_secs(60);

/// Before what looks wrong is looked at again.
const AGAIN: Duration = Duration::from_secs(1);

/// A workflow task or an activity that failed so often does not heal by itself.
const STUCK: i32 = 5;

/// A comparison.
pub(super) struct Compare<'a> {
    pub(super) store: &'a Store,
    pub(super) temporal: &'a Temporal,
    pub(super) repair: bool,
    /// See [`Repair::outside_payments`].
    pub(super) outside_payments: bool,
}

impl Compare<'_> {
    /// Compares everything, and repairs if that is asked for.
    pub(super) async fn all(&self, report: &mut Report) -> Result<Compared, ReachError> {
        let mut compared = Compared::default();
        self.open_orders(&mut compared, report).await?;
        self.workflows(&mut compared, report).await?;
        self.supplier_orders(&mut compared, report).await?;
        Ok(compared)
    }

    async fn open_orders(
        &self,
        compared: &mut Compared,
        report: &mut Report,
    ) -> Result<(), ReachError> {
        let mut after = String::new();
        loop {
            let page = self.store.running_orders(&after, BATCH).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.order_id);
            compared.open_orders += page.iter().filter(|order| order.is_open).count() as u64;
            let ids = page.into_iter().map(|order| order.order_id).collect();
            self.twice(ids, report, |id| self.open_order(id)).await?;
        }
    }

    async fn workflows(
        &self,
        compared: &mut Compared,
        report: &mut Report,
    ) -> Result<(), ReachError> {
        let mut next = Vec::new();
        loop {
            let Some(page) = self.temporal.running_orders(next).await? else {
                return Ok(());
            };
            compared.listed = true;
            compared.running_workflows += page.order_ids.len() as u64;
            self.twice(page.order_ids, report, |id| self.workflow(id))
                .await?;
            next = page.next;
            if next.is_empty() {
                return Ok(());
            }
        }
    }

    async fn supplier_orders(
        &self,
        compared: &mut Compared,
        report: &mut Report,
    ) -> Result<(), ReachError> {
        let mut after = String::new();
        loop {
            let page = self.store.open_supplier_orders(&after, BATCH).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.sku);
            compared.open_supplier_orders += page.len() as u64;
            let settled = page.into_iter().filter(|order| is_past(order.open_time));
            let skus = settled.map(|order| order.sku).collect();
            self.twice(skus, report, |sku| self.supplier_order(sku))
                .await?;
        }
    }

    /// Looks at each name, and a moment later again at those that looked wrong; what is wrong then,
    /// too, is said.
    async fn twice<F>(
        &self,
        names: Vec<String>,
        report: &mut Report,
        look: impl Fn(String) -> F,
    ) -> Result<(), ReachError>
    where
        F: Future<Output = Result<Option<Trouble>, ReachError>>,
    {
        let look = &look;
        let once = async |names: Vec<String>| {
            let looked = stream::iter(names).map(async |name: String| {
                let trouble = look(name.clone()).await?;
                Ok::<_, ReachError>(trouble.map(|trouble| (name, trouble)))
            });
            let found = looked.buffered(AT_ONCE).try_collect::<Vec<_>>().await?;
            Ok::<_, ReachError>(found.into_iter().flatten().collect::<Vec<_>>())
        };
        let suspects = once(names).await?;
        if suspects.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
        for (name, trouble) in once(suspects.into_iter().map(|(name, _)| name).collect()).await? {
            let repair = Repair {
                store: self.store,
                temporal: self.temporal,
                outside_payments: self.outside_payments,
            };
            let repaired = match self.repair {
                true => repair.apply(&name, &trouble).await?,
                false => None,
            };
            let finding = trouble.finding(&name);
            report.say(Said { finding, repaired });
        }
        Ok(())
    }

    /// An order that is open, or for which something is due.
    async fn open_order(&self, order_id: String) -> Result<Option<Trouble>, ReachError> {
        let workflow_id = Order::workflow_id(&order_id);
        let progress = match self.temporal.standing(&workflow_id).await? {
            Standing::Open(progress) => progress,
            gone => {
                // It may be over, or only just have been placed.
                let stored = self.store.order(&order_id).await?;
                let open = stored.filter(|stored| !stored.order.is_over());
                let Some(open) = open.filter(|open| is_past(open.order.update_time)) else {
                    return Ok(None);
                };
                // It may have gone to an end that the database does not know.
                if let Standing::Closed(_) = gone
                    && let Some(ahead) = self.ahead_of_store(&order_id).await?
                {
                    return Ok(Some(ahead));
                }
                return Ok(Some(Trouble::NoWorkflow {
                    state: open.order.state,
                    ended: match gone {
                        Standing::Closed(how) => Some(how),
                        _ => None,
                    },
                }));
            }
        };
        if let Some(ahead) = self.ahead_of_store(&order_id).await? {
            return Ok(Some(ahead));
        }
        if progress.task_attempt >= STUCK {
            let described = self.temporal.describe(&order_id).await?;
            return Ok(Some(Trouble::Stuck {
                attempts: progress.task_attempt,
                error: described
                    .and_then(|described| described.task_failure)
                    .unwrap_or_default(),
            }));
        }
        let mut failing = progress.failing.into_iter();
        let failing = failing.find(|(_, attempts, _)| *attempts >= STUCK);
        if let Some((activity, attempts, error)) = failing {
            return Ok(Some(Trouble::Failing {
                activity,
                attempts,
                error,
            }));
        }
        // Two fleets may share a database: a workflow on another queue is fine as long as it goes on.
        let queue = progress.task_queue;
        if queue != self.temporal.task_queue() && self.is_late(&order_id).await? {
            return Ok(Some(Trouble::Elsewhere { queue }));
        }
        Ok(None)
    }

    /// Whether something was due for an order some time ago.
    async fn is_late(&self, order_id: &str) -> Result<bool, ReachError> {
        let stored = self.store.order(order_id).await?;
        let due = stored.and_then(|stored| phase::due_time(&stored.order));
        Ok(due.is_some_and(is_past))
    }

    /// Whether the workflow knows of events that the store does not have.
    async fn ahead_of_store(&self, order_id: &str) -> Result<Option<Trouble>, ReachError> {
        let known = match self.temporal.knowledge(order_id).await {
            Ok(known) => known,
            Err(TemporalError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(stored) = self.store.order(order_id).await? else {
            return Ok(None);
        };
        let stored = stored.order.revision;
        if known.revision() <= stored {
            return Ok(None);
        }
        let known_revision = known.revision();
        let events = known.events.into_values();
        Ok(Some(Trouble::Ahead {
            known: known_revision,
            stored,
            forgotten: events.filter(|event| event.revision > stored).collect(),
        }))
    }

    /// A workflow that Temporal has open.
    async fn workflow(&self, order_id: String) -> Result<Option<Trouble>, ReachError> {
        match self.store.order(&order_id).await? {
            Some(stored) if !stored.order.is_over() => return Ok(None),
            Some(stored) if !is_past(stored.order.update_time) => return Ok(None),
            _ => {}
        }
        let workflow_id = Order::workflow_id(&order_id);
        let Standing::Open(_) = self.temporal.standing(&workflow_id).await? else {
            return Ok(None);
        };
        let known = self.temporal.knowledge(&order_id).await?;
        Ok(Some(match self.store.order(&order_id).await? {
            Some(stored) => Trouble::LeftOpen {
                state: stored.order.state,
            },
            None => Trouble::NoOrder {
                order: known.order.map(Box::new),
            },
        }))
    }

    async fn supplier_order(&self, sku: String) -> Result<Option<Trouble>, ReachError> {
        let workflow_id = SupplierOrder::workflow_id(&sku);
        if let Standing::Open(_) = self.temporal.standing(&workflow_id).await? {
            return Ok(None);
        }
        let open = self.store.open_supplier_order(&sku).await?;
        Ok(open.map(|open| Trouble::NoProcess {
            supplier_order_id: open.supplier_order_id,
        }))
    }
}

/// Whether something is so long ago that what follows from it should have happened.
fn is_past(time: Timestamp) -> bool {
    Timestamp::now().duration_since(time) > MOMENT
}
