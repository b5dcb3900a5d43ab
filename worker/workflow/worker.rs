//! Building the Temporal workers that run orders, their shipping, and the replenishment of skus.

use super::{OrderWorkflow, ReplenishmentWorkflow, ShippingWorkflow};
use crate::activities::OrderActivities;
use std::time::Duration;
use temporalio_client::Client;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion,
};
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    runtime::{
        AutoscalingOptions, PollerBehavior,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder, WorkerTuner},
    },
};

/// How long a workflow task may wait for the worker that has the workflow in its cache before any
/// other may take it. Short: after a kill nobody waits for the dead one.
const STICKY: Duration = Duration::from_secs(1);

/// How long activities under way may take when the worker stops.
const GRACE: Duration = Duration::from_secs(5);

/// Workflows that a worker keeps in memory, as the SDK has it.
const WORKFLOWS: usize = 1000;

/// Workflow tasks that a worker may have at once. One that has no slot is refused by the eager start, and
/// goes through Temporal's queue, where those that came later overtake it: with the SDK's 100, measured
/// at 64 orders at once, one in fifty waited for four seconds. Not many more, either: most of them have a
/// step to do, and those that wait for one of its slots for longer than 2.4 s (0.8 of the task's time)
/// cost a heartbeat each, with three events of the history.
const WORKFLOW_TASKS: usize = 250;

/// Other tasks of each kind at once, as the SDK has it.
const OTHERS: usize = 100;

/// Which build a worker is of, for Temporal's worker versioning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The name of the service's builds in Temporal.
    pub deployment_name: String,
    /// This build's.
    pub build_id: String,
}

impl Version {
    /// Open orders go on with the build that is current. They may be open for months: bound to the build
    /// that began them, each would keep that build running, without its fixes, on a database that goes on.
    fn options(&self) -> WorkerDeploymentOptions {
        let version = WorkerDeploymentVersion::builder()
            .deployment_name(self.deployment_name.clone())
            .build_id(self.build_id.clone())
            .build();
        WorkerDeploymentOptions::new(version)
            .use_worker_versioning(true)
            .default_versioning_behavior(VersioningBehavior::AutoUpgrade)
            .build()
    }
}

/// The tasks that a worker may have at once.
fn tuner() -> WorkerTuner {
    let others = FixedSizeSlotSupplier::new(OTHERS);
    TunerHolder::builder()
        .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(WORKFLOW_TASKS))
        .activity_task_slot_supplier(others)
        .local_activity_task_slot_supplier(others)
        .nexus_task_slot_supplier(others)
        .build()
        .into()
}

/// As many polls as there is to do. With the SDK's five, four of them for orders that it has in memory,
/// the tail of a burst waits twice as long.
fn pollers() -> PollerBehavior {
    PollerBehavior::Autoscaling(
        AutoscalingOptions::builder()
            .minimum(2)
            .maximum(40)
            .initial(5)
            .build(),
    )
}

/// With what every worker has, whatever it runs.
pub fn tuned(mut options: WorkerOptions, version: Option<&Version>) -> WorkerOptions {
    options.sticky_queue_schedule_to_start_timeout = STICKY;
    options.max_cached_workflows = WORKFLOWS;
    options.tuner = tuner();
    options.workflow_task_poller_behavior = Some(pollers());
    options.graceful_shutdown_period = Some(GRACE);
    if let Some(version) = version {
        options.deployment_options = version.options();
    }
    options
}

type Refused = Box<dyn std::error::Error + Send + Sync>;

/// A worker that runs orders and the replenishment of skus, for `task_queue`; not running yet. Temporal
/// knows it by its version, where it has one.
///
/// # Errors
/// When the SDK refuses the registration.
pub fn order_worker(
    runtime: &Runtime,
    client: Client,
    task_queue: &str,
    activities: OrderActivities,
    version: Option<&Version>,
) -> Result<Worker, Refused> {
    let options = WorkerOptions::new(task_queue)
        .register_workflow::<OrderWorkflow>()?
        .register_workflow::<ReplenishmentWorkflow>()?
        .register_activities(activities.replenishment())
        .register_activities(activities)
        .build();
    Ok(Worker::new(runtime, client, tuned(options, version))?)
}

/// A worker that runs the shipping lanes of orders, for its `task_queue`; not running yet. Its
/// version is that of the build, as above.
///
/// # Errors
/// When the SDK refuses the registration.
pub fn shipping_worker(
    runtime: &Runtime,
    client: Client,
    task_queue: &str,
    activities: OrderActivities,
    version: Option<&Version>,
) -> Result<Worker, Refused> {
    let options = WorkerOptions::new(task_queue)
        .register_workflow::<ShippingWorkflow>()?
        .register_activities(activities)
        .build();
    Ok(Worker::new(runtime, client, tuned(options, version))?)
}
