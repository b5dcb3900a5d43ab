//! A Temporal that takes every call and answers none of those that matter. It knows how long each
//! caller would wait, and whether it still does. It can lose its namespace, and find it again.

use http::{Request, Response};
use prost::Message;
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use temporalio_common::protos::{
    google::rpc,
    temporal::api::{
        enums::v1::IndexedValueType,
        errordetails::v1::NamespaceNotFoundFailure,
        operatorservice::v1::ListSearchAttributesResponse,
        taskqueue::v1::PollerInfo,
        workflowservice::v1::{DescribeNamespaceResponse, DescribeTaskQueueResponse},
    },
    utilities::pack_any,
};
use tokio::net::TcpListener;
use tonic::{
    Code, Status,
    body::Body,
    transport::{Server, server::TcpIncoming},
};

/// The search attributes of orders, all of type Keyword. Stated here once more, so that this crate needs
/// no crate of the service.
const NAMES: [&str; 3] = ["OrderState", "CustomerId", "OrderPolicy"];

/// A call that it got.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method, without its service.
    pub method: String,
    /// What the caller said with `grpc-timeout`.
    pub timeout: Option<Duration>,
    ended: Arc<AtomicBool>,
}

/// See the module. Ends with the test.
#[derive(Clone, Default)]
pub struct StandIn {
    /// Where it is, `host:port`.
    pub address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    busy: Arc<AtomicUsize>,
    without_namespace: Arc<AtomicBool>,
    /// Whether the next calls of DescribeNamespace find it.
    described: Arc<Mutex<VecDeque<bool>>>,
}

struct Ending(Arc<AtomicBool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl StandIn {
    /// Starts one.
    pub async fn start() -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stand_in = StandIn {
            address: listener.local_addr().unwrap().to_string(),
            ..StandIn::default()
        };
        let answers = stand_in.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answers = answers.clone();
            async move { Ok::<_, Infallible>(answers.answer(request).await) }
        });
        let incoming = TcpIncoming::from(listener);
        tokio::spawn(Server::builder().serve_with_incoming(service, incoming));
        stand_in
    }

    /// The next so many calls that matter are refused with RESOURCE_EXHAUSTED, as a Temporal does
    /// that has too much to do.
    pub fn be_busy(&self, times: usize) {
        self.busy.store(times, Ordering::SeqCst);
    }

    /// From now on calls that matter are told that the namespace is not found, as a Temporal says
    /// whose own database does not answer.
    pub fn lose_namespace(&self) {
        self.without_namespace.store(true, Ordering::SeqCst);
    }

    /// From now on the namespace is found.
    pub fn find_namespace(&self) {
        self.without_namespace.store(false, Ordering::SeqCst);
    }

    /// Whether the next calls that describe the namespace find it, one after the other.
    pub fn describe_next(&self, found: &[bool]) {
        self.described.lock().unwrap().extend(found);
    }

    /// The calls of a method so far.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        let of_method = calls.iter().filter(|call| call.method == method);
        of_method.cloned().collect()
    }

    /// How many calls of a method somebody still waits for.
    pub fn open(&self, method: &str) -> usize {
        let calls = self.calls(method);
        let open = calls
            .iter()
            .filter(|call| !call.ended.load(Ordering::SeqCst));
        open.count()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        match method.as_str() {
            "StartWorkflowExecution"
            | "UpdateWorkflowExecution"
            | "SignalWorkflowExecution"
            | "DescribeWorkflowExecution"
            | "QueryWorkflow"
            | "DescribeNamespace"
            | "PollWorkflowTaskQueue"
            | "PollActivityTaskQueue" => {}
            "DescribeTaskQueue" => return polled(),
            "ListSearchAttributes" => return searchable(),
            _ => return Status::unimplemented("unknown method").into_http(),
        }
        let timeout = request.headers().get("grpc-timeout");
        let ended = Arc::<AtomicBool>::default();
        let is_description = method == "DescribeNamespace";
        self.calls.lock().unwrap().push(Call {
            method,
            timeout: timeout.map(|value| parse(value.to_str().unwrap())),
            ended: ended.clone(),
        });
        let _ending = Ending(ended);
        let next = is_description.then(|| self.described.lock().unwrap().pop_front());
        let is_lost = self.without_namespace.load(Ordering::SeqCst);
        if !next.flatten().unwrap_or(!is_lost) {
            return namespace_not_found().into_http();
        }
        if is_description {
            return ok(&DescribeNamespaceResponse::default());
        }
        let less = |times: usize| times.checked_sub(1);
        if self
            .busy
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
        {
            return Status::resource_exhausted("namespace rate limit exceeded").into_http();
        }
        std::future::pending().await
    }
}

/// Somebody runs orders, so that a server says at once that it is ready.
fn polled() -> Response<Body> {
    let described = DescribeTaskQueueResponse {
        pollers: vec![PollerInfo {
            last_access_time: Some((SystemTime::now() + Duration::from_secs(3600)).into()),
            ..PollerInfo::default()
        }],
        ..DescribeTaskQueueResponse::default()
    };
    ok(&described)
}

/// All attributes that orders are found by are there.
fn searchable() -> Response<Body> {
    let keyword = i32::from(IndexedValueType::Keyword);
    let names = NAMES.iter().map(|name| ((*name).to_owned(), keyword));
    ok(&ListSearchAttributesResponse {
        custom_attributes: names.collect(),
        ..ListSearchAttributesResponse::default()
    })
}

fn ok(answer: &impl Message) -> Response<Body> {
    let body = crate::raw::frame(0, &answer.encode_to_vec());
    let trailers = Status::ok("").into_http::<()>().headers().clone();
    let body = http_body_util::Full::from(body);
    let body = http_body_util::BodyExt::with_trailers(body, async { Some(Ok(trailers)) });
    Response::builder()
        .header("content-type", "application/grpc")
        .body(Body::new(body))
        .unwrap()
}

/// What a Temporal was heard to say.
fn namespace_not_found() -> Status {
    let (code, message) = (Code::NotFound, "Namespace default is not found.");
    let failure = NamespaceNotFoundFailure {
        namespace: "default".to_owned(),
    };
    let url = "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure";
    let details = rpc::Status {
        code: code.into(),
        message: message.to_owned(),
        details: vec![pack_any(url.to_owned(), &failure).unwrap()],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

fn parse(timeout: &str) -> Duration {
    let (count, unit) = timeout.split_at(timeout.len() - 1);
    let count: u64 = count.parse().unwrap();
    match unit {
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        unit => panic!("{count}{unit}"),
    }
}
