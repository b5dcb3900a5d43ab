//! Whether anybody runs orders: a worker polls, and Temporal gives it tasks.

use super::{Temporal, TemporalError, run_worker::Role};
use orders_store::clock;
use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// Somebody polls who gets them.
    Attended {
        /// The newest sign of life of a worker that gets tasks.
        heard: SystemTime,
        /// The builds that poll beside it and get no tasks.
        standing_by: BTreeSet<Build>,
    },
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
        let is_news = self.newest.is_news(is_current);
        match &attendance {
            Attendance::Attended { standing_by, .. } => {
                for build in self.newest.not_said_before(standing_by) {
                    self.say_standing_by(&build);
                }
            }
            Attendance::NotCurrent(builds) if is_news => self.say_not_current(builds),
            Attendance::NotCurrent(_) | Attendance::Unattended => {}
        }
        Ok(match attendance {
            Attendance::Attended { heard, .. } => self.newest.is_recent(heard),
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
            let command = self.command_to_make_current(build);
            tracing::warn!(
                "no order runs: build {build_id} of deployment {deployment_name} polls, but is not \
                 Temporal's current version. Make it current with: {command}"
            );
        }
    }

    fn say_standing_by(&self, build: &Build) {
        let Build {
            deployment_name,
            build_id,
        } = build;
        let command = self.command_to_make_current(build);
        tracing::info!(
            "build {build_id} of deployment {deployment_name} polls, but gets no tasks until it is \
             Temporal's current version; other workers run the orders. Make it current with: {command}"
        );
    }

    fn command_to_make_current(&self, build: &Build) -> String {
        let Build {
            deployment_name,
            build_id,
        } = build;
        let (namespace, address) = (self.namespace(), &self.address);
        format!(
            "temporal worker deployment set-current-version --deployment-name {deployment_name} \
             --build-id {build_id} --namespace {namespace} --address {address}"
        )
    }
}

/// Who gets the tasks of a task queue that was described.
fn attendance(described: DescribeTaskQueueResponse) -> Attendance {
    // Without it, tasks go to workers without a version.
    let routing = described.versioning_info.unwrap_or_default();
    let current = routing.current_deployment_version.map(Build::from);
    let ramping = routing.ramping_deployment_version.map(Build::from);
    let is_ramped = routing.ramping_version_percentage >= 100.0;
    // It gets a share of the tasks.
    let shares = ramping
        .clone()
        .filter(|_| routing.ramping_version_percentage > 0.0);
    let current = if is_ramped { ramping } else { current };
    let mut newest: Option<SystemTime> = None;
    let mut others = BTreeMap::new();
    for poller in described.pollers {
        let build = poller.deployment_options.and_then(Build::of_options);
        let heard: Option<SystemTime> = poller
            .last_access_time
            .and_then(|time| time.try_into().ok());
        if build == current {
            newest = newest.max(heard);
        } else if let Some(build) = build {
            let before = others.entry(build).or_default();
            *before = heard.max(*before);
        }
    }
    // Temporal lists a worker for some minutes after its end. Only its own times are compared here, since
    // its clock need not agree with this one.
    let newest_of_all = others.values().copied().max().flatten().max(newest);
    let recent = newest_of_all.and_then(|newest| newest.checked_sub(RECENT));
    others.retain(|_, heard| *heard >= recent);
    match newest.filter(|_| newest >= recent) {
        Some(heard) => {
            others.retain(|build, _| Some(build) != shares.as_ref());
            Attendance::Attended {
                heard,
                standing_by: others.into_keys().collect(),
            }
        }
        None if others.is_empty() => Attendance::Unattended,
        None => Attendance::NotCurrent(others.into_keys().collect()),
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
    /// The builds that get no tasks while others do, as they were last seen. The log has named them.
    standing_by: Mutex<BTreeSet<Build>>,
}

impl Newest {
    /// Whether the log has not yet said that the polling builds are current, or are not.
    fn is_news(&self, is_current: bool) -> bool {
        self.said_not_current.swap(!is_current, Ordering::Relaxed) == is_current
    }

    /// Returns those of the builds that were not among them the last time.
    fn not_said_before(&self, builds: &BTreeSet<Build>) -> Vec<Build> {
        let said = self.standing_by.lock();
        let mut said = said.unwrap_or_else(PoisonError::into_inner);
        let new = builds.difference(&said).cloned().collect();
        said.clone_from(builds);
        new
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

    /// So long after the time of [`poller`] that this one has stopped.
    const LATER: Duration = Duration::from_secs(2 * RECENT.as_secs());

    fn heard_later(poller: PollerInfo) -> PollerInfo {
        PollerInfo {
            last_access_time: Some((SystemTime::UNIX_EPOCH + LATER).into()),
            ..poller
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
        let beside = |ids: &[&str]| Attendance::Attended {
            heard: SystemTime::UNIX_EPOCH,
            standing_by: ids.iter().map(|build_id| build(build_id)).collect(),
        };
        let attended = beside(&[]);
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
            (vec![poller(Some("2")), poller(None)], None, beside(&["2"])),
            (
                vec![poller(Some("1")), poller(Some("2")), poller(Some("3"))],
                current("2", "3", 0.0),
                beside(&["1", "3"]),
            ),
            // A part of the tasks is for 3.
            (
                vec![poller(Some("2")), poller(Some("3"))],
                current("2", "3", 50.0),
                attended.clone(),
            ),
            // The one that was not heard of for so long has stopped.
            (
                vec![poller(Some("1")), heard_later(poller(Some("2")))],
                current("2", "", 0.0),
                Attendance::Attended {
                    heard: SystemTime::UNIX_EPOCH + LATER,
                    standing_by: BTreeSet::new(),
                },
            ),
            (
                vec![poller(None), heard_later(poller(Some("2")))],
                None,
                not_current(&["2"]),
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
    #[test]
    fn a_build_that_stands_by_is_said_once() {
        let newest = Newest::default();
        let said = |ids: &[&str]| {
            let builds = ids.iter().map(|build_id| build(build_id)).collect();
            let new = newest.not_said_before(&builds).into_iter();
            new.map(|build| build.build_id).collect::<Vec<_>>()
        };
        assert_eq!(said(&["2"]), ["2"]);
        assert_eq!(said(&["2", "3"]), ["3"]);
        assert!(said(&["2", "3"]).is_empty());
        // It was current meanwhile, and is replaced again.
        assert!(said(&[]).is_empty());
        assert_eq!(said(&["2"]), ["2"]);
    }
}
