//! Whether anybody runs orders: a worker polls, and Temporal gives it tasks.

use super::{Temporal, TemporalError, run_worker::Role};
use orders_store::clock;
use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    deployment::v1::{WorkerDeploymentOptions, WorkerDeploymentVersion},
    enums::v1::{TaskQueueType, WorkerVersioningMode},
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{DescribeTaskQueueRequest, DescribeTaskQueueResponse},
};

/// A poller that was heard of within this time is alive: a poll ends after a minute at the latest.
const RECENT: Duration = Duration::from_secs(70);

/// Who would get the tasks of a task queue.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Attendance {
    /// Somebody polls who gets them. The newest sign of life.
    Attended(SystemTime),
    /// Workers of these builds poll, but Temporal's worker versioning gives tasks to another build.
    NotCurrent(BTreeSet<Build>),
    /// Nobody polls.
    Unattended,
}

/// A build of a worker deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Build {
    deployment_name: String,
    build_id: String,
}

impl Temporal {
    /// Whether Temporal answers and a worker, here or elsewhere, polls the task queue and is given
    /// tasks. A worker whose build is not the current one is given none, and the log says so.
    ///
    /// # Errors
    /// When Temporal does not answer.
    pub async fn has_worker(&self) -> Result<bool, TemporalError> {
        let described = self.describe_queue(self.task_queue.clone()).await?;
        let attendance = attendance(described);
        let is_current = !matches!(attendance, Attendance::NotCurrent(_));
        if self.newest.is_news(is_current)
            && let Attendance::NotCurrent(builds) = &attendance
        {
            self.say_not_current(builds);
        }
        Ok(match attendance {
            Attendance::Attended(heard) => self.newest.is_recent(heard),
            Attendance::NotCurrent(_) | Attendance::Unattended => false,
        })
    }

    /// Whether a worker of this process polls the task queue of `role`.
    ///
    /// # Errors
    /// When Temporal does not answer.
    pub async fn polls_itself(&self, role: Role) -> Result<bool, TemporalError> {
        let described = self.describe_queue(self.task_queue_of(role)).await?;
        let identity = self.client.connection().identity();
        let mut pollers = described.pollers.iter();
        Ok(pollers.any(|poller| poller.identity == identity))
    }

    async fn describe_queue(
        &self,
        name: String,
    ) -> Result<DescribeTaskQueueResponse, TemporalError> {
        let request = DescribeTaskQueueRequest {
            namespace: self.namespace().to_owned(),
            task_queue: Some(TaskQueue {
                name,
                ..Default::default()
            }),
            task_queue_type: TaskQueueType::Workflow.into(),
            ..Default::default()
        };
        let mut service = self.client.clone();
        let described =
            WorkflowService::describe_task_queue(&mut service, tonic::Request::new(request));
        let described = described
            .await
            .map_err(|status| TemporalError::Unavailable(status.to_string()))?;
        Ok(described.into_inner())
    }

    fn say_not_current(&self, builds: &BTreeSet<Build>) {
        for build in builds {
            let Build {
                deployment_name,
                build_id,
            } = build;
            let (namespace, address) = (self.namespace(), &self.address);
            tracing::warn!(
                "no order runs: build {build_id} of deployment {deployment_name} polls, but is not \
                 Temporal's current version. Make it current with: temporal worker deployment \
                 set-current-version --deployment-name {deployment_name} --build-id {build_id} \
                 --namespace {namespace} --address {address}"
            );
        }
    }
}

/// Who gets the tasks of a task queue that was described.
fn attendance(described: DescribeTaskQueueResponse) -> Attendance {
    // Without it, tasks go to workers without a version.
    let routing = described.versioning_info.unwrap_or_default();
    let current = routing.current_deployment_version.map(Build::from);
    let is_ramped = routing.ramping_version_percentage >= 100.0;
    let current = if is_ramped {
        routing.ramping_deployment_version.map(Build::from)
    } else {
        current
    };
    let mut newest: Option<SystemTime> = None;
    let mut others = BTreeSet::new();
    for poller in described.pollers {
        let build = poller.deployment_options.and_then(Build::of_options);
        let heard = poller
            .last_access_time
            .and_then(|time| time.try_into().ok());
        if build == current {
            newest = newest.max(heard);
        } else {
            others.extend(build);
        }
    }
    match newest {
        Some(heard) => Attendance::Attended(heard),
        None if others.is_empty() => Attendance::Unattended,
        None => Attendance::NotCurrent(others),
    }
}

impl Build {
    /// The build that a poller says it is of; none of a worker without a version.
    fn of_options(options: WorkerDeploymentOptions) -> Option<Build> {
        let is_versioned = options.worker_versioning_mode() == WorkerVersioningMode::Versioned;
        is_versioned.then_some(Build {
            deployment_name: options.deployment_name,
            build_id: options.build_id,
        })
    }
}

impl From<WorkerDeploymentVersion> for Build {
    fn from(version: WorkerDeploymentVersion) -> Self {
        Build {
            deployment_name: version.deployment_name,
            build_id: version.build_id,
        }
    }
}

/// The newest sign of life of a worker, by Temporal's clock, and when this process saw that it is new.
#[derive(Debug, Default)]
pub(super) struct Newest {
    sign: Mutex<Option<(SystemTime, Instant)>>,
    /// The log has said that only builds poll that are not current.
    said_not_current: AtomicBool,
}

impl Newest {
    /// Whether the log has not yet said that the polling builds are current, or are not.
    fn is_news(&self, is_current: bool) -> bool {
        self.said_not_current.swap(!is_current, Ordering::Relaxed) == is_current
    }

    /// Whether a sign of life that was given at `heard` is recent: by the clock, or, since that need
    /// not agree with Temporal's, because it was not there a moment ago.
    fn is_recent(&self, heard: SystemTime) -> bool {
        let mut newest = self.sign.lock().unwrap_or_else(PoisonError::into_inner);
        let by_clock = SystemTime::from(clock::now()).checked_sub(RECENT) <= Some(heard);
        match *newest {
            Some((before, seen)) if before == heard => by_clock || seen.elapsed() < RECENT,
            // Of the first one nobody knows how old it is.
            before => {
                let new = before.is_some();
                let seen = Instant::now().checked_sub(if new { Duration::ZERO } else { RECENT });
                *newest = seen.map(|seen| (heard, seen));
                by_clock || new
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use temporalio_common::protos::temporal::api::taskqueue::v1::{
        PollerInfo, TaskQueueVersioningInfo,
    };

    fn build(build_id: &str) -> Build {
        Build {
            deployment_name: "orders".to_owned(),
            build_id: build_id.to_owned(),
        }
    }

    fn version(build_id: &str) -> Option<WorkerDeploymentVersion> {
        let Build {
            deployment_name,
            build_id,
        } = build(build_id);
        Some(WorkerDeploymentVersion {
            deployment_name,
            build_id,
        })
    }

    /// A poller of a build; of none, one without a version.
    fn poller(build_id: Option<&str>) -> PollerInfo {
        let mode = match build_id {
            Some(_) => WorkerVersioningMode::Versioned,
            None => WorkerVersioningMode::Unversioned,
        };
        PollerInfo {
            last_access_time: Some(SystemTime::UNIX_EPOCH.into()),
            deployment_options: Some(WorkerDeploymentOptions {
                deployment_name: "orders".to_owned(),
                build_id: build_id.unwrap_or_default().to_owned(),
                worker_versioning_mode: mode.into(),
            }),
            ..PollerInfo::default()
        }
    }

    fn described(
        pollers: Vec<PollerInfo>,
        versioning_info: Option<TaskQueueVersioningInfo>,
    ) -> DescribeTaskQueueResponse {
        DescribeTaskQueueResponse {
            pollers,
            versioning_info,
            ..DescribeTaskQueueResponse::default()
        }
    }

    #[test]
    fn only_a_worker_that_is_given_tasks_counts() {
        let attended = Attendance::Attended(SystemTime::UNIX_EPOCH);
        let not_current = |ids: &[&str]| {
            let builds = ids.iter().map(|build_id| build(build_id));
            Attendance::NotCurrent(builds.collect())
        };
        let current = |build_id: &str, ramping: &str, percentage: f32| {
            Some(TaskQueueVersioningInfo {
                current_deployment_version: version(build_id),
                ramping_deployment_version: version(ramping),
                ramping_version_percentage: percentage,
                ..TaskQueueVersioningInfo::default()
            })
        };
        let older = PollerInfo::default();
        let cases = [
            (vec![], None, Attendance::Unattended),
            (vec![poller(None)], None, attended.clone()),
            // Nothing was ever made current.
            (vec![poller(Some("2"))], None, not_current(&["2"])),
            (
                vec![poller(Some("2")), poller(None)],
                None,
                attended.clone(),
            ),
            (
                vec![poller(Some("2"))],
                current("2", "3", 0.0),
                attended.clone(),
            ),
            (
                vec![poller(Some("2"))],
                current("2", "3", 50.0),
                attended.clone(),
            ),
            (
                vec![poller(Some("2"))],
                current("2", "3", 100.0),
                not_current(&["2"]),
            ),
            (vec![poller(Some("3"))], current("2", "3", 100.0), attended),
            (
                vec![poller(Some("1")), poller(Some("3")), poller(Some("1"))],
                current("2", "3", 0.0),
                not_current(&["1", "3"]),
            ),
            (
                vec![poller(None)],
                current("2", "3", 0.0),
                Attendance::Unattended,
            ),
            // Temporal does not say when it was heard of.
            (vec![older], None, Attendance::Unattended),
        ];
        for (pollers, routing, expected) in cases {
            let described = described(pollers, routing);
            assert_eq!(attendance(described.clone()), expected, "{described:?}");
        }
    }
}
