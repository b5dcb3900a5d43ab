//! Temporals that tests start themselves: the dev server, and the one that skips time.

use crate::{eventually, process::Process};
use orders_dev_server::tuning::{DYNAMIC_CONFIG, ONE_PARTITION};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression, UntypedWorkflow,
    WorkflowCountOptions, WorkflowDescribeOptions, WorkflowFetchHistoryOptions,
    WorkflowTerminateOptions, envconfig::ClientConfigProfile,
};
use temporalio_common::protos::temporal::api::{
    enums::v1::EventType,
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// A program that `make test-tools` installed, or that is on the path.
pub fn tool(name: &str) -> Option<PathBuf> {
    let installed =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/bin")).join(name);
    if installed.exists() {
        return installed.canonicalize().ok();
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// grpcurl. Where there is no pinned one it may be missing: then the test says so, and does without.
pub fn grpcurl() -> Option<PathBuf> {
    let found = tool("grpcurl");
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(found.is_some(), "run `make test-tools`");
    }
    if found.is_none() {
        println!("left out: grpcurl is not installed");
    }
    found
}

fn needed(name: &str) -> PathBuf {
    tool(name).unwrap_or_else(|| panic!("{name} is not installed: run `make tools test-tools`"))
}

/// A port that nobody uses, and that stays free until the test uses it: given to one test only, and from
/// below those that the system gives to connections and to whoever listens at any port.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 16_384;
    const PORTS: u16 = 16_384;
    // Not the same for each run: what an earlier one left may still be there.
    let begin = (std::process::id() % u32::from(PORTS)) as u16;
    let ports = std::iter::repeat_with(|| {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        FIRST + (begin + next % PORTS) % PORTS
    });
    ports
        .take(usize::from(PORTS))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A Temporal dev server that outlives the servers of a test.
pub struct TestTemporal {
    /// The process.
    pub process: Process,
    /// `host:port`.
    pub address: String,
}

impl TestTemporal {
    /// Starts one, in memory.
    pub async fn start() -> TestTemporal {
        TestTemporal::start_at(free_port()).await
    }

    /// Starts one at that port: it comes back, though it has forgotten everything.
    pub async fn start_at(port: u16) -> TestTemporal {
        TestTemporal::start_with(port, &[]).await
    }

    /// Starts one that asks workflows to continue as new after so many events of their history.
    pub async fn with_short_histories(events: u32) -> TestTemporal {
        let limit = format!("limit.historyCount.suggestContinueAsNew={events}");
        TestTemporal::start_with(free_port(), &["--dynamic-config-value", &limit]).await
    }

    /// Starts one that keeps everything in a file, and goes on with what is in it.
    pub async fn start_kept(port: u16, file: &std::path::Path) -> TestTemporal {
        let file = file.to_str().unwrap();
        TestTemporal::start_with(port, &["--db-filename", file]).await
    }

    async fn start_with(port: u16, args: &[&str]) -> TestTemporal {
        // A closed workflow is deleted once its last tasks are known to be done: every 30 s.
        let soon = [
            "history.transferProcessorUpdateAckInterval=\"100ms\"",
            "history.visibilityProcessorUpdateAckInterval=\"100ms\"",
        ];
        let args = configured(&soon).chain(args.iter().copied());
        TestTemporal::spawn(port, &args.collect::<Vec<_>>()).await
    }

    /// Starts one as the embedded server is, but in memory, with these arguments more.
    pub async fn spawn(port: u16, args: &[&str]) -> TestTemporal {
        let mut command = Command::new(needed("temporal"));
        command
            .args([
                "server",
                "start-dev",
                "--headless",
                "--log-level",
                "error",
                "--port",
            ])
            .arg(port.to_string())
            // As in the embedded server.
            .args(configured(&DYNAMIC_CONFIG))
            .args(configured(&[ONE_PARTITION]))
            .args(args);
        let address = format!("127.0.0.1:{port}");
        let process = Process::spawn(command);
        connect(&address).await;
        TestTemporal { process, address }
    }
}

fn configured<'a>(config: &[&'a str]) -> impl Iterator<Item = &'a str> {
    config
        .iter()
        .flat_map(|value| ["--dynamic-config-value", value])
}

/// A Temporal in which days pass in milliseconds when nobody works.
pub struct TimeSkipping {
    _process: Process,
    /// `host:port`.
    pub address: String,
}

impl TimeSkipping {
    /// Starts one. Time passes as usual until [`skip`](Self::skip).
    pub async fn start() -> TimeSkipping {
        let port = free_port();
        let mut command = Command::new(needed("temporal-test-server"));
        command.arg(port.to_string());
        let address = format!("127.0.0.1:{port}");
        let process = Process::spawn(command);
        connect(&address).await;
        TimeSkipping {
            _process: process,
            address,
        }
    }

    /// Lets time jump whenever all workflows wait.
    pub async fn skip(&self) {
        use temporalio_common::protos::temporal::api::testservice::v1::UnlockTimeSkippingRequest;
        let client = connect(&self.address).await;
        let request = tonic::Request::new(UnlockTimeSkippingRequest {});
        client
            .connection()
            .test_service()
            .unlock_time_skipping(request)
            .await
            .unwrap();
    }

    /// Lets `time` pass.
    pub async fn pass(&self, time: Duration) {
        use temporalio_common::protos::temporal::api::testservice::v1::SleepRequest;
        let client = connect(&self.address).await;
        let duration = time.try_into().ok();
        let request = tonic::Request::new(SleepRequest { duration });
        let mut service = client.connection().test_service();
        service
            .unlock_time_skipping_with_sleep(request)
            .await
            .unwrap();
    }
}

/// Runs the Temporal CLI against a Temporal; gives what it says.
pub fn run_cli(address: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(needed("temporal"))
        .args(args)
        .args(["--address", address])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// A client of a Temporal, once it answers.
pub async fn connect(address: &str) -> Client {
    eventually("Temporal", async || {
        let mut profile = ClientConfigProfile::default();
        profile.address = Some(address.to_owned());
        let mut options = ConnectionOptions::try_from(profile).unwrap();
        // As the server connects to a Temporal on the same machine.
        options.grpc_compression = GrpcCompression::None;
        let connection = Connection::connect(options).await.ok()?;
        Client::new(connection, ClientOptions::new("default").build()).ok()
    })
    .await
}

/// The event types of an order's history, oldest first.
pub async fn history(address: &str, order_id: &str) -> Vec<String> {
    history_of(address, &format!("order/{order_id}")).await
}

/// The event types of a workflow's history, oldest first.
pub async fn history_of(address: &str, workflow_id: &str) -> Vec<String> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await.unwrap();
    events.iter().map(name).collect()
}

/// What an event is called.
pub fn name(event: &HistoryEvent) -> String {
    event.event_type().as_str_name().replace("EVENT_TYPE_", "")
}

/// What a workflow left once it had ended: its events, oldest first, and their bytes, as Temporal counts
/// and bills them.
pub async fn left_by(address: &str, workflow_id: &str) -> (Vec<HistoryEvent>, i64) {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let events = eventually("the workflow's end", async || {
        let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
        let events = history.into_events().await.unwrap();
        let last = events.last()?.event_type();
        (last == EventType::WorkflowExecutionCompleted).then_some(events)
    })
    .await;
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    let info = described.unwrap().raw().workflow_execution_info.clone();
    (events, info.unwrap().history_size_bytes)
}

/// Why workflow tasks of a workflow failed, oldest first: Temporal's cause, and the worker's words.
pub async fn failed_tasks(address: &str, workflow_id: &str) -> Vec<(String, String)> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await.unwrap();
    let failed = events.into_iter().filter_map(|event| {
        let Some(Attributes::WorkflowTaskFailedEventAttributes(failed)) = event.attributes else {
            return None;
        };
        let cause = failed.cause().as_str_name().to_owned();
        let message = failed.failure.map(|failure| failure.message);
        Some((cause, message.unwrap_or_default()))
    });
    failed.collect()
}

/// The task queue that a workflow runs on.
pub async fn task_queue_of(address: &str, workflow_id: &str) -> String {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    described.unwrap().task_queue().to_owned()
}

/// Ends a workflow by hand, as an operator would.
pub async fn terminate(address: &str, workflow_id: &str) -> Result<(), String> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let ended = handle.terminate(WorkflowTerminateOptions::default()).await;
    ended.map_err(|error| error.to_string())
}

/// Deletes a workflow and its history by hand, as an operator would. It takes a moment: see
/// [`is_known`].
pub fn delete(address: &str, workflow_id: &str) {
    let output = Command::new(needed("temporal"))
        .args([
            "workflow",
            "delete",
            // Nobody is there to be asked whether it is meant.
            "--yes",
            "--workflow-id",
            workflow_id,
            "--address",
            address,
        ])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{workflow_id}: {errors}");
}

/// Whether Temporal has a workflow of that id, open or closed.
pub async fn is_known(address: &str, workflow_id: &str) -> bool {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    match described {
        Ok(_) => true,
        Err(error) => {
            let error = error.to_string();
            assert!(error.to_lowercase().contains("not found"), "{error}");
            false
        }
    }
}

/// The activities that a workflow waits for and that have failed: their names, and how often each
/// was tried. None where there is no such workflow yet.
pub async fn failing_activities(address: &str, workflow_id: &str) -> Vec<(String, i32)> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    let Ok(described) = described else {
        return Vec::new();
    };
    let pending = described.into_raw().pending_activities.into_iter();
    pending
        .filter(|activity| activity.last_failure.is_some())
        .map(|activity| {
            let name = activity.activity_type.map(|kind| kind.name);
            (name.unwrap_or_default(), activity.attempt)
        })
        .collect()
}

/// How many workflows a query of Temporal's own language finds. What happened just now may not be
/// counted yet.
pub async fn count(address: &str, query: &str) -> usize {
    let client = connect(address).await;
    let counted = client.count_workflows(query, WorkflowCountOptions::default());
    counted.await.unwrap().count()
}

/// The workflows that came to a bad end.
pub const BAD_END: &str = "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')";
