//! Starting and stopping the program: what begins first ends last.

mod background;
mod base;
mod health;
mod limits;
mod migrate;
mod stop;

pub use migrate::migrate;
pub use stop::Stop;

use crate::{
    accept::{self, Tls, TlsError},
    layer::{
        BodyLayer, BodyLimits, DeadlineLayer, OriginLayer, ShedLayer, StatusLayer, StoppingLayer,
        TrailerLayer, WebOrigins,
    },
    method::{self, MethodError},
    payment_provider::PaymentProviderError,
    rpc::Orders,
    settings::{
        DatabaseSettingsError, LimitSettings, MailSettingsError, ServeSettings, StartSettings,
        WorkerSettings,
    },
    temporal::{
        connect::ConnectError,
        embedded,
        run_worker::{RunningWorker, WorkerError},
        starter::Starter,
    },
    watch::Watches,
};
use background::{Background, start_workers};
use base::{Base, load_profile, open};
use orders_dev_server::DevServerError;
use orders_domain::policy::book::{PolicyBook, PolicyError};
use orders_store::open::OpenError;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;

/// How long calls under way may take when the program stops, and then the worker.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the start waits until commands work.
const READY: Duration = Duration::from_secs(10);

/// The same where other processes run the orders: their workers poll already, or nobody knows when they
/// will.
const SOON: Duration = Duration::from_secs(1);

/// Why the program could not start, or ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The policy file cannot be read.
    #[error("the policy file {path} cannot be read: {source}")]
    PolicyFile {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A policy cannot work.
    #[error("{}{source}", path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default())]
    Policy {
        /// In which file; none for the presets.
        path: Option<PathBuf>,
        /// Why.
        #[source]
        source: PolicyError,
    },
    /// Nobody could be written to.
    #[error(transparent)]
    Mail(#[from] MailSettingsError),
    /// Nobody could be asked for money.
    #[error(transparent)]
    PaymentProvider(#[from] PaymentProviderError),
    /// A worker alone has no Temporal of its own.
    #[error(
        "`orders worker` needs a Temporal that others use too: set --temporal-address \
         (or TEMPORAL_ADDRESS, or an address in temporal.toml)"
    )]
    NoTemporal,
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {source}")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The settings name no database.
    #[error(transparent)]
    Database(#[from] DatabaseSettingsError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The embedded Temporal did not start.
    #[error(transparent)]
    DevServer(#[from] DevServerError),
    /// Temporal cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The worker cannot be started.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A certificate or key of the port cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The embedded Temporal ended by itself, and could not be started again.
    #[error("the embedded Temporal ended and cannot be started again: {0}")]
    TemporalEnded(String),
    /// The compiled-in descriptors are broken.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The compiled-in contract does not say what its RPCs do.
    #[error(transparent)]
    Methods(#[from] MethodError),
    /// Serving ended by itself: a bug.
    #[error("serving ended: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl ServeError {
    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::PolicyFile { .. }
            | Self::Policy { .. }
            | Self::Mail(_)
            | Self::PaymentProvider(_)
            | Self::Database(_)
            | Self::Tls(_)
            | Self::NoTemporal => 2,
            Self::Connect(error) if error.is_of_settings() => 2,
            Self::TemporalEnded(_) | Self::Ended(_) => 1,
            _ => 3,
        }
    }
}

/// Serves the API until `stop`.
///
/// # Errors
/// When something that it needs cannot be used, or ends by itself.
pub async fn serve(settings: ServeSettings, stop: Stop) -> Result<(), ServeError> {
    method::load()?;
    let policies = read_policies(settings.policies)?;
    let notification = settings.common.mail.notification()?;
    let payment = settings.common.payment.provider()?;
    let origins = settings.web.origins();
    let files = settings.tls.files(origins.any());
    let tls = files.map(Tls::load).transpose()?;
    let listener = listen(settings.listen).await?;
    let mut base = tokio::select! {
        opened = open(&settings.common) => opened?,
        // Dropping the start takes what was started with it.
        () = stop.asked() => {
            progress("stopped");
            return Ok(());
        }
    };
    let workers = match settings.no_worker {
        true => Vec::new(),
        false => start_workers(&base, &settings.common, payment.clone())?,
    };
    if let Some(address) = &settings.temporal_ui {
        base.show_ui_at(address);
    }
    let StartSettings {
        start_wait,
        max_unstarted,
    } = settings.start;
    let (store, temporal) = (base.store.clone(), base.temporal.clone());
    let starter = Starter::new(store, temporal, start_wait, max_unstarted);
    let mut background = Background::default();
    background.search(&base);
    background.start(starter.clone());
    background.sweep(&base);
    background.watch_log(&base);
    background.replenish(&base);
    if let Some(tls) = &tls {
        background.watch_certificates(tls.clone());
    }
    if !settings.no_worker {
        background.tell(&base, notification);
        background.verify_vouched(&base, payment);
    }
    let edge = Edge {
        listener,
        tls,
        origins,
        limits: settings.limits,
        max_watches: settings.max_watches,
        operator: !settings.no_operator,
        runs_orders: !settings.no_worker,
        starter,
        pays_embedded: settings.common.payment.payment_provider.is_none(),
    };
    let served = serve_api(&mut base, policies, edge, stop).await;
    background.stop().await;
    close(base, workers).await;
    served
}

/// Runs orders, without serving the API, until `stop`.
///
/// # Errors
/// As [`serve`].
pub async fn work(settings: WorkerSettings, stop: Stop) -> Result<(), ServeError> {
    let common = &settings.common;
    let notification = common.mail.notification()?;
    let payment = common.payment.provider()?;
    if load_profile(common)?.address().is_none() {
        return Err(ServeError::NoTemporal);
    }
    let base = tokio::select! {
        opened = open(common) => opened?,
        () = stop.asked() => {
            progress("stopped");
            return Ok(());
        }
    };
    let workers = start_workers(&base, common, payment.clone())?;
    let mut background = Background::default();
    background.search(&base);
    background.replenish(&base);
    background.tell(&base, notification);
    background.verify_vouched(&base, payment);
    let polling = futures::future::join_all(workers.iter().map(RunningWorker::polls));
    tokio::select! {
        _ = polling => progress(&format!(
            "ready: running orders of task queue {}",
            common.task_queue
        )),
        () = stop.asked() => {}
    }
    stop.asked().await;
    progress("stopping");
    background.stop().await;
    close(base, workers).await;
    Ok(())
}

fn progress(line: &str) {
    println!("orders: {line}");
}

fn read_policies(path: Option<PathBuf>) -> Result<PolicyBook, ServeError> {
    let Some(path) = path else {
        return PolicyBook::presets().map_err(|source| ServeError::Policy { path: None, source });
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => PolicyBook::with_file(&text).map_err(|source| ServeError::Policy {
            path: Some(path),
            source,
        }),
        Err(source) => Err(ServeError::PolicyFile { path, source }),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ServeError::Listen { address, source })
}

/// Where the API is served, and to whom.
struct Edge {
    listener: TcpListener,
    /// The certificates; absent if the port speaks plain text.
    tls: Option<Tls>,
    limits: LimitSettings,
    origins: WebOrigins,
    max_watches: u32,
    /// Whether operators are served, too.
    operator: bool,
    /// Whether this process also runs the orders.
    runs_orders: bool,
    /// What starts the orders that are placed.
    starter: Starter,
    /// Whether the embedded payment provider moves the money.
    pays_embedded: bool,
}

async fn serve_api(
    base: &mut Base,
    policies: PolicyBook,
    edge: Edge,
    stop: Stop,
) -> Result<(), ServeError> {
    let Edge {
        listener,
        tls,
        limits,
        origins,
        max_watches,
        operator,
        runs_orders,
        starter,
        pays_embedded,
    } = edge;
    let address = listener.local_addr().map_err(|source| ServeError::Listen {
        address: SocketAddr::from(([0, 0, 0, 0], 0)),
        source,
    })?;
    let (health, health_service) = health::start(&base.store, &base.temporal).await;
    let (temporal, store) = (base.temporal.clone(), base.store.clone());
    let draining = CancellationToken::new();
    let connections = &limits.connections;
    let heartbeat = Some(connections.watch_heartbeat).filter(|time| !time.is_zero());
    let watches = Watches::start(store.clone(), heartbeat, draining.clone());
    let orders = Orders::new(
        store,
        temporal,
        starter,
        policies,
        watches,
        base.ui.clone(),
        pays_embedded,
    );
    let max_request = limits.max_request_bytes;
    let body = BodyLimits {
        message: max_request,
        headers: connections.max_header_bytes,
        time: connections.max_request_time,
    };
    let mut routes = Routes::new(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(orders.order_service(max_request as usize))
        .add_service(orders.inventory_service(max_request as usize));
    if operator {
        routes = routes.add_service(orders.operator_service(max_request as usize));
    }
    let http = limits::http(&limits, &origins);
    let service = ServiceBuilder::new()
        .layer(origins.cors())
        .layer(GrpcWebLayer::new())
        .layer(OriginLayer::new(origins))
        .layer(StoppingLayer::new(draining.clone()))
        .layer(StatusLayer::new(max_request))
        .layer(DeadlineLayer::new(limits.max_call_time))
        .layer(BodyLayer::new(body))
        .layer(ShedLayer)
        .layer(TrailerLayer)
        .service(routes.prepare());
    let (origin, grpcurl) = reached_by(address, tls.as_ref());
    let ready = format!("ready on {origin}; try: {grpcurl} list orders.v1.OrderService");
    let server = accept::serve(
        limits::incoming(listener, &limits),
        service,
        http,
        limits::accept(&limits, max_watches),
        accept::TrustedProxies::new(&connections.trusted_proxies),
        tls,
        draining.clone(),
    );
    // Calls are answered from here on; that it is ready is said when commands work, too.
    let mut server = tokio::spawn(server);
    if let Some(ui) = &base.ui {
        progress(&format!("Temporal's web UI is at {}", ui.base_url));
    }
    let begins = async {
        if runs_orders {
            health.wait_ready(READY).await;
            return true;
        }
        // The workers are other processes: it may be long until one polls, and reads work meanwhile.
        health.is_ready_within(SOON).await || !health.reads_within(READY).await
    };
    let is_ready = tokio::select! {
        is_ready = begins => is_ready,
        () = stop.asked() => true,
    };
    if is_ready {
        progress(&ready);
    } else {
        progress(&format!("serving on {origin}; no worker polls yet"));
    }
    let later = async {
        if !is_ready && health.is_ready_within(Duration::MAX).await {
            progress(&ready);
        }
        std::future::pending::<std::convert::Infallible>().await
    };
    let ended = async {
        match &mut base.dev_server {
            Some(dev_server) => embedded::keep(dev_server, &base.profile).await.to_string(),
            None => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        served = &mut server => return served.map_err(ServeError::from),
        reason = ended => Err(ServeError::TemporalEnded(reason)),
        never = later => match never {},
        () = stop.asked() => Ok(()),
    };
    progress("stopping: finishing the calls under way");
    health.stop().await;
    draining.cancel();
    // Connections with open calls are waited for without bound.
    match tokio::time::timeout(DRAIN, server).await {
        Ok(served) => served?,
        Err(_) => tracing::warn!("calls under way did not end in time and are cut off"),
    }
    result
}

/// Returns the address of the API for the log, and the beginning of a command that calls it.
fn reached_by(address: SocketAddr, tls: Option<&Tls>) -> (String, String) {
    let Some(tls) = tls else {
        return (address.to_string(), format!("grpcurl -plaintext {address}"));
    };
    let client = if tls.asks_clients() {
        "-cert CLIENT.pem -key CLIENT.key "
    } else {
        ""
    };
    (
        format!("https://{address}"),
        format!("grpcurl -cacert CA.pem {client}{address}"),
    )
}

async fn close(base: Base, workers: Vec<RunningWorker>) {
    let stops = workers.into_iter().map(|worker| worker.stop(DRAIN));
    futures::future::join_all(stops).await;
    if let Some(dev_server) = base.dev_server {
        dev_server.stop().await;
    }
    base.store.close().await;
    progress("stopped");
}

/// Both reflection services also know the error details: without them grpcurl cannot print them.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(orders::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
