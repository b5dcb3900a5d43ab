//! The accept loop: connections and what each may take.
//!
//! | file | what it does |
//! |---|---|
//! | `registry` | knows all connections; at a limit, closes one that does nothing |
//! | `connection`, `entry` | what is known of a connection; its requests become calls |
//! | `pool`, `party`, `turns` | what callers share, and each caller's part of it |
//! | `cancels` | slowing down those that cancel their calls |
//! | `tls`, `handshakes` | the certificates, and a bound on slow handshakes |
//! | `transport` | the stream of a connection, with or without TLS |
//! | `stalls`, `wire` | closing connections whose peer does not take what is sent |
//! | `trusted`, `proxy` | proxies that name the client they speak for |
//! | `files`, `throttle` | the limit of open files; log lines that could be many |

mod cancels;
mod connection;
mod entry;
mod files;
mod handshakes;
mod party;
mod pool;
mod proxy;
mod registry;
mod stalls;
mod throttle;
mod tls;
mod transport;
mod trusted;
mod turns;
mod wire;

pub use connection::{Connection, Peer};
pub use files::raise_limit;
pub use party::Caller;
pub use pool::{Permit, Resource};
pub use tls::{SubjectName, Tls, TlsError, TlsFiles, TlsIdentity};
pub use trusted::TrustedProxies;
pub use turns::Turn;

use bytes::Bytes;
use entry::Entry;
use futures::StreamExt;
use handshakes::Handshakes;
use http::{Request, Response};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use pool::Pools;
use registry::{Registered, Registry};
use stalls::TICKS;
use std::{convert::Infallible, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};
use throttle::Throttle;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{body::Body, transport::server::TcpIncoming};
use tower::Service;
use transport::{Rewound, Transport};
use turns::Turns;
use wire::Wire;

/// After an error of the listener, before it is asked again.
const BACK_OFF: Duration = Duration::from_millis(100);

/// The same when another connection is being closed to make room.
const FREEING: Duration = Duration::from_millis(5);

/// How long a connection that was asked to end may stay without a call.
const LEAVE: Duration = Duration::from_secs(10);

/// The bytes by which the PROXY protocol is told from HTTP.
const SNIFFED: usize = 12;

/// What callers share, and how long connections may take for what.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections in all.
    pub connections: u64,
    /// Connections of one address.
    pub connections_of_address: u64,
    /// Within this time a connection shows what it wants, by TLS and then by HTTP.
    pub first_bytes: Duration,
    /// After this time without a call a connection ends; zero for never.
    pub idle: Duration,
    /// After this time an answer of which nothing is taken ends its connection.
    pub write: Duration,
    /// After this time a connection takes no new calls; zero for never.
    pub age: Duration,
    /// Unary calls in all.
    pub calls: u32,
    /// Watches in all.
    pub watches: u32,
    /// Lists that are read at a time.
    pub lists: u32,
    /// Cancelled calls of one address in a second.
    pub cancels: u32,
    /// Bytes of requests in all, and as many of answers.
    pub buffered: u64,
}

/// Reflection streams in all.
const REFLECTION: u64 = 256;

/// Calls of the health service in all.
const HEALTH: u64 = 1024;

impl Limits {
    fn pools(&self) -> Pools {
        let calls = u64::from(self.calls);
        Pools::default()
            .with(Resource::Calls, calls)
            .with(Resource::Waiting, calls - calls / 4)
            .with(Resource::Lists, (calls / 4).max(1))
            .with(Resource::Watches, u64::from(self.watches))
            .with(Resource::Reflection, REFLECTION)
            .with(Resource::Health, HEALTH)
            .with(Resource::RequestBytes, self.buffered)
            .with(Resource::AnswerBytes, self.buffered)
            .with(Resource::ReadAheadBytes, self.buffered / 2)
    }

    fn registry(&self, files: u64) -> Registry {
        let most = self.connections.min(files::for_connections(files));
        let of_address = self.connections_of_address.min((most - most / 4).max(1));
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let turns = Turns::new(self.lists);
        let (most, of_address) = (count(most), count(of_address));
        Registry::new(self.pools(), turns, most, of_address, self.cancels)
    }
}

/// A service that is served to all connections.
struct Server<S> {
    service: S,
    http: auto::Builder<TokioExecutor>,
    limits: Limits,
    trusted: TrustedProxies,
    tls: Option<Tls>,
    handshakes: Handshakes,
    registry: Arc<Registry>,
    stopping: CancellationToken,
    ended: Throttle,
}

/// Serves `service` to all connections until `stopping`, and then until all of them have ended. With `tls`,
/// the port speaks TLS only.
pub async fn serve<S>(
    mut incoming: TcpIncoming,
    service: S,
    http: auto::Builder<TokioExecutor>,
    limits: Limits,
    trusted: TrustedProxies,
    tls: Option<Tls>,
    stopping: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let registry = Arc::new(limits.registry(raise_limit()));
    let server = Arc::new(Server {
        service,
        http,
        limits,
        trusted,
        tls,
        handshakes: Handshakes::default(),
        registry,
        stopping: stopping.clone(),
        ended: Throttle::default(),
    });
    let connections = TaskTracker::new();
    let (refused, failed) = (Throttle::default(), Throttle::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            accepted = incoming.next() => accepted,
        };
        let Some(accepted) = accepted else {
            break;
        };
        match accepted.and_then(|stream| Ok((stream.peer_addr()?.ip(), stream))) {
            Ok((peer, stream)) => {
                let names_clients = server.trusted.contains(peer);
                let address = Some(peer).filter(|_| !names_clients);
                let Some(registered) = server.registry.admit(peer, address, names_clients) else {
                    if let Some(times) = refused.count() {
                        tracing::warn!(%peer, times, "a connection is refused: too many are open");
                    }
                    continue;
                };
                connections.spawn(server.clone().run(stream, registered));
            }
            Err(error) => {
                if is_exhausted(&error) {
                    // One that does nothing may free a file. Without a pause this would spin.
                    let pause = if server.registry.evict_any() {
                        FREEING
                    } else {
                        BACK_OFF
                    };
                    if let Some(times) = failed.count() {
                        let open = server.registry.count();
                        tracing::error!(%error, times, open, "no connection can be accepted");
                    }
                    sleep(pause).await;
                } else {
                    tracing::debug!(%error, "a connection broke before it was accepted");
                }
            }
        }
    }
    // From here on nobody can connect.
    drop(incoming);
    connections.close();
    connections.wait().await;
}

/// Whether the system has no room for another connection.
fn is_exhausted(error: &io::Error) -> bool {
    use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    matches!(
        error.raw_os_error(),
        Some(EMFILE | ENFILE | ENOBUFS | ENOMEM)
    )
}

impl<S> Server<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    async fn run(self: Arc<Self>, mut stream: TcpStream, registered: Registered) {
        let mut registered = registered;
        let mut ahead = Bytes::new();
        if registered.connection().names_clients {
            let peer = registered.connection().peer;
            let connection = registered.connection().clone();
            let named = tokio::select! {
                named = timeout(self.limits.first_bytes, named(&mut stream, &mut ahead)) => named,
                () = connection.closing.notified() => return,
                () = self.stopping.cancelled() => return,
            };
            match named {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(client))) => {
                    drop(registered);
                    let names_clients = self.trusted.contains(client);
                    let address = Some(client).filter(|_| !names_clients);
                    match self.registry.admit(client, address, names_clients) {
                        Some(admitted) => registered = admitted,
                        None => return,
                    }
                }
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "a connection of a proxy ends");
                    return;
                }
                Err(_) => return,
            }
        }
        let Some(transport) = self.secure(Rewound::new(stream, ahead), &registered).await else {
            return;
        };
        let why = self.converse(transport, &registered).await;
        let connection = registered.connection();
        let [read, written] = connection.bytes();
        let (peer, age) = (connection.peer, connection.age());
        if let Some(why) = why
            && let Some(times) = self.ended.count()
        {
            tracing::info!(%peer, read, written, ?age, times, "a connection is closed: {why}");
        }
        tracing::trace!(%peer, read, written, ?age, "a connection has ended");
    }

    /// Does the TLS handshake of a connection, if the port speaks TLS. Returns none if it fails.
    async fn secure(
        &self,
        stream: Rewound<TcpStream>,
        registered: &Registered,
    ) -> Option<Transport> {
        let Some(tls) = &self.tls else {
            return Some(Transport::Plain(stream));
        };
        let connection = registered.connection();
        let most = self.limits.first_bytes;
        tokio::select! {
            done = self.handshakes.run(tls, stream, connection, most) => done,
            () = connection.closing.notified() => None,
            () = self.stopping.cancelled() => None,
        }
    }

    /// Serves one connection to its end. Says why, if it was closed by the server.
    async fn converse(
        &self,
        transport: Transport,
        registered: &Registered,
    ) -> Option<&'static str> {
        let connection = registered.connection().clone();
        let limits = &self.limits;
        let wire = Wire::new(transport, connection.clone(), limits.write);
        let service = TowerToHyperService::new(Entry {
            inner: self.service.clone(),
            connection: connection.clone(),
            registry: self.registry.clone(),
            trusted: self.trusted.clone(),
        });
        let mut served = pin!(self.http.serve_connection(TokioIo::new(wire), service));
        let mut stopping = pin!(self.stopping.cancelled());
        let mut age = pin!(sleep(limits.age));
        let mut check = pin!(sleep(limits.first_bytes));
        let mut next_tick = Instant::now() + self.tick();
        // Since when the connection has been asked to end.
        let mut leaving: Option<Instant> = None;
        let mut stopped = false;
        loop {
            tokio::select! {
                served = &mut served => {
                    if let Err(error) = served {
                        tracing::debug!(peer = %connection.peer, %error, "a connection broke");
                    }
                    return None;
                }
                () = connection.closing.notified() => {
                    return Some("another one needs its place");
                }
                () = &mut stopping, if !stopped => {
                    stopped = true;
                    leaving = Some(Instant::now());
                    served.as_mut().graceful_shutdown();
                }
                () = &mut age, if leaving.is_none() && !limits.age.is_zero() => {
                    leaving = Some(Instant::now());
                    served.as_mut().graceful_shutdown();
                }
                () = &mut check => {
                    if !connection.has_greeted() && connection.age() >= limits.first_bytes {
                        return Some("it has sent no request");
                    }
                    if Instant::now() >= next_tick {
                        next_tick = Instant::now() + self.tick();
                        if connection.stalls().tick() {
                            return Some("an answer is not taken");
                        }
                    }
                    let idle = connection.idle();
                    match leaving {
                        Some(since) if since.elapsed() >= LEAVE && idle >= LEAVE => {
                            return Some("it does not end");
                        }
                        None if !limits.idle.is_zero() && idle >= limits.idle => {
                            leaving = Some(Instant::now());
                            served.as_mut().graceful_shutdown();
                        }
                        _ => {}
                    }
                    let mut next = next_tick;
                    if !connection.has_greeted() {
                        let left = limits.first_bytes.saturating_sub(connection.age());
                        next = next.min(Instant::now() + left);
                    }
                    check.set(sleep_until(next));
                }
            }
        }
    }

    /// Between two looks at the answers of a connection.
    fn tick(&self) -> Duration {
        (self.limits.write / (TICKS - 1)).max(Duration::from_millis(10))
    }
}

/// The client that a trusted proxy names at the beginning of a connection; none if it does not. What
/// was read and is not the proxy's own word is put into `ahead`.
async fn named(stream: &mut TcpStream, ahead: &mut Bytes) -> io::Result<Option<IpAddr>> {
    let mut head = [0; SNIFFED];
    let mut count = 0;
    while count < SNIFFED {
        let rest = head.get_mut(count..).unwrap_or_default();
        let read = stream.read(rest).await?;
        count += read;
        let begun = head.get(..count).unwrap_or_default();
        if read == 0 || !proxy::may_begin(begun) {
            *ahead = Bytes::copy_from_slice(begun);
            return Ok(None);
        }
    }
    proxy::read(&mut (&head[..]).chain(stream)).await
}
