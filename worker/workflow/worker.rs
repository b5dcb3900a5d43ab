//! Building the Temporal workers that run orders, their shipping, and the replenishment of skus.

use super::{OrderWorkflow, ReplenishmentWorkflow, ShippingWorkflow};
use crate::activities::OrderActivities;
use std::time::Duration;
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

/// How long a workflow task may wait for the worker that has the workflow in its cache before any
/// other may take it. Short: after a kill nobody waits for the dead one.
const STICKY: Duration = Duration::from_secs(1);

/// How long activities under way may take when the worker stops.
const GRACE: Duration = Duration::from_secs(5);

type Refused = Box<dyn std::error::Error + Send + Sync>;

/// A worker that runs orders and the replenishment of skus, for `task_queue`; not running yet.
///
/// # Errors
/// When the SDK refuses the registration.
pub fn order_worker(
    runtime: &Runtime,
    client: Client,
    task_queue: &str,
    activities: OrderActivities,
) -> Result<Worker, Refused> {
    let options = WorkerOptions::new(task_queue)
        .register_workflow::<OrderWorkflow>()?
        .register_workflow::<ReplenishmentWorkflow>()?
        .register_activities(activities.replenishment())
        .register_activities(activities)
        .sticky_queue_schedule_to_start_timeout(STICKY)
        .graceful_shutdown_period(GRACE)
        .build();
    Ok(Worker::new(runtime, client, options)?)
}

/// A worker that runs the shipping lanes of orders, for its `task_queue`; not running yet.
///
/// # Errors
/// When the SDK refuses the registration.
pub fn shipping_worker(
    runtime: &Runtime,
    client: Client,
    task_queue: &str,
    activities: OrderActivities,
) -> Result<Worker, Refused> {
    let options = WorkerOptions::new(task_queue)
        .register_workflow::<ShippingWorkflow>()?
        .register_activities(activities)
        .sticky_queue_schedule_to_start_timeout(STICKY)
        .graceful_shutdown_period(GRACE)
        .build();
    Ok(Worker::new(runtime, client, options)?)
}
