//! Building the Temporal workers that run orders, their shipping, and the replenishment of skus.

use super::{OrderWorkflow, ReplenishmentWorkflow, ShippingWorkflow};
use crate::activities::OrderActivities;
use std::time::Duration;
use temporalio_client::Client;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion,
};
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

/// How long a workflow task may wait for the worker that has the workflow in its cache before any
/// other may take it. Short: after a kill nobody waits for the dead one.
const STICKY: Duration = Duration::from_secs(1);

/// How long activities under way may take when the worker stops.
const GRACE: Duration = Duration::from_secs(5);

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
        .sticky_queue_schedule_to_start_timeout(STICKY)
        .graceful_shutdown_period(GRACE)
        .maybe_deployment_options(version.map(Version::options))
        .build();
    Ok(Worker::new(runtime, client, options)?)
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
        .sticky_queue_schedule_to_start_timeout(STICKY)
        .graceful_shutdown_period(GRACE)
        .maybe_deployment_options(version.map(Version::options))
        .build();
    Ok(Worker::new(runtime, client, options)?)
}
