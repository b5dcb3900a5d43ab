//! What can be wrong between the store and Temporal, and what puts it right.
//!
//! The store is the truth for what was done here, so no repair changes an order, or moves money or
//! stock: it only starts, wakes or ends workflows. That is safe at any time, since a workflow does
//! nothing that the store does not say is next.

use super::ReachError;
use crate::temporal::Temporal;
use orders_domain::{
    event::{Change, Event},
    order::Order,
    state::OrderState,
    step::CompensationOutcome,
    text,
};
use orders_store::{
    Store,
    verify::{Finding, Severity},
};

/// What is wrong with an order, or a sku, between the two.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// An order that is open, or for which something is due, has no workflow, or one that has ended.
    NoWorkflow {
        state: OrderState,
        ended: Option<String>,
    },
    /// The workflow knows of events that the store does not have.
    Ahead {
        known: i64,
        stored: i64,
        forgotten: Vec<Event>,
    },
    /// The workflow's task fails again and again.
    Stuck { attempts: i32, error: String },
    /// An activity of the workflow fails again and again.
    Failing {
        activity: String,
        attempts: i32,
        error: String,
    },
    /// The order is late, and its workflow waits on another task queue than ours.
    Elsewhere { queue: String },
    /// The workflow of a closed order has not ended.
    LeftOpen { state: OrderState },
    /// A workflow runs whose order the store does not have.
    NoOrder { order: Option<Box<Order>> },
    /// An open supplier order has no process.
    NoProcess { supplier_order_id: String },
}

/// Putting things right.
pub(super) struct Repair<'a> {
    pub(super) store: &'a Store,
    pub(super) temporal: &'a Temporal,
    /// Whether payments are made by a provider whose books are not in the store: they were not set
    /// back with it.
    pub(super) outside_payments: bool,
}

impl Trouble {
    /// In words.
    pub(super) fn finding(&self, name: &str) -> Finding {
        let (check, severity, wrong, advice) = self.words();
        let is_sku = matches!(self, Self::NoProcess { .. });
        Finding {
            severity,
            check,
            order_id: (!is_sku).then(|| name.to_owned()),
            sku: is_sku.then(|| name.to_owned()),
            wrong,
            advice,
        }
    }

    fn words(&self) -> (&'static str, Severity, String, &'static str) {
        use Severity::{Finding, Warning};
        match self {
            Self::NoWorkflow { state, ended } => (
                match ended {
                    Some(_) => "workflow-ended",
                    None => "workflow-missing",
                },
                Finding,
                match ended {
                    Some(how) => format!("it is {state}, and its workflow has ended: {how}"),
                    None => format!("it is {state}, and Temporal has no workflow of it"),
                },
                "run `orders verify --repair`: it is started from where the order stands",
            ),
            Self::Ahead {
                known,
                stored,
                forgotten,
            } => (
                "workflow-ahead",
                Finding,
                format!(
                    "its workflow is at revision {known}, the database only at {stored}: the database \
                     was set back. Forgotten: {}",
                    names(forgotten)
                ),
                match moved_back(forgotten) {
                    false => {
                        "restore a newer backup if there is one; else run `orders verify --repair`: it goes on from the database, and what was asked for since must be asked again"
                    }
                    true => {
                        "money was given back after the backup: with a payment provider of your own look it up there first; with the embedded one run `orders verify --repair`"
                    }
                },
            ),
            Self::Stuck { attempts, error } => (
                "workflow-stuck",
                Finding,
                format!("its workflow task has failed {attempts} times: {error}"),
                "see the error in Temporal's web UI; run the build that it was made with, or one that is patched",
            ),
            Self::Failing {
                activity,
                attempts,
                error,
            } => (
                "activity-failing",
                Warning,
                format!("{activity} has failed {attempts} times: {error}"),
                "it is tried again for ever; see to its cause",
            ),
            Self::Elsewhere { queue } => (
                "workflow-elsewhere",
                Finding,
                format!(
                    "it should have gone on, and its workflow waits on the task queue {}",
                    text::words(queue)
                ),
                "keep an `orders worker --task-queue` running for that queue until its orders have closed",
            ),
            Self::LeftOpen { state } => (
                "workflow-left-open",
                Finding,
                format!("it is {state}, and its workflow still runs"),
                "run `orders verify --repair`: the workflow is told, and ends",
            ),
            Self::NoOrder { order } => (
                "order-missing",
                Finding,
                match order {
                    Some(order) => format!(
                        "a workflow runs for it, and the database does not have it: customer {}, \
                         total {} {} in minor units, {}, {} by the workflow",
                        order.customer_id,
                        order.total.minor,
                        order.total.currency,
                        order.policy.name,
                        order.state
                    ),
                    None => "a workflow runs for it, and the database does not have it".to_owned(),
                },
                "it was placed after the backup: place it again under the same order id, which goes on from PLACED after another `orders verify --repair`, or end its workflow with `temporal workflow terminate`",
            ),
            Self::NoProcess { supplier_order_id } => (
                "supplier-process-missing",
                Finding,
                format!("{supplier_order_id} is open, and no process waits for it"),
                "run `orders verify --repair`, or start a server: it is started by itself",
            ),
        }
    }
}

fn names(events: &[Event]) -> String {
    let names = events.iter().map(|event| {
        let name = event.change.type_name();
        match &event.request_id {
            Some(request_id) => format!("{name} ({request_id})"),
            None => name.to_owned(),
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Whether money was given back: the one effect outside that is not found again by its key when the
/// order, not knowing of it, goes forward.
fn moved_back(events: &[Event]) -> bool {
    events.iter().any(|event| match &event.change {
        Change::Compensated {
            effect, outcome, ..
        } => effect.step.is_payment() && *outcome == CompensationOutcome::Done,
        _ => false,
    })
}

impl Repair<'_> {
    /// Puts it right, and says how. None when that is for people.
    pub(super) async fn apply(
        &self,
        name: &str,
        trouble: &Trouble,
    ) -> Result<Option<&'static str>, ReachError> {
        Ok(match trouble {
            Trouble::NoWorkflow { .. } => self.resume(name).await?,
            Trouble::Ahead { forgotten, .. } => {
                if self.outside_payments && moved_back(forgotten) {
                    return Ok(None);
                }
                self.start_anew(name).await?
            }
            Trouble::LeftOpen { .. } => {
                self.temporal.wake(name).await?;
                Some("its workflow was told that the order is closed")
            }
            Trouble::NoProcess { .. } => {
                self.temporal.replenish(name).await?;
                Some("its process was started")
            }
            Trouble::Stuck { .. }
            | Trouble::Failing { .. }
            | Trouble::Elsewhere { .. }
            | Trouble::NoOrder { .. } => None,
        })
    }

    /// Starts the workflow from where the order stands.
    async fn resume(&self, order_id: &str) -> Result<Option<&'static str>, ReachError> {
        let stored = self.store.order(order_id).await?;
        let open = stored.filter(|stored| !stored.order.is_over());
        let Some(open) = open else {
            return Ok(Some("nothing was left to do: it is closed"));
        };
        self.temporal.ensure_running(open.order).await?;
        self.store.confirm_start(order_id).await?;
        Ok(Some("its workflow was started from where the order stands"))
    }

    async fn start_anew(&self, order_id: &str) -> Result<Option<&'static str>, ReachError> {
        let reason = "orders verify --repair: it knew more than the database, which was set back";
        let order = Order::workflow_id(order_id);
        self.temporal.terminate(&order, reason).await?;
        // Its lane knows the same future.
        let lane = Order::shipping_workflow_id(order_id);
        self.temporal.terminate(&lane, reason).await?;
        self.resume(order_id).await?;
        Ok(Some(
            "its workflow was ended, and started anew from where the order stands in the database",
        ))
    }
}
